import type { Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { changeGroup, deleteGroupRow, insertGroup } from '../organization/groups.ts'
import { type Act, appendLog } from '../organization/log.ts'
import { applyPushed, forgetPushed, movePushed } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { lockGroups } from '../organization/permission.ts'
import { type ExistingGroup, existingGroup, existingGroupNamed, judge } from './conflict.ts'
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
import { type Place, setLinked, setState } from './states.ts'

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

/** In which run something is done, if in one: the log says so of all that follows from it, too. */
export type InRun = Pick<Act, 'runId'>

/**
 * Judges every pushed group of these names afresh: whatever frees, takes, protects or unprotects a name calls it, so that a
 * blocked group becomes reviewable, and a free name synced, by itself. The earliest push comes first.
 */
export async function settleNames(trx: Trx, nameKeys: readonly string[], run: InRun = {}): Promise<void> {
  // One at a time: the pairing of one decides what the next may share. More than one directory with a name is rare.
  for (const group of await lockProvisionedGroupsNamed(trx, [...new Set(nameKeys)])) {
    if (group.state === 'ignored') continue
    if (follows(group.state)) await settleName(trx, group, run)
    else await settlePairing(trx, group, run)
  }
}

/** Judges a pushed group that is not synced: what its name meets, or the group that it is linked to. */
export async function settlePairing(trx: Trx, group: ProvisionedGroup, run: InRun): Promise<void> {
  const existing = group.isLinked ? await existingGroup(trx, group.groupId) : await existingGroupNamed(trx, group.nameKey)
  const { pairing, state, reasons } = judge(existing, group)
  const to = pairing === 'existing' && existing ? existing.id : await groupApart(trx, group)
  if (pairing === 'free') await bringIntoForce(trx, group, to, run)
  else await pairWith(trx, group, { state, reasons, groupId: to, isLinked: group.isLinked }, run)
}

/** Where a pushed group goes: it takes along what is pushed, and leaves the group it shared as it is in force. */
export async function pairWith(trx: Trx, group: ProvisionedGroup, to: Place & { groupId: GroupId }, run: InRun): Promise<void> {
  await move(trx, group, to.groupId, run)
  await setState(trx, group, to, run)
  if (to.groupId !== group.groupId && group.isApart) await deleteGroupRow(trx, group.groupId)
}

/**
 * Takes what is pushed off a group that is about to go: it waits in a group of its own until its name is judged.
 * @returns the key of that name
 */
export async function moveApart(trx: Trx, groupId: GroupId): Promise<string | undefined> {
  const group = await pairedWith(trx, groupId)
  if (!group) return undefined
  const { state, reasons } = group
  await pairWith(trx, group, { state, reasons, groupId: await groupApart(trx, group), isLinked: false }, {})
  return group.nameKey
}

const groupApart = async (trx: Trx, group: ProvisionedGroup): Promise<GroupId> =>
  group.isApart ? group.groupId : insertGroup(trx, { name: group.name, effective: false })

async function move(trx: Trx, group: ProvisionedGroup, to: GroupId, run: InRun): Promise<void> {
  const { id, groupId: from, directoryId, name } = group
  if (to === from) return
  await lockGroups(trx, [from, to])
  await movePushed(trx, { from, to }, { action: 'group.paired', subject: id, directoryId, ...run, facts: { name, from, to } })
}

/** A synced group whose new name was taken takes it as soon as it is free. */
async function settleName(trx: Trx, group: ProvisionedGroup, run: InRun): Promise<void> {
  if (!group.reasons.includes('name_taken')) return
  if (await existingGroupNamed(trx, group.nameKey)) return
  const former = await renameGroup(trx, group, group.name, run)
  await setState(trx, group, { state: group.state, reasons: group.reasons.filter((reason) => reason !== 'name_taken') }, run)
  if (former !== group.nameKey) await settleNames(trx, [former], run)
}

async function bringIntoForce(trx: Trx, group: ProvisionedGroup, groupId: GroupId, run: InRun): Promise<void> {
  const { name, directoryId } = group
  await move(trx, group, groupId, run)
  await changeGroup(trx, groupId, { name, effective: true, managedBy: directoryId })
  await applyPushed(trx, groupId, { action: 'group.synced', directoryId, ...run, facts: { name } })
  await setState(trx, group, { state: 'synced', reasons: [], groupId }, run)
}

/**
 * Links a pushed group with the group it is paired with, which has the name `existingName`: its directory manages it, and what is pushed is
 * in force. The name too, if it is free and nobody settled otherwise; a taken one waits.
 */
export async function linkGroup(
  trx: Trx,
  group: ProvisionedGroup & { existingName: string },
  act: Omit<Act, 'action'>,
): Promise<void> {
  const former = nameKey(group.existingName)
  if (former === group.nameKey) return setLinked(trx, group, true, act)
  const takesName = !group.keepsName && (await existingGroupNamed(trx, group.nameKey)) === undefined
  await setLinked(trx, group, takesName, act)
  if (takesName) await settleNames(trx, [former, group.nameKey], { runId: act.runId ?? null })
}

/** Gives a synced group's group the name that the provider gave it. @returns the key of the name it had, which is free now */
export async function renameGroup(trx: Trx, group: ProvisionedGroup, name: string, run: InRun = {}): Promise<string> {
  const before = (await changeGroup(trx, group.groupId, { name })) ?? name
  const facts = { before, after: name }
  await appendLog(trx, { action: 'group.renamed', subject: group.groupId, directoryId: group.directoryId, ...run, facts })
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
