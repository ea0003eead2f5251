import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { ProvisionedGroupId, RoleId } from '../database/ids.ts'
import { accessEffects, afterAlone } from './access-effects.ts'
import { selectedByIds } from './differences.ts'
import { consequences } from './warnings.ts'

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
export async function reviewedGrants(reader: Reader, id: ProvisionedGroupId): Promise<ReviewedGrant[]> {
  const org = reader.orgId
  const { rows } = await sql<ReviewedGrant>`
    with ${selectedByIds(reader, [id])},
    ${accessEffects(reader)},
    ${consequences(reader, { effects: sql`alone`, after: afterAlone, name: 'alone' })},
    granted as (
      select g.role_id, g.is_default,
        (select count(distinct m.account_id) from grants x
          join memberships m on m.org_id = ${org} and m.group_id = x.group_id and m.effective
          join accounts a on a.org_id = ${org} and a.id = m.account_id and a.active
          where x.org_id = ${org} and x.role_id = g.role_id)::integer as before,
        (select count(*) from alone where alone.role_id = g.role_id and not gained)::integer as lost,
        (select count(*) from alone where alone.role_id = g.role_id and gained)::integer as gained
      from selected s join grants g on g.org_id = ${org} and g.group_id = s.group_id
    )
    select r.id as "roleId", s.name as site, p.name as product, r.name as role, g.is_default as "isDefault",
      g.before, g.before - g.lost + g.gained as after, g.lost, g.gained,
      exists (select from alone_last_admin l where l.role_id = r.id) as "losesLastAdmin"
    from granted g
    join product_roles r on r.org_id = ${org} and r.id = g.role_id
    join products p on p.org_id = ${org} and p.id = r.product_id
    join sites s on s.org_id = ${org} and s.id = p.site_id
    order by s.name, p.name, r.name`.execute(reader)
  return rows
}

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
    select p.id, array_agg(g.role_id) as roles from provisioned_groups p
    join grants g on g.org_id = ${reader.orgId} and g.group_id = p.group_id
    where p.org_id = ${reader.orgId} and p.id = any(${ids}::uuid[]) group by p.id`.execute(reader)
  return new Map(rows.map(({ id, roles }) => [id, roles]))
}
