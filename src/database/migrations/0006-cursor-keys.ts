import { type Kysely, sql } from 'kysely'

export const breaking = false

/** What a directory's cursors are sealed with, so that every node opens them (decision 0025). Two random UUIDs, from PostgreSQL's own source. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table directories add column cursor_key bytea not null
    default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())`.execute(db)
}
