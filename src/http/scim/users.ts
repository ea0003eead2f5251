import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Reader } from '../../database/connection.ts'
import type { ProvisionedUserId } from '../../database/ids.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { userById, userPage } from '../../provisioning/read.ts'
import { listResponse } from '../../scim/messages.ts'
import { type Projection, project, wants } from '../../scim/projection.ts'
import { type StoredUser, userResource } from '../../scim/representation.ts'
import { readUser } from '../../scim/resource.ts'
import { userType } from '../../scim/schemas.ts'
import { applyUserPatch } from '../../scim/user-patch.ts'
import { receiveNewUser, receiveUser, receiveUserDeletion } from '../../sync/receive-user.ts'
import type { Parts } from '../parts.ts'
import { scimBase, sendResource, sendScim } from './answers.ts'
import { projectionOf, readQuery } from './query.ts'

interface ById {
  Params: { id: ProvisionedUserId }
}

/** `/Users`: RFC 7644 §3.2 to §3.6. POST 201, PUT and PATCH 200 with the user, DELETE 204. */
export const userRoutes: FastifyPluginAsync<Parts> = async (app, { db, publicUrl }) => {
  const base = scimBase(publicUrl)

  const send = (reply: FastifyReply, user: StoredUser, projection: Projection) =>
    sendResource(reply, 'User', user, project(userResource(user, base), projection), publicUrl)

  const read = (reader: Reader, request: FastifyRequest, id: string, projection: Projection) =>
    userById(reader, request.directory.id, id, wants(projection, 'groups'))

  app.post('/Users', async (request, reply) => {
    const projection = projectionOf(userType, request.query)
    const input = readUser(request.body)
    const user = await inTransaction(db, request.scope, async (trx) =>
      read(trx, request, await receiveNewUser(trx, request.directory, input), projection),
    )
    return send(reply.code(201), user, projection)
  })

  app.get<ById>('/Users/:id', async (request, reply) => {
    const projection = projectionOf(userType, request.query)
    return send(
      reply,
      await reading(db, request.scope, (reader) => read(reader, request, request.params.id, projection)),
      projection,
    )
  })

  const list = async (request: FastifyRequest, reply: FastifyReply, given: unknown) => {
    const { projection, ...query } = readQuery(userType, given)
    const { total, items } = await reading(db, request.scope, (reader) =>
      userPage(reader, request.directory.id, query, wants(projection, 'groups')),
    )
    const resources = items.map((user) => project(userResource(user, base), projection))
    return sendScim(reply, listResponse(total, query.paging.startIndex, resources))
  }
  app.get('/Users', (request, reply) => list(request, reply, request.query))
  app.post('/Users/.search', (request, reply) => list(request, reply, request.body))

  const change = async (request: FastifyRequest<ById>, reply: FastifyReply, changed: Parameters<typeof receiveUser>[3]) => {
    const projection = projectionOf(userType, request.query)
    const user = await inTransaction(db, request.scope, async (trx) => {
      await receiveUser(trx, request.directory, request.params.id, changed)
      return read(trx, request, request.params.id, projection)
    })
    return send(reply, user, projection)
  }
  app.put<ById>('/Users/:id', (request, reply) => change(request, reply, (current) => readUser(request.body, current)))
  app.patch<ById>('/Users/:id', (request, reply) => change(request, reply, (current) => applyUserPatch(current, request.body)))

  app.delete<ById>('/Users/:id', async (request, reply) => {
    await inTransaction(db, request.scope, (trx) => receiveUserDeletion(trx, request.directory, request.params.id))
    return reply.code(204).send()
  })
}
