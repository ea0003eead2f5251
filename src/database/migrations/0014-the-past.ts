import { type Kysely, sql } from 'kysely'

export const breaking = false

/** What finds the entries of the log that are about a person, and those that are no change of members. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(past).execute(db)
}

// The partial indexes are none that a push of members writes.
// log_people: not by an index on the arrays, which could not be used under row-level security; and not by the push itself
// (docs/decisions/0038). A row has all entries of a person among those that were read at once; last is the highest of their ids.
// log_people_read: up to `done` the log is read; `awaited` comes next, as soon as every transaction before awaited_xid has ended.
const past = `
create index log_entries_of_facts on log_entries (org_id, subject, id)
  where action not like 'members.%';
create index log_entries_of_grants on log_entries (org_id, id) where action like 'grant.%' or facts ? 'grants';

create table log_people (
  org_id uuid not null,
  account_id uuid not null,
  last bigint not null,
  entries bigint[] not null,
  primary key (org_id, account_id, last)
);
create table log_people_read (
  org_id uuid not null references organizations,
  done bigint not null default 0,
  awaited bigint not null default 0,
  awaited_xid xid8 not null default '0',
  primary key (org_id)
);
${['log_people', 'log_people_read']
  .map(
    (table) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);`,
  )
  .join('')}
`
