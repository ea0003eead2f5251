import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Db } from '../../database/connection.ts'
import { sqlState } from '../../database/errors.ts'
import { isId, type OrgId } from '../../database/ids.ts'
import { inTransaction } from '../../database/transaction.ts'
import { insertRequests, type RequestLine } from '../../provisioning/requests.ts'
import type { Trace } from './trace.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Writes what this node has noted of requests until now, so that it can be read; where that fails it waits, and the process log says so. */
    writeRequests(): Promise<void>
  }
}

const writeEveryMs = 1_000
/** So many lines a statement. */
const batchSize = 500
/** So many lines wait in memory while the database is slow or away: a few MB. Further ones are dropped. */
export const mostWaiting = 5_000

/**
 * The request log of this node: noted in memory, written in batches, never in a request's way. A lost line is allowed, a lost push is not.
 * @returns the hook that notes a request that was answered
 */
export function requestLog(app: FastifyInstance, db: Db): (request: FastifyRequest, reply: FastifyReply) => void {
  const waiting = new Map<OrgId, RequestLine[]>()
  const refusedAlike = new Map<string, RequestLine>()
  let count = 0
  let dropped = 0
  let writing: Promise<void> | undefined

  async function writeAll(): Promise<void> {
    for (const [orgId, lines] of waiting) {
      while (lines.length > 0) await writeSome(orgId, lines)
      waiting.delete(orgId)
    }
    tellDropped()
  }

  function tellDropped(): void {
    if (dropped > 0)
      app.log.warn({ dropped }, 'lines of the request log were dropped: the database was too slow for them, or away')
    dropped = 0
  }

  async function writeSome(orgId: OrgId, lines: RequestLine[]): Promise<void> {
    const batch = lines.splice(0, batchSize)
    refusedAlike.clear()
    try {
      await inTransaction(db, { orgId, actor: 'system' }, (trx) => insertRequests(trx, batch))
      count -= batch.length
    } catch (error) {
      // What cannot be stored now may be later, but for a value that never can.
      if (!sqlState(error)?.startsWith('22')) lines.unshift(...batch)
      else {
        count -= batch.length
        dropped += batch.length
      }
      throw error
    }
  }

  const write = () => {
    writing ??= writeAll().finally(() => {
      writing = undefined
    })
    return writing
  }
  const writeSoon = () => write().catch((error) => app.log.warn({ err: error }, 'the request log was not written'))

  const writingOn = setInterval(() => void writeSoon(), writeEveryMs)
  writingOn.unref()
  app.decorate('writeRequests', writeSoon)
  app.addHook('onClose', async () => {
    clearInterval(writingOn)
    // One that is under way may fail; this is the last one.
    await writing?.catch(() => {})
    await writeSoon()
    dropped += count
    tellDropped()
  })

  return (request, reply) => {
    const { trace } = request
    if (!trace) return
    const { statusCode } = reply
    // Refused before it was read, a request may come any number of times: so many in a row are one line.
    const alike = statusCode === 401 || statusCode === 429 ? `${trace.tokenId} ${statusCode}` : undefined
    const before = alike === undefined ? undefined : refusedAlike.get(alike)
    if (before) {
      before.times++
      return
    }
    if (count >= mostWaiting) {
      dropped++
      return
    }
    const line = lineOf(request, reply, trace)
    if (alike !== undefined) refusedAlike.set(alike, line)
    const lines = waiting.get(trace.orgId) ?? []
    if (lines.push(line) === 1) waiting.set(trace.orgId, lines)
    count++
    if (lines.length === batchSize) void writeSoon()
  }
}

function lineOf(request: FastifyRequest, reply: FastifyReply, trace: Trace): RequestLine {
  const { elapsedTime, statusCode: status } = reply
  return {
    id: request.id,
    directoryId: trace.directoryId,
    tokenId: trace.tokenId,
    cameAt: performance.timeOrigin + performance.now() - elapsedTime,
    method: request.method,
    path: kept(request.url.split('?', 1)[0]) ?? '',
    status,
    durationMs: Math.round(elapsedTime),
    times: 1,
    userAgent: kept(request.headers['user-agent']),
    asked: kept(trace.asked),
    foundCount: trace.foundCount,
    error: kept(trace.error),
    ...foundBy(request, status, trace),
  }
}

// What it names; what it has changed, the log knows.
function foundBy(
  { method, params }: FastifyRequest,
  status: number,
  trace: Trace,
): Pick<RequestLine, 'subjects' | 'mayHaveChanged'> {
  const { id } = (params ?? {}) as { id?: unknown }
  const resource = typeof id === 'string' && isId(id) ? [id] : []
  const reads = method === 'GET' || method === 'HEAD'
  return { subjects: [...resource, ...trace.names, ...trace.members], mayHaveChanged: status < 400 && !reads }
}

const longest = 1_024
const token = /muster_(scim|api)_[\w-]+/g
const unprintable = /[\p{Cc}\p{Cs}]/gu

// As it can be stored and shown: a token that somebody put where none belongs is taken out (rule 7).
function kept(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null
  return text.slice(0, longest).replace(token, 'muster_$1_…').replace(unprintable, ' ')
}
