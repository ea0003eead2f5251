import type { Trx } from '../database/connection.ts'
import type { AccountId, GroupId, RoleId } from '../database/ids.ts'
import * as access from '../organization/access.ts'
import * as groups from '../organization/groups.ts'
import { beginImport, groupKeysOf, type ImportReport, importOrganization } from '../organization/import.ts'
import type { ImportRows } from '../organization/import-files.ts'
import type { Act } from '../organization/log.ts'
import { addMembers, type MembershipChange, removeMembers } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { lockConcerned, pairedWith } from './groups.ts'
import { settleNames } from './pairing.ts'

// What an admin does to groups, with what follows from it for pushed groups: names that become free or taken,
// reasons that come or go. Routes and imports call these, never the organization's own functions. Each locks the pushed groups it
// concerns before it locks a group (rule 12); what only gives a role locks and judges none.

/** Creates a group; a push of that name then meets it. @throws Refusal `name_taken` */
export async function createGroup(trx: Trx, group: { name: string; description?: string | null }): Promise<GroupId> {
  await lockConcerned(trx, { nameKeys: keysOf(group) })
  const id = await groups.createGroup(trx, group)
  await settleNames(trx, [nameKey(group.name)])
  return id
}

/** What is to become of a group; what is not said stays. `isProtected`: no push may take it over. */
export interface GroupChange {
  name?: string
  description?: string | null
  isProtected?: boolean
}

/** Renames, describes or protects a group, in one act. @throws Refusal `managed_by_directory`, `name_taken` */
export async function changeGroup(trx: Trx, id: GroupId, { isProtected, ...change }: GroupChange): Promise<void> {
  await lockConcerned(trx, { groupIds: [id], nameKeys: keysOf(change) })
  const before = await groups.updateGroup(trx, id, change)
  if (isProtected !== undefined) await groups.setProtected(trx, id, isProtected)
  if (change.name !== undefined || isProtected !== undefined)
    await settleNames(trx, [nameKey(before.name), nameKey(change.name ?? before.name)])
}

// A text too long to be a name is refused by who checks it.
const keysOf = ({ name }: { name?: string }): string[] => (name !== undefined && name.length <= 1_024 ? [nameKey(name)] : [])

/**
 * Deletes a group with its members and grants, restorable for 30 days; a push of its name is offered them.
 * @returns how many members it had
 * @throws Refusal `managed_by_directory`, `protected`
 */
export async function deleteGroup(trx: Trx, id: GroupId, act: Pick<Act, 'directoryId' | 'runId'> = {}): Promise<number> {
  await lockConcerned(trx, { groupIds: [id] })
  const group = await groups.lockChangeableGroup(trx, id, 'delete')
  const pushed = await pairedWith(trx, [id])
  const removed = await groups.deleteGroup(trx, group, act)
  await settleNames(trx, [nameKey(group.name), ...pushed.map((one) => one.nameKey)], { runId: act.runId ?? null })
  return removed
}

/** Adds and removes members by hand. @throws Refusal `managed_by_directory` */
export async function changeMembers(
  trx: Trx,
  id: GroupId,
  change: { add: AccountId[]; remove: AccountId[] },
): Promise<MembershipChange> {
  await lockConcerned(trx, { groupIds: [id] })
  const group = await groups.lockChangeableGroup(trx, id)
  const act = { action: 'members.changed', facts: { name: group.name } } as const
  const pairs = (accountIds: AccountId[]) => accountIds.map((accountId) => ({ groupId: id, accountId }))
  const removed = await removeMembers(trx, pairs(change.remove), act)
  const added = await addMembers(trx, pairs(change.add), act)
  return { ...added, removed: removed.removed, pushedRemoved: removed.pushedRemoved }
}

/** Grants a role of a product to a group. @throws Refusal `paired_with_directory` where it would make a pushed group a default access group */
export async function addGrant(trx: Trx, grant: { groupId: GroupId; roleId: RoleId; isDefault: boolean }): Promise<void> {
  if (grant.isDefault) await lockConcerned(trx, { groupIds: [grant.groupId] })
  const group = await access.addGrant(trx, grant)
  if (grant.isDefault) await settleNames(trx, [nameKey(group.name)])
}

/** Takes a grant away. */
export async function removeGrant(trx: Trx, groupId: GroupId, roleId: RoleId): Promise<void> {
  await lockConcerned(trx, { groupIds: [groupId] })
  const group = await access.removeGrant(trx, groupId, roleId)
  await settleNames(trx, [nameKey(group.name)])
}

/** Makes a grant default access, or stops that. @throws Refusal `paired_with_directory` */
export async function setDefaultAccess(trx: Trx, groupId: GroupId, roleId: RoleId, isDefault: boolean): Promise<void> {
  await lockConcerned(trx, { groupIds: [groupId] })
  const group = await access.setDefault(trx, groupId, roleId, isDefault)
  await settleNames(trx, [nameKey(group.name)])
}

/**
 * Imports what an organization's files say; pushed groups whose names or default access it touches are judged afresh.
 * @throws Refusal `invalid_import`
 */
export async function importInto(trx: Trx, rows: ImportRows): Promise<ImportReport> {
  // First of all: who waits for another import must hold nothing that a push waits for.
  await beginImport(trx)
  await lockConcerned(trx, { nameKeys: groupKeysOf(rows) })
  const { report, concernedNameKeys } = await importOrganization(trx, rows)
  await settleNames(trx, concernedNameKeys)
  return report
}
