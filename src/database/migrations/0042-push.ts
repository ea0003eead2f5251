import { type Kysely, sql } from 'kysely'

export const breaking = false

/** What is pushed out: sources, targets, rules, mappings, plans, and the journal of what a plan was about to do (docs/decisions/0052). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(tables).execute(db)
  for (const table of ['push_sources', 'push_targets', 'push_rules', 'push_mappings', 'push_plans', 'push_steps'])
    await sql.raw(isolate(table)).execute(db)
}

const tables = `
create table push_sources (
  org_id uuid not null references organizations,
  id uuid not null,
  name text not null,
  name_key text not null,
  settings jsonb not null,
  secret bytea,
  people_count integer,
  group_count integer,
  membership_count integer,
  read_at timestamptz,
  error text,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, name_key)
);

create table push_targets (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  name_key text not null,
  source_id uuid not null,
  url text not null,
  profile text not null,
  ca text,
  secret bytea,
  is_paused boolean not null default false,
  every_minutes integer,
  applies_by_itself boolean not null default false,
  next_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, name_key),
  foreign key (org_id, source_id) references push_sources
);
create index push_targets_by_source on push_targets (org_id, source_id);

create table push_rules (
  org_id uuid not null,
  id uuid not null,
  target_id uuid not null,
  name text not null,
  name_key text not null,
  condition jsonb not null,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, name_key),
  foreign key (org_id, target_id) references push_targets on delete cascade
);
create index push_rules_by_target on push_rules (org_id, target_id);

create table push_mappings (
  org_id uuid not null,
  id uuid not null,
  target_id uuid not null,
  source_key text not null,
  source_name text not null,
  target_name text,
  target_group_id text,
  rule_id uuid,
  state text not null default 'active' check (state in ('active', 'inactive', 'error')),
  error text,
  confirmed text[],
  member_count integer,
  gone_since timestamptz,
  unmatched_since timestamptz,
  pushed_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, target_id, source_key),
  foreign key (org_id, target_id) references push_targets on delete cascade
);

create table push_plans (
  org_id uuid not null,
  id uuid not null,
  target_id uuid not null,
  state text not null default 'planned' check (state in ('planned', 'queued', 'running', 'done', 'incomplete', 'failed')),
  fingerprint text not null,
  plan jsonb not null,
  result jsonb,
  error text,
  created_by text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (org_id, id),
  foreign key (org_id, target_id) references push_targets on delete cascade
);
create index push_plans_by_target on push_plans (org_id, target_id, created_at);

create table push_steps (
  org_id uuid not null,
  plan_id uuid not null,
  step text not null,
  outcome text not null default 'intended' check (outcome in ('intended', 'done', 'failed')),
  why text,
  at timestamptz not null default now(),
  primary key (org_id, plan_id, step),
  foreign key (org_id, plan_id) references push_plans on delete cascade
);
`

const isolate = (table: string) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
alter table ${table} alter column org_id set statistics 0;
`
