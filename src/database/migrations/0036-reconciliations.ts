import { type Kysely, sql } from 'kysely'

export const breaking = false

/** A provider's own list of its groups and members, compared with what it pushed (docs/decisions/0049). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(lists).execute(db)
}

// reconciliation_groups: a row a group of the list, and a row a pushed group that is not in it (not is_listed). place: in which order
// they are compared. reconciliation_members: what is listed and not compared yet; comparing takes the rows away.
// reconciliation_differences: who is missing or extra in groups that are on both sides; key: the key of the user name.
const tables = {
  reconciliations: `
    org_id uuid not null references organizations,
    id uuid not null,
    directory_id uuid not null,
    state text not null check (state in ('receiving', 'comparing', 'compared', 'superseded')),
    parts integer[] not null default '{}',
    listed_count bigint not null default 0,
    compared_place integer not null default 0,
    created_by text not null,
    created_at timestamptz not null default now(),
    compared_at timestamptz,
    primary key (org_id, id),
    foreign key (org_id, directory_id) references directories`,
  reconciliation_groups: `
    org_id uuid not null,
    reconciliation_id uuid not null,
    place integer not null,
    name text not null,
    name_key text not null,
    is_listed boolean not null,
    provisioned_group_id uuid,
    listed_count integer not null default 0,
    pushed_count integer not null default 0,
    missing_count integer not null default 0,
    extra_count integer not null default 0,
    primary key (org_id, reconciliation_id, place),
    unique (org_id, reconciliation_id, name_key)`,
  reconciliation_members: `
    org_id uuid not null,
    reconciliation_id uuid not null,
    place integer not null,
    account_id uuid not null,
    primary key (org_id, reconciliation_id, place, account_id)`,
  reconciliation_differences: `
    org_id uuid not null,
    reconciliation_id uuid not null,
    place integer not null,
    user_key text not null,
    user_name text not null,
    is_missing boolean not null,
    is_unknown boolean not null default false,
    primary key (org_id, reconciliation_id, place, user_key)`,
}

const lists = `
${Object.entries(tables)
  .map(
    ([table, columns]) => `
create table ${table} (${columns}
);
alter table ${table} alter column org_id set statistics 0;
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);`,
  )
  .join('')}
create index reconciliations_by_directory on reconciliations (org_id, directory_id, created_at);
-- until when a list of the provider said that all members are here: from then on the group is not filling, until the next member
alter table provisioned_groups add column complete_at timestamptz;
`
