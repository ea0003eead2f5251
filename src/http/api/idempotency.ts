import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Trx } from '../../database/connection.ts'
import { Refusal } from '../../organization/refusal.ts'

/** The header of a POST that starts a job: sent again with the same key, it starts no second one (rule 17). */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$', description: 'Kept for 24 hours' }),
  ),
})

/** What a POST answers, as it is kept for its repetition. */
export interface KeptAnswer<T> {
  status: number
  body: T
}

/**
 * Does `work` once for an `Idempotency-Key`, in the same transaction that keeps its answer; again with the key, answers what it
 * answered. Without the header it just works.
 * @throws Refusal `idempotency_key_reused` with another path or body, `idempotency_key_in_flight` beside the first request
 */
export async function idempotent<T>(
  trx: Trx,
  request: FastifyRequest,
  work: () => Promise<KeptAnswer<T>>,
): Promise<KeptAnswer<T>> {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string') return work()
  const place: Place = { actor: trx.scope.actor, route: `${request.method} ${request.routeOptions.url}`, key }
  await refuseInFlight(trx, place)
  const bodyHash = hashOf(request)
  const kept = await find<T>(trx, place)
  if (kept) {
    if (kept.bodyHash.equals(bodyHash)) return { status: kept.status, body: kept.body }
    throw new Refusal(
      'idempotency_key_reused',
      'This Idempotency-Key was sent with another request within 24 hours. Take a new key for each request.',
    )
  }
  const answer = await work()
  await keep(trx, place, bodyHash, answer)
  return answer
}

interface Place {
  actor: string
  route: string
  key: string
}

// A lock that is asked for, not waited for: the second request is told at once, not when the first is done.
async function refuseInFlight(trx: Trx, { actor, route, key }: Place): Promise<void> {
  const name = JSON.stringify(['idempotency', trx.orgId, actor, route, key])
  const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as mine`.execute(
    trx,
  )
  if (rows[0]?.mine !== true) {
    throw new Refusal(
      'idempotency_key_in_flight',
      'The first request with this Idempotency-Key is still under way. Wait, then send it again.',
    )
  }
}

async function find<T>(trx: Trx, place: Place) {
  const row = await trx
    .selectFrom('idempotency_keys')
    .select(['body_hash as bodyHash', 'status', 'answer'])
    .where('org_id', '=', trx.orgId)
    .where('actor', '=', place.actor)
    .where('route', '=', place.route)
    .where('key', '=', place.key)
    .where('created_at', '>', sql<Date>`now() - interval '24 hours'`)
    .executeTakeFirst()
  return row ? { bodyHash: row.bodyHash, status: row.status, body: row.answer as T } : undefined
}

async function keep(trx: Trx, place: Place, bodyHash: Buffer, { status, body }: KeptAnswer<unknown>): Promise<void> {
  await trx
    .deleteFrom('idempotency_keys')
    .where('org_id', '=', trx.orgId)
    .where('created_at', '<=', sql<Date>`now() - interval '24 hours'`)
    .execute()
  await trx
    .insertInto('idempotency_keys')
    .values({ org_id: trx.orgId, ...place, body_hash: bodyHash, status, answer: JSON.stringify(body) })
    .execute()
}

function hashOf(request: FastifyRequest): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([request.url, request.body ?? null]))
    .digest()
}
