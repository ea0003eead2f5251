import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId, type ProvisionedGroupId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { appendLog } from '../organization/log.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { connectedOf, mustBeStored } from './directories.ts'
import { isOf } from './key-sql.ts'

/** The provider's side of a group, as the functions that judge and change it need it. */
export interface ProvisionedGroup {
  id: ProvisionedGroupId
  directoryId: DirectoryId
  name: string
  nameKey: string
  externalId: string | null
  /** The group whose memberships carry the pushed truth. */
  groupId: GroupId
  /** Whether that group is its own and not in force: it could share none. A deleted one is not its own. */
  isApart: boolean
  /** Whether an admin linked it to that group, whatever its name: no name pairs it otherwise. */
  isLinked: boolean
  /** Whether an admin settled that its name is not followed; its next one is a new question. */
  keepsName: boolean
  state: GroupState
  reasons: GroupReason[]
}

const columns = [
  'id',
  'directory_id as directoryId',
  'name',
  'name_key as nameKey',
  'external_id as externalId',
  'group_id as groupId',
  isApart(),
  'is_linked as isLinked',
  'keeps_name as keepsName',
  'state',
  'reasons',
] as const

function isApart() {
  return sql<boolean>`(
    select not groups.effective and groups.deleted_at is null from groups
    where groups.org_id = provisioned_groups.org_id and groups.id = provisioned_groups.group_id
  )`.as('isApart')
}

const following: readonly GroupState[] = ['synced', 'held']

/** Whether what is pushed to a group of this state is in force at once. */
export const follows = (state: GroupState): boolean => following.includes(state)

/** `follows` in SQL, of a column with the state; `push_members` (migrations) says the same. */
export const followsIn = (column: string): RawBuilder<boolean> =>
  sql`${sql.ref(column)} in (${sql.join(following.map((state) => sql.lit(state)))})`

/** A pushed group that is held still. */
export interface HeldGroup extends ProvisionedGroup {
  /** Moves with all that the provider says, members included. */
  version: number
  /** Whether it holds groups, or is held by one (nesting.ts). */
  isNested: boolean
}

/** Locks a group of the directory. @throws Refusal `not_found`, a foreign id included */
export async function lockProvisionedGroup(trx: Trx, directoryId: DirectoryId, id: ProvisionedGroupId): Promise<HeldGroup> {
  const group = await lockIfProvisioned(trx, directoryId, id)
  if (!group) throw new Refusal('not_found', 'There is no such group in this directory.')
  return group
}

/** Locks a group of the directory, if there is one of that id. */
export async function lockIfProvisioned(
  trx: Trx,
  directoryId: DirectoryId,
  id: ProvisionedGroupId,
): Promise<HeldGroup | undefined> {
  const found = trx.selectFrom('provisioned_groups').where('org_id', '=', trx.orgId).where('id', '=', id).where(isOf(directoryId))
  // Sent together, one after the other: what is read beside the row must not be older than the lock.
  const [, row] = isId(id)
    ? await Promise.all([
        found.select('id').forUpdate().execute(),
        found.select([...columns, 'version', 'is_nested as isNested']).executeTakeFirst(),
      ])
    : []
  return row
}

/** Whether the directory has pushed a group of this name. */
export async function isGroupNameProvisioned(reader: Reader, directoryId: DirectoryId, key: string): Promise<boolean> {
  const row = await reader
    .selectFrom('provisioned_groups')
    .select('id')
    .where('org_id', '=', reader.orgId)
    .where('name_key', '=', key)
    .where(isOf(directoryId))
    .executeTakeFirst()
  return row !== undefined
}

/**
 * The pushed groups of these names, of whatever directory, and those that are linked to a group of one of them, locked in id order: two acts
 * over the same names must not wait for each other.
 */
export async function lockProvisionedGroupsNamed(trx: Trx, nameKeys: readonly string[]): Promise<ProvisionedGroup[]> {
  const named = trx
    .selectFrom('provisioned_groups')
    .where('org_id', '=', trx.orgId)
    .where(
      'id',
      '=',
      sql<ProvisionedGroupId>`any(array(${concernedBy(trx, sql`unnest(${nameKeys}::text[]) as named(name_key)`)}))`,
    )
    .orderBy('id')
  const [, groups] = await Promise.all([named.select('id').forUpdate().execute(), named.select(columns).execute()])
  return groups
}

/**
 * Locks, in id order, every pushed group that an act may come to judge: these, those that share these groups of the organization,
 * and all that have, or are linked to a group of, a name of any of them or one of `nameKeys`. To be called before a group of the organization is locked, and
 * before a pushed one is locked alone: who holds a group and then waits for who pushes it, waits for one that waits for it (rule 12).
 */
