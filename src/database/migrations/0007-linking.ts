import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * Groups of the organization that a directory is shown although it did not push them: whether it is, and how often each was taken
 * up; what is offered itself is stored nowhere (decision 0027). Groups as members of groups (decision 0028).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(offers).execute(db)
  await sql.raw(nesting).execute(db)
  for (const table of ['taken_offers', 'nested_groups', 'direct_members']) await sql.raw(isolate(table)).execute(db)
}

const offers = `
alter table directories add column offer_existing_groups text not null default 'names'
  check (offer_existing_groups in ('names', 'members', 'off'));

create table taken_offers (
  org_id uuid not null,
  directory_id uuid not null,
  group_id uuid not null,
  times integer not null default 1,
  primary key (org_id, directory_id, group_id),
  foreign key (org_id, directory_id) references directories on delete cascade,
  foreign key (org_id, group_id) references groups on delete cascade
);
create index taken_offers_by_group on taken_offers (org_id, group_id);
`

// A group that is in a nest, as who holds others or is held, has in memberships all who are in it by whatever way, and in direct_members
// those whom the provider named in it. In all others these are the same, and stand in memberships alone.
const nesting = `
alter table directories add column nested_groups text not null default 'flatten' check (nested_groups in ('flatten', 'refuse'));

-- push_members (migration 0003) leaves these to the server
alter table provisioned_groups add column is_nested boolean not null default false;

create table nested_groups (
  org_id uuid not null,
  parent_id uuid not null,
  child_id uuid not null,
  primary key (org_id, parent_id, child_id),
  foreign key (org_id, parent_id) references provisioned_groups on delete cascade,
  foreign key (org_id, child_id) references provisioned_groups on delete cascade
);
create index nested_groups_by_child on nested_groups (org_id, child_id, parent_id);

create table direct_members (
  org_id uuid not null,
  provisioned_group_id uuid not null,
  account_id uuid not null,
  primary key (org_id, provisioned_group_id, account_id),
  foreign key (org_id, provisioned_group_id) references provisioned_groups on delete cascade,
  foreign key (org_id, account_id) references accounts on delete cascade
);
create index direct_members_by_account on direct_members (org_id, account_id);
`

const isolate = (table: string) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
`
