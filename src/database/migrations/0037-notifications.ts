import { type Kysely, sql } from 'kysely'

export const breaking = false

/** Who is told what happens: webhooks and mail addresses, what there is to tell, and how telling went (docs/decisions/0055). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(Object.entries(tables).map(made).join('')).execute(db)
  await sql`create index notice_deliveries_due on notice_deliveries (org_id, webhook_id, due_at) where state = 'waiting'`.execute(
    db,
  )
  await sql`create index notice_deliveries_by_notice on notice_deliveries (org_id, notice_id)`.execute(db)
  await sql`create index notices_by_time on notices (org_id, at)`.execute(db)
}

// log_followers: up to which entry of the log each follower has read. webhooks.old_secret signs too, until old_secret_until. A notice is
// told of once: key says of what it is. Deliveries are tried again at due_at.
const tables = {
  log_followers: `
    org_id uuid not null references organizations on delete cascade,
    name text not null,
    position bigint not null,
    primary key (org_id, name)`,
  webhooks: `
    org_id uuid not null references organizations on delete cascade,
    id uuid not null,
    url text not null,
    kinds text[] not null default '{}',
    silent_hours integer not null default 24 check (silent_hours between 1 and 8760),
    is_enabled boolean not null default true,
    disabled_because text,
    secret bytea,
    old_secret bytea,
    old_secret_until timestamptz,
    mailed_at timestamptz,
    created_by text not null,
    created_at timestamptz not null default now(),
    primary key (org_id, id)`,
  notices: `
    org_id uuid not null references organizations on delete cascade,
    id uuid not null,
    key text not null,
    kind text not null,
    at timestamptz not null,
    data jsonb not null,
    primary key (org_id, id),
    unique (org_id, key)`,
  notice_deliveries: `
    org_id uuid not null,
    id uuid not null,
    webhook_id uuid not null,
    notice_id uuid not null,
    state text not null check (state in ('waiting', 'delivered', 'given_up')),
    attempts integer not null default 0,
    due_at timestamptz not null default now(),
    tried_at timestamptz,
    status integer,
    error text,
    answer text,
    primary key (org_id, id),
    unique (org_id, webhook_id, notice_id),
    foreign key (org_id, webhook_id) references webhooks on delete cascade,
    foreign key (org_id, notice_id) references notices on delete cascade`,
}

const made = ([table, columns]: [string, string]) => `
create table ${table} (${columns}
);
alter table ${table} alter column org_id set statistics 0;
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy organization on ${table} using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);`