export async function lockConcerned(
  trx: Trx,
  {
    pushedIds = [],
    groupIds = [],
    nameKeys = [],
  }: { pushedIds?: readonly string[]; groupIds?: readonly GroupId[]; nameKeys?: readonly string[] },
): Promise<void> {
  await sql`
    with named as (
      select id, name_key from provisioned_groups where org_id = ${trx.orgId} and id = any(${pushedIds.filter(isId)}::uuid[])
      union
      select null, (select name_key from groups where org_id = ${trx.orgId} and id = p.group_id)
      from provisioned_groups p where org_id = ${trx.orgId} and id = any(${pushedIds.filter(isId)}::uuid[])
      union
      select id, name_key from provisioned_groups where org_id = ${trx.orgId} and group_id = any(${groupIds}::uuid[])
      union
      select null, name_key from groups where org_id = ${trx.orgId} and id = any(${groupIds}::uuid[])
      union
      select null, unnest(${nameKeys}::text[])
    )
    select from provisioned_groups
    where org_id = ${trx.orgId} and id = any(array(
      select id from named where id is not null
      union
      ${concernedBy(trx, sql`named`)}
    ))
    order by id for update`.execute(trx)
}

/** The ids of the pushed groups that a name decides about, for each row of `named`: those that have it, and those linked to the group that has it. */
const concernedBy = (trx: Trx, named: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select p.id from ${named} cross join lateral (
    select id from provisioned_groups where org_id = ${trx.orgId} and name_key = named.name_key offset 0
  ) p
  union
  select p.id from ${named} cross join lateral (
    select id from groups where org_id = ${trx.orgId} and name_key = named.name_key and effective offset 0
  ) o cross join lateral (
    select id from provisioned_groups where org_id = ${trx.orgId} and group_id = o.id and is_linked offset 0
  ) p`

/** A pushed group, of whatever directory. The caller holds its lock. @throws Refusal `not_found` */
export async function heldGroup(trx: Trx, id: ProvisionedGroupId): Promise<ProvisionedGroup> {
  const group = await trx
    .selectFrom('provisioned_groups')
    .select(columns)
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!group) throw new Refusal('not_found', 'There is no such pushed group.')
  return group
}

/** The pushed groups that are paired with these groups of the organization. */
export function pairedWith(reader: Reader, groupIds: readonly GroupId[]): Promise<ProvisionedGroup[]> {
  return reader
    .selectFrom('provisioned_groups')
    .select(columns)
    .where('org_id', '=', reader.orgId)
    .where('group_id', '=', sql<GroupId>`any(${groupIds}::uuid[])`)
    .orderBy('id')
    .execute()
}

/** A pushed group as it is first stored. */
export interface NewProvisionedGroup {
  id: ProvisionedGroupId
  name: string
  externalId: string | null
  groupId: GroupId
  state: GroupState
  reasons: GroupReason[]
}

/** Stores new pushed groups of a directory. Their groups stand already, or are made in the same transaction. @throws Refusal `directory_disconnected` */
export async function insertProvisionedGroups(
  trx: Trx,
  directoryId: DirectoryId,
  groups: readonly NewProvisionedGroup[],
): Promise<void> {
  const given = groups.map(({ id, name, externalId, groupId, state, reasons }) => ({
    id,
    external_id: externalId,
    name,
    name_key: nameKey(name),
    group_id: groupId,
    state,
    reasons,
  }))
  const { rows } = await sql`
    with connected as materialized (${connectedOf(trx, [directoryId])})
    insert into provisioned_groups (org_id, directory_id, id, external_id, name, name_key, group_id, state, reasons, members_written_at)
    select ${trx.orgId}::uuid, connected.id, given.*, now()
    from connected, jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as given(
      id uuid, external_id text, name text, name_key text, group_id uuid, state text, reasons text[])
    returning id`.execute(trx)
  mustBeStored(rows.length, groups.length)
}

/** Stores what the provider says of a group besides its members. A new name may be followed again. */
export async function updateProvisionedGroup(
  trx: Trx,
  id: ProvisionedGroupId,
  change: { name?: string; externalId?: string | null },
): Promise<void> {
  await trx
    .updateTable('provisioned_groups')
    .set({
      ...(change.name === undefined ? {} : { name: change.name, name_key: nameKey(change.name), keeps_name: false }),
      ...(change.externalId === undefined ? {} : { external_id: change.externalId }),
      updated_at: sql`now()`,
      version: sql`version + 1`,
    })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .execute()
}

/** Notes that who is in these groups of the organization has changed because people came or went: no push of the groups goes on. */
export async function touchGroupsOf(trx: Trx, groupIds: readonly GroupId[]): Promise<void> {
  await trx
    .updateTable('provisioned_groups')
    .set({ updated_at: sql`now()`, version: sql`version + 1` })
    .where('org_id', '=', trx.orgId)
    .where('group_id', '=', sql<GroupId>`any(${groupIds}::uuid[])`)
    .execute()
}

/** Notes that members were written: a group that is not synced goes on filling, and its representation has changed. */
export async function touchMembers(trx: Trx, ids: readonly ProvisionedGroupId[]): Promise<void> {
  await sql`
    update provisioned_groups set members_written_at = now(), updated_at = now(), version = version + 1
    where org_id = ${trx.orgId} and id = any(${ids}::uuid[])`.execute(trx)
}

/** Notes that members came or went with groups that these hold: they go on filling, and are represented as before. */
export async function keepFilling(trx: Trx, ids: readonly ProvisionedGroupId[]): Promise<void> {
  await sql`
    update provisioned_groups set members_written_at = now()
    where org_id = ${trx.orgId} and id = any(${ids}::uuid[])`.execute(trx)
}

/** Notes that the provider's own list has no other members: such a group is not filling any more, until the next member. */
export async function endFilling(trx: Trx, ids: readonly ProvisionedGroupId[]): Promise<void> {
  await sql`
    update provisioned_groups set complete_at = clock_timestamp()
    where org_id = ${trx.orgId} and id = any(${ids}::uuid[])`.execute(trx)
}

/** Notes that groups are in a nest, or no longer (nesting.ts). */
export async function setNested(trx: Trx, ids: readonly ProvisionedGroupId[], isNested: boolean): Promise<void> {
  await sql`
    update provisioned_groups set is_nested = ${isNested}
    where org_id = ${trx.orgId} and id = any(${ids}::uuid[]) and is_nested <> ${isNested}`.execute(trx)
}

/** Sets state, reasons, pairing, and whether the name is followed, as a part of a larger statement; `states.ts` decides them and keeps the log. */
export const settingState = (
  trx: Trx,
  id: ProvisionedGroupId,
  to: Pick<ProvisionedGroup, 'state' | 'reasons' | 'groupId' | 'isLinked' | 'keepsName'>,
) =>
  trx
    .updateTable('provisioned_groups')
    .set({
      state: to.state,
      reasons: to.reasons,
      group_id: to.groupId,
      is_linked: to.isLinked,
      keeps_name: to.keepsName,
      updated_at: sql`now()`,
    })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)

/** Marks a group's review as seen, for this fingerprint only; null takes the mark away. */
export async function markViewed(trx: Trx, id: ProvisionedGroupId, fingerprint: string | null): Promise<void> {
  const { rows } = await sql<{ name: string; directoryId: DirectoryId; before: string | null }>`
    select name, directory_id as "directoryId", viewed_fingerprint as before from provisioned_groups
    where org_id = ${trx.orgId} and id = ${id} and viewed_fingerprint is distinct from ${fingerprint} for no key update`.execute(
    trx,
  )
  if (rows[0] === undefined) return
  const { name, directoryId, before } = rows[0]
  await trx
    .updateTable('provisioned_groups')
    .set({ viewed_fingerprint: fingerprint })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .execute()
  await appendLog(trx, {
    action: fingerprint === null ? 'review.unviewed' : 'review.viewed',
    subject: id,
    directoryId,
    facts: { name, before: { viewed: before }, after: { viewed: fingerprint } },
  })
}

/** These pushed groups of a directory. The caller holds their locks. */
export function heldGroups(trx: Trx, directoryId: DirectoryId, ids: readonly ProvisionedGroupId[]): Promise<ProvisionedGroup[]> {
  return trx
    .selectFrom('provisioned_groups')
    .select(columns)
    .where('org_id', '=', trx.orgId)
    .where('directory_id', '=', directoryId)
    .where('id', '=', sql<ProvisionedGroupId>`any(${ids}::uuid[])`)
    .orderBy('id')
    .execute()
}

/** Forgets pushed groups. */
export async function deleteProvisionedGroups(trx: Trx, ids: readonly ProvisionedGroupId[]): Promise<void> {
  await trx
    .deleteFrom('provisioned_groups')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', sql<ProvisionedGroupId>`any(${ids}::uuid[])`)
    .execute()
}

/** Forgets a pushed group, its unknown members with it. */
export async function deleteProvisionedGroup(trx: Trx, id: ProvisionedGroupId): Promise<void> {
  await trx.deleteFrom('provisioned_groups').where('org_id', '=', trx.orgId).where('id', '=', id).execute()
}
