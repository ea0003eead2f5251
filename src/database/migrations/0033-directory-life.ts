import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * A directory may be observed before it goes live, and be paused. An account that only an observing directory has is not in force: its keys
 * begin with the directory's id, so that nobody else is found to be it and its name stays free (docs/decisions/0046).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table directories add column observing boolean not null default false, add column paused_at timestamptz`.execute(
    db,
  )
  await sql`alter table accounts add column observed_by uuid,
    add foreign key (org_id, observed_by) references directories (org_id, id)`.execute(db)
  await sql`create index accounts_observed on accounts (org_id, observed_by) where observed_by is not null`.execute(db)
  // Who may be the same: by the name before the @, by the name shown (provisioning/matching-report.ts).
  await sql`create index accounts_by_local_part on accounts (org_id, split_part(coalesce(email_key, user_name_key), '@', 1))`.execute(
    db,
  )
  await sql`create index accounts_by_display_name on accounts (org_id, lower(display_name)) where display_name is not null`.execute(
    db,
  )
  await sql`alter table provisioned_users drop constraint provisioned_users_state_check`.execute(db)
  await sql`alter table provisioned_users add check (state in ('ready', 'synced', 'needs_review', 'blocked', 'held', 'ignored'))`.execute(
    db,
  )
  await sql`alter table runs drop constraint runs_kind_check`.execute(db)
  await sql`alter table runs add check (kind in ('sync', 'drop_kept', 'restore', 'go_live', 'take_over'))`.execute(db)
}
