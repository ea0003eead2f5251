import { type Kysely, sql } from 'kysely'

export const breaking = false

/** A run over what another run failed to do, or skipped. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table runs add column retry_of uuid`.execute(db)
  await sql`alter table runs add foreign key (org_id, retry_of) references runs`.execute(db)
  await sql`create index runs_by_retried on runs (org_id, retry_of) where retry_of is not null`.execute(db)
}
