import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, GroupId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import type { GroupReason, GroupState, SyncChoice } from '../database/tables.ts'
import { keptIn } from '../organization/memberships.ts'
import { follows, followsIn, lockConcerned } from '../provisioning/groups.ts'
import { linkTo } from '../provisioning/linking.ts'
import type { InRun } from '../provisioning/pairing.ts'
import type { Chosen } from '../review/differences.ts'
import { type Expectation, expectedInRun, expectedInTurn } from '../review/expected-in-run.ts'
import { becomesEmpty, isFilling } from '../review/warnings.ts'
import { acts, type Change, type LockedPair } from './choices.ts'
import {
  type GroupOutcome,
  type PendingGroup,
  type RunTerms,
  type RunUnderWay,
  recording,
  recordOutcome,
  skipped,
  waits,
} from './runs.ts'

/** A group of a run that waits for its turn. */
type Waiting = Pick<PendingGroup, 'id' | 'choice' | 'linkTo'>

/** What may keep a group from being synced, apart from what was reviewed. */
export interface Standing {
  state: GroupState
  reasons: readonly GroupReason[]
  isFilling: boolean
  isEmpty: boolean
  /** How many members a merge kept. */
  keptCount: number
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
  run: RunUnderWay,
  group: Waiting,
  others: 'skip' | 'wait',
): Promise<GroupOutcome | 'later' | undefined> {
  const { id } = group
  await lockWhatIsJudged(trx, [group])
  // Sent together, one after the other: each sees what the locks of those before it hold still.
  const [claim, , turn] = await Promise.all([
    claimGroup(trx, run.id, id, others),
    lockWhoIsRemoved(trx, run.id, [id]),
    expectedInTurn(trx, { id, run }),
  ])
  if (claim === undefined) return undefined
  const { group: claimed, expected } = claim
  const why = whyNotClaimed(claim, run)
  if (why !== undefined || claimed === undefined || turn === undefined)
    return recordOutcome(trx, run.id, id, why ?? skipped('gone'))
  if (!isForeseen(expected, turn)) return recordOutcome(trx, run.id, id, skipped('review_changed'))
  if (!isForeseen(expected, { ...turn, lost: turn.lostAtOnce })) return 'later'
  return act(trx, run, claimed, claim.chosen)
}

/**
 * The groups that rest on one another, in one transaction: `Left` gives what `Right` takes, and the other way round, so that neither can be
 * first. Locks them all, in id order; who takes what was not foreseen, with these and no others counted as synced, is skipped, until nobody
 * does; the others are synced. None of them can turn out to be skipped after another has taken.
 */
export async function syncTogether(
  trx: Trx,
  run: RunUnderWay,
  groups: readonly Waiting[],
): Promise<Map<ProvisionedGroupId, GroupOutcome>> {
  const outcomes = new Map<ProvisionedGroupId, GroupOutcome>()
  const left = new Map<ProvisionedGroupId, Claim & { group: ClaimedGroup }>()
  await lockWhatIsJudged(trx, groups)
  const ids = groups.map(({ id }) => id)
  // One after another: sent in this order they are locked in it.
  const claims = await Promise.all(ids.toSorted().map(async (id) => ({ id, claim: await claimGroup(trx, run.id, id, 'wait') })))
  for (const { id, claim } of claims) {
    if (claim === undefined) continue
    const { group } = claim
    const why = whyNotClaimed(claim, run)
    if (why !== undefined || group === undefined) outcomes.set(id, why ?? skipped('gone'))
    else left.set(id, { ...claim, group })
  }
  await lockWhoIsRemoved(trx, run.id, [...left.keys()])
  for (let before = -1; before !== left.size; ) {
    before = left.size
    const pending = [...left.keys()]
    const choices = new Map([...left].map(([id, { chosen }]) => [id, chosen]))
    const now = await expectedInRun(trx, { groupIds: pending, pending, choices })
    for (const [id, { expected }] of left) {
      if (isForeseen(expected, now.get(id))) continue
      left.delete(id)
      outcomes.set(id, skipped('review_changed'))
    }
  }
  for (const [id, outcome] of outcomes) await recordOutcome(trx, run.id, id, outcome)
  for (const [id, { group, chosen }] of left) outcomes.set(id, await act(trx, run, group, chosen))
  return outcomes
}

