import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { Sql } from './differences.ts'

/** Everything a review warns of, worst first. */
export const warningCodes = [
  'last_admin',
  'left_with_nothing',
  'guard_passed',
  'seats_exceeded',
  'empty',
  'unknown_members',
  'look_alike',
  'inactive',
  'filling',
] as const
export type WarningCode = (typeof warningCodes)[number]

/**
 * `count`: of what it speaks of. last_admin: roles that lose their last holder; left_with_nothing, inactive: people;
 * seats_exceeded: products; guard_passed, empty: members removed; unknown_members: values; look_alike: other groups that
 * have a name that looks the same; filling: 1.
 */
export interface Warning {
  code: WarningCode
  count: number
}

/** As the guard counts (behaviour.md): more than the directory's percentage of the members removed, in groups of more than its number. */
export const passesGuard: Sql = sql`(o.member_count > d.guard_members_over and o.remove_count::bigint * 100 > o.member_count::bigint * d.guard_members_percent)`

/** The provider has nobody in a group that has members. */
export const becomesEmpty: Sql = sql`(o.member_count > 0 and o.remove_count = o.member_count and o.add_count = 0)`

/** Members were written within the directory's quiet time, and no list of the provider said since that it is done. Ends by time, so no fingerprint has it. */
export const isFilling: Sql = sql`(p.members_written_at is not null and p.members_written_at > now() - make_interval(secs => d.quiet_seconds)
  and p.members_written_at > coalesce(p.complete_at, '-infinity'))`

/** The unit that stands for all selected groups at once, where each alone has its own id. */
export const allAtOnce = '00000000-0000-0000-0000-000000000000'

interface Consequence {
  /** The effects in question, with columns id, account_id, role_id, gained; what the expressions' names begin with. */
  name: 'alone' | 'together'
  /** The unit that a row of `touched` belongs to. */
  unit: Sql
}

export const alone: Consequence = { name: 'alone', unit: sql`id` }
export const together: Consequence = { name: 'together', unit: sql`${allAtOnce}::uuid` }

/**
 * The people left with nothing, the roles left without a holder and the products with too few seats, by unit (one group alone, or all together):
 * `NAME_left` (id, account_id), `NAME_last_admin` (id, role_id), `NAME_seats` (id, product_id); `NAME_limited`: the roles of products with
 * seats. After is before, less what `touched` takes, with what it gives: sets less sets.
 */
