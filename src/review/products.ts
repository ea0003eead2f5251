import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { Refusal } from '../organization/refusal.ts'
import { type Asking, isAtLeast } from '../organization/roles.ts'

/** A pushed group that is decided about; `to`: the group that it is linked to by it. */
export interface Decided {
  id: ProvisionedGroupId
  to?: GroupId | undefined
}

const namedAtMost = 10

/**
 * A reviewer decides about groups that give access to their products and to nothing else; who may more, about all.
 * @throws Refusal `not_permitted`, naming up to ten of the others
 */
export async function refuseOutsideProducts(reader: Reader, by: Asking | undefined, groups: readonly Decided[]): Promise<void> {
  if (by === undefined || isAtLeast(by.role, 'admin')) return
  const { rows } = await sql<{ name: string; count: number }>`
    with given as materialized (
      select p.name, p.name_key, p.group_id, coalesce(asked.linked_to, p.group_id) as with_id
      from unnest(${groups.map(({ id }) => id)}::uuid[], ${groups.map(({ to }) => to ?? null)}::uuid[]) as asked(id, linked_to)
      cross join lateral (
        select name, name_key, group_id from provisioned_groups where org_id = ${reader.orgId} and id = asked.id offset 0
      ) p
    )
    select name, (count(*) over ())::integer as count from given
    where not exists (select from grants where org_id = ${reader.orgId} and group_id = given.with_id offset 0)
      or exists (
        select from unnest(array[given.group_id, given.with_id]) as of_group(id)
        cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = of_group.id offset 0) g
        cross join lateral (select product_id from product_roles where org_id = ${reader.orgId} and id = g.role_id offset 0) r
        where r.product_id <> all(${[...by.products]}::uuid[]))
    order by name_key limit ${namedAtMost}`.execute(reader)
  const [first] = rows
  if (first === undefined) return
  const names = rows.map(({ name }) => name)
  throw new Refusal(
    'not_permitted',
    `You decide about groups that give access to your products and to nothing else. ${first.count} of these are others: ${names.join(', ')}${first.count > names.length ? ' and more' : ''}. Leave them out, or ask an admin.`,
    { groups: names, count: first.count },
  )
}
