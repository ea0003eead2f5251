import { setTimeout as sleep } from 'node:timers/promises'
import type { Reach } from '../../outgoing/address.ts'
import { type Outgoing, OutgoingError, OutgoingForbidden, outgoing } from '../../outgoing/request.ts'
import { retryAfterMs, TargetDown, TargetError, TargetUnreachable, targetError } from './answer.ts'

export type Json = Record<string, unknown>
export interface ScimRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  body?: Json
}

export interface TargetOptions {
  /** The SCIM base URL, ending before `/Users`. */
  url: string
  token: string
  /** Where requests may go; a command's own user may go anywhere. */
  reach?: Reach
  ca?: string
  /** How often a request is sent before it counts as failed. */
  maxTries?: number
  /** The first pause before trying again; each further one is twice as long. */
  pauseMs?: number
  timeoutMs?: number
}

/** Requests to one SCIM service. Errors: TargetError, TargetUnreachable. */
export interface ScimRequests {
  once(request: ScimRequest): Promise<Json>
  /**
   * Sends until there is an answer. 429 and 503 were not acted on: sent again after Retry-After, or a growing pause.
   * After a cut, a timeout or another 5xx nobody knows: `lookAgain` is asked first, and what it finds is the answer.
   */
  send(request: ScimRequest, lookAgain?: () => Promise<Json | undefined>): Promise<Json>
  /** How many were sent, repeated ones included. */
  readonly count: number
  /** How many of them were sent because an earlier one failed. */
  readonly repeated: number
  /** Ends the connections that were kept open. */
  close(): void
}

const givesUpAfter = 5 // Requests in a row that failed in all their tries: the service is down, not the request.
const patienceMs = 300_000 // Whatever a service asks to wait: a request that had no answer by then has failed.

/** Opens the way to a SCIM service. Nothing is sent before the first call. */
export function scimRequests(options: TargetOptions): ScimRequests {
  const { url, token, reach = 'anywhere', ca, maxTries = 6, pauseMs = 500, timeoutMs = 60_000 } = options
  const base = url.replace(/\/+$/, '')
  const way = outgoing({ reach, timeoutMs, ...(ca ? { ca } : {}) })
  let count = 0
  let repeated = 0
  // By method: a service that can still be read may take nothing any more.
  const failedInARow = new Map<string, number>()
  // One answer of 429 holds all that would follow: the limit is the service's, not a request's.
  let notBefore = 0

  async function attempt({ method, path, body }: ScimRequest): Promise<Json> {
    const wait = notBefore - Date.now()
    if (wait > 0) await sleep(wait)
    count++
    const { status, text, headers } = await answerOf(way, base, {
      method,
      url: base + path,
      headers: {
        accept: 'application/scim+json',
        authorization: `Bearer ${token}`,
        'user-agent': 'Okta SCIM Client 1.0.0',
        ...(body ? { 'content-type': 'application/scim+json; charset=utf-8' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (status === 429 || status === 503)
      throw new Busy(targetError(status, text), retryAfterMs(String(headers['retry-after'] ?? '')))
    if (status < 200 || status > 299) throw targetError(status, text)
    return readJson(status, text)
  }

  async function send(request: ScimRequest, lookAgain?: () => Promise<Json | undefined>): Promise<Json> {
    const lastTry = Date.now() + patienceMs
    for (let tries = 1; ; tries++) {
      if ((failedInARow.get(request.method) ?? 0) >= givesUpAfter)
        throw new TargetDown(`${base} failed ${givesUpAfter} requests in a row, each ${maxTries} times.`, undefined)
      try {
        const answer = await attempt(request)
        failedInARow.delete(request.method)
        return answer
      } catch (error) {
        if (!isTransient(error)) {
          failedInARow.delete(request.method)
          throw error
        }
        if (tries >= maxTries || Date.now() > lastTry) {
          failedInARow.set(request.method, (failedInARow.get(request.method) ?? 0) + 1)
          throw plain(error)
        }
        repeated++
        const pause = pauseMs * 2 ** (tries - 1) * (0.75 + Math.random() / 2)
        if (error instanceof Busy && error.retryAfterMs !== undefined)
          notBefore = Math.max(notBefore, Date.now() + error.retryAfterMs)
        else await sleep(pause)
        const done = error instanceof Busy ? undefined : await lookAgain?.()
        if (done) return done
      }
    }
  }

  return {
    once: (request) =>
      attempt(request).catch((error) => {
        throw plain(error)
      }),
    send,
    get count() {
      return count
    },
    get repeated() {
      return repeated
    },
    close: way.close,
  }
}

async function answerOf(way: Outgoing, base: string, request: Parameters<Outgoing['send']>[0]) {
  try {
    return await way.send(request)
  } catch (error) {
    if (error instanceof OutgoingForbidden) throw new TargetError(0, `${error.message}.`)
    if (!(error instanceof OutgoingError)) throw error
    throw new TargetUnreachable(`${base} did not answer: ${error.message}.`, error)
  }
}

/** 429 or 503: the service says that it did nothing, and when to come back. */
class Busy extends Error {
  readonly answer: TargetError
  readonly retryAfterMs: number | undefined
  constructor(answer: TargetError, retryAfter: number | undefined) {
    super(answer.message)
    this.answer = answer
    this.retryAfterMs = retryAfter
  }
}

const plain = (error: unknown) => (error instanceof Busy ? error.answer : error)

const isTransient = (error: unknown) =>
  error instanceof Busy ||
  error instanceof TargetUnreachable ||
  (error instanceof TargetError && error.status >= 500 && error.status !== 501)

function readJson(status: number, body: string): Json {
  if (body.trim() === '') return {}
  try {
    const read: unknown = JSON.parse(body)
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Json
  } catch {}
  throw new TargetError(status, 'The target answered something that is not JSON: is the address its SCIM base URL?')
}