export function consequences(reader: Reader, { name, unit }: Consequence): Sql {
  const org = reader.orgId
  const effects = sql.ref(name)
  const part = (of: string): Sql => sql.ref(`${name}_${of}`)
  return sql`
  ${part('taken')} as materialized (select ${unit} as id, account_id, role_id, group_id from touched where not gives),
  ${part('given')} as materialized (select ${unit} as id, account_id, role_id from touched where gives),
  ${part('left')} as materialized (
    select id, account_id from ${effects} where not gained
    except select id, account_id from (
      select u.id, u.account_id, m.group_id
      from (
        select l.id, l.account_id, count(distinct t.group_id) as taken
        from (select distinct id, account_id from ${effects} where not gained) l
        join ${part('taken')} t on t.id = l.id and t.account_id = l.account_id
        group by l.id, l.account_id
      ) u
      -- One group with access more than are taken: if there is one, something is left.
      cross join lateral (
        select group_id from memberships m where m.org_id = ${org} and m.account_id = u.account_id and m.effective
          and exists (select from grants g where g.org_id = ${org} and g.group_id = m.group_id offset 0) limit u.taken + 1
      ) m
      except select id, account_id, group_id from ${part('taken')}
    ) still
    except select id, account_id from ${part('given')}
  ),
  ${part('administrative')} as (
    select u.id, u.role_id
    from (select distinct id, role_id from ${effects} where not gained) u
    cross join lateral (select from product_roles where org_id = ${org} and id = u.role_id and is_administrative offset 0) r
  ),
  ${part('last_admin')} as materialized (
    select id, role_id from ${part('administrative')}
    except select id, role_id from (
      select u.id, u.role_id, h.account_id, h.group_id
      from (
        select a.id, a.role_id, count(*) as taken from ${part('administrative')} a join ${part('taken')} t on t.id = a.id and t.role_id = a.role_id
        group by a.id, a.role_id
      ) u
      -- One holder more than are taken: if there is one, somebody keeps the role. A role of 100,000 holders costs what a role of two costs.
      cross join lateral (
        select m.account_id, g.group_id
        from (select group_id from grants where org_id = ${org} and role_id = u.role_id offset 0) g
        cross join lateral (select account_id from memberships where org_id = ${org} and group_id = g.group_id and effective offset 0) m
        cross join lateral (select from accounts where org_id = ${org} and id = m.account_id and active offset 0) a
        limit u.taken + 1
      ) h
      except select id, role_id, account_id, group_id from ${part('taken')}
    ) still
    except select id, role_id from ${part('given')}
  ),
  ${part('limited')} as materialized (
    select r.id as role_id, p.id as product_id
    from (select id from products where org_id = ${org} and seats is not null offset 0) p
    cross join lateral (select id from product_roles where org_id = ${org} and product_id = p.id offset 0) r
  ),
  ${part('moved')} as materialized (
    select distinct e.id, e.account_id, l.product_id from ${effects} e join ${part('limited')} l on l.role_id = e.role_id
  ),
  ${part('held')} as materialized (
    select u.id, u.account_id, g.role_id, m.group_id
    from (select id, account_id, array_agg(distinct product_id) as products from ${part('moved')} group by id, account_id) u
    cross join lateral (select group_id from memberships where org_id = ${org} and account_id = u.account_id and effective offset 0) m
    cross join lateral (select role_id from grants where org_id = ${org} and group_id = m.group_id offset 0) g
    cross join lateral (select from product_roles where org_id = ${org} and id = g.role_id and product_id = any(u.products) offset 0) r
  ),
  ${part('seats')} as materialized (
    select moved.id, moved.product_id
    from (
      select id, product_id, count(*) filter (where has and not had) - count(*) filter (where had and not has) as more
      from (
        select id, account_id, product_id, bool_or(had) as had, bool_or(has) as has
        from (
          select h.id, h.account_id, l.product_id, had, not had as has, false as moves
          from (
            select id, account_id, role_id, true as had from ${part('held')}
            union all select id, account_id, role_id, false from (
              select id, account_id, role_id, group_id from ${part('held')} except select id, account_id, role_id, group_id from ${part('taken')}
            ) kept
            union all select id, account_id, role_id, false from ${part('given')}
          ) h
          join ${part('limited')} l on l.role_id = h.role_id
          union all select id, account_id, product_id, false, false, true from ${part('moved')}
        ) met group by id, account_id, product_id having bool_or(moves)
      ) each group by id, product_id
    ) moved
    cross join lateral (select id, seats from products where org_id = ${org} and id = moved.product_id offset 0) p
    -- The groups' counts say first whether seats can be short at all: only then people are counted, each once.
    where moved.more > 0 and case when ${memberCounts(org)} + moved.more > p.seats then ${holders(org)} + moved.more > p.seats else false end
  )`
}

const grantedGroups = (org: string): Sql => sql`(
  select distinct g.group_id
  from (select id from product_roles where org_id = ${org} and product_id = p.id offset 0) r
  cross join lateral (select group_id from grants where org_id = ${org} and role_id = r.id offset 0) g) granted`

const memberCounts = (org: string): Sql => sql`(
  select coalesce(sum(o.member_count), 0) from ${grantedGroups(org)}
  cross join lateral (select member_count from groups where org_id = ${org} and id = granted.group_id offset 0) o)`

const holders = (org: string): Sql => sql`(
  select count(distinct m.account_id) from ${grantedGroups(org)}
  cross join lateral (select account_id from memberships where org_id = ${org} and group_id = granted.group_id and effective offset 0) m
  cross join lateral (select from accounts where org_id = ${org} and id = m.account_id and active offset 0) a)`

/** The counts that warnings are made of, of one group. */
interface WarningCounts {
  lastAdmin: number
  leftWithNone: number
  passesGuard: boolean
  seatsExceeded: number
  removed: number
  isEmpty: boolean
  unknownMembers: number
  lookAlikes: number
  inactive: number
  isFilling: boolean
}

/** One group's warnings, worst first. */
export function warningsOf(counts: WarningCounts): Warning[] {
  const all: Record<WarningCode, number> = {
    last_admin: counts.lastAdmin,
    left_with_nothing: counts.leftWithNone,
    guard_passed: counts.passesGuard ? counts.removed : 0,
    seats_exceeded: counts.seatsExceeded,
    empty: counts.isEmpty ? counts.removed : 0,
    unknown_members: counts.unknownMembers,
    look_alike: counts.lookAlikes,
    inactive: counts.inactive,
    filling: counts.isFilling ? 1 : 0,
  }
  return warningCodes.filter((code) => all[code] > 0).map((code) => ({ code, count: all[code] }))
}
