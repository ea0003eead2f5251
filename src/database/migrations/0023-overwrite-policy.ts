import { type Kysely, sql } from 'kysely'

export const breaking = false

/** A directory may have its conflicts overwritten by themselves: of groups that were pushed since that was set. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table directories drop constraint directories_conflict_policy_check`.execute(db)
  await sql`alter table directories add check (conflict_policy in ('review', 'overwrite', 'refuse'))`.execute(db)
  await sql`alter table directories add column conflict_policy_since timestamptz not null default now()`.execute(db)
  await sql`create index runs_under_way on runs (org_id, id) where finished_at is null`.execute(db)
}
