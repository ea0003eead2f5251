import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type BulkOperation, readBulk, resolved, tooManyBytes } from '../../scim/bulk.ts'
import { type BulkResult, bulkResponse, maxBulkBytes } from '../../scim/messages.ts'
import { locationOf } from '../../scim/representation.ts'
import { Failure, failureOf } from '../failure.ts'
import type { Parts } from '../parts.ts'
import { scimBase, scimErrorOf, sendScim } from './answers.ts'
import { groupWrites } from './groups.ts'
import { userWrites } from './users.ts'
import type { Written } from './writes.ts'

/** Past this no operation begins, so that the answer is there before clients and balancers let go of a request, at 60 s (rule 24). */
const beginWithinMs = 45_000

/** `/Bulk`: RFC 7644 §3.7. Each operation is what it would be as a request of its own, in a transaction of its own. */
export const bulkRoutes: FastifyPluginAsync<Parts> = async (app, parts) => {
  const writes = { User: userWrites(parts), Group: groupWrites(parts) }
  const base = scimBase(parts.publicUrl)
  const clock = parts.clock ?? (() => performance.now())

  app.post('/Bulk', { bodyLimit: maxBulkBytes, errorHandler: sayLimit }, async (request, reply) => {
    const { operations, order, failOnErrors } = readBulk(request.body)
    const until = clock() + beginWithinMs
    const ids = new Map<string, string>()
    const results: BulkResult[] = []

    const attempt = async (operation: BulkOperation): Promise<Written> => {
      if (operation.fault) throw operation.fault
      if (clock() > until) throw tooLate()
      const { method, target, bulkId, version } = operation
      const { id, data } = resolved(operation, ids)
      const written = await writes[target.type][method](request, { id, body: data, precondition: { ifMatch: version } })
      if (method === 'POST' && bulkId !== undefined) ids.set(bulkId, written.id)
      return written
    }

    let errors = 0
    for (const at of order) {
      // Once the client has gone away, nobody would learn what else was done.
      if (errors >= failOnErrors || reply.raw.destroyed) break
      const operation = operations[at] as BulkOperation
      try {
        results[at] = resultOf(operation, await attempt(operation), base)
      } catch (error) {
        errors++
        const failure = failureOf(error)
        if (failure.status === 500) request.log.error({ err: error }, 'failed')
        results[at] = errorOf(operation, failure, idOf(operation, ids), base)
      }
    }
    return sendScim(reply, bulkResponse(Object.values(results)))
  })
}

const resultOf = (operation: BulkOperation, written: Written, base: string): BulkResult => ({
  ...named(operation, written.id, base),
  ...(written.status === 204 ? {} : { version: written.version }),
  status: String(written.status),
})

const errorOf = (operation: BulkOperation, failure: Failure, id: string | undefined, base: string): BulkResult => ({
  ...named(operation, id, base),
  status: String(failure.status),
  response: scimErrorOf(failure),
})

/** Whom an operation is about, as far as it is known: not where what a reference stands for was not made. */
const idOf = ({ target }: BulkOperation, ids: ReadonlyMap<string, string>): string | undefined =>
  target?.id.startsWith('bulkId:') ? ids.get(target.id.slice('bulkId:'.length)) : target?.id

// What was not made is nowhere.
function named({ method, bulkId, target }: BulkOperation, id: string | undefined, base: string): Omit<BulkResult, 'status'> {
  return {
    ...(target !== undefined && id !== undefined && id !== '' ? { location: locationOf(target.type, id, base) } : {}),
    ...(method === undefined ? {} : { method }),
    ...(bulkId === undefined ? {} : { bulkId }),
  }
}

/** RFC 7644 §3.7.4: the answer names the limit. */
function sayLimit(this: unknown, error: Error & { code?: string }, _request: FastifyRequest, _reply: FastifyReply): never {
  throw error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? tooManyBytes() : error
}

const tooLate = (): Failure =>
  new Failure(503, 'timed_out', 'This request took too long, and this operation was not begun. Send it again.')
