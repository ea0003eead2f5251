import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { AccountId, GroupId, RunId } from '../database/ids.ts'
import { changeGroup, deleteAgain } from '../organization/groups.ts'
import { appendLog, changeOf } from '../organization/log.ts'
import { haveWait, type MembershipChange, putBackMembers } from '../organization/memberships.ts'
import type { Moment } from '../organization/moment.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { existingGroup, existingGroupNamed, judge } from '../provisioning/conflict.ts'
import { follows, heldGroup, lockConcerned, type ProvisionedGroup } from '../provisioning/groups.ts'
import { settleHeld } from '../provisioning/guard.ts'
import { whyNotLinkTo } from '../provisioning/linking.ts'
import { type InRun, letGo, pairWith, settleNames, settlePairing } from '../provisioning/pairing.ts'
import { setState } from '../provisioning/states.ts'
import { type Effect, effectOfProposed } from '../review/effect.ts'
import {
  type Cut,
  changedSince,
  cutAt,
  keptThen,
  type PushedThen,
  type Restored,
  restoredGroups,
  restoreOf,
} from '../review/restore.ts'

/** What putting a group back to a moment comes to. */
export interface Restoration extends Omit<Restored, 'id' | 'pushedId' | 'pairedThen' | 'pushedThen' | 'wasDeleted'> {
  /** So many changes of it since are undone. */
  changes: number
  effect: Effect
}

/**
 * What putting a group back to a moment would come to.
 * @throws Refusal `nothing_to_restore`; `invalid_value` where it was not there then, or is not in force
 */
export async function restorationTo(reader: Reader, group: { id: GroupId; name: string }, moment: Moment): Promise<Restoration> {
  return restorationOf(reader, await cutOf(reader, group, moment))
}

/**
 * Puts a group back to a moment, as it was shown.
 * @throws Refusal `review_changed` where it comes to something else than `fingerprint` says; else as `restorationTo` and `putBack`
 */
export async function putBackAsShown(
  trx: Trx,
  group: { id: GroupId; name: string },
  moment: Moment,
  fingerprint: string,
): Promise<MembershipChange> {
  const cut = await cutOf(trx, group, moment)
  await lockToPutBack(trx, cut)
  const { effect } = await restorationOf(trx, cut)
  if (effect.fingerprint === fingerprint) return putBack(trx, cut)
  throw new Refusal(
    'review_changed',
    `"${group.name}" changed while you were looking. Nothing was restored. Look at the new figures, then go on with their fingerprint.`,
    { fingerprint: effect.fingerprint, effect },
  )
}

async function cutOf(reader: Reader, group: { id: GroupId; name: string }, moment: Moment): Promise<Cut> {
  const cut = await cutAt(reader, group.id, moment)
  if (cut) return cut
  throw new Refusal('nothing_to_restore', `"${group.name}" has not changed since ${moment.at}.`, { group: group.id })
}

async function restorationOf(reader: Reader, cut: Cut): Promise<Restoration> {
  const [[group], since, effect] = await Promise.all([
    restoredGroups(reader, [cut]),
    changedSince(reader, [cut], null),
    effectOfProposed(reader, restoreOf(reader, [cut])),
  ])
  if (group === undefined) throw new Refusal('not_found', 'There is no such group.')
  refuseUnlessThere(group)
  const { now, was } = group
  return { now, was, changes: since.get(cut.groupId)?.length ?? 0, effect }
}

/** Locks a group that is put back, what that may come to judge, and who would go: what is shown of it from now on is what is done. */
export async function lockToPutBack(trx: Trx, cut: Cut): Promise<void> {
  const [before] = await restoredGroups(trx, [cut])
  await lockConcernedByCut(trx, cut, before)
}

/** The same of a group as it was found; all of it is sent together, so that what is sent behind it sees what it holds still. */
export async function lockConcernedByCut(trx: Trx, cut: Cut, before: Restored | undefined): Promise<void> {
  const names = [before?.now.name, before?.was?.name].filter((name) => name !== undefined)
  const groupIds = [cut.groupId, ...(before?.pairedThen ? [before.pairedThen.groupId] : [])]
  const { selected, changing } = restoreOf(trx, [cut])
  // Two groups that each keep the other's access alive are not put back at once, each in reliance on the other. In id order (rule 12).
  await Promise.all([
    lockConcerned(trx, { groupIds, nameKeys: names.map(nameKey) }),
    sql`select from groups where org_id = ${trx.orgId} and id = any(${groupIds}::uuid[]) order by id for no key update`.execute(
      trx,
    ),
    sql`
    with ${selected}, ${changing}
    select from accounts where org_id = ${trx.orgId} and id = any(array(select account_id from changing where not gives))
    order by id for no key update`.execute(trx),
  ])
}

