import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, GroupId, ProductId, RoleId, SiteId } from '../database/ids.ts'
import type { Role, RoleName } from './access.ts'
import { found, type Listed, type Listing, list, orderBy } from './listing.ts'
import { Refusal } from './refusal.ts'

/** One thing a person may do, and the names of the groups through which. */
export interface PersonAccess extends RoleName {
  roleId: RoleId
  isAdministrative: boolean
  through: string[]
}

/**
 * What a person may do: the union over the groups they are effectively in, each role once; nothing, while the account is switched off.
 * Searched in site, product and role.
 */
export async function accessOfPerson(reader: Reader, accountId: AccountId, listing: Listing = {}): Promise<Listed<PersonAccess>> {
  const { rows } = await sql<PersonAccess & { total: number }>`
    select ${accessColumns}, array_agg(g.name order by g.name_key) as through
    from accounts a
    join memberships m on m.org_id = a.org_id and m.account_id = a.id and m.effective
    join groups g on g.org_id = m.org_id and g.id = m.group_id and g.effective
    join grants on grants.org_id = g.org_id and grants.group_id = g.id
    join product_roles r on r.org_id = grants.org_id and r.id = grants.role_id
    join products p on p.org_id = r.org_id and p.id = r.product_id
    join sites s on s.org_id = p.org_id and s.id = p.site_id
    where a.org_id = ${reader.orgId} and a.id = ${accountId} and a.active and ${found(listing, 's.name_key', 'p.name_key', 'r.name_key')}
    group by s.id, s.name, s.name_key, p.id, p.name, p.name_key, r.id, r.name, r.name_key, r.is_administrative
    ${orderBy(listing.sort, accessSorts, 'site', accessOrder)}`.execute(reader)
  // One person's access is short: it is cut here, so that the total costs nothing.
  const { offset = 0, limit = 0 } = listing
  return { total: rows.length, items: rows.slice(offset, limit === 0 ? undefined : offset + limit) }
}

/** The columns of an access, of sites s, products p and product_roles r; what lists of it are sorted by. */
export const accessColumns = sql`
  s.name as site, p.name as product, r.name as role, r.id as "roleId", r.is_administrative as "isAdministrative"`
export const accessOrder = 's.name_key, p.name_key, r.name_key'
export const accessSorts = {
  site: 's.name_key',
  product: 'p.name_key',
  role: 'r.name_key',
  isAdministrative: 'r.is_administrative',
}

/** A person who has a role, and the names of the groups through which. */
export interface RoleHolder {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  through: string[]
}

/** The active people who have a role, by user name. */
export function peopleOfRole(reader: Reader, roleId: RoleId, listing: Listing = {}): Promise<Listed<RoleHolder>> {
  return list(reader, listing, {
    columns: sql`a.id, a.user_name as "userName", a.email, a.display_name as "displayName", array_agg(g.name order by g.name_key) as through`,
    from: sql`grants
      join groups g on g.org_id = grants.org_id and g.id = grants.group_id and g.effective
      join memberships m on m.org_id = g.org_id and m.group_id = g.id and m.effective
      join accounts a on a.org_id = m.org_id and a.id = m.account_id and a.active
      where grants.org_id = ${reader.orgId} and grants.role_id = ${roleId}
        and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}
      group by a.id, a.user_name, a.user_name_key, a.email, a.email_key, a.display_name`,
    sorts: { name: 'a.user_name_key', email: 'a.email_key' },
    usual: 'name',
    last: 'a.id',
  })
}

export interface ListedSite {
  id: SiteId
  name: string
  productCount: number
}

/** The organization's sites, by name. */
export function listSites(reader: Reader, listing: Listing): Promise<Listed<ListedSite>> {
  return list(reader, listing, {
    columns: sql`s.id, s.name, (select count(*)::integer from products p where p.org_id = s.org_id and p.site_id = s.id) as "productCount"`,
    from: sql`sites s where s.org_id = ${reader.orgId} and ${found(listing, 's.name_key')}`,
    sorts: { name: 's.name_key', products: '"productCount"' },
    usual: 'name',
    last: 's.id',
  })
}

export interface ListedProduct {
  id: ProductId
  site: string
  product: string
  seats: number | null
  roleCount: number
}

/** Narrows lists of products, roles and grants; each by its name key or id. */
export interface AccessFilter {
  siteKey?: string | undefined
  productKey?: string | undefined
  roleKey?: string | undefined
  groupId?: GroupId | undefined
  isDefault?: boolean | undefined
}

/** The products, by site and name. */
export function listProducts(reader: Reader, listing: Listing, { siteKey }: AccessFilter = {}): Promise<Listed<ListedProduct>> {
  return list(reader, listing, {
    columns: sql`p.id, s.name as site, p.name as product, p.seats,
      (select count(*)::integer from product_roles r where r.org_id = p.org_id and r.product_id = p.id) as "roleCount"`,
    from: sql`products p join sites s on s.org_id = p.org_id and s.id = p.site_id
      where p.org_id = ${reader.orgId} and ${found(listing, 's.name_key', 'p.name_key')}
        and (${siteKey ?? null}::text is null or s.name_key = ${siteKey ?? null})`,
    sorts: { site: 's.name_key', name: 'p.name_key', seats: 'p.seats', roles: '"roleCount"' },
    usual: 'site',
    last: 's.name_key, p.name_key',
  })
}

