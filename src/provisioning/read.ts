import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId } from '../database/ids.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Filter } from '../scim/filter.ts'
import type { AttributeName } from '../scim/names.ts'
import type { Paging } from '../scim/paging.ts'
import type { StoredGroup, StoredUser } from '../scim/representation.ts'
import { groupType, userType } from '../scim/schemas.ts'
import type { DirectoryContext } from './directories.ts'
import { filterSql } from './filter-sql.ts'
import { isOf } from './key-sql.ts'
import { managerSql } from './manager-sql.ts'
import { type SeenMembers, wayIn } from './membership-sql.ts'
import { edgeOf, hasId, offeredGroups } from './offers.ts'
import { sortKeyOf } from './order-sql.ts'
import { behind, limited, limitedOfEach, orderBy, orderOf, type Page, type Placed, pageOf } from './page-sql.ts'
import type { ShownMembers } from './read-members.ts'

/** What a list asks for (RFC 7644 §3.4.2). Without a sort the order is that of creation, so that pages stand still. */
export interface Query {
  filter?: Filter | undefined
  sort?: { by: AttributeName; isDescending: boolean } | undefined
  paging: Paging
}

/** A group that the directory pushed, or is offered, with what its members are read by. */
export type GroupRecord = StoredGroup & { groupId: GroupId; shown: ShownMembers; memberCount: number }

/** Whose groups are read: the directory's, and those it is offered. */
export type GroupsOf = Pick<DirectoryContext, 'id' | 'offerExistingGroups'>

/** What picks one user or group of a directory: its id, or its name in the form in which names are compared. */
export type UniqueKey = 'id' | 'name'

/** Users of the directory, each at its key's place. `withGroups`: with the groups the directory pushed them into. */
export async function usersBy(
  reader: Reader,
  directoryId: DirectoryId,
  by: UniqueKey,
  keys: readonly string[],
  withGroups: boolean,
): Promise<(StoredUser | undefined)[]> {
  const found = sql`
    select u.* from ${given(by, keys)} cross join lateral (
      select *, given.key as sort_key from provisioned_users
      where org_id = ${reader.orgId} and ${by === 'id' ? sql`id` : sql`user_name_key`} = given.key and ${isOf(directoryId)} offset 0) as u`
  return inPlace(await users(reader, withGroups, found), keys)
}

// Each is looked up by itself: of a list of keys PostgreSQL would without statistics rather read all users of the organization.
const given = (by: UniqueKey, keys: readonly string[]) =>
  sql`unnest(${keys}::${by === 'id' ? sql`uuid` : sql`text`}[]) as given(key)`

function inPlace<T extends Placed>(rows: readonly T[], keys: readonly string[]): (T | undefined)[] {
  const found = new Map(rows.map((row) => [row.sortKey, row]))
  return keys.map((key) => found.get(key))
}

export const noSuchUser = () => new Refusal('not_found', 'There is no such user in this directory.')
export const noSuchGroup = () => new Refusal('not_found', 'There is no such group in this directory.')

/** A user of the directory. `withGroups`: with the groups the directory pushed it into. @throws Refusal `not_found`, a foreign id included */
export async function userById(reader: Reader, directoryId: DirectoryId, id: string, withGroups: boolean): Promise<StoredUser> {
  const [user] = isId(id) ? await usersBy(reader, directoryId, 'id', [id.toLowerCase()], withGroups) : []
  if (user === undefined) throw noSuchUser()
  return user
}

/** A page of the directory's users and how many there are in all. @throws ScimError 400 `invalidFilter`, `invalidPath` */
export async function userPage(
  reader: Reader,
  directoryId: DirectoryId,
  { filter, sort, paging }: Query,
  withGroups: boolean,
): Promise<Page<StoredUser>> {
  const whose = { orgId: reader.orgId, directoryId, seen: 'pushed' } as const
  const matching = filter === undefined ? sql`true` : filterSql(userType, filter, whose)
  const key = sort && sortKeyOf(userType, sort.by, whose)
  const order = orderOf(key, sort?.isDescending === true, paging)
  const place = sql`u.id`
  // All that is shown of them only for those of the page, not for whom it skips.
  const onPage = sql`
    ${usersOf(reader, directoryId, sql`${matching} and ${behind(order, place, paging)}`, key?.sql)}
    ${orderBy(order, key?.sql ?? place, place)} ${limited(paging)}`
  const found = paging.count === 0 ? [] : await users(reader, withGroups, onPage, orderBy(order, sql`sort_key`, place))
  return pageOf(found, paging, () => counted(reader, sql`select count(*) from (${usersOf(reader, directoryId, matching)}) as u`))
}

