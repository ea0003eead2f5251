import type { FastifyPluginAsync } from 'fastify'
import { ScimError } from '../../scim/error.ts'
import { listResponse } from '../../scim/messages.ts'
import { sameName } from '../../scim/names.ts'
import { resourceTypes, schemas, serviceProviderConfig } from '../../scim/schemas.ts'
import type { Parts } from '../parts.ts'
import { scimBase, sendScim } from './answers.ts'

interface ById {
  Params: { id: string }
  Querystring: { filter?: unknown }
}

/** What the server says of itself (RFC 7644 §4). A filter on it is a 403, as the RFC says. */
export const discoveryRoutes: FastifyPluginAsync<Parts> = async (app, { publicUrl }) => {
  const base = scimBase(publicUrl)
  app.addHook('preHandler', async (request) => {
    if ((request.query as { filter?: unknown }).filter !== undefined)
      throw new ScimError(403, undefined, 'What the server says of itself cannot be filtered.')
  })
  app.get('/ServiceProviderConfig', (_request, reply) => sendScim(reply, serviceProviderConfig(base)))
  const offer = (path: string, list: readonly { id: string }[]) => {
    app.get(path, (_request, reply) => sendScim(reply, listResponse(list.length, { startIndex: 1 }, list)))
    app.get<ById>(`${path}/:id`, (request, reply) => {
      const found = list.find((one) => sameName(one.id, request.params.id))
      if (found === undefined) throw new ScimError(404, undefined, 'There is no such resource.')
      return sendScim(reply, found)
    })
  }
  offer('/ResourceTypes', resourceTypes(base))
  offer('/Schemas', schemas(base))
}
