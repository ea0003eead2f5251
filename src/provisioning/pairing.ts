import type { Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { changeGroup, deleteGroupRow, insertGroup } from '../organization/groups.ts'
import { appendLog } from '../organization/log.ts'
import { applyPushed, forgetPushed, movePushed } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { lockGroups } from '../organization/permission.ts'
import { type ExistingGroup, existingGroupNamed, judge } from './conflict.ts'
import {
  deleteProvisionedGroup,
  follows,
  type HeldGroup,
  insertProvisionedGroup,
  lockProvisionedGroupsNamed,
  type ProvisionedGroup,
  pairedWith,
} from './groups.ts'
import { leaveNest } from './nesting.ts'
import { setState } from './states.ts'

/** A pushed group comes to be, without members: paired with the group that has its name, if one does. The caller holds that one's lock. */
export async function provisionGroup(
  trx: Trx,
  directoryId: DirectoryId,
  group: { id?: ProvisionedGroupId; name: string; externalId: string | null },
  existing: ExistingGroup | undefined,
): Promise<ProvisionedGroupId> {
  const { name } = group
  const { pairing, state, reasons } = judge(existing, null)
  const isFree = pairing === 'free'
  const groupId =
    pairing === 'existing' && existing
      ? existing.id
      : await insertGroup(trx, { name, effective: isFree, managedBy: isFree ? directoryId : null })
  const id = await insertProvisionedGroup(trx, { ...group, directoryId, groupId, state, reasons })
  const facts = { name, groupId, state, reasons, ...(group.id === undefined ? {} : { wasOffered: true }) }
  await appendLog(trx, { action: 'group.provisioned', subject: id, directoryId, facts })
  return id
}

/**
 * Judges every pushed group of these names afresh: whatever frees, takes, protects or unprotects a name calls it, so that a
 * blocked group becomes reviewable, and a free name synced, by itself. The earliest push comes first.
 */
export async function settleNames(trx: Trx, nameKeys: readonly string[]): Promise<void> {
  // One at a time: the pairing of one decides what the next may share. More than one directory with a name is rare.
  for (const group of await lockProvisionedGroupsNamed(trx, [...new Set(nameKeys)])) {
    if (group.state === 'ignored') continue
    if (follows(group.state)) await settleName(trx, group)
    else await settlePairing(trx, group)
  }
}

async function settlePairing(trx: Trx, group: ProvisionedGroup): Promise<void> {
  const existing = await existingGroupNamed(trx, group.nameKey)
  const { pairing, state, reasons } = judge(existing, group.id)
  const to = pairing === 'existing' && existing ? existing.id : await groupApart(trx, group)
  const from = group.groupId
  await move(trx, group, to)
  if (pairing === 'free') await bringIntoForce(trx, group, to)
  await setState(trx, group, { state, reasons, groupId: to })
  if (to !== from && group.isApart) await deleteGroupRow(trx, from)
}

/** Takes what is pushed off a group that is about to go: it waits in a group of its own until its name is judged. */
export async function moveApart(trx: Trx, groupId: GroupId): Promise<void> {
  const group = await pairedWith(trx, groupId)
  if (!group) return
  const to = await groupApart(trx, group)
  await move(trx, group, to)
  await setState(trx, group, { state: group.state, reasons: group.reasons, groupId: to })
}

const groupApart = async (trx: Trx, group: ProvisionedGroup): Promise<GroupId> =>
  group.isApart ? group.groupId : insertGroup(trx, { name: group.name, effective: false })

async function move(trx: Trx, { id, groupId: from, directoryId, name }: ProvisionedGroup, to: GroupId): Promise<void> {
  if (to === from) return
  await lockGroups(trx, [from, to])
  await movePushed(trx, { from, to }, { action: 'group.paired', subject: id, directoryId, facts: { name, from, to } })
}

/** A synced group whose new name was taken takes it as soon as it is free. */
async function settleName(trx: Trx, group: ProvisionedGroup): Promise<void> {
  if (!group.reasons.includes('name_taken')) return
  if (await existingGroupNamed(trx, group.nameKey)) return
  const former = await renameGroup(trx, group, group.name)
  await setState(trx, group, { state: group.state, reasons: group.reasons.filter((reason) => reason !== 'name_taken') })
  if (former !== group.nameKey) await settleNames(trx, [former])
}

async function bringIntoForce(trx: Trx, group: ProvisionedGroup, groupId: GroupId): Promise<void> {
  await changeGroup(trx, groupId, { name: group.name, effective: true, managedBy: group.directoryId })
  await applyPushed(trx, groupId, { action: 'group.synced', directoryId: group.directoryId, facts: { name: group.name } })
}

/** Gives a synced group's group the name that the provider gave it. @returns the key of the name it had, which is free now */
export async function renameGroup(trx: Trx, group: ProvisionedGroup, name: string): Promise<string> {
  const before = (await changeGroup(trx, group.groupId, { name })) ?? name
  const facts = { before, after: name }
  await appendLog(trx, { action: 'group.renamed', subject: group.groupId, directoryId: group.directoryId, facts })
  return nameKey(before)
}

async function nameKeyOf(trx: Trx, id: GroupId): Promise<string> {
  const { name_key } = await trx
    .selectFrom('groups')
    .select('name_key')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return name_key
}

/**
 * Takes a pushed group off the organization: what was shared stays as it is in force, what was only pushed goes.
 * Its names, the pushed one and that of the group it shared, are judged afresh.
 */
export async function unpair(trx: Trx, group: HeldGroup): Promise<void> {
  const { directoryId, name, groupId, state } = group
  await leaveNest(trx, group)
  await lockGroups(trx, [groupId])
  const shared = await nameKeyOf(trx, groupId)
  await forgetPushed(trx, [groupId], { action: 'members.pushed', directoryId, facts: { name, forgotten: true } })
  if (follows(state)) await changeGroup(trx, groupId, { managedBy: null })
  await deleteProvisionedGroup(trx, group.id)
  if (group.isApart) await deleteGroupRow(trx, groupId)
  await appendLog(trx, { action: 'group.provision_deleted', subject: group.id, directoryId, facts: { name, groupId, state } })
  await settleNames(trx, [group.nameKey, shared])
}
