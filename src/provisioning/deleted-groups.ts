import type { Trx } from '../database/connection.ts'
import type { GroupId } from '../database/ids.ts'
import { expiredGroups, lockDeletedGroups, membersAtDeletion } from '../organization/deleted-groups.ts'
import { changeGroup, groupIdsByKey, groupRestored, purgeGroups } from '../organization/groups.ts'
import { appendLog } from '../organization/log.ts'
import { addMembersOf } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { checkedName } from '../organization/name-rules.ts'
import { Refusal } from '../organization/refusal.ts'
import { freeName } from './free-names.ts'
import { lockConcerned } from './groups.ts'
import { moveApart, settleNames } from './pairing.ts'

// What becomes of deleted groups (decision 0036), with what follows for pushed groups that were offered them.

const atOnce = 100

/** Deletes for good some of what can be restored no more; a push that was offered it gets its name. @returns whether there may be more */
export async function purgeExpired(trx: Trx): Promise<boolean> {
  const ids = await expiredGroups(trx, atOnce)
  if (ids.length > 0) await purge(trx, ids)
  return ids.length === atOnce
}

/** Deletes for good what was deleted; a push that was offered it gets its name. */
export const deleteForGood = (trx: Trx, group: { id: GroupId }): Promise<void> => purge(trx, [group.id])

/**
 * Brings a deleted group back as it was: members, grants and description, managed by nobody. What is pushed of its name meets it afresh.
 * @param group locked with all that it concerns (`lockToRestore`)
 * @param as another name, where that is taken or another is meant
 * @throws Refusal `name_taken`, `invalid_value`
 */
export async function restoreGroup(trx: Trx, group: { id: GroupId; name: string }, as?: string): Promise<void> {
  const { id } = group
  const name = as === undefined ? group.name : checkedName('group name', as)
  if ((await groupIdsByKey(trx, [nameKey(name)])).size > 0) throw await nameTaken(trx, name)
  await changeGroup(trx, id, { effective: true, name })
  const entry = await groupRestored(trx, id, group.name, name)
  const { added } = await addMembersOf(trx, id, membersAtDeletion(trx, id), entry)
  if (added === 0) await appendLog(trx, entry)
  await settleNames(trx, [nameKey(group.name), nameKey(name)])
}

/** Locks a deleted group and what restoring it may come to judge. @throws Refusal `not_found` where it is deleted no more */
export async function lockToRestore(trx: Trx, group: { id: GroupId; name: string }, as?: string): Promise<void> {
  await lockConcerned(trx, { groupIds: [group.id], nameKeys: [nameKey(as ?? group.name)] })
  const [locked] = await lockDeletedGroups(trx, [group.id])
  if (locked === undefined) throw new Refusal('not_found', 'The group is restored already, or deleted for good.')
}

async function nameTaken(trx: Trx, name: string): Promise<Refusal> {
  const free = await freeName(trx, name)
  const how = free === undefined ? 'another name' : `another name, such as "${free}"`
  return new Refusal('name_taken', `A group named "${name}" exists by now. Restore this one under ${how}.`, { name, free })
}

async function purge(trx: Trx, ids: readonly GroupId[]): Promise<void> {
  await lockConcerned(trx, { groupIds: ids })
  const locked = await lockDeletedGroups(trx, ids)
  await moveApart(trx, locked)
  const names = await purgeGroups(trx, locked)
  await settleNames(trx, names.map(nameKey))
}
