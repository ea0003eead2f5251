import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId } from '../database/ids.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Filter } from '../scim/filter.ts'
import type { AttributeName } from '../scim/names.ts'
import type { Paging } from '../scim/paging.ts'
import type { StoredGroup, StoredUser } from '../scim/representation.ts'
import { groupType, type ResourceType, userType } from '../scim/schemas.ts'
import { filterSql } from './filter-sql.ts'
import { managerSql } from './manager-sql.ts'
import { orderSql } from './order-sql.ts'

/** What a list asks for (RFC 7644 §3.4.2). Without a sort the order is that of creation, so that pages stand still. */
export interface Query {
  filter?: Filter | undefined
  sort?: { by: AttributeName; isDescending: boolean } | undefined
  paging: Paging
}

/** A pushed group with what its members are read by. */
export type GroupRecord = StoredGroup & { groupId: GroupId; memberCount: number }

/** A user of the directory. `withGroups`: with the groups the directory pushed it into. @throws Refusal `not_found`, a foreign id included */
export async function userById(reader: Reader, directoryId: DirectoryId, id: string, withGroups: boolean): Promise<StoredUser> {
  const rows = isId(id) ? await users(reader, directoryId, withGroups, sql`and u.id = ${id}::uuid`) : []
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such user in this directory.')
  return rows[0]
}

/** A page of the directory's users and how many there are in all. @throws ScimError 400 `invalidFilter`, `invalidPath` */
export function userPage(
  reader: Reader,
  directoryId: DirectoryId,
  query: Query,
  withGroups: boolean,
): Promise<{ total: number; items: StoredUser[] }> {
  return page(
    userType,
    query,
    sql`from provisioned_users u where u.org_id = ${reader.orgId} and u.directory_id = ${directoryId}`,
    reader,
    (rest) => users(reader, directoryId, withGroups, rest),
  )
}

/** A group of the directory. @throws Refusal `not_found`, a foreign id included */
export async function groupById(reader: Reader, directoryId: DirectoryId, id: string): Promise<GroupRecord> {
  const rows = isId(id) ? await groups(reader, directoryId, sql`and g.id = ${id}::uuid`) : []
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such group in this directory.')
  return rows[0]
}

