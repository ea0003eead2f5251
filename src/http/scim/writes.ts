import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WriteMethod } from '../../scim/bulk.ts'
import type { Precondition } from '../../scim/precondition.ts'
import type { Projection } from '../../scim/projection.ts'
import type { ResourceType } from '../../scim/schemas.ts'
import type { Parts } from '../parts.ts'
import { sendResource } from './answers.ts'
import { projectionOf } from './query.ts'

/** Who asks: what the request says of it. */
export type Asker = Pick<FastifyRequest, 'scope' | 'directory' | 'trace'>

/** One change of one resource, as a request of its own or an operation of a Bulk asks for it. `id` is empty for a POST. */
export interface Write {
  id: string
  body: unknown
  /** Which attributes the answer is to hold; undefined: it has no body. */
  projection?: Projection
  precondition: Precondition
}

/** What became of it: which resource, and with a 200 or 201 how it is now, `version` its ETag. */
export type Written = { status: 200 | 201; id: string; version: string; body: unknown } | { status: 204; id: string }

/** The changes of one kind of resource, one function a method: routes and Bulk call the same. */
export type Writes = Readonly<Record<WriteMethod, (asker: Asker, write: Write) => Promise<Written>>>

/** What the SCIM routes are put together from: the changes too, so that a push in a Bulk goes together with one in a request of its own. */
export interface ScimParts extends Parts {
  writes: { User: Writes; Group: Writes }
}

interface ById {
  Params: { id?: string }
}

/** A route for each change of one kind of resource (RFC 7644 §3.3, §3.5, §3.6). */
export function writeRoutes(
  app: FastifyInstance,
  type: ResourceType,
  writes: Writes,
  { publicUrl, bodyLimit }: { publicUrl: string; bodyLimit?: number },
): void {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    app.route<ById>({
      method,
      url: method === 'POST' ? type.endpoint : `${type.endpoint}/:id`,
      ...(bodyLimit === undefined ? {} : { bodyLimit }),
      handler: async (request, reply) => {
        const projection = projectionOf(type, request.query)
        const { params, body, headers } = request
        const precondition = { ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] }
        const write = { id: params.id ?? '', body, projection, precondition }
        return send(reply, type, await writes[method](request, write), publicUrl)
      },
    })
  }
}

function send(reply: FastifyReply, type: ResourceType, written: Written, publicUrl: string): FastifyReply {
  if (written.status === 204) return reply.code(204).send()
  return sendResource(reply.code(written.status), type.name, written, written.body, publicUrl)
}
