import type { FastifyPluginAsync } from 'fastify'
import { type BulkOperation, readBulk, tooManyBytes } from '../../scim/bulk.ts'
import { bulkInWords } from '../../scim/in-words.ts'
import { type BulkResult, bulkResponse, maxBulkBytes } from '../../scim/messages.ts'
import { locationOf } from '../../scim/representation.ts'
import { Failure, failureOf } from '../failure.ts'
import { turns } from '../limits.ts'
import { scimBase, scimErrorOf, sendScim } from './answers.ts'
import { doBulk } from './bulk-job.ts'
import { noteAsked } from './trace.ts'
import { newUsers } from './users.ts'
import type { ScimParts, Written } from './writes.ts'

/** Past this no operation begins, so that the answer is there before clients and balancers let go of a request, at 60 s (rule 24). */
const beginWithinMs = 45_000

/** How many of a directory are done at once; each takes up to four of the pool's ten connections. */
const atOnce = 4

/** How many operations count as one request: what one costs here of a request of its own (decision 24). */
const operationsARequest = 10

/** `/Bulk`: RFC 7644 §3.7. An operation does what it would do as a request of its own. */
export const bulkRoutes: FastifyPluginAsync<ScimParts> = async (app, parts) => {
  const { writes } = parts
  const makeUsers = newUsers(parts)
  const base = scimBase(parts.publicUrl)
  const inTurn = turns(atOnce)
  const clock = parts.clock ?? (() => performance.now())

  app.post('/Bulk', { bodyLimit: maxBulkBytes, errorHandler: sayLimit }, async (request, reply) => {
    const bulk = readBulk(request.body)
    noteAsked(request, bulkInWords(bulk.operations))
    request.countsAs(Math.ceil(bulk.operations.length / operationsARequest))
    const until = clock() + beginWithinMs
    const outcomes = await inTurn(request.directory.id, () =>
      doBulk(bulk, {
        write: async ({ method, target, id, data, version }) => {
          if (clock() > until) throw tooLate()
          return writes[target.type][method](request, { id, body: data, precondition: { ifMatch: version } })
        },
        makeUsers: async (data) => (clock() > until ? [] : makeUsers(request, data)),
        isAwaited: () => !reply.raw.destroyed,
      }),
    )
    const results = bulk.operations.map((operation, at) => {
      const outcome = outcomes[at]
      if (outcome === undefined) return undefined
      if ('written' in outcome) return resultOf(operation, outcome.written, base)
      const failure = failureOf(outcome.error)
      request.trace.error ??= failure.message
      if (failure.status === 500) request.log.error({ err: outcome.error }, 'failed')
      return errorOf(operation, failure, outcome.id, base)
    })
    return sendScim(reply, bulkResponse(results.filter((result) => result !== undefined)))
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

// What was not made is nowhere.
function named({ method, bulkId, target }: BulkOperation, id: string | undefined, base: string): Omit<BulkResult, 'status'> {
  return {
    ...(target !== undefined && id !== undefined && id !== '' ? { location: locationOf(target.type, id, base) } : {}),
    ...(method === undefined ? {} : { method }),
    ...(bulkId === undefined ? {} : { bulkId }),
  }
}

/** RFC 7644 §3.7.4: the answer names the limit. */
function sayLimit(error: Error & { code?: string }): never {
  throw error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? tooManyBytes() : error
}

const tooLate = (): Failure =>
  new Failure(503, 'timed_out', 'This request took too long, and this operation was not begun. Send it again.')
