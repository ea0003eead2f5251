import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * By what people may be the same: the name before the @, and the name that is shown (provisioning/matching-report.ts). Columns, because an
 * expression is no key of a look-up under row-level security: its function might tell of rows that are another organization's.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index accounts_by_local_part, accounts_by_display_name`.execute(db)
  await sql`alter table accounts
    add column local_key text not null generated always as (split_part(coalesce(email_key, user_name_key), '@', 1)) stored,
    add column shown_key text generated always as (lower(display_name)) stored`.execute(db)
  await sql`create index accounts_by_local_part on accounts (org_id, local_key)`.execute(db)
  await sql`create index accounts_by_shown_name on accounts (org_id, shown_key) where shown_key is not null`.execute(db)
}
