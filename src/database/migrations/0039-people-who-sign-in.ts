import { type Kysely, sql } from 'kysely'

// Nodes of the last release go on making and finding tokens that are nobody's.
export const breaking = false

/** Who may sign in to the console and do what, their sessions, and links that open one once (docs/decisions/0051). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(rights).execute(db)
  for (const table of ['admins', 'sessions', 'links']) await sql.raw(isolate(table)).execute(db)
  for (const table of ['sessions', 'links']) await sql.raw(foundByHash(table)).execute(db)
}

// A link may make its organization: it is of one that is not there yet.
const rights = `
create table admins (
  org_id uuid not null references organizations,
  account_id uuid not null,
  role text not null check (role in ('auditor', 'reviewer', 'admin', 'owner')),
  products uuid[] not null default '{}',
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, account_id),
  foreign key (org_id, account_id) references accounts
);

create table sessions (
  org_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  token_hash bytea not null unique,
  signed_in_by text not null check (signed_in_by in ('link', 'provider', 'passkey')),
  address text,
  user_agent text,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (org_id, id),
  foreign key (org_id, account_id) references admins on delete cascade
);
create index sessions_by_account on sessions (org_id, account_id);

create table links (
  org_id uuid not null,
  id uuid not null,
  account_id uuid,
  token_hash bytea not null unique,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (org_id, id),
  foreign key (org_id, account_id) references admins on delete cascade
);
create index links_by_account on links (org_id, account_id);

alter table api_tokens add column account_id uuid;
alter table api_tokens add foreign key (org_id, account_id) references accounts;
alter table api_tokens drop constraint api_tokens_role_check;
alter table api_tokens add constraint api_tokens_role_check check (role in ('auditor', 'reviewer', 'admin', 'owner'));
create index api_tokens_by_account on api_tokens (org_id, account_id) where account_id is not null;
`

const isolate = (table: string) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
alter table ${table} alter column org_id set statistics 0;
`

const foundByHash = (table: string) => `
create policy presented on ${table} for select
  using (token_hash = decode(nullif(current_setting('muster.presented_hash', true), ''), 'hex'));
`
