import type { Scope, Trx } from '../database/connection.ts'
import { isId, type ProvisionedGroupId } from '../database/ids.ts'
import { appendLog, changeOf } from '../organization/log.ts'
import type { PushMembers } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { existingGroupNamed, judge, metByName, newNames } from '../provisioning/conflict.ts'
import { type DirectoryContext, observes } from '../provisioning/directories.ts'
import {
  follows,
  isGroupNameProvisioned,
  lockConcerned,
  lockIfProvisioned,
  lockProvisionedGroup,
  type ProvisionedGroup,
  updateProvisionedGroup,
} from '../provisioning/groups.ts'
import { asOneRequest, whyDeletionWaits } from '../provisioning/guard.ts'
import { holdAct } from '../provisioning/held-acts.ts'
import { lockNest } from '../provisioning/nesting.ts'
import { declineOffers } from '../provisioning/offers.ts'
import { provisionGroup, provisionNewGroups, renameGroup, settleNames, unpair } from '../provisioning/pairing.ts'
import { membersIds, membersMatching } from '../provisioning/pushed-members.ts'
import { setState } from '../provisioning/states.ts'
import type { Requests } from '../provisioning/users.ts'
import type { GroupChange, GroupInput, MemberInput } from '../scim/resource.ts'
import { type Condition, mustMeet } from './condition.ts'
import { receiveMembers, resolveNested } from './receive-members.ts'
import { adoptOffer, declineOffer, lockOffer } from './take-offer.ts'

/**
 * A directory pushes a group it has not pushed before (behaviour.md, «A group is pushed»): a free name is synced at once;
 * a taken one is kept apart until it is reviewed, or refused where the directory's policy says so; one that a deleted group had is
 * offered what that had, after review.
 * @throws Refusal `name_taken`, `unknown_members`, `nested_groups`
 */
export async function receiveNewGroup(trx: Trx, directory: DirectoryContext, input: GroupInput): Promise<ProvisionedGroupId> {
  const key = nameKey(input.displayName)
  const [, isTaken, existing, isObserved] = await Promise.all([
    lockNest(trx, directory.id, { children: groupsNamed(input.members) }),
    isGroupNameProvisioned(trx, directory.id, key),
    metByName(trx, key),
    observes(trx, directory.id),
  ])
  if (isTaken)
    throw nameTaken(
      input.displayName,
      'This directory has pushed a group of that name. Link the pushed group to it, or push another name.',
    )
  // What is blocked is no conflict that a policy could decide, and who was deleted stands in nobody's way.
  if (existing && judge(existing, null).reasons.includes('name_taken') && directory.conflictPolicy === 'refuse' && !isObserved)
    throw nameTaken(
      existing.name,
      `The organization has a group of that name, and the directory ${directory.name} refuses conflicts. Rename the pushed group, or set the directory's conflict policy to review.`,
    )
  const { displayName: name, externalId } = input
  const id = await provisionGroup(trx, directory.id, { name, externalId }, existing, isObserved)
  const { members = [] } = input
  // Of a group that others are in nobody is pushed yet.
  if (members.length > 0 || existing)
    await receiveMembers(trx, directory, { id, isNested: false }, { all: members }, { isNew: true })
  return id
}

/**
 * A directory pushes several groups, without members. Those of them whose names nobody has are received in a few statements for all, as
 * `receiveNewGroup` would each; the others need a closer look.
 * @param requests of each
 * @returns at its place each group that was received
 */
export async function receiveNewGroups(
  trx: Trx,
  directory: DirectoryContext,
  inputs: readonly GroupInput[],
  requests: Requests,
): Promise<(ProvisionedGroupId | undefined)[]> {
  const names = inputs.map(({ displayName }) => displayName)
  const [free, isObserved] = await Promise.all([newNames(trx, directory.id, names), observes(trx, directory.id)])
  const groups = inputs.flatMap(({ displayName: name, externalId }, at) =>
    free.has(at) ? [{ name, externalId, requestId: requests[at] }] : [],
  )
  const ids = groups.length === 0 ? [] : await provisionNewGroups(trx, directory.id, groups, isObserved)
  const made = ids.values()
  return inputs.map((_, at) => (free.has(at) ? made.next().value : undefined))
}

