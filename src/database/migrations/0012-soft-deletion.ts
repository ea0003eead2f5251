import { type Kysely, sql } from 'kysely'

// A node of before takes a deleted group for one that is only pushed, and removes its row when the pushed group finds another.
export const breaking = true

/**
 * A deleted group keeps its row and its grants for 30 days, and is not in force (decision 0036): it gives nothing, owns no name, and has no
 * members but those that a new push of its name says. A directory that is disconnected keeps its row, for the names in runs and log.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(groups).execute(db)
  await sql.raw(directories).execute(db)
}

// groups_by_name: who has a name, or had it when deleted, in one look-up.
const groups = `
alter table groups add column deleted_at timestamptz;
alter table groups add check (deleted_at is null or not effective);
create index groups_by_name on groups (org_id, name_key) where effective or deleted_at is not null;
create index groups_deleted on groups (org_id, deleted_at) where deleted_at is not null;
`

const directories = `
alter table directories add column deleted_groups text not null default 'unmanage' check (deleted_groups in ('unmanage', 'delete'));
alter table directories add column disconnected_at timestamptz;
alter table directories drop constraint directories_org_id_name_key_key;
create unique index directories_own_their_name on directories (org_id, name_key) where disconnected_at is null;
`
