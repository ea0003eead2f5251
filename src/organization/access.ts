import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type GroupId, isId, newId, type ProductId, type RoleId, type SiteId } from '../database/ids.ts'
import { appendLog, appendLogs, type LogEntry } from './log.ts'
import { nameKey } from './name-key.ts'
import { checkedName } from './name-rules.ts'
import { lockGroupFor } from './permission.ts'
import { Refusal } from './refusal.ts'

/** What one may do in a product of a site. */
export interface RoleName {
  site: string
  product: string
  role: string
}

/** One text for one role, whatever its writing: what a grant is compared by. */
export const roleKey = ({ site, product, role }: RoleName): string =>
  JSON.stringify([nameKey(site), nameKey(product), nameKey(role)])

/** `site/product/role`, as people write it. */
export const roleText = ({ site, product, role }: RoleName): string => `${site}/${product}/${role}`

/**
 * Sees to it that these roles exist, with their products and sites; names are checked. A role of the name `admin` is administrative.
 * One set of statements, whatever their number.
 * @returns the ids by `roleKey`
 */
export async function ensureRoles(trx: Trx, given: readonly RoleName[]): Promise<Map<string, RoleId>> {
  const roles = [...new Map(given.map((role) => [roleKey(role), role])).values()]
  const names = sql`(
    select site, product, role, site_key, product_key, role_key, row_number() over () as nth
    from unnest(
      ${roles.map((role) => role.site)}::text[], ${roles.map((role) => role.product)}::text[], ${roles.map((role) => role.role)}::text[],
      ${roles.map((role) => nameKey(role.site))}::text[], ${roles.map((role) => nameKey(role.product))}::text[],
      ${roles.map((role) => nameKey(role.role))}::text[]
    ) as given(site, product, role, site_key, product_key, role_key))`
  // More ids than rows may be needed for: PostgreSQL 16 makes no UUIDv7, and what exists already keeps its own.
  const ids = () => roles.map(() => newId<SiteId & ProductId & RoleId>())
  // Look-ups stay look-ups (offset 0): a planner that has not seen the rows yet joins whole tables, 575 roles took 0.9 s.
  const sites = await sql<Made>`
    insert into sites (org_id, id, name, name_key)
    select distinct on (site_key) ${trx.orgId}::uuid, (${ids()}::uuid[])[nth], site, site_key from ${names} given order by site_key, nth
    on conflict (org_id, name_key) do nothing
    returning 'site.created' as action, id as subject, json_build_object('name', name) as after`.execute(trx)
  const products = await sql<Made>`
    insert into products (org_id, id, site_id, name, name_key)
    select distinct on (s.id, product_key) ${trx.orgId}::uuid, (${ids()}::uuid[])[nth], s.id, product, product_key
    from ${names} given
    cross join lateral (select id from sites where org_id = ${trx.orgId} and name_key = given.site_key offset 0) s
    order by s.id, product_key, nth
    on conflict (org_id, site_id, name_key) do nothing
    returning 'product.created' as action, id as subject, json_build_object('siteId', site_id, 'name', name) as after`.execute(
    trx,
  )
  const made = await sql<Made>`
    insert into product_roles (org_id, id, product_id, name, name_key, is_administrative)
    select ${trx.orgId}::uuid, (${ids()}::uuid[])[nth], p.id, role, role_key, role_key = 'admin'
    from ${names} given
    cross join lateral (select id from sites where org_id = ${trx.orgId} and name_key = given.site_key offset 0) s
    cross join lateral (select id from products where org_id = ${trx.orgId} and site_id = s.id and name_key = given.product_key offset 0) p
    on conflict (org_id, product_id, name_key) do nothing
    returning 'role.created' as action, id as subject,
      json_build_object('productId', product_id, 'name', name, 'isAdministrative', is_administrative) as after`.execute(trx)
  const entries = [...sites.rows, ...products.rows, ...made.rows]
  await appendLogs(
    trx,
    entries.map(({ action, subject, after }) => ({ action, subject, facts: { after } })),
  )
  return roleIdsByKey(trx, roles)
}

