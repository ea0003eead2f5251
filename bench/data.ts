import { sql } from 'kysely'
import type { Trx } from '../src/database/connection.ts'
import type { DirectoryId } from '../src/database/ids.ts'

export interface Size {
  groups: number
  membersPerGroup: number
  accounts: number
}

/**
 * An organization in which every group was pushed, needs review and has two differences: one member to add and one to remove.
 * With 100 members a group that is 2 % of the memberships. 200 products of four roles, a grant a group. All of it set-wise.
 */
export async function buildReviews(
  trx: Trx,
  directoryId: DirectoryId,
  { groups, membersPerGroup, accounts }: Size,
): Promise<void> {
  const org = sql`${trx.orgId}::uuid`
  // The same ids in two organizations would do, since org_id leads every key; md5 makes them without a table of numbers.
  const id = (kind: string, number: string) => sql.raw(`md5('${kind}' || (${number}))::uuid`)
  const numbers = (count: number) => sql`generate_series(0, ${count - 1}::integer) n`
  await sql`set local statement_timeout = 0`.execute(trx)
  await sql`insert into accounts (org_id, id, user_name, user_name_key) select ${org}, ${id('account', 'n')}, 'person ' || n, 'person ' || n from ${numbers(accounts)}`.execute(
    trx,
  )
  await sql`
    insert into groups (org_id, id, name, name_key, member_count, add_count, remove_count)
    select ${org}, ${id('group', 'n')}, 'group ' || n, 'group ' || n, ${membersPerGroup - 1}::integer, 1, 1 from ${numbers(groups)}`.execute(
    trx,
  )
  await sql`insert into sites (org_id, id, name, name_key) select ${org}, ${id('site', 'n')}, 'site ' || n, 'site ' || n from ${numbers(5)}`.execute(
    trx,
  )
  await sql`insert into products (org_id, id, site_id, name, name_key) select ${org}, ${id('product', 'n')}, ${id('site', 'n % 5')}, 'product ' || n, 'product ' || n from ${numbers(200)}`.execute(
    trx,
  )
  await sql`
    insert into product_roles (org_id, id, product_id, name, name_key, is_administrative)
    select ${org}, ${id('role', 'n')}, ${id('product', 'n / 4')}, 'role ' || n % 4, 'role ' || n % 4, n % 4 = 0 from ${numbers(800)}`.execute(
    trx,
  )
  await sql`insert into grants (org_id, group_id, role_id) select ${org}, ${id('group', 'n')}, ${id('role', 'n * 7 % 800')} from ${numbers(groups)}`.execute(
    trx,
  )
  await sql`
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${org}, ${id('group', 'n')}, ${id('account', `(n * 37 + k * 491) % ${accounts}`)}, k <> 0, k <> 1
    from ${numbers(groups)}, generate_series(0, ${membersPerGroup - 1}::integer) k`.execute(trx)
  await sql`
    insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state, reasons)
    select ${org}, ${id('pushed', 'n')}, ${directoryId}::uuid, 'group ' || n, 'group ' || n, ${id('group', 'n')}, 'needs_review', '{name_taken}' from ${numbers(groups)}`.execute(
    trx,
  )
}
