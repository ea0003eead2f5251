import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import type { GroupState } from '../database/tables.ts'
import { found, type Listed, type Listing, orderBy, page } from '../organization/listing.ts'
import type { Sql } from './differences.ts'

/** How alike two names are: they look the same, say the same, or differ in one letter; null: not alike. */
export const nameLikenesses = ['looks_the_same', 'says_the_same', 'nearly_the_same'] as const
type NameLikeness = (typeof nameLikenesses)[number]

/** A pushed group and an existing one of another name that it may be. */
export interface Suggestion {
  group: { id: ProvisionedGroupId; name: string; state: GroupState; memberCount: number }
  existing: { id: GroupId; name: string; memberCount: number; grantCount: number }
  names: NameLikeness | null
  /** Members that the provider says, and that are in force: how many are both, and what part of all that is (Jaccard). */
  members: { common: number; jaccard: number }
}

/** What people in more groups than these, of one size, have in common says nothing of those groups: who is everywhere is no link. */
const mostGroupsOfOne = 500

/** What is suggested for a directory's groups, or was rejected; within `reading`, which lets joins be hashed. @throws Refusal `invalid_value` for another sort */
export async function listSuggestions(
  reader: Reader,
  directoryId: DirectoryId,
  listing: Listing,
  { rejected = false }: { rejected?: boolean | undefined } = {},
): Promise<Listed<Suggestion>> {
  const order = orderBy(
    listing.sort,
    { members: 'jaccard', name: 'name_key', existing: 'existing_key' },
    '-members',
    'name_key, existing_key, id',
  )
  // A nested loop over what the planner takes to be one row could be one over millions.
  await sql`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '128MB', true)`.execute(reader)
  const { rows } = await sql<Suggestion & { total: number; isShown: boolean }>`
    with ${rejected ? sql`${sides(reader, directoryId)}, ${rejectedPairs(reader)}` : suggested(reader, directoryId)},
    listed as (
      select p.id, p.group_id, p.name, p.name_key, p.state, p.size, g.id as existing_id, g.name as existing_name, g.name_key as existing_key,
        g.size as existing_size, pairs.names, pairs.common, pairs.common / nullif(p.size + g.size - pairs.common, 0)::real as jaccard
      from pairs join pushed_groups p on p.id = pairs.id join linkable g on g.id = pairs.existing_id
      where ${found(listing, 'p.name_key', 'g.name_key')}
        and (${rejected}::boolean or p.own is null or pairs.common / (p.size + g.size - pairs.common)::real > p.own)
    ),
    shown as materialized (select * from listed ${order} ${page(listing)})
    select totals.total, shown.id is not null as "isShown", json_build_object('id', id, 'name', name, 'state', state, 'memberCount', size) as "group",
      json_build_object('id', existing_id, 'name', existing_name, 'memberCount', existing_size, 'grantCount',
        (select count(*) from grants r where r.org_id = ${reader.orgId} and r.group_id = existing_id)) as existing,
      names, json_build_object('common', counted.common, 'jaccard', coalesce(round((counted.common / nullif(size + existing_size - counted.common, 0)::real)::numeric, 2), 0)) as members
    from (select count(*)::integer as total from listed) totals
    left join shown on true
    cross join lateral (select coalesce(shown.common, ${commonMembers(reader, sql`shown.group_id`, sql`shown.existing_id`)}) as common) counted
    ${order}`.execute(reader)
  await sql`select set_config('enable_nestloop', 'on', true)`.execute(reader)
  // A page behind the last one has no rows, and is told how many there are.
  const items = rows.filter(({ isShown }) => isShown).map(({ total: _, isShown: __, ...suggestion }) => suggestion)
  return { total: rows[0]?.total ?? 0, items }
}

/**
 * The pushed groups of a directory that may be linked, and the existing groups that they may be linked to. Not those that are in force and
 * give access: they are in use as they are. `own`: how far the members overlap with those of the group of the same name, where one awaits
 * review against it; another group must then be nearer. `magnitude`: the digits of the size in binary; of two sizes of which one is at
 * most twice the other they differ by one at most.
 */
const sides = (reader: Reader, directoryId: DirectoryId): Sql => sql`
  pushed_groups as materialized (
    select sized.*, ${digits} as magnitude
    from (
      select p.id, p.group_id, p.name, p.name_key, p.look_key, p.alike_key, p.state, o.member_count - o.remove_count + o.add_count as size,
        case when o.effective and p.state not in ('synced', 'held') then coalesce((o.member_count - o.remove_count) / nullif(o.member_count + o.add_count, 0)::real, 1) end as own
      from provisioned_groups p join groups o on o.org_id = ${reader.orgId} and o.id = p.group_id
      where p.org_id = ${reader.orgId} and p.directory_id = ${directoryId} and p.state <> 'ignored' and not p.is_linked
        and not (p.state in ('synced', 'held') and exists (select from grants r where r.org_id = ${reader.orgId} and r.group_id = o.id))
    ) sized
  ),
  linkable as materialized (
    select sized.*, ${digits} as magnitude
    from (
      select g.id, g.name, g.name_key, g.look_key, g.alike_key, g.member_count as size
      from groups g left join provisioned_groups p on p.org_id = ${reader.orgId} and p.group_id = g.id
      where g.org_id = ${reader.orgId} and g.effective and g.managed_by is null and not g.is_protected and p.id is null
        and not exists (select from grants r where r.org_id = ${reader.orgId} and r.group_id = g.id and r.is_default)
    ) sized
  )`

