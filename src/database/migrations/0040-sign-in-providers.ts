import { type Kysely, sql } from 'kysely'

export const breaking = false

/** Identity providers that people sign in by, whom they know, and attempts that are under way (docs/decisions/0051). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(providers).execute(db)
  for (const table of ['sign_in_providers', 'identities', 'sign_in_attempts']) await sql.raw(isolate(table)).execute(db)
  await sql
    .raw(
      `create policy presented on sign_in_attempts for select
        using (token_hash = decode(nullif(current_setting('muster.presented_hash', true), ''), 'hex'))`,
    )
    .execute(db)
}

// What an attempt must know again stands in the browser: state, nonce and verifier come of the secret whose hash this is.
const providers = `
create table sign_in_providers (
  org_id uuid not null references organizations,
  id uuid not null,
  name text not null,
  name_key text not null,
  issuer text not null,
  client_id text not null,
  client_secret bytea,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, name_key)
);

create table identities (
  org_id uuid not null,
  issuer text not null,
  subject text not null,
  account_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (org_id, issuer, subject),
  foreign key (org_id, account_id) references admins on delete cascade
);
create index identities_by_account on identities (org_id, account_id);

create table sign_in_attempts (
  org_id uuid not null,
  id uuid not null,
  token_hash bytea not null unique,
  provider_id uuid not null,
  account_id uuid,
  return_to text not null,
  expires_at timestamptz not null,
  primary key (org_id, id),
  foreign key (org_id, provider_id) references sign_in_providers on delete cascade,
  foreign key (org_id, account_id) references admins on delete cascade
);
create index sign_in_attempts_by_provider on sign_in_attempts (org_id, provider_id);
create index sign_in_attempts_by_account on sign_in_attempts (org_id, account_id);
`

const isolate = (table: string) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
alter table ${table} alter column org_id set statistics 0;
`
