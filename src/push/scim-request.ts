import { setTimeout as sleep } from 'node:timers/promises'
import { retryAfterMs, TargetError, TargetUnreachable, targetError } from './scim-answer.ts'

export type Json = Record<string, unknown>
export interface ScimRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH'
  path: string
  body?: Json
}

export interface TargetOptions {
  /** The SCIM base URL, ending before `/Users`. */
  url: string
  token: string
  /** How often a request is sent before it counts as failed. */
  maxTries?: number
  /** The first pause before trying again; each further one is twice as long. */
  pauseMs?: number
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
}

const timeoutMs = 60_000 // What Okta waits for an answer.

/** Opens the way to a SCIM service. Nothing is sent before the first call. */
export function scimRequests({ url, token, maxTries = 6, pauseMs = 500 }: TargetOptions): ScimRequests {
  const base = url.replace(/\/+$/, '')
  let count = 0

  async function attempt({ method, path, body }: ScimRequest): Promise<Json> {
    count++
    const { status, text, retryAfter } = await answerOf(
      base + path,
      {
        method,
        headers: {
          accept: 'application/scim+json',
          authorization: `Bearer ${token}`,
          'user-agent': 'Okta SCIM Client 1.0.0',
          ...(body ? { 'content-type': 'application/scim+json; charset=utf-8' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      },
      base,
    )
    if (status === 429 || status === 503) throw new Busy(targetError(status, text), retryAfterMs(retryAfter))
    if (status < 200 || status > 299) throw targetError(status, text)
    return readJson(status, text)
  }

  async function send(request: ScimRequest, lookAgain?: () => Promise<Json | undefined>): Promise<Json> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(request)
      } catch (error) {
        if (!isTransient(error) || tries >= maxTries) throw plain(error)
        const pause = pauseMs * 2 ** (tries - 1) * (0.75 + Math.random() / 2)
        await sleep(error instanceof Busy ? (error.retryAfterMs ?? pause) : pause)
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
  }
}

async function answerOf(url: string, request: RequestInit, base: string) {
  try {
    const response = await fetch(url, { ...request, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    return { status: response.status, text: await response.text(), retryAfter: response.headers.get('retry-after') }
  } catch (error) {
    throw new TargetUnreachable(`${base} did not answer: ${reasonOf(error)}.`, error)
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
    return JSON.parse(body) as Json
  } catch {
    throw new TargetError(status, 'The target answered something that is not JSON: is the address its SCIM base URL?')
  }
}

function reasonOf(error: unknown): string {
  const { name, cause, message } = error as Error & { cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`
  return cause?.code ?? cause?.message ?? message
}
