import type { Trx } from '../database/connection.ts'
import type { ProvisionedGroupId } from '../database/ids.ts'
import { changeGroup, groupIdsByKey } from '../organization/groups.ts'
import { appendLog, changeOf } from '../organization/log.ts'
import { nameKey } from '../organization/name-key.ts'
import { checkedName } from '../organization/name-rules.ts'
import { Refusal } from '../organization/refusal.ts'
import { type ExistingGroup, existingGroup, existingGroupNamed } from './conflict.ts'
import { freeName } from './free-names.ts'
import { follows, type ProvisionedGroup } from './groups.ts'
import { lockWithConcerned } from './linking.ts'
import { type InRun, settleNames, takeName } from './pairing.ts'
import { setState } from './states.ts'

// A pushed name that another group has: what an admin may do about it besides linking to that group (linking.ts).

/**
 * The group that has a pushed group's name takes another one, with its members and grants; the pushed group gets the name: a synced one is
 * renamed, one that shared that group becomes a group of its own, synced, without grants.
 * @param group held, with all that `lockConcerned` locks of it
 * @param newName as given; a free one like it if none is
 * @returns the names of that group
 * @throws Refusal `name_not_waiting`, `invalid_value`, `name_taken`, `managed_by_directory`, `paired_with_directory`, `default_access_group`, `protected`
 */
export async function renameExisting(
  trx: Trx,
  group: ProvisionedGroup,
  newName?: string,
  run: InRun = {},
): Promise<{ before: string; after: string }> {
  const existing = await existingGroupNamed(trx, group.nameKey)
  const refusal = whyNotRenameExisting(existing, group)
  if (refusal || existing === undefined) throw refusal
  const after = newName === undefined ? await freeName(trx, existing.name) : checkedName('group name', newName)
  if (after === undefined || (await groupIdsByKey(trx, [nameKey(after)])).size > 0)
    throw new Refusal('name_taken', `A group named "${after ?? existing.name}" already exists. Choose another name.`, {
      name: after,
    })
  await changeGroup(trx, existing.id, { name: after })
  const names = { before: existing.name, after }
  await appendLog(trx, {
    action: 'group.renamed',
    subject: existing.id,
    ...run,
    facts: changeOf({ name: existing.name }, { name: after }),
  })
  await takeName(trx, group, run)
  await settleNames(trx, [group.nameKey, nameKey(after)], run)
  return names
}

/** Why the group that has a pushed group's name cannot take another one; undefined where nothing is in the way. */
export function whyNotRenameExisting(existing: ExistingGroup | undefined, group: ProvisionedGroup): Refusal | undefined {
  // A synced group and the one that has its name are two; one that needs review shares it.
  if (existing === undefined || (existing.id === group.groupId) === follows(group.state)) return notWaiting(group)
  return whyNotRename({ ...existing, pairedWith: existing.pairedWith === group.id ? null : existing.pairedWith })
}

/** The same of what is in the way with the group that has the name, whoever wants it. */
export function whyNotRename(existing: ExistingGroup): Refusal | undefined {
  const facts = { group: existing.name }
  if (existing.managedBy !== null)
    return new Refusal('managed_by_directory', `"${existing.name}" is managed by a directory. Rename it there.`, facts)
  if (existing.pairedWith !== null)
    return new Refusal(
      'paired_with_directory',
      `"${existing.name}" is what another pushed group awaits review against. Settle that one first.`,
      facts,
    )
  if (existing.isDefaultAccess)
    return new Refusal(
      'default_access_group',
      `"${existing.name}" is a default access group. Make another group default, then rename it.`,
      facts,
    )
  if (existing.isProtected) return new Refusal('protected', `"${existing.name}" is protected. Lift its protection first.`, facts)
  return undefined
}

/** The same by its id, of a synced group whose new name waits: one that needs review is settled by a run. */
export async function renameExistingByHand(
  trx: Trx,
  id: ProvisionedGroupId,
  newName?: string,
): Promise<{ before: string; after: string }> {
  const group = await lockWithConcerned(trx, id)
  if (!follows(group.state)) throw notWaiting(group)
  return renameExisting(trx, group, newName)
}

/**
 * The group keeps the name it has: what the provider calls it is settled, until that is another name.
 * @throws Refusal `not_found`, `name_not_waiting`
 */
export async function keepName(trx: Trx, id: ProvisionedGroupId): Promise<void> {
  const group = await lockWithConcerned(trx, id)
  const kept = await existingGroup(trx, group.groupId)
  if (kept === undefined || group.keepsName || nameKey(kept.name) === group.nameKey) throw notWaiting(group)
  const reasons = group.reasons.filter((reason) => reason !== 'name_taken')
  await setState(trx, group, { state: group.state, reasons, keepsName: true })
  const facts = { name: group.name, kept: kept.name }
  await appendLog(trx, { action: 'group.name_kept', subject: id, directoryId: group.directoryId, facts })
}

const notWaiting = ({ name }: ProvisionedGroup) =>
  new Refusal('name_not_waiting', `No name of "${name}" waits: there is nothing to decide. List the names that wait.`, {
    group: name,
  })
