import { isDeepStrictEqual } from 'node:util'
import type { Trx } from '../database/connection.ts'
import type { ProvisionedGroupId } from '../database/ids.ts'
import { insertGroup } from '../organization/groups.ts'
import { type Act, appendLog } from '../organization/log.ts'
import { replacePushed, setPushed } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { existingGroupNamed, judge } from '../provisioning/conflict.ts'
import type { DirectoryContext } from '../provisioning/directories.ts'
import {
  follows,
  insertProvisionedGroup,
  isGroupNameProvisioned,
  lockProvisionedGroup,
  membersWritten,
  type ProvisionedGroup,
  resolveMembers,
  touchMembers,
  updateProvisionedGroup,
} from '../provisioning/groups.ts'
import { renameGroup, settleNames, unpair } from '../provisioning/pairing.ts'
import { setState } from '../provisioning/states.ts'
import { forgetUnknownMembers, keepUnknownMembers, recordUnknownMembers } from '../provisioning/unknown-members.ts'
import type { GroupChange, GroupInput, MemberInput } from '../scim/resource.ts'

/**
 * A directory pushes a group it has not pushed before (behaviour.md, «A group is pushed»): a free name is synced at once;
 * a taken one is kept apart until it is reviewed, or refused where the directory's policy says so.
 * @throws Refusal `name_taken`, `unknown_members`
 */
export async function receiveNewGroup(trx: Trx, directory: DirectoryContext, input: GroupInput): Promise<ProvisionedGroupId> {
  const key = nameKey(input.displayName)
  const members = input.members ?? []
  const [isTaken, existing, resolved] = await Promise.all([
    isGroupNameProvisioned(trx, directory.id, key),
    existingGroupNamed(trx, key),
    resolveMembers(trx, directory.id, members),
  ])
  if (isTaken)
    throw nameTaken(
      input.displayName,
      'This directory has pushed a group of that name. Link the pushed group to it, or push another name.',
    )
  if (existing && directory.conflictPolicy === 'refuse')
    throw nameTaken(
      existing.name,
      `The organization has a group of that name, and the directory ${directory.name} refuses conflicts. Rename the pushed group, or set the directory's conflict policy to review.`,
    )
  const { pairing, state, reasons } = judge(existing, null)
  const groupId =
    pairing === 'existing' && existing
      ? existing.id
      : await insertGroup(trx, {
          name: input.displayName,
          effective: pairing === 'free',
          managedBy: pairing === 'free' ? directory.id : null,
        })
  const { displayName: name, externalId, attributes } = input
  const id = await insertProvisionedGroup(trx, {
    directoryId: directory.id,
    name,
    externalId,
    attributes,
    groupId,
    state,
    reasons,
  })
  const act: Act = { action: 'members.pushed', directoryId: directory.id, facts: { name } }
  await Promise.all([
    appendLog(trx, {
      action: 'group.provisioned',
      subject: id,
      directoryId: directory.id,
      facts: { name, groupId, state, reasons },
    }),
    replacePushed(trx, { groupId, accountIds: resolved.accountIds, follow: pairing === 'free' }, act),
  ])
  await recordUnknownMembers(trx, directory, id, resolved.unknown)
  return id
}

/**
 * A directory changes a group. Members cost what the change costs, whatever the group's size; what changes nothing writes nothing.
 * @throws Refusal `not_found`, `name_taken`, `unknown_members`
 */
export async function receiveGroup(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedGroupId,
  change: GroupChange,
): Promise<{ changed: boolean }> {
  const { members } = change
  const given = members === undefined ? [] : 'all' in members ? members.all : members.added
  const taken: MemberInput[] = members !== undefined && 'removed' in members ? members.removed.map((value) => ({ value })) : []
  const [group, added, removed] = await Promise.all([
    lockProvisionedGroup(trx, directory.id, id),
    resolveMembers(trx, directory.id, given),
    resolveMembers(trx, directory.id, taken),
  ])
  const isDescribed = await receiveAttributes(trx, directory, group, change)
  if (members === undefined) return { changed: isDescribed }
  const act: Act = { action: 'members.pushed', directoryId: directory.id, facts: { name: group.name } }
  const where = { groupId: group.groupId, follow: follows(group.state), touch: membersWritten(trx, id) }
  const written =
    'all' in members
      ? await replacePushed(trx, { ...where, accountIds: added.accountIds }, act)
      : await setPushed(trx, { ...where, added: added.accountIds, removed: removed.accountIds }, act)
  const unknownChanged = await receiveUnknown(trx, directory, id, added.unknown, 'all' in members ? 'rest' : removed.unknown)
  if (unknownChanged) await touchMembers(trx, id)
  return { changed: isDescribed || unknownChanged || written.pushedAdded + written.pushedRemoved > 0 }
}

