import type { Trx } from '../database/connection.ts'
import { type DirectoryId, type GroupId, newId, type ProvisionedGroupId } from '../database/ids.ts'
import {
  changeGroup,
  deleteGroup,
  deleteGroupRow,
  groupCreated,
  insertGroup,
  insertGroups,
  lockChangeableGroup,
} from '../organization/groups.ts'
import { type Act, appendLog, appendLogs, changeOf, type LogEntry } from '../organization/log.ts'
import { applyPushed, forgetPushed, movePushed } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { lockGroups } from '../organization/permission.ts'
import { type ExistingGroup, existingGroup, existingGroupNamed, judge, metByName, type Verdict } from './conflict.ts'
import { observes } from './directories.ts'
import {
  deleteProvisionedGroup,
  follows,
  type HeldGroup,
  insertProvisionedGroups,
  lockProvisionedGroupsNamed,
  type NewProvisionedGroup,
  type ProvisionedGroup,
  pairedWith,
} from './groups.ts'
import { endHeldAct } from './held-acts.ts'
import { leaveNest } from './nesting.ts'
import { type Along, type Place, setLinked, setState } from './states.ts'
import { forgetAllUnknownMembers } from './unknown-members.ts'

/** A pushed group comes to be, without members: paired with the group that has its name, if one does. The caller holds that one's lock. */
export async function provisionGroup(
  trx: Trx,
  directoryId: DirectoryId,
  group: { id?: ProvisionedGroupId; name: string; externalId: string | null },
  existing: ExistingGroup | undefined,
  isObserved = false,
): Promise<ProvisionedGroupId> {
  const verdict = judge(existing, null, isObserved)
  const isShared = verdict.pairing === 'existing' && existing !== undefined
  const id = group.id ?? newId<ProvisionedGroupId>()
  const facts = group.id === undefined ? {} : { wasOffered: true }
  const pair = { ...group, id, groupId: isShared ? existing.id : newId<GroupId>(), isShared, verdict, facts }
  await storePairs(trx, directoryId, [pair])
  if (isShared) await endHeldAct(trx, { groupId: existing.id }, 'removal.withdrawn')
  return id
}

/** Pushed groups of names that nobody has come to be, without members; `requestId`: of the request that asks for it, where they are several requests'. */
export async function provisionNewGroups(
  trx: Trx,
  directoryId: DirectoryId,
  groups: readonly { name: string; externalId: string | null; requestId?: string | null | undefined }[],
  isObserved: boolean,
): Promise<ProvisionedGroupId[]> {
  const verdict = judge(undefined, null, isObserved)
  const pairs = groups.map((group) => ({
    ...group,
    id: newId<ProvisionedGroupId>(),
    groupId: newId<GroupId>(),
    isShared: false,
    verdict,
  }))
  await storePairs(trx, directoryId, pairs)
  return pairs.map(({ id }) => id)
}

interface NewPair extends Pick<NewProvisionedGroup, 'id' | 'name' | 'externalId' | 'groupId'> {
  verdict: Verdict
  /** Whether the group stands already. */
  isShared: boolean
  facts?: Record<string, unknown>
  requestId?: string | null | undefined
}

