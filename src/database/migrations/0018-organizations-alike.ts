import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * The planner keeps no statistics of which organization has how many rows. With them, one that was not there when a table was last analyzed
 * counts as having a row at most: every index that leads with the organization looks as good as the primary key, and a look-up by id then
 * reads all of the organization. Without them all organizations are estimated alike, and a key is always the better way.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    do $$
    declare
      of record;
    begin
      for of in
        select c.oid, c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
      loop
        execute format('alter table %I alter column org_id set statistics 0', of.relname);
      end loop;
    end $$`.execute(db)
}
