import { type Kysely, sql } from 'kysely'

export const breaking = false

/** An organization may ask for a second person where a run takes access from many (docs/decisions/0039). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table organizations
    add column approval_over integer check (approval_over >= 0),
    add column approval_hours integer not null default 72 check (approval_hours between 1 and 720)`.execute(db)
  await sql`alter table runs drop constraint runs_state_check`.execute(db)
  await sql`alter table runs add check (state in (
    'awaiting_approval', 'queued', 'running', 'finished', 'stopped', 'rejected', 'withdrawn', 'expired'))`.execute(db)
  await sql`alter table runs add column approval_expires_at timestamptz, add column decided_by text, add column decided_at timestamptz,
    add column decision_comment text`.execute(db)
}
