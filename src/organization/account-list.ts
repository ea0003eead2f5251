import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId } from '../database/ids.ts'
import { type Account, accountColumns } from './accounts.ts'
import { found, type Listed, type Listing, list } from './listing.ts'

export interface ListedAccount extends Account {
  groupCount: number
}

export interface AccountFilter {
  active?: boolean | undefined
  /** People whom this directory owns; null: whom none owns. */
  ownedBy?: DirectoryId | null | undefined
}

const sortColumns = {
  name: 'a.user_name_key',
  email: 'a.email_key',
  displayName: 'lower(a.display_name)',
  active: 'a.active',
  groups: '"groupCount"',
  createdAt: 'a.created_at',
  updatedAt: 'a.updated_at',
}

/** Lists people by user name, searched in user name, e-mail and display name. */
export function listAccounts(reader: Reader, listing: Listing, filter: AccountFilter = {}): Promise<Listed<ListedAccount>> {
  return list(reader, listing, {
    columns: sql`${accountColumns},
      (select count(*)::integer from memberships m where m.org_id = a.org_id and m.account_id = a.id and m.effective) as "groupCount"`,
    from: sql`accounts a left join directories d on d.org_id = a.org_id and d.id = a.owned_by
      where a.org_id = ${reader.orgId} and a.observed_by is null and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}
        and (${filter.active ?? null}::boolean is null or a.active = ${filter.active ?? null}::boolean)
        and (not ${filter.ownedBy !== undefined}::boolean or a.owned_by is not distinct from ${filter.ownedBy ?? null}::uuid)`,
    sorts: sortColumns,
    usual: 'name',
    last: 'a.id',
  })
}
