import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId, type ProvisionedUserId } from '../database/ids.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Filter } from '../scim/filter.ts'
import { type AttributeName, printName } from '../scim/names.ts'
import type { Paging } from '../scim/paging.ts'
import type { StoredGroup, StoredUser } from '../scim/representation.ts'
import { groupType, type ResourceType, userType } from '../scim/schemas.ts'
import type { DirectoryContext } from './directories.ts'
import { filterSql } from './filter-sql.ts'
import { managerSql } from './manager-sql.ts'
import { edgeOf, hasId, offeredGroups } from './offers.ts'
import { sortKeyOf } from './order-sql.ts'
import { behind, limited, limitedOfEach, orderBy, orderOf, type Page, type Placed, pageOf } from './page-sql.ts'

/** What a list asks for (RFC 7644 §3.4.2). Without a sort the order is that of creation, so that pages stand still. */
export interface Query {
  filter?: Filter | undefined
  sort?: { by: AttributeName; isDescending: boolean } | undefined
  paging: Paging
}

/** A group that the directory pushed, or is offered, with what its members are read by. */
export type GroupRecord = StoredGroup & { groupId: GroupId; shown: ShownMembers; memberCount: number }

/** Which members of a group a directory is shown: those it pushed; those in force, of a group that it is offered; none. */
export type ShownMembers = 'pushed' | 'effective' | 'hidden'

/** Whose groups are read: the directory's, and those it is offered. */
export type GroupsOf = Pick<DirectoryContext, 'id' | 'offerExistingGroups'>

/** A user of the directory. `withGroups`: with the groups the directory pushed it into. @throws Refusal `not_found`, a foreign id included */
export async function userById(reader: Reader, directoryId: DirectoryId, id: string, withGroups: boolean): Promise<StoredUser> {
  const rows = isId(id) ? await users(reader, directoryId, withGroups, sql`and u.id = ${id}::uuid`) : []
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such user in this directory.')
  return rows[0]
}

/** Users of the directory, without groups, in the order of their ids' list. */
export async function usersByIds(
  reader: Reader,
  directoryId: DirectoryId,
  ids: readonly ProvisionedUserId[],
): Promise<StoredUser[]> {
  const rows = await users(reader, directoryId, false, sql`and u.id = any(${ids}::uuid[])`)
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => found.get(id) ?? [])
}

/** A page of the directory's users and how many there are in all. @throws ScimError 400 `invalidFilter`, `invalidPath` */
export async function userPage(
  reader: Reader,
  directoryId: DirectoryId,
  { filter, sort, paging }: Query,
  withGroups: boolean,
): Promise<Page<StoredUser>> {
  const matching = filter === undefined ? sql`true` : filterSql(userType, filter)
  const key = sort && sortKeyOf(userType, sort.by)
  const order = orderOf(key, sort?.isDescending === true, paging)
  const place = sql`u.id`
  const onPage = sql`
    and ${matching} and ${behind(order, place, paging)} ${orderBy(order, key?.sql ?? place, place)} ${limited(paging)}`
  const found = paging.count === 0 ? [] : await users(reader, directoryId, withGroups, onPage, key?.sql)
  return pageOf(found, paging, () =>
    counted(
      reader,
      sql`select count(*) from provisioned_users u where u.org_id = ${reader.orgId} and u.directory_id = ${directoryId} and ${matching}`,
    ),
  )
}

const keys = { User: ['id', 'externalId', 'userName'], Group: ['id', 'externalId', 'displayName'] }

/** Whether a filter picks by a key, so that an index finds the few there are: what providers ask for before each push. */
export function isLookUp(type: ResourceType, filter: Filter | undefined): boolean {
  if (filter?.kind === 'and') return filter.terms.some((term) => isLookUp(type, term))
  if (filter?.kind !== 'compare' || filter.operator !== 'eq' || filter.value === null) return false
  return keys[type.name].includes(printName(filter.name))
}

