import { type Kysely, sql } from 'kysely'

export const breaking = false

/** Members whom a merge kept are dropped by runs of their own, of some people or all. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table runs drop constraint runs_kind_check`.execute(db)
  await sql`alter table runs add check (kind in ('sync', 'drop_kept'))`.execute(db)
  await sql`alter table runs add check (choice in ('overwrite', 'merge', 'rename_existing', 'ignore', 'drop_kept'))`.execute(db)
  await sql`alter table run_groups drop constraint run_groups_choice_check`.execute(db)
  await sql`alter table run_groups add check (choice in ('overwrite', 'merge', 'rename_existing', 'ignore', 'drop_kept'))`.execute(
    db,
  )
  await sql`alter table run_groups add column people uuid[]`.execute(db)
  await sql`create index memberships_kept on memberships (org_id, group_id, account_id) where waiting = 'kept'`.execute(db)
}
