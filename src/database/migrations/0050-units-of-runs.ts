import { type Kysely, sql } from 'kysely'

// A node of before asks for the column by its old name.
export const breaking = true

/** What a run does one of is no pushed group in every kind of run: also a group that is put back, or what waits of a person. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table run_groups rename column provisioned_group_id to unit_id`.execute(db)
}
