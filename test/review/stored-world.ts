import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import {
  type AccountId,
  type DirectoryId,
  type GroupId,
  newId,
  type ProductId,
  type ProvisionedGroupId,
  type RoleId,
  type SiteId,
} from '../../src/database/ids.ts'
import { nameKey } from '../../src/organization/name-key.ts'
import type { ReferenceWorld } from '../support/reference.ts'

/** The ids that a stored model got, and the way back from pairs of ids to `person|site/product/role`. */
export interface StoredWorld {
  directoryId: DirectoryId
  account: Map<string, AccountId>
  /** `site/product/role`. */
  role: Map<string, RoleId>
  group: Map<string, GroupId>
  pushed: Map<string, ProvisionedGroupId>
  nameOf(id: ProvisionedGroupId): string
  /** `account:role` as `person|site/product/role`. */
  pair(ids: string): string
}

/** Writes a model's rows as they stand after its pushes, in the shape of the tables: two truths a membership, counts with the groups. */
export async function storeWorld(trx: Trx, world: ReferenceWorld, directoryId: DirectoryId): Promise<StoredWorld> {
  const org = trx.orgId
  const account = new Map([...world.people.keys()].map((person) => [person, newId<AccountId>()]))
  const names = world.groups.map(({ name }) => name)
  const group = new Map(names.map((name) => [name, newId<GroupId>()]))
  const isReviewed = world.groups.map(({ pushed }) => pushed !== undefined)
  const pushed = new Map(names.filter((_, index) => isReviewed[index]).map((name) => [name, newId<ProvisionedGroupId>()]))
  const role = await storeRoles(trx, [...new Set(world.groups.flatMap(({ grants }) => grants))])
  const people = [...world.people]
  await sql`
    insert into accounts (org_id, id, user_name, user_name_key, email, email_key, active)
    select ${org}::uuid, id, user_name, lower(user_name), user_name || '@example.org', lower(user_name) || '@example.org', active
    from unnest(${[...account.values()]}::uuid[], ${people.map(([person]) => person)}::text[], ${people.map(([, { active }]) => active)}::boolean[]) as given(id, user_name, active)`.execute(
    trx,
  )
  await sql`
    insert into groups (org_id, id, name, name_key, effective, member_count, add_count, remove_count)
    select ${org}::uuid, * from unnest(${[...group.values()]}::uuid[], ${names}::text[], ${names.map(nameKey)}::text[], ${world.groups.map(({ isApart }) => !isApart)}::boolean[],
      ${world.groups.map(({ effective }) => effective.size)}::integer[],
      ${world.groups.map(({ effective, pushed: now = effective }) => now.difference(effective).size)}::integer[],
      ${world.groups.map(({ effective, pushed: now = effective }) => effective.difference(now).size)}::integer[])`.execute(trx)
  const rows = world.groups.flatMap(({ name, effective, pushed: now = effective }) =>
    [...effective.union(now)].map((person) => ({
      group: group.get(name),
      account: account.get(person),
      pushed: now.has(person),
      effective: effective.has(person),
    })),
  )
  await sql`
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${org}::uuid, * from unnest(${rows.map((row) => row.group)}::uuid[], ${rows.map((row) => row.account)}::uuid[],
      ${rows.map((row) => row.pushed)}::boolean[], ${rows.map((row) => row.effective)}::boolean[])`.execute(trx)
  const grants = world.groups.flatMap(({ name, grants: given, isDefault = false }) =>
    [...new Set(given)].map((access) => ({ group: group.get(name), role: role.get(access), isDefault })),
  )
  await sql`
    insert into grants (org_id, group_id, role_id, is_default)
    select ${org}::uuid, * from unnest(${grants.map((grant) => grant.group)}::uuid[], ${grants.map((grant) => grant.role)}::uuid[], ${grants.map((grant) => grant.isDefault)}::boolean[])`.execute(
    trx,
  )
  const pairs = world.groups.filter((_, index) => isReviewed[index])
  await sql`
    insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state, reasons, members_written_at)
    select ${org}::uuid, id, ${directoryId}::uuid, name, name_key, group_id, case when blocked then 'blocked' else 'needs_review' end,
      array[case when blocked then 'default_access_group' else 'name_taken' end], now()
    from unnest(${[...pushed.values()]}::uuid[], ${pairs.map(({ name }) => name)}::text[], ${pairs.map(({ name }) => nameKey(name))}::text[],
      ${pairs.map(({ name }) => group.get(name))}::uuid[], ${pairs.map(({ isDefault = false }) => isDefault)}::boolean[]) as given(id, name, name_key, group_id, blocked)`.execute(
    trx,
  )
  return { directoryId, account, role, group, pushed, ...waysBack(account, role, pushed) }
}

function waysBack(
  account: StoredWorld['account'],
  role: StoredWorld['role'],
  pushed: StoredWorld['pushed'],
): Pick<StoredWorld, 'nameOf' | 'pair'> {
  const invert = <K, V>(map: Map<K, V>) => new Map([...map].map(([key, value]) => [value as string, key]))
  const [people, roles, groups] = [invert(account), invert(role), invert(pushed)]
  return {
    nameOf: (id) => groups.get(id) ?? id,
    pair: (ids) => {
      const [person = '', access = ''] = ids.split(':')
      return `${people.get(person)}|${roles.get(access)}`
    },
  }
}

async function storeRoles(trx: Trx, accesses: string[]): Promise<Map<string, RoleId>> {
  const split = accesses.map((access) => access.split('/') as [site: string, product: string, role: string])
  const site = new Map(split.map(([name]) => [name, newId<SiteId>()]))
  const product = new Map(split.map(([siteName, name]) => [`${siteName}/${name}`, newId<ProductId>()]))
  const role = new Map(accesses.map((access) => [access, newId<RoleId>()]))
  const products = [...product.keys()].map((key) => key.split('/') as [string, string])
  await sql`insert into sites (org_id, id, name, name_key) select ${trx.orgId}::uuid, id, name, name
    from unnest(${[...site.values()]}::uuid[], ${[...site.keys()]}::text[]) as given(id, name)`.execute(trx)
  await sql`insert into products (org_id, id, site_id, name, name_key) select ${trx.orgId}::uuid, id, site, name, name
    from unnest(${[...product.values()]}::uuid[], ${products.map(([name]) => site.get(name))}::uuid[], ${products.map(([, name]) => name)}::text[]) as given(id, site, name)`.execute(
    trx,
  )
  await sql`insert into product_roles (org_id, id, product_id, name, name_key, is_administrative) select ${trx.orgId}::uuid, id, product, name, lower(name), lower(name) = 'admin'
    from unnest(${[...role.values()]}::uuid[], ${split.map(([siteName, name]) => product.get(`${siteName}/${name}`))}::uuid[], ${split.map(([, , name]) => name)}::text[]) as given(id, product, name)`.execute(
    trx,
  )
  return role
}