// Before anything is locked alone: all that a choice may come to judge; then the groups that a link is from and to, in id order (rule 12).
async function lockWhatIsJudged(trx: Trx, groups: readonly Waiting[]): Promise<void> {
  const judging = groups.filter(({ choice, linkTo }) => choice === 'rename_existing' || linkTo)
  if (judging.length === 0) return
  const pushedIds = judging.map(({ id }) => id)
  const groupIds = judging.flatMap(({ linkTo }) => linkTo ?? [])
  await lockConcerned(trx, { pushedIds, groupIds })
  await sql`
    select from groups where org_id = ${trx.orgId} and id = any(array(
      select unnest(${groupIds}::uuid[]) union select group_id from provisioned_groups where org_id = ${trx.orgId} and id = any(${pushedIds}::uuid[])))
    order by id for no key update`.execute(trx)
}

async function act(trx: Trx, run: RunTerms, claimed: ClaimedGroup, { choice, ...told }: Chosen): Promise<GroupOutcome> {
  if (choice === 'restore' || choice === 'allow' || choice === 'reject') throw new Error('Another kind of run does that.')
  const group = told.linkTo ? await linked(trx, claimed, told.linkTo, { runId: run.id }) : claimed
  const outcome = ({ added, removed }: Change): GroupOutcome => ({ result: 'synced', reason: null, detail: null, added, removed })
  const record = (change: Change) => recording(trx, run.id, group.id, outcome(change))
  return outcome(await acts[choice](trx, group, { runId: run.id, directoryId: run.directoryId, record, ...told }))
}

/** A group is with another one before its choice is done. @throws Refusal as `linkTo` */
async function linked(trx: Trx, group: ClaimedGroup, to: GroupId, run: InRun): Promise<ClaimedGroup> {
  const now = await linkTo(trx, group, to, run)
  const { rows } = await sql<Pick<ClaimedGroup, 'existingName' | 'added' | 'removed'>>`
    select name as "existingName", add_count as added, remove_count as removed from groups where org_id = ${trx.orgId} and id = ${to}`.execute(
    trx,
  )
  return { ...group, ...now, ...(rows[0] as (typeof rows)[number]) }
}

const whyNotClaimed = ({ group, chosen }: Claim, run: RunTerms): GroupOutcome | undefined =>
  group === undefined ? skipped('gone') : whyNot(group, chosen.choice, run)

/** Why a group may not become what is chosen as it stands, whatever was reviewed; undefined where it may. Blocked groups are never forced. */
export function whyNot(
  { state, reasons, isFilling, isEmpty, keptCount }: Standing,
  choice: SyncChoice,
  terms: Pick<RunTerms, 'acceptIncomplete' | 'acceptEmpty'>,
): GroupOutcome | undefined {
  if (choice === 'drop_kept') return keptCount === 0 ? skipped('nothing_kept') : undefined
  if (state === 'blocked') return skipped('blocked', reasons.map((reason) => inWords[reason]).join(' '))
  if (follows(state)) return skipped('already_synced')
  if (state !== 'needs_review') return skipped('no_longer_needs_review')
  if (choice === 'ignore') return undefined
  if (choice === 'rename_existing' && !reasons.includes('name_taken'))
    return skipped('not_possible', 'No other group has its name: there is none to rename. Overwrite or merge it.')
  if (isFilling && !terms.acceptIncomplete) return skipped('filling')
  if (isEmpty && choice === 'overwrite' && !terms.acceptEmpty) return skipped('empty')
  return undefined
}

