import { type RawBuilder, sql } from 'kysely'
import type { Reader } from './connection.ts'

/**
 * Runs a statement over sets whose expressions meet in hashes and never in loops, however few rows the planner believes that they have.
 * What is looked up by key, row by row, says so itself: `cross join lateral (… offset 0)`.
 */
export async function inHashes<Row>(reader: Reader, statement: RawBuilder<Row>): Promise<Row[]> {
  const loops = (set: 'on' | 'off') => sql`select set_config('enable_nestloop', ${set}, true)`.execute(reader)
  // Sent together: no round trip more.
  const [, { rows }] = await Promise.all([loops('off'), statement.execute(reader), loops('on')])
  return rows
}