/** A group that the directory pushed, or is offered. @throws Refusal `not_found`, a foreign id included */
export async function groupById(reader: Reader, directory: GroupsOf, id: string): Promise<GroupRecord> {
  for (const { from } of isId(id) ? groupSources(reader, directory) : []) {
    const [group] = await groups(reader, sql`select g.*, null as sort_key from ${from} where ${hasId(id)}`)
    if (group !== undefined) return group
  }
  throw noSuchGroup()
}

/** Groups that the directory pushed, each at its key's place; what it is only offered is not among them. */
export async function groupsBy(
  reader: Reader,
  directoryId: DirectoryId,
  by: UniqueKey,
  keys: readonly string[],
): Promise<(GroupRecord | undefined)[]> {
  const found = sql`
    select g.* from ${given(by, keys)} cross join lateral (
      select g.*, given.key as sort_key from ${pushedGroups(reader, directoryId)}
      where ${by === 'id' ? sql`g.id` : sql`g.name_key`} = given.key offset 0) as g`
  return inPlace(await groups(reader, found), keys)
}

/**
 * A page of the groups that the directory pushed, and is offered, without members, and how many there are in all. An offered group
 * keeps its place as the first write makes it a pushed one.
 * @throws ScimError 400 `invalidFilter`, `invalidPath`
 */
export async function groupPage(
  reader: Reader,
  directory: GroupsOf,
  { filter, sort, paging }: Query,
): Promise<Page<GroupRecord>> {
  const sources = groupSources(reader, directory).map(({ from, seen }) => {
    const whose = { orgId: reader.orgId, directoryId: directory.id, seen }
    const matching = filter === undefined ? sql`true` : filterSql(groupType, filter, whose)
    return { from, matching, order: orderOf(sort && sortKeyOf(groupType, sort.by, whose), sort?.isDescending === true, paging) }
  })
  const inOrder = orderBy(sources[0]?.order ?? orderOf(undefined, false, paging), sql`sort_key`, sql`place`)
  // Of each source so many as the page may need, by its own index; all that is shown of them only for those of the page.
  const places = sources.map(
    ({ from, matching, order }, at) => sql`(
      select g.place, ${order.key?.sql ?? sql`null`} as sort_key, ${at}::integer as source from ${from}
      where ${matching} and ${behind(order, sql`g.place`, paging, edgeOf)} ${inOrder} ${limitedOfEach(paging)})`,
  )
  const shown = sources.map(
    ({ from }, at) => sql`select g.* from ${from} where g.place = page.place and page.source = ${at}::integer`,
  )
  const onPage = sql`
    select g.*, page.sort_key
    from (select * from (${sql.join(places, sql` union all `)}) as found ${inOrder} ${limited(paging)}) as page
    cross join lateral (${sql.join(shown, sql` union all `)}) as g`
  const found = paging.count === 0 ? [] : await groups(reader, onPage, inOrder)
  return pageOf(found, paging, () => {
    const counts = sources.map(({ from, matching }) => sql`(select count(*) from ${from} where ${matching})`)
    return counted(reader, sql`select ${sql.join(counts, sql` + `)}`)
  })
}

async function counted(reader: Reader, count: RawBuilder<unknown>): Promise<{ total: number; at: number }> {
  const { rows } = await sql<{ total: number; at: number }>`
    select (${count})::int as total, extract(epoch from now())::float8 as at`.execute(reader)
  return rows[0] ?? { total: 0, at: 0 }
}

