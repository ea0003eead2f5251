import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * Groups of the organization that a directory is shown although it did not push them: whether it is, and how often each was taken
 * up. What is offered itself is stored nowhere (decision 0027).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(offers).execute(db)
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
alter table taken_offers enable row level security;
alter table taken_offers force row level security;
create policy organization on taken_offers using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
`
