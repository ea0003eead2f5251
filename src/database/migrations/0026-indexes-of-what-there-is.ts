import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * An index over what may be missing holds what there is: it is smaller, and no plan can take it for a look-up by id, which on a nearly empty
 * table looks as good by any index that begins with the organization.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const { name, on, columns, column } of indexes) {
    await sql`drop index ${sql.ref(name)}`.execute(db)
    await sql`create index ${sql.ref(name)} on ${sql.table(on)} (${sql.raw(columns)}) where ${sql.ref(column)} is not null`.execute(
      db,
    )
  }
}

const indexes = [
  { name: 'accounts_by_email', on: 'accounts', columns: 'org_id, email_key', column: 'email_key' },
  { name: 'accounts_by_owner', on: 'accounts', columns: 'org_id, owned_by', column: 'owned_by' },
  { name: 'groups_by_manager', on: 'groups', columns: 'org_id, managed_by', column: 'managed_by' },
]
