import { type Kysely, sql } from 'kysely'

// A node of before switches people off, and deletes groups, without asking.
export const breaking = true

/** What the guard has wait besides members: people to be switched off, groups to be deleted (docs/decisions/0044). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table held_acts (
    org_id uuid not null references organizations on delete cascade,
    id uuid not null,
    directory_id uuid not null,
    act text not null check (act in ('switch_off', 'delete_person', 'delete_group')),
    account_id uuid,
    group_id uuid,
    name text not null,
    reason text not null check (reason in ('guard_passed', 'last_admin')),
    is_rejected boolean not null default false,
    since timestamptz not null default now(),
    primary key (org_id, id),
    foreign key (org_id, directory_id) references directories (org_id, id) on delete cascade,
    foreign key (org_id, account_id) references accounts (org_id, id) on delete cascade,
    foreign key (org_id, group_id) references groups (org_id, id) on delete cascade,
    check ((account_id is null) = (act = 'delete_group') and (group_id is null) <> (act = 'delete_group'))
  )`.execute(db)
  await sql`alter table held_acts alter column org_id set statistics 0`.execute(db)
  await sql`create unique index held_acts_of_account on held_acts (org_id, account_id) where account_id is not null`.execute(db)
  await sql`create unique index held_acts_of_group on held_acts (org_id, group_id) where group_id is not null`.execute(db)
  await sql`create index held_acts_of_directory on held_acts (org_id, directory_id, since)`.execute(db)
  await sql`alter table held_acts enable row level security`.execute(db)
  await sql`alter table held_acts force row level security`.execute(db)
  await sql`create policy organization on held_acts using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid)`.execute(
    db,
  )
  // What pushes did within the hour is counted in the log.
  await sql`create index log_entries_guarded on log_entries (org_id, directory_id, action, at)
    where action in ('account.switched_off', 'user.deleted', 'group.deleted', 'group.provision_deleted') and run_id is null`.execute(
    db,
  )
}
