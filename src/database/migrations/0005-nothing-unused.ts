import { type Kysely, sql } from 'kysely'

// A node of before writes the column that goes.
export const breaking = true

/** Groups have no attribute without a column of its own; a key is kept with its answer, or not at all. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table provisioned_groups drop column attributes`.execute(db)
  await sql`alter table idempotency_keys alter column status set not null, alter column answer set not null`.execute(db)
}
