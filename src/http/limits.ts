import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DirectoryId, OrgId } from '../database/ids.ts'
import { bodyLimit } from './content.ts'
import { Failure } from './failure.ts'

/** Requests a second that a directory may send, unless the server is told otherwise (rule 23). */
export const usualScimRate = 50

/** For so long at most a request waits for its turn. */
const longestWaitMs = 1_000

/**
 * So many requests a second a directory, ten times that at once: no directory can starve another (rule 23); 0: no limit. Past it a request
 * waits for its turn, so that who sends one after another is slowed down and no more; who sends more than can wait is refused.
 * @returns counts a request, and says for how many milliseconds it is to wait; with `more`, that one under way comes to so many more, for
 *   which later ones wait. @throws Failure 429
 */
export function requestRate(clock: () => number, perSecond: number): (directory: DirectoryId, more?: number) => number {
  if (perSecond === 0) return () => 0
  const burst = perSecond * 10
  const buckets = new Map<DirectoryId, { tokens: number; at: number }>()
  return (directory, more) => {
    const now = clock()
    const bucket = buckets.get(directory) ?? { tokens: burst, at: now }
    buckets.set(directory, bucket)
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond)
    bucket.at = now
    const waitMs = more === undefined ? Math.max(0, ((1 - bucket.tokens) / perSecond) * 1_000) : 0
    if (waitMs > longestWaitMs)
      throw tooMany(`This directory sends more than ${perSecond} requests a second. Slow down.`, Math.ceil(waitMs / 1_000))
    bucket.tokens -= more ?? 1
    return waitMs
  }
}

const largeAtOnce = 4

/** At most four bodies over 1 MiB at once an organization: each is held in memory whole (rule 19). @throws Failure 429 */
export function largeBodies(): (orgId: OrgId, request: FastifyRequest, reply: FastifyReply) => void {
  const underWay = new Map<OrgId, number>()
  return (orgId, request, reply) => {
    if (!mayBeLarge(request)) return
    const count = underWay.get(orgId) ?? 0
    if (count >= largeAtOnce)
      throw tooMany('Four requests with more than 1 MiB are under way already. Send them one after another.')
    underWay.set(orgId, count + 1)
    // `close` comes once, after an answer and after a client that went away.
    reply.raw.once('close', () => {
      const left = (underWay.get(orgId) ?? 1) - 1
      if (left === 0) underWay.delete(orgId)
      else underWay.set(orgId, left)
    })
  }
}

function mayBeLarge({ headers, routeOptions }: FastifyRequest): boolean {
  if (Number(routeOptions.bodyLimit ?? bodyLimit) <= bodyLimit) return false
  return headers['content-length'] === undefined
    ? headers['transfer-encoding'] !== undefined
    : Number(headers['content-length']) > bodyLimit
}

/**
 * At most so many at once of a key; further ones wait their turn, in the order they came.
 * @returns has some work wait for its turn, and does it
 */
export function turns(most: number): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, { running: number; waiting: (() => void)[] }>()
  return async (key, work) => {
    const queue = queues.get(key) ?? { running: 0, waiting: [] }
    queues.set(key, queue)
    if (queue.running < most) queue.running++
    // Who ends hands over its turn.
    else await new Promise<void>((resolve) => queue.waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = queue.waiting.shift()
      if (next) next()
      else if (--queue.running === 0) queues.delete(key)
    }
  }
}

const tooMany = (message: string, afterSeconds = 1): Failure =>
  new Failure(429, 'too_many_requests', message, { headers: { 'retry-after': String(afterSeconds) } })
