import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * The whole first schema. Every table but `organizations` leads with `org_id` and lies under forced
 * row-level security on the transaction's organization: a query that forgets the organization finds nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(people).execute(db)
  await sql.raw(access).execute(db)
  await sql.raw(provisioning).execute(db)
  await sql.raw(runsAndLog).execute(db)
  for (const table of tables) await sql.raw(isolate(table)).execute(db)
  await sql.raw(tokenLookup).execute(db)
}

// `organizations` holds names only and is read before an organization is chosen.
const people = `
create table organizations (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  created_at timestamptz not null default now()
);

create table directories (
  org_id uuid not null references organizations,
  id uuid not null,
  name text not null,
  name_key text not null,
  provider text not null,
  conflict_policy text not null default 'review' check (conflict_policy in ('review', 'refuse')),
  unknown_members text not null default 'record' check (unknown_members in ('record', 'refuse')),
  quiet_seconds integer not null default 120 check (quiet_seconds between 0 and 86400),
  email_domains text[] not null default '{}',
  last_error text,
  last_error_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, name_key)
);

create table accounts (
  org_id uuid not null references organizations,
  id uuid not null,
  user_name text not null,
  user_name_key text not null,
  email text,
  email_key text,
  display_name text,
  active boolean not null default true,
  is_protected boolean not null default false,
  owned_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, user_name_key),
  foreign key (org_id, owned_by) references directories on delete set null (owned_by)
);
create index accounts_by_email on accounts (org_id, email_key);
create index accounts_by_owner on accounts (org_id, owned_by);

-- A group that is only pushed (effective = false) does not own its name.
create table groups (
  org_id uuid not null references organizations,
  id uuid not null,
  name text not null,
  name_key text not null,
  description text,
  effective boolean not null default true,
  is_protected boolean not null default false,
  managed_by uuid,
  member_count integer not null default 0,
  add_count integer not null default 0,
  remove_count integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  foreign key (org_id, managed_by) references directories on delete set null (managed_by)
) with (fillfactor = 80);
create unique index groups_own_their_name on groups (org_id, name_key) where effective;
create index groups_by_manager on groups (org_id, managed_by);

-- One row, two truths. In a group that no provider pushes, pushed says what effective says.
create table memberships (
  org_id uuid not null,
  group_id uuid not null,
  account_id uuid not null,
  pushed boolean not null,
  effective boolean not null,
  waiting text check (waiting in ('kept', 'held')),
  since timestamptz not null default now(),
  primary key (org_id, group_id, account_id),
  foreign key (org_id, group_id) references groups on delete cascade,
  foreign key (org_id, account_id) references accounts on delete cascade,
  check (pushed or effective)
) with (fillfactor = 90);
create index memberships_by_account on memberships (org_id, account_id, group_id);
create index memberships_differences on memberships (org_id, group_id, account_id) include (pushed) where pushed <> effective;
create statistics memberships_differ on (pushed <> effective) from memberships;
`

const access = `
create table sites (
  org_id uuid not null references organizations,
  id uuid not null,
  name text not null,
  name_key text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, name_key)
);

create table products (
  org_id uuid not null,
  id uuid not null,
  site_id uuid not null,
  name text not null,
  name_key text not null,
  seats integer check (seats >= 0),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, site_id, name_key),
  foreign key (org_id, site_id) references sites
);

create table product_roles (
  org_id uuid not null,
  id uuid not null,
  product_id uuid not null,
  name text not null,
  name_key text not null,
  is_administrative boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, product_id, name_key),
  foreign key (org_id, product_id) references products
);

create table grants (
  org_id uuid not null,
  group_id uuid not null,
  role_id uuid not null,
  is_default boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (org_id, group_id, role_id),
  foreign key (org_id, group_id) references groups on delete cascade,
  foreign key (org_id, role_id) references product_roles
);
create index grants_by_role on grants (org_id, role_id, group_id);
create index grants_default on grants (org_id, group_id) where is_default;
`

