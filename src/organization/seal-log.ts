import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Db, Scope } from '../database/connection.ts'
import { newId, type OrgId } from '../database/ids.ts'
import { inTransaction, lookingUp } from '../database/transaction.ts'
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

/**
 * An id up to which no entry is to come any more. Ids are taken in another order than transactions commit; but whoever took one up to the
 * last that is taken had a transaction id before (migration 0011), lower than one that is taken now: once all those have ended, none
 * is left.
 */
async function settled(db: Db, patienceMs: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  const mark = await inTransaction(db, nobody(), async (trx) => {
    // In this order: first the id, then the transaction id.
    const [ids, transaction] = await Promise.all([
      sql<{ last: string }>`select case when is_called then last_value else 0 end as last from log_entry_ids`.execute(trx),
      sql<{ id: string }>`select pg_current_xact_id()::text as id`.execute(trx),
    ])
    return { last: ids.rows[0]?.last as string, transaction: transaction.rows[0]?.id as string }
  })
  const until = performance.now() + patienceMs
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 500)) {
    const { rows } = await lookingUp(db, nobody(), (reader) =>
      sql<{ isOver: boolean }>`select pg_snapshot_xmin(pg_current_snapshot()) > ${mark.transaction}::xid8 as "isOver"`.execute(
        reader,
      ),
    )
    if (rows[0]?.isOver) return mark.last
    if (signal?.aborted || performance.now() > until) return undefined
    await sleep(waitMs)
  }
}

// What is asked is of no organization.
const nobody = (): Scope => ({ orgId: newId<OrgId>(), actor: 'system' })
