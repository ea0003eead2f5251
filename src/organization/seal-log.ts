import { setTimeout as sleep } from 'node:timers/promises'
import type { Db, Scope } from '../database/connection.ts'
import { inTransaction } from '../database/transaction.ts'
import { finalIds } from './followers.ts'
import { sealNext } from './seal.ts'

/**
 * Seals all that these organizations' logs have: many short transactions, a block each. Nobody who writes waits for it; it waits for
 * who has begun to write before, `patienceMs` at most, and seals nothing where that is not enough.
 */
export async function sealLog(
  db: Db,
  scopes: readonly Scope[],
  { signal, patienceMs }: { signal?: AbortSignal; patienceMs: number },
): Promise<void> {
  const settledId = await settled(db, patienceMs, signal)
  if (settledId === undefined) return
  for (const scope of scopes) {
    while (!signal?.aborted && (await inTransaction(db, scope, (trx) => sealNext(trx, settledId))) > 0);
  }
}

/** An id up to which no entry is to come any more, and that is not lower than any taken before this was asked; undefined where patience ends first. */
async function settled(db: Db, patienceMs: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  const ids = finalIds(db)
  await ids.look()
  const until = performance.now() + patienceMs
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 500)) {
    await ids.look()
    if (ids.upTo !== undefined) return ids.upTo
    if (signal?.aborted || performance.now() > until) return undefined
    await sleep(waitMs)
  }
}
