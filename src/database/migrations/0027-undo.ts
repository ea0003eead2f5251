import { type Kysely, sql } from 'kysely'

export const breaking = false

/** Runs that undo runs: which one, and for each group the first entry of the log that is undone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['runs', 'run_groups']) {
    await sql`alter table ${sql.table(table)} drop constraint ${sql.ref(`${table}_choice_check`)}`.execute(db)
    await sql`alter table ${sql.table(table)} add check (choice in ('overwrite', 'merge', 'rename_existing', 'ignore', 'drop_kept', 'restore'))`.execute(
      db,
    )
  }
  await sql`alter table runs drop constraint runs_kind_check`.execute(db)
  await sql`alter table runs add check (kind in ('sync', 'drop_kept', 'restore'))`.execute(db)
  await sql`alter table runs add column undoes uuid`.execute(db)
  await sql`create index runs_that_undo on runs (org_id, undoes) where undoes is not null`.execute(db)
  await sql`alter table run_groups add column cut bigint`.execute(db)
}
