import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { appendLog } from '../organization/log.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { type ExistingGroup, existingColumns, existingGroup, judge } from './conflict.ts'
import { follows, heldGroup, lockConcerned, type ProvisionedGroup } from './groups.ts'
import { type InRun, letGo, pairWith, settleNames, settlePairing } from './pairing.ts'

/**
 * Pairs a pushed group with another group, whatever its name, for review; its further pushes go there, and its own name does not undo it.
 * The group it leaves is as it is in force, and no longer managed. What is pushed moves with one statement.
 * @param group held, with all that `lockConcerned` locks of it and of the other group
 * @returns it as it is now
 * @throws Refusal `not_found`, `managed_by_directory`, `paired_with_directory`, `default_access_group`, `protected`
 */
export async function linkTo(trx: Trx, group: ProvisionedGroup, groupId: GroupId, run: InRun = {}): Promise<ProvisionedGroup> {
  if (group.groupId === groupId) return group
  const other = await existingGroup(trx, groupId)
  const refusal = whyNotLinkTo(other)
  if (refusal || other === undefined) throw refusal
  const before = await release(trx, group, run)
  const isLinked = nameKey(other.name) !== group.nameKey
  const { state, reasons } = judge(other, { id: group.id, isLinked })
  await pairWith(trx, group, { state, reasons, groupId, isLinked, keepsName: false }, run)
  await appendLog(trx, {
    action: 'group.linked',
    subject: group.id,
    directoryId: group.directoryId,
    ...run,
    facts: { name: group.name, from: before, to: { id: other.id, name: other.name } },
  })
  await settleNames(trx, keysOf(group, before, other), run)
  return heldGroup(trx, group.id)
}

/** The same by its id, with the locks. */
export async function linkByHand(trx: Trx, id: ProvisionedGroupId, groupId: GroupId): Promise<void> {
  await linkTo(trx, await lockWithConcerned(trx, id, [groupId]), groupId)
}

/**
 * Has a pushed group meet the group of its own name again: one that was linked to another group leaves that as it is in force, and a synced
 * one leaves its group to the organization, for a new review.
 * @throws Refusal `not_found`, `not_linked`
 */
export async function unlink(trx: Trx, id: ProvisionedGroupId): Promise<void> {
  const group = await lockWithConcerned(trx, id)
  if (!group.isLinked && !follows(group.state))
    throw new Refusal('not_linked', `"${group.name}" is linked to no group. It meets the group of its own name.`, {
      group: group.name,
    })
  const before = await release(trx, group)
  const facts = { name: group.name, from: before, to: null }
  await appendLog(trx, { action: 'group.unlinked', subject: id, directoryId: group.directoryId, facts })
  await settlePairing(trx, group, {}, { isLinked: false, keepsName: false })
  await settleNames(trx, keysOf(group, before), {})
}

/** What linking a pushed group to a group would come to: who would be added, removed and stay, before anything moves. */
export interface LinkPreview {
  group: { id: ProvisionedGroupId; name: string }
  to: { id: GroupId; name: string; memberCount: number }
  members: { added: number; removed: number; unchanged: number }
  can: 'link'[]
  cannot: { what: 'link'; why: string }[]
}

/** @throws Refusal `not_found` */
export async function previewLink(reader: Reader, id: ProvisionedGroupId, groupId: GroupId): Promise<LinkPreview> {
  const [link] = await previewLinks(reader, [{ id, groupId }])
  if (link === undefined) throw new Refusal('not_found', 'There is no such group.')
  return link.preview
}

/** The same of many, each with why it may not be, or whether it is so already; where either of the two is not there, none. */
export async function previewLinks(
  reader: Reader,
  links: readonly { id: ProvisionedGroupId; groupId: GroupId }[],
): Promise<{ preview: LinkPreview; refusal: Refusal | undefined; isPaired: boolean }[]> {
  const org = reader.orgId
  const { rows } = await sql<Pick<LinkPreview, 'group' | 'to' | 'members'> & { standing: ExistingGroup }>`
    select json_build_object('id', p.id, 'name', p.name) as "group",
      json_build_object('id', g.id, 'name', g.name, 'memberCount', g.member_count) as "to",
      json_build_object('added', s.pushed - s.common, 'removed', g.member_count - s.common, 'unchanged', s.common) as members,
      (select to_json(x) from (select ${existingColumns}) as x) as standing
    from unnest(${links.map(({ id }) => id)}::uuid[], ${links.map(({ groupId }) => groupId)}::uuid[]) as given(id, group_id)
    cross join lateral (select * from provisioned_groups where org_id = ${org} and id = given.id offset 0) p
    cross join lateral (select * from groups where org_id = ${org} and id = given.group_id and effective offset 0) g
    cross join lateral (
      select count(*) as pushed, count(t.account_id) filter (where t.effective) as common
      from memberships m
      left join memberships t on t.org_id = ${org} and t.group_id = g.id and t.account_id = m.account_id
      where m.org_id = ${org} and m.group_id = p.group_id and m.pushed
    ) s`.execute(reader)
  return rows.map(({ standing, ...preview }) => {
    const isPaired = standing.pairedWith === preview.group.id
    const refusal = isPaired ? undefined : whyNotLinkTo(standing)
    const may: Pick<LinkPreview, 'can' | 'cannot'> = refusal
      ? { can: [], cannot: [{ what: 'link', why: refusal.message }] }
      : { can: ['link'], cannot: [] }
    return { preview: { ...preview, ...may }, refusal, isPaired }
  })
}

/** Why a pushed group cannot be linked to a group; undefined where nothing is in the way. */
export function whyNotLinkTo(other: ExistingGroup | undefined): Refusal | undefined {
  if (other === undefined) return new Refusal('not_found', 'There is no such group.')
  const facts = { group: other.name }
  if (other.managedBy !== null)
    return new Refusal(
      'managed_by_directory',
      `"${other.name}" is managed by a directory. Link to a group that none manages.`,
      facts,
    )
  if (other.pairedWith !== null)
    return new Refusal(
      'paired_with_directory',
      `"${other.name}" is what another pushed group awaits review against. Link to another group, or settle that one first.`,
      facts,
    )
  if (other.isDefaultAccess)
    return new Refusal(
      'default_access_group',
      `"${other.name}" is a default access group: new users are put into it. Make another group default, then link to it.`,
      facts,
    )
  if (other.isProtected) return new Refusal('protected', `"${other.name}" is protected. Lift its protection first.`, facts)
  return undefined
}

/** Locks all that an act on a pushed group, and on these groups, may come to judge. @throws Refusal `not_found` */
export async function lockWithConcerned(
  trx: Trx,
  id: ProvisionedGroupId,
  groupIds: readonly GroupId[] = [],
): Promise<ProvisionedGroup> {
  await lockConcerned(trx, { pushedIds: [id], groupIds })
  return heldGroup(trx, id)
}

/** A synced group lets go of its group. @returns the group that it has been with; null where that is not in force */
async function release(trx: Trx, group: ProvisionedGroup, run: InRun = {}): Promise<Named | null> {
  if (follows(group.state)) await letGo(trx, group, run)
  return group.isApart ? null : nameOf(trx, group.groupId)
}

type Named = { id: GroupId; name: string }

const nameOf = (reader: Reader, id: GroupId): Promise<Named> =>
  reader
    .selectFrom('groups')
    .select(['id', 'name'])
    .where('org_id', '=', reader.orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()

const keysOf = (group: ProvisionedGroup, ...others: (Pick<Named, 'name'> | null)[]): string[] => [
  group.nameKey,
  ...others.flatMap((other) => (other === null ? [] : [nameKey(other.name)])),
]