const usersOf = (
  reader: Reader,
  directoryId: DirectoryId,
  which: RawBuilder<unknown>,
  sortKey: RawBuilder<unknown> = sql`null`,
) => sql`
  select u.*, ${sortKey} as sort_key from provisioned_users u
  where u.org_id = ${reader.orgId} and ${isOf(directoryId, sql`u.directory_id`)} and ${which}`

async function users(
  reader: Reader,
  withGroups: boolean,
  found: RawBuilder<unknown>,
  order = sql``,
): Promise<(StoredUser & Placed)[]> {
  // An object of `direct NAME` by id: to build one of each group costs PostgreSQL as much as to find them.
  const pushedInto = sql`(
    select json_object_agg(h.id, ${wayIn} || ' ' || h.name order by h.id)
    from memberships m join provisioned_groups h on h.org_id = m.org_id and h.group_id = m.group_id
    where m.org_id = u.org_id and m.account_id = u.account_id and m.pushed and h.directory_id is not distinct from u.directory_id
  )`
  const { rows } = await sql<Omit<StoredUser & Placed, 'groups'> & { groups: Record<string, string> | null }>`
    select u.id, u.external_id as "externalId", u.user_name as "userName", u.active, u.attributes, u.version,
      u.created_at as "createdAt", u.updated_at as "updatedAt", ${withGroups ? pushedInto : sql`null`} as groups,
      ${managerSql(sql`json_build_object('id', m.id, 'displayName', m.attributes ->> 'displayName')`)} as manager,
      u.sort_key::text as "sortKey", u.id as place
    from (${found}) as u ${order}`.execute(reader)
  return rows.map(({ groups, ...user }) => ({ ...user, groups: groups && Object.entries(groups).map(groupOfUser) }))
}

function groupOfUser([value, text]: [string, string]) {
  const [type, ...name] = text.split(' ')
  return { value, display: name.join(' '), type: type as 'direct' | 'indirect' }
}

/** Where groups are read from, as rows `g`: those that the directory pushed, and those that it is offered. */
function groupSources(reader: Reader, directory: GroupsOf): { from: RawBuilder<unknown>; seen: SeenMembers }[] {
  const from = pushedGroups(reader, directory.id)
  const offered = offeredGroups(reader, directory)
  const seen = directory.offerExistingGroups === 'members' ? 'effective' : 'hidden'
  return [{ from, seen: 'pushed' }, ...(offered === undefined ? [] : [{ from: offered, seen } as const])]
}

const pushedGroups = (reader: Reader, directoryId: DirectoryId) => sql`(
  select p.org_id, p.id, p.id as place, p.directory_id, p.group_id, p.external_id, p.name, p.name_key, p.state, p.reasons,
    p.version, p.created_at, p.updated_at, case when p.is_nested then 'direct' else 'pushed' end as shown
  from provisioned_groups p where p.org_id = ${reader.orgId} and ${isOf(directoryId, sql`p.directory_id`)}
) as g`

// The counts are kept by memberships.ts: what is pushed = in force, less what a sync would remove, and what it would add. They are looked
// up by key: as a join they came first, all groups of the organization for one (1,000: 2 ms against 0.2).
async function groups(reader: Reader, rows: RawBuilder<unknown>, order = sql``): Promise<(GroupRecord & Placed)[]> {
  const { rows: found } = await sql<GroupRecord & Placed>`
    select g.id, g.external_id as "externalId", g.name as "displayName", g.state, g.reasons, g.version, g.group_id as "groupId",
      g.shown, g.created_at as "createdAt", g.updated_at as "updatedAt",
      case when g.state <> 'offered' then json_build_object(
        'added', kept.add_count, 'removed', kept.remove_count, 'unchanged', kept.member_count - kept.remove_count) end as members,
      case
        when g.state <> 'offered' then kept.member_count - kept.remove_count + kept.add_count
        when g.shown = 'effective' then kept.member_count
        else 0
      end as "memberCount", g.place, g.sort_key::text as "sortKey"
    from (${rows}) as g
    cross join lateral (
      select member_count, add_count, remove_count from groups where org_id = ${reader.orgId} and id = g.group_id offset 0
    ) as kept ${order}`.execute(reader)
  return found
}