export interface ListedRole extends Role {
  groupCount: number
  peopleCount: number
}

const roleColumns = sql`r.id, s.name as site, p.name as product, r.name as role, r.is_administrative as "isAdministrative",
  (select count(*)::integer from grants join groups g on g.org_id = grants.org_id and g.id = grants.group_id and g.effective
    where grants.org_id = r.org_id and grants.role_id = r.id) as "groupCount",
  (select count(distinct a.id)::integer from grants
    join groups g on g.org_id = grants.org_id and g.id = grants.group_id and g.effective
    join memberships m on m.org_id = g.org_id and m.group_id = g.id and m.effective
    join accounts a on a.org_id = m.org_id and a.id = m.account_id and a.active
    where grants.org_id = r.org_id and grants.role_id = r.id) as "peopleCount"`

/** Roles, by site, product and name, with the groups that grant them and the active people who have them. */
export function listRoles(reader: Reader, listing: Listing, filter: AccessFilter = {}): Promise<Listed<ListedRole>> {
  return list(reader, listing, {
    columns: roleColumns,
    from: sql`${roleTables}
      where r.org_id = ${reader.orgId} and ${found(listing, 's.name_key', 'p.name_key', 'r.name_key')} and ${narrowed(filter)}`,
    sorts: roleSorts,
    usual: 'site',
    last: accessOrder,
  })
}

/** One role, likewise. @throws Refusal `not_found` */
export async function findListedRole(reader: Reader, id: RoleId): Promise<ListedRole> {
  const { rows } =
    await sql<ListedRole>`select ${roleColumns} from ${roleTables} where r.org_id = ${reader.orgId} and r.id = ${id}`.execute(
      reader,
    )
  const [role] = rows
  if (role === undefined) throw new Refusal('not_found', 'There is no such role.')
  return role
}

export interface ListedGrant extends RoleName {
  group: { id: GroupId; name: string; memberCount: number }
  roleId: RoleId
  isAdministrative: boolean
  isDefault: boolean
  since: Date
}

/** Grants, by site, product, role and group. */
export function listGrants(reader: Reader, listing: Listing, filter: AccessFilter = {}): Promise<Listed<ListedGrant>> {
  const { groupId, isDefault } = filter
  return list(reader, listing, {
    columns: grantColumns,
    from: sql`${grantTables}
      where grants.org_id = ${reader.orgId} and ${found(listing, 's.name_key', 'p.name_key', 'r.name_key', 'g.name_key')} and ${narrowed(filter)}
        and (${groupId ?? null}::uuid is null or g.id = ${groupId ?? null})
        and (${isDefault ?? null}::boolean is null or grants.is_default = ${isDefault ?? null})`,
    sorts: { ...roleSorts, group: 'g.name_key', isDefault: 'grants.is_default', since: 'grants.created_at' },
    usual: 'site',
    last: `${accessOrder}, g.name_key`,
  })
}

/** One grant. @throws Refusal `not_found` */
export async function findGrant(reader: Reader, groupId: GroupId, roleId: RoleId): Promise<ListedGrant> {
  const { rows } = await sql<ListedGrant>`
    select ${grantColumns} from ${grantTables}
    where grants.org_id = ${reader.orgId} and grants.group_id = ${groupId} and grants.role_id = ${roleId}`.execute(reader)
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such grant.', { group: groupId, role: roleId })
  return rows[0]
}

const roleTables = sql`
  product_roles r
  join products p on p.org_id = r.org_id and p.id = r.product_id
  join sites s on s.org_id = p.org_id and s.id = p.site_id`

const grantTables = sql`${roleTables}
  join grants on grants.org_id = r.org_id and grants.role_id = r.id
  join groups g on g.org_id = grants.org_id and g.id = grants.group_id and g.effective`

const grantColumns = sql`
  json_build_object('id', g.id, 'name', g.name, 'memberCount', g.member_count) as "group", r.id as "roleId",
  s.name as site, p.name as product, r.name as role, r.is_administrative as "isAdministrative",
  grants.is_default as "isDefault", grants.created_at as since`

const roleSorts = { site: 's.name_key', product: 'p.name_key', role: 'r.name_key' }

const narrowed = ({ siteKey, productKey, roleKey }: AccessFilter) => sql`
  (${siteKey ?? null}::text is null or s.name_key = ${siteKey ?? null})
  and (${productKey ?? null}::text is null or p.name_key = ${productKey ?? null})
  and (${roleKey ?? null}::text is null or r.name_key = ${roleKey ?? null})`