/**
 * A directory changes a group. Members cost what the change costs, whatever the group's size; what changes nothing writes nothing.
 * The first change of a group that it is only offered makes it a pushed one.
 * @param condition of the group's version, under its lock
 * @throws Refusal `not_found`, `version_changed`, `name_taken`, `unknown_members`, `nested_groups`
 */
export async function receiveGroup(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedGroupId,
  { members, later = [], ...attributes }: GroupChange,
  condition?: Condition,
): Promise<{ changed: boolean }> {
  const steps = [...(members === undefined ? [] : [members]), ...later]
  const children = steps.flatMap((step) => groupsNamed('all' in step ? step.all : 'added' in step ? step.added : []))
  if (steps.length > 0) await lockNest(trx, directory.id, { id, children })
  const nameKeys = attributes.displayName === undefined ? [] : [nameKey(attributes.displayName)]
  if (nameKeys.length > 0) {
    await lockOffer(trx, directory, id)
    await lockConcerned(trx, { pushedIds: [id], nameKeys })
  }
  const found = await lockIfProvisioned(trx, directory.id, id)
  const isNew = found === undefined && (await adoptOffer(trx, directory, id, nameKeys))
  // Read again where it was not there: while the offer was waited for, another may have taken it.
  const group = found ?? (await lockProvisionedGroup(trx, directory.id, id))
  mustMeet(condition, isNew ? offered : group)
  const given = isNew ? { all: membersOfNew(members) } : members
  const receiveSteps = async () => {
    let isChanged = isNew
    if (given !== undefined) isChanged = (await receiveMembers(trx, directory, group, given, { isNew })) || isChanged
    if (isNew) await resolveNested(trx, directory, id)
    for (const step of later) {
      const named =
        'matching' in step ? { added: [], removed: await membersMatching(trx, directory.id, id, step.matching) } : step
      // Read again: what was said before may have brought it into a nest, or out of one.
      isChanged = (await receiveMembers(trx, directory, await lockProvisionedGroup(trx, directory.id, id), named)) || isChanged
    }
    return isChanged
  }
  const isOne = later.length === 0 && children.length === 0 && !group.isNested
  const isChanged = isOne ? await receiveSteps() : await asOneRequest(trx, receiveSteps)
  // Its state may be another one by now: what was taken waits, or waits no more.
  const now = steps.length > 0 && nameKeys.length > 0 ? await lockProvisionedGroup(trx, directory.id, id) : group
  const isDescribed = await receiveAttributes(trx, directory, now, attributes)
  return { changed: isChanged || isDescribed }
}

/** Nothing was said yet of a group that is only offered. */
const offered = { version: 0 }

const groupsNamed = (members: readonly MemberInput[] = []): string[] =>
  members.filter((member) => member.isGroup).map((member) => member.value)

// Nobody was in it: what is added is all there is.
const membersOfNew = (members: GroupChange['members']): MemberInput[] =>
  members === undefined ? [] : 'all' in members ? members.all : members.added

/**
 * The common push, some members and nothing else, all of them known: a part of one statement, whatever the group's size.
 * @returns whether it is done; nothing is, where `receiveGroup` is needed
 */
export async function receiveMembersAlone(
  pushMembers: PushMembers,
  scope: Scope,
  directory: DirectoryContext,
  id: ProvisionedGroupId,
  { members, ...attributes }: GroupChange,
): Promise<boolean> {
  if (members === undefined || 'all' in members || Object.keys(attributes).length > 0 || !isId(id)) return false
  const { added, removed } = membersIds(members)
  if (added.length < members.added.length || removed.length < members.removed.length) return false
  return pushMembers({ scope, directoryId: directory.id, id, added, removed })
}

