import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import type { Jobs } from '../database/jobs.ts'
import { planForSets } from '../database/transaction.ts'
import { Refusal } from '../organization/refusal.ts'
import { accessEffects } from '../review/access-effects.ts'
import { type Effect, effectOfProposed } from '../review/effect.ts'
import type { Expectation } from '../review/expected-in-run.ts'
import { type Cut, changedSince, cutsOfRun, type Restored, restoredGroups, restoreOf } from '../review/restore.ts'
import { approvalFor } from './approvals.ts'
import { lockConcernedByCut, lockToPutBack, putBack } from './put-back.ts'
import { findRun, type Run } from './run-reports.ts'
import { type GroupOutcome, insertRun, type PendingGroup, type RunTerms, recordOutcome, skipped, waits } from './runs.ts'
import { isForeseen } from './sync-group.ts'

/** What undoing a run would come to. */
export interface Undo {
  run: Run
  /** Groups that would be put back to what they were before the run. */
  groups: number
  /** Groups that were changed since, by whomever, with how many entries: left out, unless they are asked for. */
  changed: { group: { id: GroupId; name: string }; entries: number }[]
  effect: Effect
}

interface UndoRequest {
  run: string
  /** Groups that were changed since the run, too: what was done to them later is undone with it. */
  evenIfChanged: boolean
}

/** What undoing a run would come to. @throws Refusal `not_found`, `run_under_way`, `nothing_to_restore` */
export async function previewUndo(reader: Reader, request: UndoRequest): Promise<Undo> {
  const { cuts: _, ...undo } = await plan(reader, request)
  return undo
}

/**
 * Starts the run that undoes a run, as it was shown.
 * @throws Refusal as `previewUndo`; `review_changed` where it comes to something else than `fingerprint` says
 */
export async function startUndo(
  trx: Trx,
  jobs: Pick<Jobs, 'send'>,
  request: UndoRequest & { fingerprint: string; note: string | null },
): Promise<RunId> {
  await planForSets(trx)
  const { run, cuts, effect } = await plan(trx, request)
  const { fingerprint, ...foreseen } = effect
  if (fingerprint !== request.fingerprint)
    throw new Refusal(
      'review_changed',
      'What undoing the run comes to changed while you were looking. Nothing was undone. Look at the new figures, then go on with their fingerprint.',
      { fingerprint, effect },
    )
  const names = new Map((await restoredGroups(trx, cuts)).map(({ id, now }) => [id, now.name]))
  const expected = await expectedOf(trx, cuts)
  const approval = await approvalFor(trx, effect)
  const runId = await insertRun(trx, {
    kind: 'restore',
    undoes: run.id,
    directoryId: await directoryOf(trx, run.id),
    choice: 'restore',
    acceptIncomplete: true,
    acceptEmpty: true,
    note: request.note,
    fingerprint,
    foreseen: { ...foreseen, blocked: 0 },
    approval,
    groups: cuts.map(({ groupId, entry }) => ({
      // Its place in a run is by the group itself: a group that no provider pushes is put back, too.
      id: groupId as string as ProvisionedGroupId,
      name: names.get(groupId) ?? groupId,
      choice: 'restore',
      cut: entry,
      expected: expected.get(groupId) ?? { digest: '', lost: [] },
    })),
  })
  if (approval === null) await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId })
  return runId
}

async function plan(reader: Reader, { run: asked, evenIfChanged }: UndoRequest): Promise<Undo & { cuts: Cut[] }> {
  const run = await findRun(reader, asked)
  if (run.finishedAt === null)
    throw new Refusal('run_under_way', 'The run has not ended. Stop it, or wait for its end; then undo it.', { run: run.id })
  const all = await cutsOfRun(reader, run.id)
  const since = await changedSince(reader, all, run.id)
  const names = new Map((await restoredGroups(reader, all)).map(({ id, now }) => [id, now.name]))
  const changed = [...since].map(([id, entries]) => ({ group: { id, name: names.get(id) ?? id }, entries: entries.length }))
  const cuts = evenIfChanged ? all : all.filter(({ groupId }) => !since.has(groupId))
  if (cuts.length === 0)
    throw new Refusal(
      'nothing_to_restore',
      all.length === 0
        ? 'The run changed no group: there is nothing to undo.'
        : 'Every group of the run was changed since. Undo them even so, or put groups back one by one.',
      { changed },
    )
  return { run, cuts, groups: cuts.length, changed, effect: await effectOfProposed(reader, restoreOf(reader, cuts)) }
}

