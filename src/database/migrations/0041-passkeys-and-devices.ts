import { type Kysely, sql } from 'kysely'

export const breaking = false

/** Passkeys of people who sign in; programs that ask for a token, and whom a person lets have one (docs/decisions/0051). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(passkeys).execute(db)
  for (const table of ['passkeys', 'device_logins']) await sql.raw(isolate(table)).execute(db)
}

// An attempt without a provider is one by a passkey. A device login is nobody's until somebody confirms it: it is of the organization
// of all zeros.
const passkeys = `
alter table sign_in_attempts alter column provider_id drop not null;

create table passkeys (
  org_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  name text not null,
  credential_id text not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null default '{}',
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  primary key (org_id, id),
  unique (org_id, credential_id),
  foreign key (org_id, account_id) references admins on delete cascade
);
create index passkeys_by_account on passkeys (org_id, account_id);

create table device_logins (
  org_id uuid not null,
  id uuid not null,
  token_hash bytea not null,
  user_code text not null,
  device text not null,
  address text,
  confirmed_org uuid,
  confirmed_by uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, user_code),
  unique (org_id, token_hash)
);
`

const isolate = (table: string) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
alter table ${table} alter column org_id set statistics 0;
`
