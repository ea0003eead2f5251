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
  'inactive',
  'filling',
] as const
export type WarningCode = (typeof warningCodes)[number]

/**
 * `count`: of what it speaks of. last_admin: roles that lose their last holder; left_with_nothing, inactive: people;
 * seats_exceeded: products; guard_passed, empty: members removed; unknown_members: values; filling: 1.
 */
export interface Warning {
  code: WarningCode
  count: number
}

/** As the guard counts: more than 25 % of the members removed, in groups of more than 10 (behaviour.md, «The guard»). */
export const passesGuard: Sql = sql`(o.member_count > 10 and o.remove_count * 4 > o.member_count)`

/** The provider has nobody in a group that has members. */
export const becomesEmpty: Sql = sql`(o.member_count > 0 and o.remove_count = o.member_count and o.add_count = 0)`

/** Members were written within the directory's quiet time: the provider may not be done. Ends by time, so no fingerprint has it. */
export const isFilling: Sql = sql`(p.members_written_at is not null and p.members_written_at > now() - make_interval(secs => d.quiet_seconds))`

interface Consequence {
  /** `alone` or `together`, with columns id, group_id, account_id, role_id, gained. */
  effects: Sql
  /** The truth after, of membership `m` seen from a row `u` of the effects. */
  after: Sql
  /** What the expressions' names begin with. */
  name: 'alone' | 'together'
}

/**
 * The people left with nothing, the roles left without a holder and the products with too few seats, by unit (one group alone, or all together):
 * `NAME_left` (id, account_id), `NAME_last_admin` (id, role_id), `NAME_seats` (id, product_id).
 */
export function consequences(reader: Reader, { effects, after, name }: Consequence): Sql {
  const org = reader.orgId
  // Look-ups end at the first row found (`limit 1`): a role of 100,000 holders costs what a role of two costs.
  return sql`
  ${sql.ref(`${name}_left`)} as materialized (
    select u.id, u.account_id
    from (select distinct id, group_id, account_id from ${effects} where not gained) u
    where (select 1 from memberships m
      where m.org_id = ${org} and m.account_id = u.account_id and ${after}
        and exists (select from grants g where g.org_id = ${org} and g.group_id = m.group_id offset 0) limit 1) is null
  ),
  ${sql.ref(`${name}_last_admin`)} as materialized (
    select u.id, u.role_id
    from (select distinct e.id, e.group_id, e.role_id from ${effects} e
      join product_roles r on r.org_id = ${org} and r.id = e.role_id and r.is_administrative where not e.gained) u
    where (select 1 from grants g
      join memberships m on m.org_id = ${org} and m.group_id = g.group_id and ${after}
      join accounts a on a.org_id = ${org} and a.id = m.account_id and a.active
      where g.org_id = ${org} and g.role_id = u.role_id limit 1) is null
  ),
  ${sql.ref(`${name}_limited`)} as materialized (
    select r.id as role_id, r.product_id from products p join product_roles r on r.org_id = ${org} and r.product_id = p.id
    where p.org_id = ${org} and p.seats is not null
  ),
  ${sql.ref(`${name}_seats`)} as materialized (
    select moved.id, moved.product_id
    from (
      select u.id, u.product_id,
        count(*) filter (where not u.had and u.has) - count(*) filter (where u.had and not u.has) as more
      from (
        select u.id, u.product_id, ${holdsProduct(org, sql`m.effective`)} as had, ${holdsProduct(org, after)} as has
        from (select distinct e.id, e.group_id, e.account_id, r.product_id
          from ${effects} e join ${sql.ref(`${name}_limited`)} r on r.role_id = e.role_id) u
      ) u group by u.id, u.product_id
    ) moved
    join products p on p.org_id = ${org} and p.id = moved.product_id
    -- The groups' counts say first whether seats can be short at all: only then people are counted, each once.
    where moved.more > 0 and case when ${memberCounts(org)} + moved.more > p.seats then ${holders(org)} + moved.more > p.seats else false end
  )`
}

const holdsProduct = (org: string, truth: Sql): Sql => sql`(
  select 1 from memberships m
  join grants g on g.org_id = ${org} and g.group_id = m.group_id
  join product_roles r on r.org_id = ${org} and r.id = g.role_id and r.product_id = u.product_id
  where m.org_id = ${org} and m.account_id = u.account_id and ${truth} limit 1) is not null`

const grantedGroups = (org: string): Sql => sql`(
  select distinct g.group_id from product_roles r join grants g on g.org_id = ${org} and g.role_id = r.id
  where r.org_id = ${org} and r.product_id = p.id) granted`

const memberCounts = (org: string): Sql => sql`(
  select coalesce(sum(o.member_count), 0) from ${grantedGroups(org)} join groups o on o.org_id = ${org} and o.id = granted.group_id)`

const holders = (org: string): Sql => sql`(
  select count(distinct m.account_id) from ${grantedGroups(org)}
  join memberships m on m.org_id = ${org} and m.group_id = granted.group_id and m.effective
  join accounts a on a.org_id = ${org} and a.id = m.account_id and a.active)`

/** The counts that warnings are made of, of one group. */
interface WarningCounts {
  lastAdmin: number
  leftWithNone: number
  passesGuard: boolean
  seatsExceeded: number
  removed: number
  isEmpty: boolean
  unknownMembers: number
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
    inactive: counts.inactive,
    filling: counts.isFilling ? 1 : 0,
  }
  return warningCodes.filter((code) => all[code] > 0).map((code) => ({ code, count: all[code] }))
}