async function directoryOf(reader: Reader, id: RunId): Promise<DirectoryId> {
  const { directory_id } = await reader
    .selectFrom('runs')
    .select('directory_id')
    .where('org_id', '=', reader.orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return directory_id
}

/**
 * What putting each group back comes to, with all of `cuts` counted as put back. `digest`: what it does to the group itself, its names and who
 * comes and goes, SHA-256 in hex; `lost`: what is gone then and its own removals have part in, `account:role`.
 */
async function expectedOf(reader: Reader, cuts: readonly Cut[]): Promise<Map<GroupId, Expectation>> {
  const rows = await inHashes(
    reader,
    sql<Expectation & { id: GroupId }>`
    with ${accessEffects(reader, restoreOf(reader, cuts))},
    met as (
      select id, account_id, gives, null as name, null as lost from changing
      union all select id, null, null, concat_ws('|', to_json(name), to_json(name_then)), null from standings
      union all select id, null, null, null, account_id || ':' || role_id from weighed where lost and not gives
    )
    select id, coalesce(array_agg(lost order by lost) filter (where lost is not null), '{}') as lost,
      encode(sha256(convert_to(concat_ws('|', 'muster.restore.group.1', id, max(name),
        string_agg(account_id || case when gives then '+' else '-' end, ',' order by account_id)), 'UTF8')), 'hex') as digest
    from met group by id`,
  )
  return new Map(rows.map(({ id, ...expected }) => [id, expected]))
}

/**
 * One group of a run that undoes another, all of it in this transaction: if it comes to what was foreseen, and takes nothing now that was
 * not, it is put back, with the log and the run's cursor.
 * @returns as `syncGroup`: `later` also where its name is still that of a group that is put back, too
 */
export async function undoGroup(
  trx: Trx,
  run: RunTerms,
  group: Pick<PendingGroup, 'id' | 'cut'>,
): Promise<GroupOutcome | 'later' | undefined> {
  const cut = cutOf(group)
  const [before] = await restoredGroups(trx, [cut])
  // Sent together, one after the other: what is read sees what the locks hold still.
  const [, foreseen, expected, [found]] = await Promise.all([
    lockConcernedByCut(trx, cut, before),
    claim(trx, run, group.id),
    expectedOf(trx, [cut]),
    restoredGroups(trx, [cut]),
  ])
  if (foreseen === undefined) return undefined
  const now = expected.get(cut.groupId)
  if (now?.digest !== foreseen.digest) return recordOutcome(trx, run.id, group.id, skipped('review_changed'))
  // What it takes rests on another group of the run, which gives it back.
  if (!isForeseen(foreseen, now)) return 'later'
  return putBackInRun(trx, run, group, found)
}

/**
 * The groups that rest on one another, in one transaction: who takes what was not foreseen, with these and no others counted as put back, is
 * skipped, until nobody does; the others are put back, in the order of the run.
 */
export async function undoTogether(
  trx: Trx,
  run: RunTerms,
  groups: readonly Pick<PendingGroup, 'id' | 'cut'>[],
): Promise<Map<ProvisionedGroupId, GroupOutcome>> {
  const outcomes = new Map<ProvisionedGroupId, GroupOutcome>()
  const left = new Map<ProvisionedGroupId, { group: Pick<PendingGroup, 'id' | 'cut'>; foreseen: Expectation }>()
  for (const group of groups) {
    await lockToPutBack(trx, cutOf(group))
    const foreseen = await claim(trx, run, group.id)
    if (foreseen) left.set(group.id, { group, foreseen })
  }
  for (let before = -1; before !== left.size; ) {
    before = left.size
    const now = await expectedOf(
      trx,
      [...left.values()].map(({ group }) => cutOf(group)),
    )
    for (const [id, { group, foreseen }] of left) {
      if (isForeseen(foreseen, now.get(cutOf(group).groupId))) continue
      left.delete(id)
      outcomes.set(id, await recordOutcome(trx, run.id, id, skipped('review_changed')))
    }
  }
  for (const [id, { group }] of left) outcomes.set(id, await putBackInRun(trx, run, group))
  return outcomes
}

const cutOf = ({ id, cut }: Pick<PendingGroup, 'id' | 'cut'>): Cut => ({ groupId: id as string as GroupId, entry: cut ?? '' })

async function putBackInRun(
  trx: Trx,
  run: RunTerms,
  group: Pick<PendingGroup, 'id' | 'cut'>,
  found?: Restored,
): Promise<GroupOutcome> {
  const { added, removed } = await putBack(trx, cutOf(group), { runId: run.id }, found)
  return recordOutcome(trx, run.id, group.id, { result: 'synced', reason: null, detail: null, added, removed })
}

/**
 * Takes a group's place in the run; what was foreseen of it, or undefined where it is done, or the run was stopped. As with a sync, each commit
 * leaves the disk to the run's end.
 */
async function claim(trx: Trx, run: RunTerms, id: ProvisionedGroupId): Promise<Expectation | undefined> {
  const { rows } = await sql<{ expected: string }>`
    select x.expected, set_config('synchronous_commit', 'off', true) from run_groups x
    where x.org_id = ${trx.orgId} and x.run_id = ${run.id} and x.unit_id = ${id} and ${waits}
      and exists (select from runs r where r.org_id = ${trx.orgId} and r.id = ${run.id} and r.state = 'running')
    for update of x`.execute(trx)
  return rows[0] && JSON.parse(rows[0].expected)
}
