import { type Kysely, sql } from 'kysely'

// A node of before would write users without what they are found by.
export const breaking = true

/** What lists are read by: the key that cursors are sealed with (decision 0025), and the e-mail addresses of users. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(cursorKeys).execute(db)
  await sql.raw(emails).execute(db)
}

// Two random UUIDs, from PostgreSQL's own source.
const cursorKeys = `
alter table directories add column cursor_key bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
`

// A table, because under row-level security no index is used on an expression over attributes, nor on an array of them: their functions
// are not leakproof. value: lower case, its first 255 characters. That a user has the address is asked of their attributes all the same.
const emails = `
create table provisioned_emails (
  org_id uuid not null,
  directory_id uuid not null,
  value text not null,
  provisioned_user_id uuid not null,
  primary key (org_id, directory_id, value, provisioned_user_id),
  foreign key (org_id, provisioned_user_id) references provisioned_users on delete cascade
);
create index provisioned_emails_by_user on provisioned_emails (org_id, provisioned_user_id);

alter table provisioned_users no force row level security;
insert into provisioned_emails
select u.org_id, u.directory_id, left(lower(email ->> 'value'), 255), u.id
from provisioned_users u, jsonb_array_elements(u.attributes -> 'emails') as email where email ? 'value'
on conflict do nothing;
alter table provisioned_users force row level security;

alter table provisioned_emails enable row level security;
alter table provisioned_emails force row level security;
create policy organization on provisioned_emails using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
`
