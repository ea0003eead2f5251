import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId, GroupId } from '../database/ids.ts'
import { isOf } from './key-sql.ts'

/**
 * Which members of a group a directory is shown: those it pushed, which in a nest are its direct ones and groups; those in force, of a
 * group that it is offered; none.
 */
export type ShownMembers = 'pushed' | 'direct' | 'effective' | 'hidden'

/** A group whose members are read. */
export interface GroupToRead {
  id: string
  groupId: GroupId
  shown: ShownMembers
}

/** How many members one statement reads of a group: half a megabyte of JSON. */
export const membersAtOnce = 5_000

export interface MemberParts {
  value: boolean
  /** What stands before an id in `$ref`, of a user and of a group; undefined: no `$ref`. */
  refBase: { User: string; Group: string } | undefined
  display: boolean
  type: boolean
}

/** Members of one group as JSON text, in pages: `last` goes into the next call as `after`; undefined: there are no more. */
export interface MembersText {
  text: string
  last: string | undefined
}

/**
 * Reads the members of groups that the directory is shown, in their order, as JSON objects joined by commas: PostgreSQL writes the
 * text, no member becomes an object here. At most 5,000 a group; `after` belongs to the first.
 */
export async function membersTexts(
  reader: Reader,
  directoryId: DirectoryId,
  groups: readonly GroupToRead[],
  parts: MemberParts,
  after?: string,
): Promise<MembersText[]> {
  const { rows } = await sql<{ position: number; text: string | null; last: string; count: number }>`
    select given.position::int as position,
      string_agg(${memberText(parts, 'User', sql`p.id`, sql`p.user_name`)}, ',' order by m.account_id) filter (where p.id is not null) as text,
      max(m.account_id::text) as last, count(*)::int as count
    from unnest(
      ${groups.map((group) => (group.shown === 'direct' ? group.id : group.groupId))}::uuid[], ${groups.map((group) => group.shown)}::text[]
    ) with ordinality as given (id, shown, position)
    cross join lateral (${membersOf(reader, groups, after)}) m
    left join provisioned_users p
      on p.org_id = ${reader.orgId} and p.account_id = m.account_id and ${isOf(directoryId, sql`p.directory_id`)}
    group by given.position`.execute(reader)
  const found = new Map(rows.map((row) => [row.position, row]))
  const nested = after === undefined ? await nestedTexts(reader, groups, parts) : new Map<string, string>()
  return groups.map((group, index) => {
    const row = found.get(index + 1)
    const texts = [nested.get(group.id), row?.text].filter((text) => typeof text === 'string')
    return { text: texts.join(','), last: row !== undefined && row.count === membersAtOnce ? row.last : undefined }
  })
}

// Where no group is in a nest, which is nearly always, `direct_members` is not looked into.
function membersOf(reader: Reader, groups: readonly GroupToRead[], after: string | undefined): RawBuilder<unknown> {
  const isBehind = sql`account_id > case given.position when 1 then ${after ?? beforeAll}::uuid else ${beforeAll}::uuid end`
  const shared = sql`
    select account_id from memberships
    where org_id = ${reader.orgId} and group_id = given.id
      and case given.shown when 'pushed' then pushed when 'effective' then effective end and ${isBehind}
    order by account_id limit ${membersAtOnce}`
  if (!groups.some((group) => group.shown === 'direct')) return shared
  const direct = sql`
    select account_id from direct_members
    where org_id = ${reader.orgId} and provisioned_group_id = given.id and given.shown = 'direct' and ${isBehind}
    order by account_id limit ${membersAtOnce}`
  return sql`(${shared}) union all (${direct})`
}

/** The groups in groups, as JSON text by the id of the group that holds them. */
async function nestedTexts(reader: Reader, groups: readonly GroupToRead[], parts: MemberParts): Promise<Map<string, string>> {
  const ids = groups.filter((group) => group.shown === 'direct').map((group) => group.id)
  if (ids.length === 0) return new Map()
  const { rows } = await sql<{ id: string; text: string }>`
    select n.parent_id as id, string_agg(${memberText(parts, 'Group', sql`c.id`, sql`c.name`)}, ',' order by c.id) as text
    from nested_groups n join provisioned_groups c on c.org_id = n.org_id and c.id = n.child_id
    where n.org_id = ${reader.orgId} and n.parent_id = any(${ids}::uuid[])
    group by n.parent_id`.execute(reader)
  return new Map(rows.map((row) => [row.id, row.text]))
}

const beforeAll = '00000000-0000-0000-0000-000000000000'

function memberText(
  { value, refBase, display, type }: MemberParts,
  kind: 'User' | 'Group',
  id: RawBuilder<unknown>,
  name: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const parts = [
    ...(value ? [sql`'"value":"' || ${id} || '"'`] : []),
    ...(refBase === undefined ? [] : [sql`${`"$ref":${JSON.stringify(refBase[kind]).slice(0, -1)}`}::text || ${id} || '"'`]),
    ...(display ? [sql`'"display":' || to_json(${name})`] : []),
    ...(type ? [sql`${`"type":"${kind}"`}::text`] : []),
  ]
  return sql`'{' || ${sql.join(parts, sql` || ',' || `)} || '}'`
}
