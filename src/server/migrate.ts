import { migrate } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import type { ServerConfig } from './config.ts'

/** Brings the database to this version, also beside a running server; says in a line what it did.
 * @throws CannotStart */
export async function migrateNow({ database: place }: ServerConfig): Promise<string> {
  const database = await openDatabase(place, { asVisitor: true, maxConnections: 1 })
  try {
    const applied = await migrate(database.connection)
    return applied.length === 0
      ? `Nothing to do: ${database.where} is up to date.`
      : `Migrated ${database.where}: ${applied.join(', ')}.`
  } finally {
    await database.close()
  }
}