const provisioning = `
create table directory_tokens (
  org_id uuid not null,
  id uuid not null,
  directory_id uuid not null,
  token_hash bytea not null unique,
  hint text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (org_id, id),
  foreign key (org_id, directory_id) references directories on delete cascade
);
create index directory_tokens_by_directory on directory_tokens (org_id, directory_id);

create table api_tokens (
  org_id uuid not null references organizations,
  id uuid not null,
  name text not null,
  role text not null check (role in ('owner', 'admin', 'auditor')),
  token_hash bytea not null unique,
  hint text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (org_id, id)
);

-- attributes is the SCIM resource as the provider sent it, without what the server owns (id, meta, groups).
create table provisioned_users (
  org_id uuid not null,
  id uuid not null,
  directory_id uuid not null,
  external_id text,
  user_name text not null,
  user_name_key text not null,
  email_key text,
  active boolean not null default true,
  attributes jsonb not null,
  account_id uuid not null,
  matched_by text not null check (matched_by in ('email', 'user_name', 'created', 'person')),
  state text not null check (state in ('synced', 'needs_review', 'blocked', 'held', 'ignored')),
  reasons text[] not null default '{}',
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, directory_id, user_name_key),
  unique (org_id, directory_id, account_id),
  foreign key (org_id, directory_id) references directories,
  foreign key (org_id, account_id) references accounts
);
create index provisioned_users_by_external_id on provisioned_users (org_id, directory_id, external_id);
create index provisioned_users_by_email on provisioned_users (org_id, directory_id, email_key);
create index provisioned_users_by_account on provisioned_users (org_id, account_id);
create index provisioned_users_by_update on provisioned_users (org_id, directory_id, updated_at);

-- Always paired with a row of groups, whose memberships carry its pushed truth.
create table provisioned_groups (
  org_id uuid not null,
  id uuid not null,
  directory_id uuid not null,
  external_id text,
  name text not null,
  name_key text not null,
  attributes jsonb not null default '{}',
  group_id uuid not null,
  state text not null check (state in ('ready', 'needs_review', 'blocked', 'synced', 'held', 'ignored')),
  reasons text[] not null default '{}',
  members_written_at timestamptz,
  viewed_fingerprint text,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, directory_id, name_key),
  unique (org_id, group_id),
  foreign key (org_id, directory_id) references directories,
  foreign key (org_id, group_id) references groups
) with (fillfactor = 80);
create index provisioned_groups_by_state on provisioned_groups (org_id, directory_id, state, name_key);
create index provisioned_groups_by_external_id on provisioned_groups (org_id, directory_id, external_id);
create index provisioned_groups_by_name on provisioned_groups (org_id, name_key);

-- Member values of a push that are no user of the directory (yet).
create table unknown_members (
  org_id uuid not null,
  provisioned_group_id uuid not null,
  value text not null,
  display text,
  since timestamptz not null default now(),
  primary key (org_id, provisioned_group_id, value),
  foreign key (org_id, provisioned_group_id) references provisioned_groups on delete cascade
);
create index unknown_members_by_value on unknown_members (org_id, value);
`

const runsAndLog = `
create table runs (
  org_id uuid not null references organizations,
  id uuid not null,
  kind text not null check (kind in ('sync')),
  state text not null check (state in ('queued', 'running', 'finished', 'stopped')),
  directory_id uuid not null,
  choice text not null,
  accept_incomplete boolean not null default false,
  accept_empty boolean not null default false,
  note text,
  fingerprint text not null,
  foreseen jsonb not null,
  group_count integer not null,
  synced_count integer not null default 0,
  skipped_count integer not null default 0,
  failed_count integer not null default 0,
  created_by text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (org_id, id),
  foreign key (org_id, directory_id) references directories
);
create index runs_by_creation on runs (org_id, created_at);

-- result is null until the group's own transaction records it: a job run twice acts once.
create table run_groups (
  org_id uuid not null,
  run_id uuid not null,
  provisioned_group_id uuid not null,
  position integer not null,
  name text not null,
  expected text not null,
  result text check (result in ('synced', 'skipped', 'failed')),
  reason text,
  detail text,
  added_count integer,
  removed_count integer,
  lost_count integer,
  gained_count integer,
  finished_at timestamptz,
  primary key (org_id, run_id, provisioned_group_id),
  foreign key (org_id, run_id) references runs
);
create index run_groups_pending on run_groups (org_id, run_id, position) where result is null;

-- added and removed are the effective members that changed, pushed_added and pushed_removed the pushed ones.
-- No foreign key: by the policy below the row's organization is the transaction's, and every push writes here.
create table log_entries (
  org_id uuid not null,
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  actor text not null,
  directory_id uuid,
  request_id text,
  run_id uuid,
  action text not null,
  subject uuid,
  facts jsonb not null default '{}',
  added uuid[],
  removed uuid[],
  pushed_added uuid[],
  pushed_removed uuid[],
  primary key (org_id, id)
);
create index log_entries_by_subject on log_entries (org_id, subject, id);
create index log_entries_by_run on log_entries (org_id, run_id, id) where run_id is not null;

create table idempotency_keys (
  org_id uuid not null references organizations,
  actor text not null,
  route text not null,
  key text not null,
  body_hash bytea not null,
  status integer,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (org_id, actor, route, key)
);
create index idempotency_keys_by_age on idempotency_keys (org_id, created_at);
`

const tables = [
  'directories',
  'accounts',
  'groups',
  'memberships',
  'sites',
  'products',
  'product_roles',
  'grants',
  'directory_tokens',
  'api_tokens',
  'provisioned_users',
  'provisioned_groups',
  'unknown_members',
  'runs',
  'run_groups',
  'log_entries',
  'idempotency_keys',
]

const isolate = (table: string) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
`

// A token is found by its hash before the organization is known: the one who presents it may read its one row.
const tokenLookup = ['directory_tokens', 'api_tokens']
  .map(
    (table) => `
create policy presented on ${table} for select
  using (token_hash = decode(nullif(current_setting('muster.presented_hash', true), ''), 'hex'));
`,
  )
  .join('')