/**
 * A directory deletes a group: one that is not synced goes, and the existing one never notices; a synced one is unmanaged and keeps
 * its members, or is deleted, as the directory's setting has it; of one that was only offered nothing is deleted.
 * @throws Refusal `not_found`, `version_changed`
 */
export async function receiveGroupDeletion(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedGroupId,
  condition?: Condition,
): Promise<void> {
  await lockNest(trx, directory.id, { id })
  await lockConcerned(trx, { pushedIds: [id] })
  const found = await lockIfProvisioned(trx, directory.id, id)
  if (!found && (await declineOffer(trx, directory, id))) return mustMeet(condition, offered)
  const group = found ?? (await lockProvisionedGroup(trx, directory.id, id))
  mustMeet(condition, group)
  const deletes = directory.deletedGroups === 'delete' && follows(group.state)
  const reason = deletes ? await whyDeletionWaits(trx, directory.id, group.groupId) : null
  const { name } = await unpair(trx, group, deletes && reason === null)
  // It is nobody's now, with its members: whoever pushes its name again takes the waiting back.
  if (reason) await holdAct(trx, { directoryId: directory.id, act: 'delete_group', groupId: group.groupId, name, reason })
  await declineOffers(trx, directory.id, group)
}

type Described = Pick<ProvisionedGroup, 'name' | 'externalId' | 'keepsName'>

async function receiveAttributes(
  trx: Trx,
  directory: DirectoryContext,
  group: ProvisionedGroup,
  change: GroupChange,
): Promise<boolean> {
  const isRenamed = change.displayName !== undefined && change.displayName !== group.name
  const isDescribed = isRenamed || (change.externalId !== undefined && change.externalId !== group.externalId)
  if (!isDescribed) return false
  if (isRenamed && change.displayName !== undefined) await refuseTakenName(trx, directory, group, change.displayName)
  const want = {
    ...(isRenamed && change.displayName !== undefined ? { name: change.displayName } : {}),
    ...(change.externalId === undefined ? {} : { externalId: change.externalId }),
  }
  await updateProvisionedGroup(trx, group.id, want)
  await appendLog(trx, {
    action: 'group.provision_updated',
    subject: group.id,
    directoryId: directory.id,
    facts: { name: group.name, ...changeOf<Described>(group, isRenamed ? { ...want, keepsName: false } : want) },
  })
  if (isRenamed && change.displayName !== undefined) await receiveName(trx, group, change.displayName)
  return true
}

/** Not synced: the new name is judged afresh, and the old one too. Synced: a free name is taken at once, a taken one waits as a difference. */
async function receiveName(trx: Trx, group: ProvisionedGroup, name: string): Promise<void> {
  const key = nameKey(name)
  let former = group.nameKey
  if (follows(group.state)) {
    const existing = await existingGroupNamed(trx, key)
    const isFree = existing === undefined || existing.id === group.groupId
    const reasons = group.reasons.filter((reason) => reason !== 'name_taken')
    if (isFree) former = await renameGroup(trx, group, name)
    await setState(
      trx,
      { ...group, name, keepsName: false },
      { state: group.state, reasons: isFree ? reasons : [...reasons, 'name_taken'] },
    )
  }
  await settleNames(trx, [group.nameKey, key, former])
}

async function refuseTakenName(trx: Trx, directory: DirectoryContext, group: ProvisionedGroup, name: string): Promise<void> {
  const key = nameKey(name)
  if (key === group.nameKey || !(await isGroupNameProvisioned(trx, directory.id, key))) return
  throw nameTaken(
    name,
    'This directory has pushed a group of that name already. Push another name, or delete the other group first.',
  )
}

const nameTaken = (name: string, next: string) =>
  new Refusal('name_taken', `Resource [GROUP] with displayName "${name}" already exists. ${next}`, { name })