/** A page of the directory's groups, without members, and how many there are in all. @throws ScimError 400 `invalidFilter`, `invalidPath` */
export function groupPage(
  reader: Reader,
  directoryId: DirectoryId,
  query: Query,
): Promise<{ total: number; items: GroupRecord[] }> {
  return page(
    groupType,
    query,
    sql`from provisioned_groups g where g.org_id = ${reader.orgId} and g.directory_id = ${directoryId}`,
    reader,
    (rest) => groups(reader, directoryId, rest),
  )
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

/** The pushed members of one group as JSON text, in pages: `last` goes into the next call as `after`; undefined: there are no more. */
export interface MembersText {
  text: string
  last: string | undefined
}

/**
 * Reads the pushed members of groups, in their order, as JSON objects joined by commas: PostgreSQL writes the text, no member
 * becomes an object here. At most 5,000 a group; `after` belongs to the first.
 */
export async function membersTexts(
  reader: Reader,
  directoryId: DirectoryId,
  groupIds: readonly GroupId[],
  parts: MemberParts,
  after?: string,
): Promise<MembersText[]> {
  // `is not distinct from` serves no index: right after a first push there are no statistics, and of indexes that look alike
  // PostgreSQL may take one that reads the whole directory for each member (12,000 members: 5.5 s against 0.1 s).
  const { rows } = await sql<{ position: number; text: string | null; last: string; count: number }>`
    select given.position::int as position, string_agg(${memberText(parts)}, ',' order by m.account_id) filter (where p.id is not null) as text,
      max(m.account_id::text) as last, count(*)::int as count
    from unnest(${groupIds}::uuid[]) with ordinality as given (group_id, position)
    cross join lateral (
      select account_id from memberships
      where org_id = ${reader.orgId} and group_id = given.group_id and pushed
        and account_id > case given.position when 1 then ${after ?? beforeAll}::uuid else ${beforeAll}::uuid end
      order by account_id limit ${membersAtOnce}
    ) m
    left join provisioned_users p
      on p.org_id = ${reader.orgId} and p.account_id = m.account_id and p.directory_id is not distinct from ${directoryId}
    group by given.position`.execute(reader)
  const found = new Map(rows.map((row) => [row.position, row]))
  return groupIds.map((_id, index) => {
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

// Where the page is not full the total is known without counting: a provider's look-up by name is one statement.
async function page<T>(
  type: ResourceType,
  { filter, sort, paging }: Query,
  from: RawBuilder<unknown>,
  reader: Reader,
  rows: (rest: RawBuilder<unknown>) => Promise<T[]>,
) {
  const matching = filter === undefined ? sql`` : sql`and ${filterSql(type, filter)}`
  const { startIndex, count } = paging
  const items = count === 0 ? [] : await rows(sql`${matching} ${orderOf(type, sort)} limit ${count} offset ${startIndex - 1}`)
  if (items.length < count && (items.length > 0 || startIndex === 1)) return { total: startIndex - 1 + items.length, items }
  const counted = await sql<{ total: number }>`select count(*)::int as total ${from} ${matching}`.execute(reader)
  return { total: counted.rows[0]?.total ?? 0, items }
}

function orderOf(type: ResourceType, sort: Query['sort']): RawBuilder<unknown> {
  const id = type.name === 'User' ? sql`u.id` : sql`g.id`
  if (sort === undefined) return sql`order by ${id}`
  const direction = sort.isDescending ? sql`desc` : sql`asc`
  return sql`order by ${orderSql(type, sort.by)} ${direction}, ${id} ${direction}`
}

async function users(
  reader: Reader,
  directoryId: DirectoryId,
  withGroups: boolean,
  rest: RawBuilder<unknown>,
): Promise<StoredUser[]> {
  const pushedInto = sql`(
    select json_agg(json_build_object('value', g.id, 'display', g.name, 'type', 'direct') order by g.id)
    from memberships m join provisioned_groups g on g.org_id = m.org_id and g.group_id = m.group_id
    where m.org_id = u.org_id and m.account_id = u.account_id and m.pushed and g.directory_id is not distinct from u.directory_id
  )`
  const { rows } = await sql<StoredUser>`
    select u.id, u.external_id as "externalId", u.user_name as "userName", u.active, u.attributes, u.version,
      u.created_at as "createdAt", u.updated_at as "updatedAt", ${withGroups ? pushedInto : sql`null`} as groups,
      ${managerSql(sql`json_build_object('id', m.id, 'displayName', m.attributes ->> 'displayName')`)} as manager
    from provisioned_users u
    where u.org_id = ${reader.orgId} and u.directory_id = ${directoryId} ${rest}`.execute(reader)
  return rows
}

// The counts are kept by memberships.ts: what is pushed = in force, less what a sync would remove, and what it would add.
async function groups(reader: Reader, directoryId: DirectoryId, rest: RawBuilder<unknown>): Promise<GroupRecord[]> {
  const { rows } = await sql<GroupRecord>`
    select g.id, g.external_id as "externalId", g.name as "displayName", g.attributes, g.state, g.reasons, g.version, g.group_id as "groupId",
      g.created_at as "createdAt", g.updated_at as "updatedAt", kept.add_count as added, kept.remove_count as removed,
      kept.member_count - kept.remove_count as unchanged, kept.member_count - kept.remove_count + kept.add_count as "memberCount"
    from provisioned_groups g
    join groups kept on kept.org_id = g.org_id and kept.id = g.group_id
    where g.org_id = ${reader.orgId} and g.directory_id = ${directoryId} ${rest}`.execute(reader)
  return rows
}
