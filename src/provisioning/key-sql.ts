import { type RawBuilder, sql } from 'kysely'
import type { DirectoryId } from '../database/ids.ts'

/**
 * That a row which a key picks is of a directory, said so that no index can serve it: the key's shall. Without statistics, as at a first push,
 * PostgreSQL takes an index that leads to all of a directory for as good, and reads everybody in it for one (decision 41).
 */
export const isOf = (directoryId: DirectoryId, column: RawBuilder<unknown> = sql`directory_id`): RawBuilder<boolean> =>
  sql<boolean>`${column} is not distinct from ${directoryId}::uuid`
