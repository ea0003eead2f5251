import type { Kysely } from 'kysely'

export const breaking = false

/** Whether a directory's pushes are refused where they hold what no schema has. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('directories')
    .addColumn('strict', 'boolean', (column) => column.notNull().defaultTo(false))
    .execute()
}
