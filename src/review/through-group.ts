import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { GroupId } from '../database/ids.ts'
import type { Sql } from './differences.ts'
import type { RoleNames } from './grants.ts'

/** What people have through one group alone: what goes with the group, and comes back with it. */
export interface ThroughGroup {
  members: number
  /** Those of them who are switched off: they have no access, with it or without. */
  inactive: number
  access: {
    /** Accesses (account, site, product, role) that no other group gives, and of how many people. */
    accesses: number
    people: number
    /** People who have no other access at all. */
    withNoOther: number
  }
  /** Its grants, each with how many people have that by it alone, and whether nobody else has an administrative role. */
  roles: (RoleNames & { isDefault: boolean; people: number; isLastHolder: boolean })[]
  /** SHA-256 in hex of who they are and what they have. */
  fingerprint: string
}

/**
 * @param members who is or would be in the group, as rows of account_id
 */
export async function throughGroup(reader: Reader, id: GroupId, members: Sql): Promise<ThroughGroup> {
  const org = reader.orgId
  const { rows } = await sql<ThroughGroup>`
    with people as materialized (
      select a.id, a.active from (${members}) as given join accounts a on a.org_id = ${org} and a.id = given.account_id
    ),
    granted as materialized (
      select g.role_id, g.is_default, r.name as role, r.is_administrative, t.name as product, s.name as site
      from grants g
      join product_roles r on r.org_id = ${org} and r.id = g.role_id
      join products t on t.org_id = ${org} and t.id = r.product_id
      join sites s on s.org_id = ${org} and s.id = t.site_id
      where g.org_id = ${org} and g.group_id = ${id}
    ),
    -- Look-ups that end at the first row found: what somebody else gives costs what that person has, not what the group has.
    alone as materialized (
      select p.id as account_id, g.role_id from people p cross join granted g
      where p.active and (select 1 from memberships m
        where m.org_id = ${org} and m.account_id = p.id and m.effective and m.group_id <> ${id}
          and exists (select from grants x where x.org_id = ${org} and x.group_id = m.group_id and x.role_id = g.role_id offset 0)
        limit 1) is null
    ),
    concerned as materialized (
      select account_id, (select 1 from memberships m
        where m.org_id = ${org} and m.account_id = a.account_id and m.effective and m.group_id <> ${id}
          and exists (select from grants x where x.org_id = ${org} and x.group_id = m.group_id offset 0)
        limit 1) is null as has_no_other
      from (select distinct account_id from alone) a
    ),
    by_role as (
      select g.site, g.product, g.role, g.is_default, (select count(*) from alone a where a.role_id = g.role_id)::integer as people,
        g.is_administrative and exists (select from people where active) and (select 1 from grants x
          join memberships m on m.org_id = ${org} and m.group_id = x.group_id and m.effective
          join accounts a on a.org_id = ${org} and a.id = m.account_id and a.active
          where x.org_id = ${org} and x.role_id = g.role_id and x.group_id <> ${id} limit 1) is null as is_last_holder
      from granted g
    )
    select (select count(*) from people)::integer as members, (select count(*) from people where not active)::integer as inactive,
      json_build_object('accesses', (select count(*) from alone), 'people', (select count(*) from concerned),
        'withNoOther', (select count(*) from concerned where has_no_other)) as access,
      (select coalesce(json_agg(json_build_object('site', site, 'product', product, 'role', role, 'isDefault', is_default, 'people', people,
        'isLastHolder', is_last_holder) order by site, product, role), '[]') from by_role) as roles,
      encode(sha256(convert_to(concat_ws('|', 'muster.group.1', ${id}::text,
        (select encode(sha256(coalesce(string_agg(uuid_send(id), '' order by id), '')), 'hex') from people),
        (select encode(sha256(coalesce(string_agg(uuid_send(account_id) || uuid_send(role_id), '' order by account_id, role_id), '')), 'hex') from alone),
        (select coalesce(string_agg(role_id::text, ',' order by role_id), '') from granted),
        (select string_agg(role || is_last_holder, ',' order by site, product, role) from by_role)), 'UTF8')), 'hex') as fingerprint`.execute(
    reader,
  )
  return rows[0] as ThroughGroup
}

/** Who is in a group, as rows of account_id. */
export const membersInForce = (reader: Reader, id: GroupId): Sql => sql`
  select account_id from memberships where org_id = ${reader.orgId} and group_id = ${id} and effective`
