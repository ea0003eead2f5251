import { type Kysely, sql } from 'kysely'

export const breaking = false

/** A directory's history: all but the changes of members, so that no push of members writes it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index log_entries_by_directory on log_entries (org_id, directory_id, id)
    where directory_id is not null and action not like 'members.%'`.execute(db)
}
