import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { ProvisionedGroupId, RoleId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import { accessEffects } from './access-effects.ts'
import { type Sql, syncOf } from './differences.ts'
import { alone, consequences } from './warnings.ts'

/** What one group's review does to one of its grants. `before`, `after`: how many people have the role, through whatever group. */
interface ReviewedGrant {
  roleId: RoleId
  site: string
  product: string
  role: string
  isDefault: boolean
  before: number
  after: number
  lost: number
  gained: number
  /** An administrative role that nobody would have any more. */
  losesLastAdmin: boolean
}

/** Each grant of a group, with how many people have the role before and after. Counts holders: asked for one group at a time. */
export function reviewedGrants(reader: Reader, id: ProvisionedGroupId): Promise<ReviewedGrant[]> {
  const org = reader.orgId
  return inHashes(
    reader,
    sql<ReviewedGrant>`
    with ${accessEffects(reader, syncOf(reader, [id]))},
    ${consequences(reader, alone)},
    granted as (
      select g.role_id, g.is_default,
        (select count(distinct m.account_id) from (select group_id from grants where org_id = ${org} and role_id = g.role_id offset 0) x
          cross join lateral (select account_id from memberships where org_id = ${org} and group_id = x.group_id and effective offset 0) m
          cross join lateral (select from accounts where org_id = ${org} and id = m.account_id and active offset 0) a)::integer as before,
        (select count(*) from alone where alone.role_id = g.role_id and not gained)::integer as lost,
        (select count(*) from alone where alone.role_id = g.role_id and gained)::integer as gained
      from selected s
      cross join lateral (select role_id, is_default from grants where org_id = ${org} and group_id = s.group_id offset 0) g
    )
    select r.id as "roleId", s.name as site, p.name as product, r.name as role, g.is_default as "isDefault",
      g.before, g.before - g.lost + g.gained as after, g.lost, g.gained,
      exists (select from alone_last_admin l where l.role_id = r.id) as "losesLastAdmin"
    from granted g
    ${roleOf(reader, sql`g.role_id`)}
    order by s.name, p.name, r.name`,
  )
}

/** A role with its product and site, as SQL to join: `r`, `p`, `s`, looked up by key. */
export const roleOf = (reader: Reader, roleId: Sql): Sql => sql`
  cross join lateral (select * from product_roles where org_id = ${reader.orgId} and id = ${roleId} offset 0) r
  cross join lateral (select * from products where org_id = ${reader.orgId} and id = r.product_id offset 0) p
  cross join lateral (select * from sites where org_id = ${reader.orgId} and id = p.site_id offset 0) s`

/** What a role is called, and where. */
export interface RoleNames {
  site: string
  product: string
  role: string
}

/** The names of every role of the organization. */
export async function roleNames(reader: Reader): Promise<Map<RoleId, RoleNames>> {
  const { rows } = await sql<RoleNames & { id: RoleId }>`
    select r.id, r.name as role, p.name as product, s.name as site from product_roles r
    join products p on p.org_id = ${reader.orgId} and p.id = r.product_id
    join sites s on s.org_id = ${reader.orgId} and s.id = p.site_id
    where r.org_id = ${reader.orgId}`.execute(reader)
  return new Map(rows.map(({ id, ...names }) => [id, names]))
}

/** The roles that each group's grants give. */
export async function rolesByGroup(
  reader: Reader,
  ids: readonly ProvisionedGroupId[],
): Promise<Map<ProvisionedGroupId, RoleId[]>> {
  const { rows } = await sql<{ id: ProvisionedGroupId; roles: RoleId[] }>`
    select p.id, array_agg(g.role_id) as roles from unnest(${ids}::uuid[]) as given(id)
    cross join lateral (select id, group_id from provisioned_groups where org_id = ${reader.orgId} and id = given.id offset 0) p
    cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = p.group_id offset 0) g
    group by p.id`.execute(reader)
  return new Map(rows.map(({ id, roles }) => [id, roles]))
}
