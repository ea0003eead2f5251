import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { usualGuard } from '../provisioning/guard-limits.ts'
import type { Sql } from './differences.ts'

// Digests are taken in the database, in the order of ids: 10,000 groups answer 10,000 hashes, not all their rows.
const digestOf = (bytes: Sql, order: Sql): Sql => sql`sha256(coalesce(string_agg(${bytes}, '' order by ${order}), ''))`
const accounts = digestOf(sql`uuid_send(account_id)`, sql`account_id`)
const roles = digestOf(sql`uuid_send(role_id)`, sql`role_id`)
const products = digestOf(sql`uuid_send(product_id)`, sql`product_id`)
const pairs = digestOf(sql`uuid_send(account_id) || uuid_send(role_id)`, sql`account_id, role_id`)

/**
 * Each selected group's counts and its fingerprint, SHA-256 in hex, as `by_group`: over id, standing, name, who is added and removed, the
 * accesses that it alone takes and gives, and warnings. What ends by time (filling) and what changes no answer (who stays, grants without
 * effect) is not in it. Reads `selected`, `differing`, `alone` and its consequences.
 */
export const fingerprints = (reader: Reader): Sql => sql`
  parts as (
    select id, case when gives then 'added' else 'removed' end as part, count(*) as n, 0 as people, null as roles, ${accounts} as digest
      from differing group by id, gives
    union all select id, 'inactive', count(*), 0, null, ${accounts} from differing where gives and not active group by id
    union all select id, case when gained then 'gained' else 'lost' end, count(*), count(distinct account_id), string_agg(distinct role_id::text, ','), ${pairs}
      from alone group by id, gained
    union all select id, 'left', count(*), 0, null, ${accounts} from alone_left group by id
    union all select id, 'last_admin', count(*), 0, null, ${roles} from alone_last_admin group by id
    union all select id, 'seats', count(*), 0, null, ${products} from alone_seats group by id
    union all select s.id, 'unknown', count(*), 0, null, ${digestOf(sql`sha256(convert_to(value, 'UTF8'))`, sql`value collate "C"`)}
      from selected s
      cross join lateral (select value from unknown_members where org_id = ${reader.orgId} and provisioned_group_id = s.id offset 0) u group by s.id
    union all select s.id, 'look_alike', count(*), 0, null, ${digestOf(sql`uuid_send(g.id)`, sql`g.id`)}
      from selected s
      cross join lateral (select look_key, name_key from provisioned_groups where org_id = ${reader.orgId} and id = s.id offset 0) p
      cross join lateral (
        select id from groups
        where org_id = ${reader.orgId} and look_key = p.look_key and effective and name_key <> p.name_key and id <> s.group_id offset 0
      ) g group by s.id
  ),
  -- A group that nobody pushes any more is put back as an admin's would be: the limits that a directory begins with.
  limits as (
    select s.id, d.percent, d.more_than
    from selected s
    cross join lateral (select directory_id from provisioned_groups where org_id = ${reader.orgId} and id = s.id offset 0) p
    cross join lateral (
      select guard_members_percent as percent, guard_members_over as more_than from directories where org_id = ${reader.orgId} and id = p.directory_id offset 0
    ) d
  ),
  by_group as materialized (
    select id, added, removed, lost, gained, people_losing, people_gaining, left_with_none, last_admin, seats_exceeded, unknown_members, look_alikes, inactive,
      lost_roles, passes_guard, guard_percent, is_empty, is_filling,
      encode(sha256(convert_to(concat_ws('|', 'muster.review.group.1', id, standing, to_json(name), passes_guard, is_empty, digests), 'UTF8')), 'hex') as fingerprint
    from (
      select *, member_count > guard_over and removed * 100 > member_count::bigint * guard_percent as passes_guard,
        member_count > 0 and removed = member_count and added = 0 as is_empty
      from (
        -- in groups, not in a join of expressions, whose sizes the planner does not know
        select id, max(name) as name, max(standing) as standing, max(member_count) as member_count, bool_or(is_filling) as is_filling,
          coalesce(max(percent), ${usualGuard.guardMembersPercent}) as guard_percent, coalesce(max(more_than), ${usualGuard.guardMembersOver}) as guard_over,
          ${count('added')} as added, ${count('removed')} as removed,
          ${count('lost')} as lost, ${count('gained')} as gained, ${people('lost')} as people_losing, ${people('gained')} as people_gaining,
          ${count('left')} as left_with_none, ${count('last_admin')} as last_admin, ${count('seats')} as seats_exceeded,
          ${count('unknown')} as unknown_members, ${count('look_alike')} as look_alikes, ${count('inactive')} as inactive,
          coalesce(string_to_array(string_agg(roles, ',') filter (where part = 'lost'), ','), '{}') as lost_roles,
          string_agg(part || ' ' || encode(digest, 'hex'), '|' order by part collate "C") as digests
        from (
          select id, part, n, people, roles, digest, null as name, null as standing, null as member_count, null as is_filling,
            null::integer as percent, null::integer as more_than from parts
          union all select id, null, 0, 0, null, null, name, standing, member_count, is_filling, null, null from selected
          union all select id, null, 0, 0, null, null, null, null, null, null, percent, more_than from limits
        ) met group by id
      ) counted
    ) warned
  )`

const count = (part: string): Sql => sql`coalesce(sum(n) filter (where part = ${sql.lit(part)}), 0)::integer`
const people = (part: string): Sql => sql`coalesce(sum(people) filter (where part = ${sql.lit(part)}), 0)::integer`

/**
 * The fingerprint of all selected groups at once: over theirs, what they do to access together, and what that warns of: a role may lose
 * its last holder by no group alone; and which groups have a part in the joint losses. Reads `by_group`, `weighed`, `together` and its
 * consequences.
 */
export const selectionFingerprint: Sql = sql`
  encode(sha256(convert_to(concat_ws('|', 'muster.review.selection.1',
    (select coalesce(string_agg(fingerprint, ',' order by fingerprint collate "C"), '') from by_group),
    (select encode(${pairs}, 'hex') from together where not gained),
    (select encode(${pairs}, 'hex') from together where gained),
    (select encode(${pairs}, 'hex') from together where joint),
    (select encode(sha256(coalesce(string_agg(uuid_send(id), '' order by id), '')), 'hex')
      from (select distinct id from weighed where not gives and lost and givers > 1) as taking_part),
    (select encode(${accounts}, 'hex') from together_left),
    (select encode(${roles}, 'hex') from together_last_admin),
    (select encode(${products}, 'hex') from together_seats)
  ), 'UTF8')), 'hex')`
