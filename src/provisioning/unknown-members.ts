import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { appendLog, appendLogs } from '../organization/log.ts'
import { Refusal } from '../organization/refusal.ts'
import type { MemberInput } from '../scim/resource.ts'
import type { DirectoryContext } from './directories.ts'
import { followsIn } from './groups.ts'

const namedAtMost = 10

/**
 * Keeps the member values of a push that are no user of the directory: one stale id must not lose the whole push
 * (Okta does not retry a 400). With the setting `refuse` nothing of the push is applied.
 * @returns how many were new
 * @throws Refusal `unknown_members`, naming up to ten
 */
export async function recordUnknownMembers(
  trx: Trx,
  directory: DirectoryContext,
  groupId: ProvisionedGroupId,
  unknown: readonly MemberInput[],
): Promise<number> {
  if (unknown.length === 0) return 0
  if (directory.unknownMembers === 'refuse') {
    throw new Refusal(
      'unknown_members',
      `${unknown.length} of the members are no users of this directory: ${upToTen(unknown)}. Push these users first, or take them out of the group.`,
    )
  }
  const { rows } = await sql<UnknownMember>`
    insert into unknown_members (org_id, provisioned_group_id, value, display)
    select ${trx.orgId}::uuid, ${groupId}::uuid, value, display
    from unnest(${unknown.map((member) => member.value)}::text[], ${unknown.map((member) => member.display ?? null)}::text[]) as given(value, display)
    on conflict do nothing
    returning value, display`.execute(trx)
  if (rows.length === 0) return 0
  const names = rows.slice(0, namedAtMost).map(({ value, display }) => display ?? value)
  const facts = { count: rows.length, names, added: rows }
  await appendLog(trx, { action: 'members.unknown', subject: groupId, directoryId: directory.id, facts })
  return rows.length
}

/** @throws Refusal `nested_groups`, naming up to ten, where the directory takes no groups for members */
export function refuseNested(directory: DirectoryContext, groups: readonly MemberInput[]): void {
  if (groups.length === 0 || directory.nestedGroups !== 'refuse') return
  throw new Refusal(
    'nested_groups',
    `${groups.length} of the members are groups: ${upToTen(groups)}. Push their members instead, or set the directory ${directory.name} to flatten nested groups.`,
  )
}

const upToTen = (members: readonly MemberInput[]): string =>
  members
    .slice(0, namedAtMost)
    .map((member) => member.display ?? member.value)
    .join(', ') + (members.length > namedAtMost ? ', …' : '')

/** A member value as it was pushed, with what the provider called it. */
interface UnknownMember {
  value: string
  display: string | null
}

/** Drops recorded values that the provider has taken out of the group. */
export function forgetUnknownMembers(
  trx: Trx,
  directoryId: DirectoryId,
  groupId: ProvisionedGroupId,
  values: readonly string[],
): Promise<number> {
  return forget(trx, directoryId, sql`provisioned_group_id = ${groupId} and value = any(${values}::text[])`)
}

/** Drops the recorded values of a group that are not among these, as its whole member list is replaced. */
export function keepUnknownMembers(
  trx: Trx,
  directoryId: DirectoryId,
  groupId: ProvisionedGroupId,
  values: readonly string[],
): Promise<number> {
  // As sets: compared with an array, each of 150,000 values would be looked for in a list of 150,000.
  return forget(
    trx,
    directoryId,
    sql`provisioned_group_id = ${groupId} and value = any(array(
      select value from unknown_members where org_id = ${trx.orgId} and provisioned_group_id = ${groupId}
      except
      select unnest(${values}::text[])
    ))`,
  )
}

/** Drops all recorded values of a group that is about to go. */
export const forgetAllUnknownMembers = (
  trx: Trx,
  directoryId: DirectoryId,
  groupIds: readonly ProvisionedGroupId[],
): Promise<number> => forget(trx, directoryId, sql`provisioned_group_id = any(${groupIds}::uuid[])`)

async function forget(trx: Trx, directoryId: DirectoryId, which: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<Gone>`
    with gone as (
      delete from unknown_members where org_id = ${trx.orgId} and ${which} returning provisioned_group_id as id, value, display
    )
    ${goneByGroup}`.execute(trx)
  await logGone(trx, directoryId, rows)
  return rows.reduce((sum, { removed }) => sum + removed.length, 0)
}

interface Gone {
  id: ProvisionedGroupId
  removed: UnknownMember[]
}

const goneByGroup = sql`
  select id, json_agg(json_build_object('value', value, 'display', display)) as removed from gone group by id order by id`

async function logGone(trx: Trx, directoryId: DirectoryId, gone: readonly Gone[]): Promise<void> {
  await appendLogs(
    trx,
    gone.map(({ id, removed }) => ({
      action: 'members.no_longer_unknown' as const,
      subject: id,
      directoryId,
      facts: { count: removed.length, removed },
    })),
  )
}

/** A pushed group in which somebody stood who was unknown then. */
export interface Awaiting {
  id: ProvisionedGroupId
  groupId: GroupId
  follow: boolean
  isNested: boolean
}

/**
 * A user, or a group that was only offered, has appeared: takes its recorded references away and answers in which groups they stood.
 * @param names what the provider may have called it: a user's external id, its user name; a group's id
 */
export async function resolveUnknownMembers(trx: Trx, directoryId: DirectoryId, names: readonly string[]): Promise<Awaiting[]> {
  const { rows } = await sql<Awaiting & Gone>`
    with waiting as materialized (
      -- locked, in id order: where the members of a pushed group are must not change before they are written
      select id, group_id, state, is_nested from provisioned_groups
      where org_id = ${trx.orgId} and directory_id = ${directoryId} and id in (
        select provisioned_group_id from unknown_members where org_id = ${trx.orgId} and value = any(${names}::text[]))
      order by id for update
    ),
    resolved as (
      delete from unknown_members using waiting
      where unknown_members.org_id = ${trx.orgId} and unknown_members.value = any(${names}::text[])
        and waiting.id = unknown_members.provisioned_group_id
      returning waiting.*, unknown_members.value, unknown_members.display
    )
    select id, group_id as "groupId", ${followsIn('state')} as follow, is_nested as "isNested",
      json_agg(json_build_object('value', value, 'display', display)) as removed
    from resolved group by id, group_id, state, is_nested order by id`.execute(trx)
  await logGone(trx, directoryId, rows)
  return rows
}