type Made = { action: LogEntry['action']; subject: string; after: object }

/** The ids of roles by `roleKey`; a role that does not exist is not in the answer. */
export async function roleIdsByKey(reader: Reader, roles: readonly RoleName[]): Promise<Map<string, RoleId>> {
  const { rows } = await sql<{ id: RoleId; site: string; product: string; role: string }>`
    select r.id, site, product, role
    from unnest(
      ${roles.map((role) => nameKey(role.site))}::text[], ${roles.map((role) => nameKey(role.product))}::text[],
      ${roles.map((role) => nameKey(role.role))}::text[]
    ) as given(site, product, role)
    cross join lateral (select id from sites where org_id = ${reader.orgId} and name_key = given.site offset 0) s
    cross join lateral (select id from products where org_id = ${reader.orgId} and site_id = s.id and name_key = given.product offset 0) p
    cross join lateral (select id from product_roles where org_id = ${reader.orgId} and product_id = p.id and name_key = given.role offset 0) r`.execute(
    reader,
  )
  return new Map(rows.map((row) => [roleKey(row), row.id]))
}

/**
 * The role of these names, made with its product and site where it does not exist yet.
 * @throws Refusal `invalid_value`
 */
export async function ensureRole(trx: Trx, name: RoleName): Promise<RoleId> {
  const role = {
    site: checkedName('site', name.site),
    product: checkedName('product', name.product),
    role: checkedName('role', name.role),
  }
  const id = (await ensureRoles(trx, [role])).get(roleKey(role))
  if (id === undefined) throw new Error('A role that was just made is not found.')
  return id
}

/**
 * Reads `site/product/role`, or an id, as it stands in a URL or on a command line. A product's name may hold slashes.
 * @throws Refusal `invalid_value`
 */
export function parseRole(text: string): RoleName | RoleId {
  if (isId(text)) return text as RoleId
  const parts = /^([^/]+)\/(.+)\/([^/]+)$/.exec(text)
  if (!parts) throw new Refusal('invalid_value', `"${text}" is no role. Write site/product/role.`, { role: text })
  const [, site = '', product = '', role = ''] = parts
  return { site, product, role }
}

export interface Role extends RoleName {
  id: RoleId
  isAdministrative: boolean
}

/**
 * Finds a role by its id or by its names.
 * @throws Refusal `not_found`
 */
export async function findRole(reader: Reader, asked: RoleName | RoleId): Promise<Role> {
  const id =
    typeof asked === 'string' ? (isId(asked) ? asked : null) : ((await roleIdsByKey(reader, [asked])).get(roleKey(asked)) ?? null)
  const { rows } = await sql<Role>`
    select r.id, s.name as site, p.name as product, r.name as role, r.is_administrative as "isAdministrative"
    from product_roles r
    join products p on p.org_id = r.org_id and p.id = r.product_id
    join sites s on s.org_id = p.org_id and s.id = p.site_id
    where r.org_id = ${reader.orgId} and r.id = ${id}::uuid`.execute(reader)
  if (rows[0] !== undefined) return rows[0]
  throw new Refusal('not_found', `There is no role ${typeof asked === 'string' ? 'of this id' : roleText(asked)}.`, {
    role: typeof asked === 'string' ? asked : roleText(asked),
  })
}

/** A grant: the group's members may do what the role says; `isDefault`: new users of the product are put into the group. */
export interface Grant {
  groupId: GroupId
  roleId: RoleId
  isDefault: boolean
}

/**
 * Grants a role to a group. A grant that exists stays; where it is to be default access, it becomes that.
 * @returns the group
 * @throws Refusal `not_found`, `paired_with_directory`
 */
export async function addGrant(trx: Trx, grant: Grant): Promise<{ name: string }> {
  const group = await lockGroupFor(trx, grant.groupId, grant.isDefault ? ['grant', 'make_default'] : ['grant'])
  await findRole(trx, grant.roleId)
  await addGrants(trx, [grant])
  return group
}