/** A group that the directory pushed, or is offered. @throws Refusal `not_found`, a foreign id included */
export async function groupById(reader: Reader, directory: GroupsOf, id: string): Promise<GroupRecord> {
  for (const source of isId(id) ? groupSources(reader, directory) : []) {
    const [group] = await groups(reader, sql`select g.*, null as sort_key from ${source} where ${hasId(id)}`)
    if (group !== undefined) return group
  }
  throw new Refusal('not_found', 'There is no such group in this directory.')
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
  const sources = groupSources(reader, directory)
  const matching = filter === undefined ? sql`true` : filterSql(groupType, filter)
  const key = sort && sortKeyOf(groupType, sort.by)
  const order = orderOf(key, sort?.isDescending === true, paging)
  const inOrder = orderBy(order, sql`sort_key`, sql`place`)
  // Of each source so many as the page may need, by its own index; all that is shown of them only for those of the page.
  const places = sources.map(
    (source, at) => sql`(
      select g.place, ${key?.sql ?? sql`null`} as sort_key, ${at}::integer as source from ${source}
      where ${matching} and ${behind(order, sql`g.place`, paging, edgeOf)} ${inOrder} ${limitedOfEach(paging)})`,
  )
  const shown = sources.map(
    (source, at) => sql`select g.* from ${source} where g.place = page.place and page.source = ${at}::integer`,
  )
  const onPage = sql`
    select g.*, page.sort_key
    from (select * from (${sql.join(places, sql` union all `)}) as found ${inOrder} ${limited(paging)}) as page
    cross join lateral (${sql.join(shown, sql` union all `)}) as g`
  const found = paging.count === 0 ? [] : await groups(reader, onPage, inOrder)
  return pageOf(found, paging, () => {
    const counts = sources.map((source) => sql`(select count(*) from ${source} where ${matching})`)
    return counted(reader, sql`select ${sql.join(counts, sql` + `)}`)
  })
}

/** How many members one statement reads of a group: half a megabyte of JSON. */
export const membersAtOnce = 5_000

export interface MemberParts {
  value: boolean
  /** What stands before an id in `$ref`; undefined: no `$ref`. */
  refBase: string | undefined
  display: boolean
  type: boolean
}

/** Members of one group as JSON text, in pages: `last` goes into the next call as `after`; undefined: there are no more. */
export interface MembersText {
  text: string
  last: string | undefined
}

/**
 * Reads the members of groups that the directory is shown, in their order, as JSON objects joined by commas: PostgreSQL writes the text, no member
 * becomes an object here. At most 5,000 a group; `after` belongs to the first.
 */
export async function membersTexts(
  reader: Reader,
  directoryId: DirectoryId,
  groups: readonly Pick<GroupRecord, 'groupId' | 'shown'>[],
  parts: MemberParts,
  after?: string,
): Promise<MembersText[]> {
  // `is not distinct from` serves no index: right after a first push there are no statistics, and of indexes that look alike
  // PostgreSQL may take one that reads the whole directory for each member (12,000 members: 5.5 s against 0.1 s).
  const { rows } = await sql<{ position: number; text: string | null; last: string; count: number }>`
    select given.position::int as position, string_agg(${memberText(parts)}, ',' order by m.account_id) filter (where p.id is not null) as text,
      max(m.account_id::text) as last, count(*)::int as count
    from unnest(${groups.map((group) => group.groupId)}::uuid[], ${groups.map((group) => group.shown)}::text[])
      with ordinality as given (group_id, shown, position)
    cross join lateral (
      select account_id from memberships
      where org_id = ${reader.orgId} and group_id = given.group_id
        and case given.shown when 'pushed' then pushed when 'effective' then effective end
        and account_id > case given.position when 1 then ${after ?? beforeAll}::uuid else ${beforeAll}::uuid end
      order by account_id limit ${membersAtOnce}
    ) m
    left join provisioned_users p
      on p.org_id = ${reader.orgId} and p.account_id = m.account_id and p.directory_id is not distinct from ${directoryId}
    group by given.position`.execute(reader)
  const found = new Map(rows.map((row) => [row.position, row]))
  return groups.map((_group, index) => {
    const row = found.get(index + 1)
    return { text: row?.text ?? '', last: row !== undefined && row.count === membersAtOnce ? row.last : undefined }
  })
}

const beforeAll = '00000000-0000-0000-0000-000000000000'

