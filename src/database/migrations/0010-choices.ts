import { type Kysely, sql } from 'kysely'

export const breaking = false

/** A choice a group within one run, and the name that an existing group is renamed to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table run_groups add column choice text not null default 'overwrite'
    check (choice in ('overwrite', 'merge', 'rename_existing', 'ignore'))`.execute(db)
  await sql`alter table run_groups alter column choice drop default`.execute(db)
  await sql`alter table run_groups add column new_name text`.execute(db)
}
