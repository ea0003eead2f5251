import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import type { Jobs } from '../database/jobs.ts'
import { planForSets } from '../database/transaction.ts'
import { Refusal } from '../organization/refusal.ts'
import { type Effect, effectOfProposed } from '../review/effect.ts'
import { type Cut, changedSince, cutsOfRun, restoredGroups, restoreOf } from '../review/restore.ts'
import { lockToPutBack, putBack } from './put-back.ts'
import { findRun, type Run } from './run-reports.ts'
import { type GroupOutcome, insertRun, type PendingGroup, type RunTerms, recordOutcome, skipped, waits } from './runs.ts'

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
  const digests = await changesOf(trx, cuts)
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
    groups: cuts.map(({ groupId, entry }) => ({
      // Its place in a run is by the group itself: a group that no provider pushes is put back, too.
      id: groupId as string as ProvisionedGroupId,
      name: names.get(groupId) ?? groupId,
      choice: 'restore',
      cut: entry,
      expected: { digest: digests.get(groupId) ?? '', lost: [] },
    })),
  })
  await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId })
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

// What putting each group back does to it itself, SHA-256 in hex: its names, and who comes and goes.
async function changesOf(reader: Reader, cuts: readonly Cut[]): Promise<Map<GroupId, string>> {
  const { selected, changing } = restoreOf(reader, cuts)
  const rows = await inHashes(
    reader,
    sql<{ id: GroupId; digest: string }>`
    with ${selected}, ${changing},
    met as (
      select id, account_id, gives, null as name from changing
      union all select id, null, null, concat_ws('|', to_json(name), to_json(name_then)) from standings
    )
    select id, encode(sha256(convert_to(concat_ws('|', 'muster.restore.group.1', id, max(name),
      string_agg(account_id || case when gives then '+' else '-' end, ',' order by account_id)), 'UTF8')), 'hex') as digest
    from met group by id`,
  )
  return new Map(rows.map(({ id, digest }) => [id, digest]))
}

/**
 * One group of a run that undoes another, all of it in this transaction: if it comes to what was foreseen, it is put back, with the log and
 * the run's cursor.
 * @returns as `syncGroup`; `later` where its name is still that of a group that is put back, too
 */
export async function undoGroup(
  trx: Trx,
  run: RunTerms,
  { id, cut }: Pick<PendingGroup, 'id' | 'cut'>,
): Promise<GroupOutcome | undefined> {
  const back: Cut = { groupId: id as string as GroupId, entry: cut ?? '' }
  await lockToPutBack(trx, back)
  const { rows } = await sql<{ expected: string }>`
    select x.expected from run_groups x
    where x.org_id = ${trx.orgId} and x.run_id = ${run.id} and x.provisioned_group_id = ${id} and ${waits}
      and exists (select from runs r where r.org_id = ${trx.orgId} and r.id = ${run.id} and r.state = 'running')
    for update of x`.execute(trx)
  if (rows[0] === undefined) return undefined
  const { digest } = JSON.parse(rows[0].expected) as { digest: string }
  if ((await changesOf(trx, [back])).get(back.groupId) !== digest)
    return recordOutcome(trx, run.id, id, skipped('review_changed'))
  const { added, removed } = await putBack(trx, back, { runId: run.id })
  return recordOutcome(trx, run.id, id, { result: 'synced', reason: null, detail: null, added, removed })
}
