import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import { type DirectoryId, isId, type ProvisionedGroupId } from '../database/ids.ts'
import type { PushedRows } from '../organization/memberships.ts'
import type { Filter } from '../scim/filter.ts'
import type { MemberInput } from '../scim/resource.ts'
import { membersWhere } from './filter-sql.ts'
import { followsIn } from './groups.ts'
import { isOf } from './key-sql.ts'

export interface MembersDelta {
  added: readonly MemberInput[]
  removed: readonly string[]
}

/** The ids in a push of some members, each once; who is added is not removed. Values that can be no id are left out. */
export function membersIds({ added, removed }: MembersDelta): { added: string[]; removed: string[] } {
  const addedIds = idsOf(added)
  return { added: [...addedIds], removed: [...idsOf(removed.map((value) => ({ value }))).difference(addedIds)] }
}

/** A push of some members, as rows for `writePushed`: those added, and those removed. Values that are no user of the directory give no row. */
export function pushedDelta(trx: Trx, directoryId: DirectoryId, id: ProvisionedGroupId, members: MembersDelta): PushedRows {
  const { added, removed } = membersIds(members)
  return sql`
    select p.group_id, u.account_id, said.pushed, ${follow} as follow
    from provisioned_groups p
    cross join (
      select unnest(${added}::uuid[]) as id, true as pushed
      union all
      select unnest(${removed}::uuid[]), false
    ) as said
    cross join lateral ${userOf(trx, directoryId, sql`said.id`)}
    where p.org_id = ${trx.orgId} and p.id = ${id} and ${isOf(directoryId, sql`p.directory_id`)}`
}

/**
 * A push of the whole list of members, as rows for `writePushed`: those in it, and those pushed before who are not.
 * @param isNested whether the group holds others, or is held by one: its own members stand apart (nesting.ts)
 */
export function pushedWhole(
  trx: Trx,
  directoryId: DirectoryId,
  { id, isNested }: { id: ProvisionedGroupId; isNested: boolean },
  all: readonly MemberInput[],
): PushedRows {
  const before = isNested
    ? sql`select account_id from direct_members d where d.org_id = ${trx.orgId} and d.provisioned_group_id = ${id}`
    : sql`select account_id from memberships m where m.org_id = ${trx.orgId} and m.group_id = p.group_id and m.pushed`
  const ids = idsAsText(all)
  return sql`
    select p.group_id, said.account_id, said.pushed, ${follow} as follow
    from provisioned_groups p
    cross join lateral (
      select account_id, listed.account_id is not null as pushed
      from (
        select u.account_id from unnest(${ids}::uuid[]) as given(id)
        cross join lateral ${userOf(trx, directoryId, sql`given.id`)}
      ) as listed
      full join (${before}) as before using (account_id)
    ) as said
    where p.org_id = ${trx.orgId} and p.id = ${id} and ${isOf(directoryId, sql`p.directory_id`)}`
}

/** The ids of those pushed members of a group who match a filter: `display eq "ada"`. @throws ScimError 400 `invalidFilter` */
export async function membersMatching(
  trx: Trx,
  directoryId: DirectoryId,
  id: ProvisionedGroupId,
  filter: Filter,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select pushed.value as id
    from (
      select org_id, directory_id, id, group_id, case when is_nested then 'direct' else 'pushed' end as shown from provisioned_groups
      where org_id = ${trx.orgId} and ${isOf(directoryId)} and id = ${id}
    ) as g cross join lateral ${membersWhere(filter, { orgId: trx.orgId, directoryId })}`.execute(trx)
  return rows.map((row) => row.id)
}

/** Which of these members are no users of the directory. */
export async function unknownAmong(trx: Trx, directoryId: DirectoryId, members: readonly MemberInput[]): Promise<MemberInput[]> {
  const { rows } = await sql<{ id: string }>`
    select u.id from unnest(${[...idsOf(members)]}::uuid[]) as given(id)
    cross join lateral ${userOf(trx, directoryId, sql`given.id`)}`.execute(trx)
  const known = new Set(rows.map((row) => row.id))
  return members.filter((member) => !known.has(member.value.toLowerCase()))
}

const follow = followsIn('p.state')

// A user `u` of the directory, looked up by key: as a join PostgreSQL would without statistics rather read all users of the organization.
const userOf = (trx: Trx, directoryId: DirectoryId, id: RawBuilder<unknown>) => sql`(
  select id, account_id from provisioned_users where org_id = ${trx.orgId} and id = ${id} and ${isOf(directoryId)} offset 0) as u`

// In one pass: there may be 150,000.
function idsOf(members: readonly { value: string }[]): Set<string> {
  const ids = new Set<string>()
  for (const { value } of members) if (isId(value)) ids.add(value.toLowerCase())
  return ids
}

// As PostgreSQL writes an array: to have the driver write one of 100,000 takes longer. In a list each value is there once; so then is each
// id, unless some are in capitals.
function idsAsText(members: readonly MemberInput[]): string {
  const ids = members
    .map(({ value }) => value)
    .filter(isId)
    .join()
  return `{${/[A-F]/.test(ids) ? [...new Set(ids.toLowerCase().split(','))].join() : ids}}`
}