/**
 * Puts a group back to what it was: who was in it is in it, by the name it had, linked or not as it was. What a provider pushed stays what it
 * pushed: a group that stays linked is held, and what differs from the push waits; one that is unlinked is judged as one that was just pushed.
 * What it was granted stays as it is.
 * @param cut of a group that the caller has locked (`lockToPutBack`)
 * @param found what it comes to, where that was read since
 * @throws Refusal `name_taken`, `invalid_value` where it was not there, or is deleted
 */
export async function putBack(trx: Trx, cut: Cut, run: { runId?: RunId } = {}, found?: Restored): Promise<MembershipChange> {
  const group = found ?? (await restoredGroups(trx, [cut]))[0]
  if (group === undefined) throw new Refusal('not_found', 'There is no such group.')
  const { now, was, wasDeleted, pairedThen, pushedThen } = group
  const pushed = group.pushedId === null ? undefined : await heldGroup(trx, group.pushedId)
  const isMadeSince = was === null && pushed !== undefined && pairedThen !== null
  if (!isMadeSince && !(wasDeleted && now.isInForce)) refuseUnlessThere(group)
  await refuseTakenName(trx, group)
  const isLinked = pushed !== undefined && follows(pushed.state)
  // What is blocked by now is not forced.
  const staysLinked = pushed !== undefined && pushedThen !== null && follows(pushedThen.state) && pushed.state !== 'blocked'
  const { selected, changing } = restoreOf(trx, [cut])
  const kept = staysLinked ? await keptThen(trx, cut, pushed.id) : []
  const keptAgain = kept.filter(({ isGiven }) => isGiven).map(({ id }) => id)
  const change = await putBackMembers(
    trx,
    group.id,
    sql`with ${selected}, ${changing} select account_id, gives as effective from changing`,
    staysLinked ? { kept: kept.map(({ id }) => id) } : null,
    {
      action: 'members.changed',
      ...run,
      facts: { name: now.name, restored: cut.entry, ...(keptAgain.length > 0 ? { kept: keptAgain } : {}) },
    },
  )
  if (isMadeSince) {
    await unmake(trx, group.id, pushed, pairedThen.groupId, run)
    return change
  }
  const former = await putBackName(trx, group, run)
  if (wasDeleted) {
    if (isLinked) await letGo(trx, pushed, run)
    await deleteAgain(trx, group.id, run)
    if (pushed) await settlePairing(trx, pushed, run)
    await settleNames(trx, [former ?? now.name, was?.name ?? now.name, pushed?.name ?? now.name].map(nameKey), run)
    return change
  }
  if (staysLinked && !isLinked) await linkAgain(trx, pushed, { ...pushedThen, groupId: group.id }, kept, run)
  else if (staysLinked) await hold(trx, group, pushed, run)
  else if (pushed && pairedThen) await meetAsThen(trx, cut, pushed, pairedThen, run)
  else if (pushed && (isLinked || now.state !== was?.state)) await awaitReview(trx, pushedThen ?? pushed, pushed, isLinked, run)
  if (former !== undefined || (pushed && !staysLinked && pushed.nameKey !== nameKey(now.name)))
    await settleNames(trx, [former ?? now.name, now.name, was?.name ?? now.name, pushed?.name ?? now.name].map(nameKey), run)
  return change
}

/** A group that was made for a pushed one goes, and that one is with the group again which it was with. */
async function unmake(trx: Trx, id: GroupId, pushed: ProvisionedGroup, to: GroupId, run: InRun): Promise<void> {
  const ended = { effective: false, managedBy: null }
  const { directoryId, name } = pushed
  const facts = { name, ...changeOf(await changeGroup(trx, id, ended), ended) }
  await appendLog(trx, { action: 'group.unmanaged', subject: id, directoryId, ...run, facts })
  await pairWith(trx, { ...pushed, isApart: true }, { state: 'needs_review', reasons: ['name_taken'], groupId: to }, run)
}

