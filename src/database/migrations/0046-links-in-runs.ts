import { type Kysely, sql } from 'kysely'

export const breaking = false

/** In a run a pushed group may be linked to another group first. Those of a run are looked up for each of its groups. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table run_groups add column link_to uuid`.execute(db)
  await sql`create index run_groups_linked on run_groups (org_id, run_id) where link_to is not null`.execute(db)
}
