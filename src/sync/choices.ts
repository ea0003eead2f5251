import type { RawBuilder } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { DirectoryId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import type { SyncChoice } from '../database/tables.ts'
import { applyingPushed, dropKept as dropKeptMembers, type MembershipChange } from '../organization/memberships.ts'
import { Refusal } from '../organization/refusal.ts'
import { heldGroup, type ProvisionedGroup } from '../provisioning/groups.ts'
import { lockWithConcerned } from '../provisioning/linking.ts'
import { linkGroup, settlePairing } from '../provisioning/pairing.ts'
import { setState } from '../provisioning/states.ts'
import { renameExisting as renameExistingGroup } from '../provisioning/waiting-names.ts'
import type { Chosen } from '../review/differences.ts'

/** A pushed group as a choice acts on it: under lock, itself and the group it is paired with. */
export type LockedPair = ProvisionedGroup & { existingName: string }

/** In whose name a choice acts, and what it was told; `record` writes down in the run what it comes to. */
export interface RunAct extends Omit<Chosen, 'choice'> {
  runId: RunId
  directoryId: DirectoryId
  record: (change: Change) => RawBuilder<unknown>
}

/** How many members come and go. */
export type Change = Pick<MembershipChange, 'added' | 'removed'>

/** A pair, with how many members are to come and to go. */
type CountedPair = LockedPair & Change

/** What each choice does to a group, in the transaction that holds its locks, with its record. One row a choice (behaviour.md, «The sync»). */
export const acts: Record<
  Exclude<SyncChoice, 'restore' | 'allow' | 'reject'>,
  (trx: Trx, group: CountedPair, act: RunAct) => Promise<Change>
> = {
  overwrite: (trx, group, act) => linked(trx, group, act, 'overwrite', { added: group.added, removed: group.removed }),
  merge: (trx, group, act) => linked(trx, group, act, 'merge', { added: group.added, removed: 0 }),
  rename_existing: recorded(renameExisting),
  ignore: recorded(ignore),
  drop_kept: recorded(dropKept),
}

/**
 * The group becomes exactly the pushed one, linked; by `merge` the additions apply, and members whom the provider does not have stay, as kept
 * differences. What will be done is known: it is recorded by the statement that does it.
 */
async function linked(
  trx: Trx,
  group: LockedPair,
  act: RunAct,
  choice: 'overwrite' | 'merge',
  foreseen: Change,
): Promise<Change> {
  const { runId, directoryId } = act
  const members = applyingPushed(trx, group.groupId, choice === 'merge', changed(group, act, choice))
  const along = { members, record: act.record(foreseen) }
  const change = await linkGroup(trx, group, { runId, directoryId, facts: { choice } }, along)
  if (change.added !== foreseen.added || change.removed !== foreseen.removed)
    throw new Error('What was done is not what was reviewed.')
  return change
}

function recorded(does: (trx: Trx, group: LockedPair, act: RunAct) => Promise<Change>): typeof does {
  return async (trx, group, act) => {
    const change = await does(trx, group, act)
    await act.record(change).execute(trx)
    return change
  }
}

/** The existing group keeps members and grants under a new name; the pushed group gets its name, and a group of its own without grants. */
async function renameExisting(trx: Trx, group: LockedPair, { runId, newName }: RunAct): Promise<Change> {
  await renameExistingGroup(trx, group, newName, { runId })
  const { groupId } = await heldGroup(trx, group.id)
  const { member_count } = await trx
    .selectFrom('groups')
    .select('member_count')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', groupId)
    .executeTakeFirstOrThrow()
  return { added: member_count, removed: 0 }
}

/** The pushed group stays apart; its pushes are still recorded, and it can be reviewed again. */
async function ignore(trx: Trx, group: LockedPair, { runId }: RunAct): Promise<Change> {
  await setState(trx, group, { state: 'ignored', reasons: [] }, { runId, facts: { choice: 'ignore' satisfies SyncChoice } })
  return { added: 0, removed: 0 }
}

/** Members whom a merge kept end: these people, or all. */
function dropKept(trx: Trx, group: LockedPair, act: RunAct): Promise<Change> {
  return dropKeptMembers(trx, group.groupId, act.people ?? null, changed(group, act, 'drop_kept'))
}

/**
 * An ignored group is judged afresh, as if it were pushed now.
 * @throws Refusal `not_found`, `choice_not_possible` for one that is not ignored
 */
export async function reopenReview(trx: Trx, id: ProvisionedGroupId): Promise<void> {
  const group = await lockWithConcerned(trx, id)
  if (group.state !== 'ignored')
    throw new Refusal('choice_not_possible', `"${group.name}" is not ignored: there is nothing to reopen.`, { group: group.name })
  await settlePairing(trx, group, {})
}

const changed = (group: LockedPair, { runId, directoryId }: RunAct, choice: SyncChoice) =>
  ({ action: 'members.changed', directoryId, runId, facts: { name: group.name, choice } }) as const