const inWords: Record<GroupReason, string> = {
  default_access_group: 'It is a default access group.',
  managed_elsewhere: 'Another pushed group has the group of its name.',
  protected: 'It is protected.',
  name_taken: 'Its name is taken.',
  linked: 'It is linked to a group of another name.',
  deleted_before: 'A group of its name was deleted.',
  guard_passed: 'More was taken of it than the guard lets go.',
  last_admin: 'It has the last holder of an administrative role.',
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
  chosen: Chosen
  /** Undefined where it is no more. */
  group: ClaimedGroup | undefined
}

type ClaimRow = {
  expected: string
  choice: SyncChoice
  linkTo: GroupId | null
  newName: string | null
  people: AccountId[] | null
} & (ClaimedGroup | Record<keyof ClaimedGroup, null>)

/** Takes the group's place in the run, then locks the pushed group and its pair, in the one order of locks (rule 12). */
async function claimGroup(trx: Trx, runId: RunId, id: ProvisionedGroupId, others: 'skip' | 'wait'): Promise<Claim | undefined> {
  const { rows } = await sql<ClaimRow>`
    with claimed as materialized (
      select x.expected, x.choice, x.link_to as "linkTo", x.new_name as "newName", x.people from run_groups x
      where x.org_id = ${trx.orgId} and x.run_id = ${runId} and x.unit_id = ${id} and ${waits}
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
        ${isFilling} as "isFilling", case when claimed."linkTo" is null then ${becomesEmpty} else o.member_count - o.remove_count + o.add_count = 0 and exists (
          select from groups t where t.org_id = ${trx.orgId} and t.id = claimed."linkTo" and t.member_count > 0) end as "isEmpty",
        case when ${followsIn('p.state')} and o.remove_count > 0 then ${keptIn(trx, sql`p.group_id`)} else 0 end as "keptCount"
      from claimed cross join pushed p
      join directories d on d.org_id = ${trx.orgId} and d.id = p.directory_id
      join groups o on o.org_id = ${trx.orgId} and o.id = p.group_id
      for no key update of o
    )
    select claimed.*, locked.*, set_config('synchronous_commit', 'off', true) from claimed left join locked on true`.execute(trx)
  const [row] = rows
  if (row === undefined) return undefined
  const { expected, choice, linkTo, newName, people, ...group } = row
  return {
    expected: JSON.parse(expected),
    chosen: { choice, linkTo: linkTo ?? undefined, newName: newName ?? undefined, people: people ?? undefined },
    group: group.id === null ? undefined : (group as ClaimedGroup),
  }
}

const skipLocked: RawBuilder<unknown> = sql`skip locked`

// Two runs over groups that keep each other's access alive: without this each would see the other's group as it was, and both would take.
// Who is locked is in the groups' differences, which the groups' own locks hold still. In id order: no run waits for one that waits for it.
// Only of groups whose place in the run is this transaction's: it is sent behind the claim, before that is answered.
async function lockWhoIsRemoved(trx: Trx, runId: RunId, ids: readonly ProvisionedGroupId[]): Promise<void> {
  await sql`
    with claimed as materialized (
      select x.unit_id as id, x.link_to from run_groups x
      where x.org_id = ${trx.orgId} and x.run_id = ${runId} and x.unit_id = any(${ids}::uuid[]) and ${waits}
      for update of x skip locked
    )
    select from accounts a
    where a.org_id = ${trx.orgId} and a.id = any(array(
      select m.account_id from claimed
      join provisioned_groups p on p.org_id = ${trx.orgId} and p.id = claimed.id
      join memberships m on m.org_id = ${trx.orgId} and m.group_id = p.group_id and m.pushed <> m.effective and not m.pushed
      union all
      select m.account_id from claimed join memberships m on m.org_id = ${trx.orgId} and m.group_id = claimed.link_to and m.effective))
    order by a.id for no key update of a`.execute(trx)
}
