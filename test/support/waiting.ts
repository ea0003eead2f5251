import type { Db } from '../../src/database/connection.ts'

/** Waits until so many connections of this file's database wait for a lock. @returns false where `isOver` before that */
export async function someoneWaits(db: Db, { many = 1, isOver = (): boolean => false } = {}): Promise<boolean> {
  while (!isOver()) {
    const { rows } = await db.pool.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    if ((rows[0]?.n ?? 0) >= many) return true
  }
  return false
}