const digits: Sql = sql`length(ltrim(size::bit(32)::text, '0'))`

const rejectedPairs = (reader: Reader): Sql => sql`
  pairs as (
    select n.provisioned_group_id as id, n.group_id as existing_id, null::text as names, null::integer as common
    from not_the_same n where n.org_id = ${reader.orgId}
  )`

const suggested = (reader: Reader, directoryId: DirectoryId): Sql => sql`
  ${sides(reader, directoryId)},
  ${alikeNames},
  ${overlaps(reader)},
  pairs as materialized (
    select id, existing_id, alike.names, overlapping.common
    from alike full join overlapping using (id, existing_id)
    where not exists (select from not_the_same n where n.org_id = ${reader.orgId} and n.provisioned_group_id = id and n.group_id = existing_id)
  )`

/**
 * Pairs of alike names, as `alike` (id, existing_id, names), by equality alone: of what they look like, of what they say, and of what is
 * left where one letter is taken out of either, for one letter too many, too few or another one.
 */
const alikeNames: Sql = sql`
  shortened as materialized (
    select of_pushed, id, length(alike_key) as length, hashtextextended(left(alike_key, greatest(at - 1, 0)) || substr(alike_key, at + 1), 0) as rest
    from (
      select true as of_pushed, id, alike_key from pushed_groups where own is null union all select false, id, alike_key from linkable
    ) named
    -- A number is not nearly another one, and a short name not nearly anything.
    cross join lateral generate_series(0, length(alike_key)) at
    where length(alike_key) between 5 and 60 and (at = 0 or strpos('0123456789', substr(alike_key, at, 1)) = 0)
  ),
  alike as materialized (
    select id, existing_id, (array['looks_the_same', 'says_the_same', 'nearly_the_same'])[min(how)] as names
    from (
      select p.id, g.id as existing_id, 1 as how from pushed_groups p join linkable g on g.look_key = p.look_key where p.own is null
      union all
      select p.id, g.id, 2 from pushed_groups p join linkable g on g.alike_key = p.alike_key where p.own is null
      union all
      select p.id, g.id, 3 from shortened p join shortened g on g.rest = p.rest
      where p.of_pushed and not g.of_pushed and abs(p.length - g.length) < 2
    ) found group by id, existing_id
  )`

/**
 * Pairs whose members overlap by half of all of them at least (Jaccard ≥ 0.5), as `overlapping` (id, existing_id, common): a set-similarity
 * join. Groups of a and b members then have `needed` = ⌈(a + b) / 3⌉ in common, so that of the a - needed + n rarest of the one n are in
 * the other, too. Only these are looked for in the existing groups, of those of about that size: who is rare is in few. What has n of
 * them is counted whole.
 */
const overlaps = (reader: Reader): Sql => sql`
  existing_members as materialized (
    select g.id, g.size, m.account_id, g.magnitude
    from linkable g
    cross join lateral (
      select account_id from memberships where org_id = ${reader.orgId} and group_id = g.id and effective offset 0
    ) m
  ),
  telling as materialized (
    select account_id, magnitude, count(*) as times from existing_members group by account_id, magnitude
  ),
  pushed_members as materialized (
    select p.id, p.size, m.account_id, p.magnitude,
      row_number() over (partition by p.id order by r.times nulls first, m.account_id) as place, r.times is not null as is_met
    from pushed_groups p
    cross join lateral (
      select account_id from memberships where org_id = ${reader.orgId} and group_id = p.group_id and pushed offset 0
    ) m
    left join (select account_id, sum(times) as times from telling group by account_id) r on r.account_id = m.account_id
  ),
  met as materialized (
    select p.id, g.id as existing_id, ${needed} as needed
    from pushed_members p
    join telling t on t.account_id = p.account_id and t.times <= ${mostGroupsOfOne} and t.magnitude between p.magnitude - 1 and p.magnitude + 1
    join existing_members g on g.account_id = t.account_id and g.magnitude = t.magnitude
    where p.is_met and p.place <= ${placesOf(sql`(p.size + 1) / 2`)}
      and p.size <= 2 * g.size and g.size <= 2 * p.size and p.place <= ${placesOf(needed)}
    group by p.id, g.id, p.size, g.size
    having count(*) >= ${atFirst(needed)}
  ),
  overlapping as materialized (
    select met.id, met.existing_id, count(*)::integer as common
    from met
    join pushed_members p on p.id = met.id and p.is_met
    join existing_members g on g.id = met.existing_id and g.account_id = p.account_id
    group by met.id, met.existing_id, met.needed
    having count(*) >= met.needed
  )`

const needed: Sql = sql`((p.size + g.size + 2) / 3)`

// A third of what is needed: fewer leave many to be counted whole where people are in many groups, more are met more often.
const atFirst = (common: Sql): Sql => sql`(${common} / 3 + 1)`
const placesOf = (common: Sql): Sql => sql`(p.size - ${common} + ${atFirst(common)})`

const commonMembers = (reader: Reader, pushed: Sql, existing: Sql): Sql => sql`(
  select count(*)::integer from memberships a
  where a.org_id = ${reader.orgId} and a.group_id = ${pushed} and a.pushed and (
    select b.effective from memberships b where b.org_id = ${reader.orgId} and b.group_id = ${existing} and b.account_id = a.account_id))`
