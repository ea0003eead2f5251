import { setTimeout as sleep } from 'node:timers/promises'
import type { Db, Scope } from '../database/connection.ts'
import { inTransaction, lookingUp } from '../database/transaction.ts'
import { deliverDue, type Tellers } from '../notify/deliver.ts'
import { tellOfLog, tellOfTime } from '../notify/find.ts'
import { finalIds } from '../organization/followers.ts'
import { organizations } from './workers.ts'

const lookEveryMs = 1_000
// How often it is asked who has webhooks; less often where that takes long, as with many organizations.
const askWhoEveryMs = 2_000
const askingAtMost = 0.02
const tellOfTimeEveryMs = 60_000

/**
 * Follows the log and tells who wants to be told, until `stop`. Every node does so; what one is at, the others leave.
 * @returns stops it, after what is being sent
 */
export function startTelling(db: Db, tellers: Tellers, onError: (error: unknown) => void): () => Promise<void> {
  const stopping = new AbortController()
  const done = follow(db, tellers, onError, stopping.signal)
  return async () => {
    stopping.abort()
    await done
    tellers.outgoing.close()
  }
}

async function follow(db: Db, tellers: Tellers, onError: (error: unknown) => void, signal: AbortSignal): Promise<void> {
  const final = finalIds(db)
  let [scopes, askAt, timeAt]: [Scope[], number, number] = [[], 0, Number.NEGATIVE_INFINITY]
  while (!signal.aborted) {
    try {
      await final.look()
      const now = performance.now()
      if (now >= askAt) {
        scopes = await whoIsTold(db)
        askAt = now + Math.max(askWhoEveryMs, (performance.now() - now) / askingAtMost)
      }
      const isTime = now - timeAt > tellOfTimeEveryMs
      if (isTime && scopes.length > 0) timeAt = now
      for (const scope of scopes) {
        if (isTime) await inTransaction(db, scope, tellOfTime)
        const upTo = final.upTo
        while (!signal.aborted && upTo !== undefined && (await inTransaction(db, scope, (trx) => tellOfLog(trx, upTo))));
        while (!signal.aborted && (await deliverDue(db, scope, tellers)));
      }
    } catch (error) {
      if (!signal.aborted) onError(error)
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {})
  }
}

async function whoIsTold(db: Db): Promise<Scope[]> {
  const told: Scope[] = []
  for (const scope of await organizations(db)) {
    const found = await lookingUp(db, scope, (reader) =>
      reader.selectFrom('log_followers').select('name').where('org_id', '=', scope.orgId).executeTakeFirst(),
    )
    if (found !== undefined) told.push(scope)
  }
  return told
}