/** A directory deletes a group: one that is not synced goes, and the existing one never notices; a synced one is unmanaged and keeps its members. */
export async function receiveGroupDeletion(trx: Trx, directory: DirectoryContext, id: ProvisionedGroupId): Promise<void> {
  const group = await lockProvisionedGroup(trx, directory.id, id)
  await unpair(trx, group)
  await settleNames(trx, [group.nameKey])
}

async function receiveAttributes(
  trx: Trx,
  directory: DirectoryContext,
  group: ProvisionedGroup,
  change: GroupChange,
): Promise<boolean> {
  const isRenamed = change.displayName !== undefined && change.displayName !== group.name
  const isDescribed =
    isRenamed ||
    (change.externalId !== undefined && change.externalId !== group.externalId) ||
    (change.attributes !== undefined && !isDeepStrictEqual(change.attributes, group.attributes))
  if (!isDescribed) return false
  await updateProvisionedGroup(trx, group.id, {
    ...(isRenamed && change.displayName !== undefined ? { name: change.displayName } : {}),
    ...(change.externalId === undefined ? {} : { externalId: change.externalId }),
    ...(change.attributes === undefined ? {} : { attributes: change.attributes }),
  })
  await appendLog(trx, {
    action: 'group.provision_updated',
    subject: group.id,
    directoryId: directory.id,
    facts: { name: group.name, ...(isRenamed ? { renamedTo: change.displayName } : {}) },
  })
  if (isRenamed && change.displayName !== undefined) await receiveName(trx, directory, group, change.displayName)
  return true
}

/** Not synced: the new name is judged afresh, and the old one too. Synced: a free name is taken at once, a taken one waits as a difference. */
async function receiveName(trx: Trx, directory: DirectoryContext, group: ProvisionedGroup, name: string): Promise<void> {
  const key = nameKey(name)
  if (key !== group.nameKey && (await isGroupNameProvisioned(trx, directory.id, key, group.id))) {
    throw nameTaken(
      name,
      'This directory has pushed a group of that name already. Push another name, or delete the other group first.',
    )
  }
  if (follows(group.state)) {
    const existing = await existingGroupNamed(trx, key)
    const isFree = existing === undefined || existing.id === group.groupId
    const reasons = group.reasons.filter((reason) => reason !== 'name_taken')
    if (isFree) await renameGroup(trx, group, name)
    await setState(trx, { ...group, name }, { state: group.state, reasons: isFree ? reasons : [...reasons, 'name_taken'] })
  }
  await settleNames(trx, [group.nameKey, key])
  const { groupId, state } = await lockProvisionedGroup(trx, directory.id, group.id)
  Object.assign(group, { groupId, state, name })
}

async function receiveUnknown(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedGroupId,
  unknown: MemberInput[],
  gone: MemberInput[] | 'rest',
): Promise<boolean> {
  const forgotten =
    gone === 'rest'
      ? await keepUnknownMembers(
          trx,
          id,
          unknown.map((member) => member.value),
        )
      : gone.length > 0
        ? await forgetUnknownMembers(
            trx,
            id,
            gone.map((member) => member.value),
          )
        : 0
  const recorded = await recordUnknownMembers(trx, directory, id, unknown)
  return forgotten + recorded > 0
}

const nameTaken = (name: string, next: string) =>
  new Refusal('name_taken', `Resource [GROUP] with displayName "${name}" already exists. ${next}`, { name })