function memberText({ value, refBase, display, type }: MemberParts): RawBuilder<unknown> {
  const parts = [
    ...(value ? [sql`'"value":"' || p.id || '"'`] : []),
    ...(refBase === undefined ? [] : [sql`${`"$ref":${JSON.stringify(refBase).slice(0, -1)}`}::text || p.id || '"'`]),
    ...(display ? [sql`'"display":' || to_json(p.user_name)`] : []),
    ...(type ? [sql`'"type":"User"'`] : []),
  ]
  return sql`'{' || ${sql.join(parts, sql` || ',' || `)} || '}'`
}

async function counted(reader: Reader, count: RawBuilder<unknown>): Promise<{ total: number; at: number }> {
  const { rows } = await sql<{ total: number; at: number }>`
    select (${count})::int as total, extract(epoch from now())::float8 as at`.execute(reader)
  return rows[0] ?? { total: 0, at: 0 }
}

async function users(
  reader: Reader,
  directoryId: DirectoryId,
  withGroups: boolean,
  rest: RawBuilder<unknown>,
  sortKey: RawBuilder<unknown> = sql`null`,
): Promise<(StoredUser & Placed)[]> {
  // An object of names by id: to build one of each group costs PostgreSQL as much as to find them.
  const pushedInto = sql`(
    select json_object_agg(g.id, g.name order by g.id)
    from memberships m join provisioned_groups g on g.org_id = m.org_id and g.group_id = m.group_id
    where m.org_id = u.org_id and m.account_id = u.account_id and m.pushed and g.directory_id is not distinct from u.directory_id
  )`
  const { rows } = await sql<Omit<StoredUser & Placed, 'groups'> & { groups: Record<string, string> | null }>`
    select u.id, u.external_id as "externalId", u.user_name as "userName", u.active, u.attributes, u.version,
      u.created_at as "createdAt", u.updated_at as "updatedAt", ${withGroups ? pushedInto : sql`null`} as groups,
      ${managerSql(sql`json_build_object('id', m.id, 'displayName', m.attributes ->> 'displayName')`)} as manager,
      (${sortKey})::text as "sortKey", u.id as place
    from provisioned_users u
    where u.org_id = ${reader.orgId} and u.directory_id = ${directoryId} ${rest}`.execute(reader)
  return rows.map(({ groups, ...user }) => ({ ...user, groups: groups && Object.entries(groups).map(groupOfUser) }))
}

const groupOfUser = ([value, display]: [string, string]) => ({ value, display, type: 'direct' as const })

/** Where groups are read from, as rows `g`: those that the directory pushed, and those that it is offered. */
function groupSources(reader: Reader, directory: GroupsOf): RawBuilder<unknown>[] {
  const pushed = sql`(
    select p.org_id, p.id, p.id as place, p.directory_id, p.group_id, p.external_id, p.name, p.name_key, p.state, p.reasons,
      p.version, p.created_at, p.updated_at, 'pushed'::text as shown
    from provisioned_groups p where p.org_id = ${reader.orgId} and p.directory_id = ${directory.id}
  ) as g`
  const offered = offeredGroups(reader, directory)
  return offered === undefined ? [pushed] : [pushed, offered]
}

// The counts are kept by memberships.ts: what is pushed = in force, less what a sync would remove, and what it would add.
async function groups(reader: Reader, rows: RawBuilder<unknown>, order = sql``): Promise<(GroupRecord & Placed)[]> {
  const { rows: found } = await sql<GroupRecord & Placed>`
    select g.id, g.external_id as "externalId", g.name as "displayName", g.state, g.reasons, g.version, g.group_id as "groupId",
      g.shown, g.created_at as "createdAt", g.updated_at as "updatedAt",
      case g.shown when 'pushed' then json_build_object(
        'added', kept.add_count, 'removed', kept.remove_count, 'unchanged', kept.member_count - kept.remove_count) end as members,
      case g.shown
        when 'pushed' then kept.member_count - kept.remove_count + kept.add_count
        when 'effective' then kept.member_count
        else 0
      end as "memberCount", g.place, g.sort_key::text as "sortKey"
    from (${rows}) as g
    join groups kept on kept.org_id = g.org_id and kept.id = g.group_id ${order}`.execute(reader)
  return found
}