/** What a set of grants changed: new ones, and those that became default access. */
export interface GrantChange {
  added: Grant[]
  madeDefault: Grant[]
}

/**
 * Adds grants set-wise, each given once, to groups that the caller has locked and judged. None is taken away, none stops being default access.
 */
export async function addGrants(trx: Trx, grants: readonly Grant[]): Promise<GrantChange> {
  const table = sql`unnest(
    ${grants.map((grant) => grant.groupId)}::uuid[], ${grants.map((grant) => grant.roleId)}::uuid[], ${grants.map((grant) => grant.isDefault)}::boolean[]
  ) as given(group_id, role_id, is_default)`
  const madeDefault = await sql<Grant>`
    update grants set is_default = true from ${table}
    where grants.org_id = ${trx.orgId} and grants.group_id = given.group_id and grants.role_id = given.role_id
      and given.is_default and not grants.is_default
    returning grants.group_id as "groupId", grants.role_id as "roleId", true as "isDefault"`.execute(trx)
  const added = await sql<Grant>`
    insert into grants (org_id, group_id, role_id, is_default)
    select ${trx.orgId}::uuid, given.* from ${table} order by group_id, role_id
    on conflict (org_id, group_id, role_id) do nothing
    returning group_id as "groupId", role_id as "roleId", is_default as "isDefault"`.execute(trx)
  await appendLogs(trx, [
    ...added.rows.map(({ groupId, roleId, isDefault }) => ({
      action: 'grant.added' as const,
      subject: groupId,
      facts: { roleId, after: { isDefault } },
    })),
    ...madeDefault.rows.map(({ groupId, roleId }) => ({
      action: 'grant.made_default' as const,
      subject: groupId,
      facts: { roleId, before: { isDefault: false }, after: { isDefault: true } },
    })),
  ])
  return { added: added.rows, madeDefault: madeDefault.rows }
}

/**
 * Takes a grant away.
 * @returns the group
 * @throws Refusal `not_found`
 */
export async function removeGrant(trx: Trx, groupId: GroupId, roleId: RoleId): Promise<{ name: string }> {
  const group = await lockGroupFor(trx, groupId, ['grant'])
  const removed = await trx
    .deleteFrom('grants')
    .where('org_id', '=', trx.orgId)
    .where('group_id', '=', groupId)
    .where('role_id', '=', roleId)
    .returning('is_default')
    .executeTakeFirst()
  if (removed === undefined) throw noGrant(group.name)
  await appendLog(trx, {
    action: 'grant.removed',
    subject: groupId,
    facts: { name: group.name, roleId, before: { isDefault: removed.is_default } },
  })
  return group
}

/**
 * Makes a group's grant default access, or stops that. What is so already writes nothing. A product may have several
 * default access groups, and none.
 * @returns the group
 * @throws Refusal `not_found`, `paired_with_directory`
 */
export async function setDefault(trx: Trx, groupId: GroupId, roleId: RoleId, isDefault: boolean): Promise<{ name: string }> {
  const group = await lockGroupFor(trx, groupId, ['grant'])
  const grant = await trx
    .selectFrom('grants')
    .select('is_default')
    .where('org_id', '=', trx.orgId)
    .where('group_id', '=', groupId)
    .where('role_id', '=', roleId)
    .executeTakeFirst()
  if (grant === undefined) throw noGrant(group.name)
  if (grant.is_default === isDefault) return group
  if (isDefault) await lockGroupFor(trx, groupId, ['make_default'])
  await trx
    .updateTable('grants')
    .set({ is_default: isDefault })
    .where('org_id', '=', trx.orgId)
    .where('group_id', '=', groupId)
    .where('role_id', '=', roleId)
    .execute()
  await appendLog(trx, {
    action: isDefault ? 'grant.made_default' : 'grant.stopped_default',
    subject: groupId,
    facts: { name: group.name, roleId, before: { isDefault: !isDefault }, after: { isDefault } },
  })
  return group
}

const noGrant = (group: string) => new Refusal('not_found', `"${group}" has no such grant.`, { group })
