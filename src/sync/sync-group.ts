import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { ProvisionedGroupId, RunId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { type Expectation, expectedInRun, expectedInTurn } from '../review/expected-in-run.ts'
import { becomesEmpty, isFilling } from '../review/warnings.ts'
import { acts, type LockedPair } from './choices.ts'
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
  // Sent together, one after the other: each sees what the locks of those before it hold still.
  const [claim, , turn] = await Promise.all([
    claimGroup(trx, run.id, id, others),
    lockWhoIsRemoved(trx, run.id, [id]),
    expectedInTurn(trx, { id, runId: run.id }),
  ])
  if (claim === undefined) return undefined
  const { group, expected } = claim
  const why = whyNotClaimed(claim, run)
  if (why !== undefined || group === undefined || turn === undefined)
    return recordOutcome(trx, run.id, id, why ?? skipped('gone'))
  if (!isForeseen(expected, turn)) return recordOutcome(trx, run.id, id, skipped('review_changed'))
  if (!isForeseen(expected, { ...turn, lost: turn.lostAtOnce })) return 'later'
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
  const left = new Map<ProvisionedGroupId, { expected: Expectation; group: ClaimedGroup }>()
  // One after another: sent in this order they are locked in it.
  const claims = await Promise.all(ids.toSorted().map(async (id) => ({ id, claim: await claimGroup(trx, run.id, id, 'wait') })))
  for (const { id, claim } of claims) {
    if (claim === undefined) continue
    const { group, expected } = claim
    const why = whyNotClaimed(claim, run)
    if (why !== undefined || group === undefined) outcomes.set(id, why ?? skipped('gone'))
    else left.set(id, { expected, group })
  }
  await lockWhoIsRemoved(trx, run.id, [...left.keys()])
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

async function act(trx: Trx, run: RunTerms, group: ClaimedGroup): Promise<GroupOutcome> {
  const { added, removed } = group
  const [change, outcome] = await Promise.all([
    acts[run.choice](trx, group, { runId: run.id, directoryId: run.directoryId }),
    recordOutcome(trx, run.id, group.id, { result: 'synced', reason: null, detail: null, added, removed }),
  ])
  if (change.added !== added || change.removed !== removed) throw new Error('What was done is not what was reviewed.')
  return outcome
}

const whyNotClaimed = ({ group }: Claim, run: RunTerms): GroupOutcome | undefined =>
  group === undefined ? skipped('gone') : whyNot(group, run)

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
  linked: 'It is linked to a group of another name.',
  deleted_before: 'A group of its name was deleted.',
}

/** The same group with the same changes, and nothing is lost that was not foreseen. Less lost is no reason to refuse. */
export function isForeseen(foreseen: Expectation, now: Expectation | undefined): boolean {
  if (foreseen.digest !== now?.digest) return false
  const known = new Set(foreseen.lost)
  return now.lost.every((access) => known.has(access))
}

/** `added`, `removed`: how many members are to be. */
type ClaimedGroup = LockedPair & Standing & { added: number; removed: number }

interface Claim {
  expected: Expectation
  /** Undefined where it is no more. */
  group: ClaimedGroup | undefined
}

type ClaimRow = { expected: string } & (ClaimedGroup | Record<keyof ClaimedGroup, null>)

/** Takes the group's place in the run, then locks the pushed group and its pair, in the one order of locks (rule 12). */
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
      select p.id, p.directory_id as "directoryId", p.name, p.name_key as "nameKey", p.external_id as "externalId", p.group_id as "groupId", p.state, p.reasons,
        p.is_linked as "isLinked", p.keeps_name as "keepsName",
        o.name as "existingName", not o.effective and o.deleted_at is null as "isApart", o.add_count as added, o.remove_count as removed,
        ${isFilling} as "isFilling", ${becomesEmpty} as "isEmpty"
      from pushed p
      join directories d on d.org_id = ${trx.orgId} and d.id = p.directory_id
      join groups o on o.org_id = ${trx.orgId} and o.id = p.group_id
      for no key update of o
    )
    select claimed.expected, locked.*, set_config('synchronous_commit', 'off', true) from claimed left join locked on true`.execute(
    trx,
  )
  const [row] = rows
  if (row === undefined) return undefined
  const { expected, ...group } = row
  return { expected: JSON.parse(expected), group: group.id === null ? undefined : (group as ClaimedGroup) }
}

const skipLocked: RawBuilder<unknown> = sql`skip locked`

// Two runs over groups that keep each other's access alive: without this each would see the other's group as it was, and both would take.
// Who is locked is in the groups' differences, which the groups' own locks hold still. In id order: no run waits for one that waits for it.
// Only of groups whose place in the run is this transaction's: it is sent behind the claim, before that is answered.
async function lockWhoIsRemoved(trx: Trx, runId: RunId, ids: readonly ProvisionedGroupId[]): Promise<void> {
  await sql`
    with claimed as materialized (
      select x.provisioned_group_id as id from run_groups x
      where x.org_id = ${trx.orgId} and x.run_id = ${runId} and x.provisioned_group_id = any(${ids}::uuid[]) and ${waits}
      for update of x skip locked
    )
    select from accounts a
    where a.org_id = ${trx.orgId} and a.id = any(array(
      select m.account_id from claimed
      join provisioned_groups p on p.org_id = ${trx.orgId} and p.id = claimed.id
      join memberships m on m.org_id = ${trx.orgId} and m.group_id = p.group_id and m.pushed <> m.effective and not m.pushed))
    order by a.id for no key update of a`.execute(trx)
}
