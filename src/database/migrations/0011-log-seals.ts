import { type Kysely, sql } from 'kysely'

// Nodes of the last release go on adding entries.
export const breaking = false

/** The log is sealed in blocks, and can be read and added to only (docs/decisions/0035). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(ids).execute(db)
  await sql.raw(seals).execute(db)
  await sql.raw(appendOnly).execute(db)
}

// Who takes an id has a transaction id before: so there is a moment from which on no entry can come to have an id that is lower than
// some number, and what is up to there can be sealed (organization/seal-log.ts). An identity column takes its id first.
const ids = `
lock table log_entries in access exclusive mode;
create sequence log_entry_ids;
do $$ begin
  perform setval('log_entry_ids', coalesce(pg_sequence_last_value(pg_get_serial_sequence('log_entries', 'id')::regclass), 0) + 1, false);
end $$;
alter table log_entries alter column id drop identity;
alter table log_entries alter column id set default (case when pg_current_xact_id() is not null then nextval('log_entry_ids') end);
alter sequence log_entry_ids owned by log_entries.id;
`

// A block has the entries of an organization after the block before it, up to the id last. entry_hashes: the SHA-256 of each, one after
// the other; hash is over them and what the row says of them; total: how many entries are sealed up to here.
const seals = `
create table log_seals (
  org_id uuid not null references organizations,
  number bigint not null,
  first bigint not null,
  last bigint not null,
  count integer not null check (count > 0),
  total bigint not null,
  previous_hash bytea not null,
  hash bytea not null,
  entry_hashes bytea not null,
  sealed_at timestamptz not null,
  primary key (org_id, number)
);
create unique index log_seals_by_last on log_seals (org_id, last);
create index log_seals_by_time on log_seals (org_id, sealed_at);
-- hashes are not made smaller by compression
alter table log_seals alter column entry_hashes set storage external;
alter table log_seals enable row level security;
alter table log_seals force row level security;
create policy organization on log_seals using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
`

// Taken from the role itself, which owns the tables; the triggers say so to roles for which privileges are not asked, too.
const appendOnly = `
create function refuse_to_change_the_log() returns trigger language plpgsql as $$
begin
  raise exception 'The log can be read and added to, not changed.' using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete or truncate on log_entries execute function refuse_to_change_the_log();
create trigger append_only before update or delete or truncate on log_seals execute function refuse_to_change_the_log();
revoke update, delete, truncate on log_entries, log_seals from current_user;
`
