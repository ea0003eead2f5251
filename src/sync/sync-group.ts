import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { GroupId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import type { ProvisionedGroup } from '../provisioning/groups.ts'
import { type Expectation, expectedInRun } from '../review/expected-in-run.ts'
import { becomesEmpty, isFilling } from '../review/warnings.ts'
import { acts } from './choices.ts'
import { type GroupOutcome, type RunTerms, recordOutcome, skipped, waits } from './runs.ts'

/** What may keep a group from being synced, apart from what was reviewed. */
export interface Standing {
  state: GroupState
  reasons: readonly GroupReason[]
  isFilling: boolean
  isEmpty: boolean
}

/**
 * One group of a run, all of it in this transaction: locks it, computes the answer again, and if it is what was foreseen makes the
 * group what was chosen, with the log and the run's cursor: a job run twice acts once.
 *
 * The answer is compared twice. With the groups of the run that wait counted as synced it must be what was foreseen: else the group is
 * skipped, whatever its turn. With those groups as they are in force, the group must take nothing now that was not foreseen: a group whose
 * addition it rests on may still turn out to be skipped. Such a group is left for `later`, when that one is done.
 * @param others `skip` a group that another worker is at, or `wait` until that one is done
 * @returns what became of it; undefined where it is done already, another worker is at it, or the run was stopped
 */
export async function syncGroup(
  trx: Trx,
  run: RunTerms,
  id: ProvisionedGroupId,
  others: 'skip' | 'wait',
): Promise<GroupOutcome | 'later' | undefined> {
  const claim = await claimGroup(trx, run.id, id, others)
  if (claim === undefined) return undefined
  const { group, expected, takes } = claim
  const why = whyNotClaimed(claim, run)
  if (why !== undefined || group === undefined) return recordOutcome(trx, run.id, id, why ?? skipped('gone'))
  if (takes) await lockWhoIsRemoved(trx, [group.groupId])
  const [atTheEnd, now] = await Promise.all([
    expectedInRun(trx, { groupIds: [id], pending: { run: run.id } }),
    takes ? expectedInRun(trx, { groupIds: [id], pending: [id] }) : undefined,
  ])
  if (!isForeseen(expected, atTheEnd.get(id))) return recordOutcome(trx, run.id, id, skipped('review_changed'))
  if (now !== undefined && !isForeseen(expected, now.get(id))) return 'later'
  return act(trx, run, group)
}

/**
 * The groups that rest on one another, in one transaction: `Left` gives what `Right` takes, and the other way round, so that neither can be
 * first. Locks them all, in id order; who takes what was not foreseen, with these and no others counted as synced, is skipped, until nobody
 * does; the others are synced. None of them can turn out to be skipped after another has taken.
 */
export async function syncTogether(
  trx: Trx,
  run: RunTerms,
  ids: readonly ProvisionedGroupId[],
): Promise<Map<ProvisionedGroupId, GroupOutcome>> {
  const outcomes = new Map<ProvisionedGroupId, GroupOutcome>()
  const left = new Map<ProvisionedGroupId, { expected: Expectation; group: ProvisionedGroup }>()
  // One after another: sent in this order they are locked in it.
  const claims = await Promise.all(ids.toSorted().map(async (id) => ({ id, claim: await claimGroup(trx, run.id, id, 'wait') })))
  for (const { id, claim } of claims) {
    if (claim === undefined) continue
    const { group, expected } = claim
    const why = whyNotClaimed(claim, run)
    if (why !== undefined || group === undefined) outcomes.set(id, why ?? skipped('gone'))
    else left.set(id, { expected, group })
  }
  await lockWhoIsRemoved(
    trx,
    [...left.values()].map(({ group }) => group.groupId),
  )
  for (let before = -1; before !== left.size; ) {
    before = left.size
    const now = await expectedInRun(trx, { groupIds: [...left.keys()], pending: [...left.keys()] })
    for (const [id, { expected }] of left) {
      if (isForeseen(expected, now.get(id))) continue
      left.delete(id)
      outcomes.set(id, skipped('review_changed'))
    }
  }
  for (const [id, outcome] of outcomes) await recordOutcome(trx, run.id, id, outcome)
  for (const [id, { group }] of left) outcomes.set(id, await act(trx, run, group))
  return outcomes
}

async function act(trx: Trx, run: RunTerms, group: ProvisionedGroup): Promise<GroupOutcome> {
  const { added, removed } = await acts[run.choice](trx, group, { runId: run.id, directoryId: run.directoryId })
  return recordOutcome(trx, run.id, group.id, { result: 'synced', reason: null, detail: null, added, removed })
}

const whyNotClaimed = ({ group, standing }: Claim, run: RunTerms): GroupOutcome | undefined =>
  group === undefined ? skipped('gone') : whyNot(standing, run)

/** Why a group may not be synced as it stands, whatever was reviewed; undefined where it may. Blocked groups are never forced. */
export function whyNot(
  { state, reasons, isFilling, isEmpty }: Standing,
  terms: Pick<RunTerms, 'acceptIncomplete' | 'acceptEmpty'>,
): GroupOutcome | undefined {
  if (state === 'blocked') return skipped('blocked', reasons.map((reason) => inWords[reason]).join(' '))
  if (state === 'synced' || state === 'held') return skipped('already_synced')
  if (state !== 'needs_review') return skipped('no_longer_needs_review')
  if (isFilling && !terms.acceptIncomplete) return skipped('filling')
  if (isEmpty && !terms.acceptEmpty) return skipped('empty')
  return undefined
}

const inWords: Record<GroupReason, string> = {
  default_access_group: 'It is a default access group.',
  managed_elsewhere: 'Another pushed group has the group of its name.',
  protected: 'It is protected.',
  name_taken: 'Its name is taken.',
}

/** The same group with the same changes, and nothing is lost that was not foreseen. Less lost is no reason to refuse. */
export function isForeseen(foreseen: Expectation, now: Expectation | undefined): boolean {
  if (foreseen.digest !== now?.digest) return false
  const known = new Set(foreseen.lost)
  return now.lost.every((access) => known.has(access))
}

interface Claim {
  expected: Expectation
  group: ProvisionedGroup | undefined
  standing: Standing
  /** Whether members are removed. */
  takes: boolean
}

type ClaimRow = Partial<ProvisionedGroup> & Standing & { expected: string; takes: boolean }

/**
 * Takes the group's place in the run, then locks the pushed group and its pair, in the one order of locks (rule 12).
 * Until this commits a crash of the database may undo it with its place in the run, never one without the other, so that it need not
 * be awaited on disk; the run's end is. That is 0.8 ms a group less (one fdatasync).
 */
async function claimGroup(trx: Trx, runId: RunId, id: ProvisionedGroupId, others: 'skip' | 'wait'): Promise<Claim | undefined> {
  const { rows } = await sql<ClaimRow>`
    with claimed as materialized (
      select x.expected from run_groups x
      where x.org_id = ${trx.orgId} and x.run_id = ${runId} and x.provisioned_group_id = ${id} and ${waits}
        and exists (select from runs r where r.org_id = ${trx.orgId} and r.id = ${runId} and r.state = 'running')
      for update of x ${others === 'skip' ? skipLocked : sql``}
    ),
    pushed as materialized (
      select p.* from claimed, provisioned_groups p where p.org_id = ${trx.orgId} and p.id = ${id} for no key update of p
    ),
    locked as materialized (
      select p.id, p.directory_id, p.name, p.name_key, p.external_id, p.group_id, p.state, p.reasons, not o.effective as is_apart,
        ${isFilling} as is_filling, ${becomesEmpty} as is_empty, o.remove_count > 0 as takes
      from pushed p
      join directories d on d.org_id = ${trx.orgId} and d.id = p.directory_id
      join groups o on o.org_id = ${trx.orgId} and o.id = p.group_id
      for no key update of o
    )
    select claimed.expected, l.id, l.directory_id as "directoryId", l.name, l.name_key as "nameKey", l.external_id as "externalId",
      l.group_id as "groupId", l.state, l.reasons, l.is_apart as "isApart", l.is_filling as "isFilling", l.is_empty as "isEmpty", l.takes,
      set_config('synchronous_commit', 'off', true)
    from claimed left join locked l on true`.execute(trx)
  const [row] = rows
  if (row === undefined) return undefined
  const {
    expected,
    takes,
    id: found,
    directoryId,
    name,
    nameKey,
    externalId = null,
    groupId,
    state,
    reasons,
    isApart = false,
    isFilling: filling,
    isEmpty,
  } = row
  const group =
    found && directoryId && groupId && name !== undefined && nameKey !== undefined
      ? { id: found, directoryId, name, nameKey, externalId, groupId, isApart, state, reasons: [...reasons] }
      : undefined
  return { expected: JSON.parse(expected), group, standing: { state, reasons, isFilling: filling, isEmpty }, takes }
}

const skipLocked: RawBuilder<unknown> = sql`skip locked`

// Two runs over groups that keep each other's access alive: without this each would see the other's group as it was, and both would take.
// Who is locked is in the groups' differences, which the groups' own locks hold still. In id order: no run waits for one that waits for it.
async function lockWhoIsRemoved(trx: Trx, groupIds: readonly GroupId[]): Promise<void> {
  await sql`
    select from accounts a
    where a.org_id = ${trx.orgId} and a.id = any(array(
      select m.account_id from memberships m where m.org_id = ${trx.orgId} and m.group_id = any(${groupIds}::uuid[]) and m.pushed <> m.effective and not m.pushed))
    order by a.id for no key update of a`.execute(trx)
}
