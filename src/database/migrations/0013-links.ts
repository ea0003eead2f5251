import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * A pushed group may be linked to a group of another name by an admin, which its own name then does not undo; and its new name may be settled
 * as not to be followed. Nodes of the last release go on reading and writing rows without either.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
      alter table provisioned_groups
        add column is_linked boolean not null default false,
        add column keeps_name boolean not null default false;
    `)
    .execute(db)
}