async function storePairs(trx: Trx, directoryId: DirectoryId, pairs: readonly NewPair[]): Promise<void> {
  const own = ({ name, groupId, verdict }: NewPair) => {
    const isFree = verdict.pairing === 'free'
    return { id: groupId, name, effective: isFree, managedBy: isFree ? directoryId : null }
  }
  const entries = pairs.flatMap((pair): LogEntry[] => {
    const { id, name, externalId, groupId, verdict, isShared, facts, requestId } = pair
    const { state, reasons } = verdict
    const after = { name, externalId, groupId, state, reasons, isLinked: false, keepsName: false }
    const { id: _, ...created } = own(pair)
    return [
      ...(isShared ? [] : [{ ...groupCreated(groupId, created), directoryId, requestId }]),
      { action: 'group.provisioned', subject: id, directoryId, requestId, facts: { name, ...facts, after } },
    ]
  })
  const made = pairs.filter(({ isShared }) => !isShared)
  const pushed = pairs.map(({ verdict: { state, reasons }, ...pair }) => ({ ...pair, state, reasons }))
  // Sent together, one after the other.
  await Promise.all([
    made.length > 0 && insertGroups(trx, made.map(own)),
    insertProvisionedGroups(trx, directoryId, pushed),
    appendLogs(trx, entries),
  ])
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
export async function settlePairing(
  trx: Trx,
  group: ProvisionedGroup,
  run: InRun,
  { keepsName, ...asks }: Pick<ProvisionedGroup, 'isLinked' | 'keepsName'> = group,
): Promise<void> {
  // A link ends with the group that was linked to.
  const linked = asks.isLinked ? await existingGroup(trx, group.groupId) : undefined
  const isLinked = linked !== undefined
  const existing = linked ?? (await metByName(trx, group.nameKey))
  const isObserved = existing === undefined && (await observes(trx, group.directoryId))
  const { pairing, state, reasons } = judge(existing, { id: group.id, isLinked }, isObserved)
  const to = pairing === 'existing' && existing ? existing.id : await groupApart(trx, group, run)
  if (pairing === 'free') await bringIntoForce(trx, group, { groupId: to, isLinked, keepsName }, run)
  else await pairWith(trx, group, { state, reasons, groupId: to, isLinked, keepsName }, run)
}

/** Where a pushed group goes: it takes along what is pushed, and leaves the group it shared as it is in force. */
export async function pairWith(trx: Trx, group: ProvisionedGroup, to: Place & { groupId: GroupId }, run: InRun): Promise<void> {
  await move(trx, group, to.groupId, run)
  await setState(trx, group, to, run)
  if (to.groupId !== group.groupId && group.isApart) await deleteGroupRow(trx, group.groupId)
}

/** Takes what is pushed off deleted groups that are about to go: it waits in groups of its own until its names are judged. */
export async function moveApart(trx: Trx, groupIds: readonly GroupId[]): Promise<void> {
  // One at a time: few are offered to anybody.
  for (const group of await pairedWith(trx, groupIds)) {
    const { state, reasons } = group
    await pairWith(trx, group, { state, reasons, groupId: await groupApart(trx, group, {}), isLinked: false }, {})
  }
}

async function groupApart(trx: Trx, { name, groupId, directoryId, isApart }: ProvisionedGroup, run: InRun): Promise<GroupId> {
  if (isApart) return groupId
  const apart = { name, effective: false }
  const id = await insertGroup(trx, apart)
  await appendLog(trx, { ...groupCreated(id, apart), directoryId, ...run })
  return id
}

async function move(trx: Trx, group: ProvisionedGroup, to: GroupId, run: InRun): Promise<void> {
  const { id, groupId: from, directoryId, name } = group
  if (to === from) return
  await lockGroups(trx, [from, to])
  await movePushed(trx, { from, to }, { action: 'group.paired', subject: id, directoryId, ...run, facts: { name, from, to } })
}

/**
 * A pushed group gets its name, which nobody has now: a synced one is renamed, another is synced as a group of its own. Neither who pushed the
 * name before nor what was deleted of it comes first. The caller settles the name for the others.
 */
export async function takeName(trx: Trx, group: ProvisionedGroup, run: InRun): Promise<void> {
  if (follows(group.state)) return settleName(trx, group, run)
  const groupId = await groupApart(trx, group, run)
  await bringIntoForce(trx, group, { groupId, isLinked: false, keepsName: group.keepsName }, run)
}

/** A synced group whose new name was taken takes it as soon as it is free. */
async function settleName(trx: Trx, group: ProvisionedGroup, run: InRun): Promise<void> {
  if (!group.reasons.includes('name_taken')) return
  if (await existingGroupNamed(trx, group.nameKey)) return
  const former = await renameGroup(trx, group, group.name, run)
  await setState(trx, group, { state: group.state, reasons: group.reasons.filter((reason) => reason !== 'name_taken') }, run)
  if (former !== group.nameKey) await settleNames(trx, [former], run)
}

async function bringIntoForce(
  trx: Trx,
  group: ProvisionedGroup,
  place: Pick<ProvisionedGroup, 'groupId' | 'isLinked' | 'keepsName'>,
  run: InRun,
): Promise<void> {
  const { name, directoryId } = group
  const { groupId } = place
  await move(trx, group, groupId, run)
  const inForce = { name, effective: true, managedBy: directoryId }
  const facts = { name, ...changeOf(await changeGroup(trx, groupId, inForce), inForce) }
  await appendLog(trx, { action: 'group.managed', subject: groupId, directoryId, ...run, facts })
  await applyPushed(trx, groupId, { action: 'group.synced', directoryId, ...run, facts: { name } })
  await setState(trx, group, { state: 'synced', reasons: [], ...place }, run)
}

/**
 * Links a pushed group with the group it is paired with, which has the name `existingName`: its directory manages it, and what is pushed is
 * in force. The name too, if it is free and nobody settled otherwise; a taken one waits.
 * @param along what the same statement writes
 * @returns how many members came and went
 */
export async function linkGroup(
  trx: Trx,
  group: ProvisionedGroup & { existingName: string },
  act: Omit<Act, 'action'>,
  along: Along,
): Promise<{ added: number; removed: number }> {
  const former = nameKey(group.existingName)
  if (former === group.nameKey) return setLinked(trx, group, true, act, along)
  const takesName = !group.keepsName && (await existingGroupNamed(trx, group.nameKey)) === undefined
  const change = await setLinked(trx, group, takesName, act, along)
  if (takesName) await settleNames(trx, [former, group.nameKey], { runId: act.runId ?? null })
  return change
}

/** Gives a synced group's group the name that the provider gave it. @returns the key of the name it had, which is free now */
export async function renameGroup(trx: Trx, group: ProvisionedGroup, name: string, run: InRun = {}): Promise<string> {
  const before = await changeGroup(trx, group.groupId, { name })
  const facts = changeOf(before, { name })
  await appendLog(trx, { action: 'group.renamed', subject: group.groupId, directoryId: group.directoryId, ...run, facts })
  return nameKey(before.name)
}

async function nameOf(trx: Trx, id: GroupId): Promise<string> {
  const { name } = await trx
    .selectFrom('groups')
    .select('name')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return name
}

/**
 * Takes a pushed group off the organization: what was shared stays as it is in force, what was only pushed goes.
 * Its names, the pushed one and that of the group it shared, are judged afresh.
 * @param deletes a group that it was synced with is deleted, too
 * @returns what the group that it was paired with is called
 */
export async function unpair(trx: Trx, group: HeldGroup, deletes: boolean): Promise<{ name: string }> {
  const { directoryId, name, externalId, groupId, state, reasons, isLinked, keepsName } = group
  await leaveNest(trx, group)
  await lockGroups(trx, [groupId])
  const shared = await nameOf(trx, groupId)
  await forgetPushed(trx, [groupId], { action: 'members.pushed', directoryId, facts: { name, forgotten: true } })
  if (follows(state)) await letGo(trx, group)
  await forgetAllUnknownMembers(trx, directoryId, [group.id])
  await deleteProvisionedGroup(trx, group.id)
  const before = { name, externalId, groupId, state, reasons, isLinked, keepsName }
  await appendLog(trx, { action: 'group.provision_deleted', subject: group.id, directoryId, facts: { name, before } })
  if (group.isApart) await deleteGroupRow(trx, groupId)
  if (deletes && follows(state)) await deleteGroup(trx, await lockChangeableGroup(trx, groupId, 'delete'), { directoryId })
  await settleNames(trx, [group.nameKey, nameKey(shared)])
  return { name: shared }
}

/** A directory no longer manages the group that a synced one of its groups is with. */
export async function letGo(trx: Trx, { groupId, directoryId, name }: ProvisionedGroup, run: InRun = {}): Promise<void> {
  const before = await changeGroup(trx, groupId, { managedBy: null })
  const facts = { name, ...changeOf(before, { managedBy: null }) }
  await appendLog(trx, { action: 'group.unmanaged', subject: groupId, directoryId, ...run, facts })
}
