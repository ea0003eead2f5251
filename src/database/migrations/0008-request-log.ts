import { type Kysely, sql } from 'kysely'

// A node of before asks for directories.last_error.
export const breaking = true

/** The request log: a line for each SCIM request, and whom or what it is found by. The last line that failed is a directory's last error. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(requestLog).execute(db)
}

// Written in batches, off the requests' way, with the least that can be: each push pays for its line. The one index is for lists by time;
// a single line is found in it too, because its id, a UUIDv7, says when about it came. No foreign keys: a check for each line would lock
// its directory.
// subjects: what a line is found by, beside what the log's entries of it are about. Without an index: one could not be used under row-level
// security, and a table of them cost as much as the lines.
const requestLog = `
create table scim_requests (
  org_id uuid not null,
  directory_id uuid not null,
  at timestamptz not null,
  id uuid not null,
  token_id uuid not null,
  method text not null,
  path text not null,
  status smallint not null,
  duration_ms integer not null,
  times integer not null,
  user_agent text,
  asked text,
  found_count integer,
  error text,
  subjects uuid[] not null,
  primary key (org_id, directory_id, at, id)
);
create index scim_requests_that_failed on scim_requests (org_id, directory_id, at, id) where status >= 400;

alter table scim_requests enable row level security;
alter table scim_requests force row level security;
create policy organization on scim_requests using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);

-- What a request did is read from the log.
create index log_entries_by_request on log_entries (org_id, request_id) where request_id is not null;

alter table directories drop column last_error, drop column last_error_at;
`