function refuseUnlessThere({ id, now, was }: Restored): void {
  if (!now.isInForce)
    throw new Refusal('invalid_value', `"${now.name}" is not in force. Restore the deleted group first, then put it back.`, {
      group: id,
    })
  if (was === null || !was.isInForce)
    throw new Refusal('invalid_value', `"${now.name}" was not there then. Choose a later moment, or delete the group.`, {
      group: id,
    })
}

async function refuseTakenName(trx: Trx, { id, now, was }: Restored): Promise<void> {
  if (was === null || nameKey(was.name) === nameKey(now.name)) return
  const other = await existingGroupNamed(trx, nameKey(was.name))
  if (other !== undefined && other.id !== id)
    throw new Refusal(
      'name_taken',
      `It was called "${was.name}", and another group has that name by now. Rename that one first.`,
      {
        name: was.name,
      },
    )
}

/** @returns the name it had until now, where it has another one */
async function putBackName(trx: Trx, { id, now, was }: Restored, run: InRun): Promise<string | undefined> {
  if (was === null || was.name === now.name) return undefined
  await changeGroup(trx, id, { name: was.name })
  await appendLog(trx, { action: 'group.renamed', subject: id, ...run, facts: changeOf({ name: now.name }, { name: was.name }) })
  return now.name
}

/** It stays its directory's: it is held as long as something waits, and a name that is not the pushed one is kept. */
async function hold(trx: Trx, { id, now, was }: Restored, pushed: ProvisionedGroup, run: InRun): Promise<void> {
  const isPutBack = was !== null && was.name !== now.name && nameKey(was.name) !== pushed.nameKey
  const keepsName = isPutBack || pushed.keepsName
  await setState(trx, pushed, { state: pushed.state, reasons: pushed.reasons, keepsName }, run)
  await settleHeld(trx, [{ groupId: id, reason: null }], run)
}

/** Its directory manages it again, as it did: what differs from the push by now waits, as what an undo puts back does. */
async function linkAgain(
  trx: Trx,
  pushed: ProvisionedGroup,
  { groupId, ...then }: PairedThen,
  kept: readonly { id: AccountId }[],
  run: InRun,
): Promise<void> {
  const { directoryId, name } = pushed
  const managed = { managedBy: directoryId }
  const facts = { name, ...changeOf(await changeGroup(trx, groupId, managed), managed) }
  await appendLog(trx, { action: 'group.managed', subject: groupId, directoryId, ...run, facts })
  const keptIds = kept.map(({ id }) => id)
  await haveWait(trx, groupId, keptIds)
  await setState(trx, pushed, { ...then, groupId }, { ...run, facts: { kept: keptIds } })
  await settleHeld(trx, [{ groupId, reason: null }], run)
}

/** The pushed group was with another one: with that it was linked to, as it was, else with whom its name meets, it waits for a review again. */
async function meetAsThen(trx: Trx, cut: Cut, pushed: ProvisionedGroup, then: PairedThen, run: InRun): Promise<void> {
  const { groupId, isLinked, keepsName } = then
  if (follows(pushed.state)) await letGo(trx, pushed, run)
  const other = isLinked ? await existingGroup(trx, groupId) : undefined
  if (other === undefined || whyNotLinkTo(other)) return settlePairing(trx, pushed, run, { isLinked: false, keepsName })
  const { state, reasons } = judge(other, { id: pushed.id, isLinked })
  await pairWith(trx, pushed, { state, reasons, groupId, isLinked, keepsName }, run)
  if (!follows(then.state)) return
  const kept = await keptThen(trx, { groupId, entry: cut.entry }, pushed.id)
  await linkAgain(trx, await heldGroup(trx, pushed.id), then, kept, run)
}

type PairedThen = NonNullable<Restored['pairedThen']>

/** It is nobody's but the organization's, and what is pushed of it waits for a review, as it did, or stays ignored. */
async function awaitReview(trx: Trx, then: PushedThen, pushed: ProvisionedGroup, isLinked: boolean, run: InRun): Promise<void> {
  if (isLinked) await letGo(trx, pushed, run)
  if (then.state === 'ignored') await setState(trx, pushed, then, run)
  else await settlePairing(trx, pushed, run, then)
}
