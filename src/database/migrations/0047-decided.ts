import { type Kysely, sql } from 'kysely'

// A node of before would take such a run for one that syncs.
export const breaking = true

/** What waits is allowed or rejected by runs of their own. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['runs', 'run_groups']) {
    await sql`alter table ${sql.table(table)} drop constraint ${sql.ref(`${table}_choice_check`)}`.execute(db)
    await sql`alter table ${sql.table(table)} add check (choice in (
      'overwrite', 'merge', 'rename_existing', 'ignore', 'drop_kept', 'restore', 'allow', 'reject'))`.execute(db)
  }
  await sql`alter table runs drop constraint runs_kind_check`.execute(db)
  await sql`alter table runs add check (kind in ('sync', 'drop_kept', 'restore', 'go_live', 'take_over', 'held'))`.execute(db)
}
