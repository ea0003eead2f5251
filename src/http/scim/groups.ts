import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { ProvisionedGroupId } from '../../database/ids.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { type GroupRecord, groupById, groupPage } from '../../provisioning/read.ts'
import { readGroupPatch } from '../../scim/group-patch.ts'
import { resolveName } from '../../scim/names.ts'
import type { Projection } from '../../scim/projection.ts'
import { type GroupChange, readGroup, readGroupReplacement } from '../../scim/resource.ts'
import { groupType } from '../../scim/schemas.ts'
import { receiveGroup, receiveGroupDeletion, receiveMembersAlone, receiveNewGroup } from '../../sync/receive-group.ts'
import { largeBodyLimit } from '../content.ts'
import type { Parts } from '../parts.ts'
import { listFrame, sendResource, sendScim } from './answers.ts'
import { groupsAnswer, type Read } from './group-text.ts'
import { projectionOf, readQuery } from './query.ts'

interface ById {
  Params: { id: ProvisionedGroupId }
}

/** A 201 or 200 to a write repeats up to so many members; past it, the members only on request (`attributes=members`). */
const membersRepeated = 1_000
const members = resolveName(groupType, 'members')
const withoutMembers: Projection = members === undefined ? {} : { except: [members] }

/** `/Groups`: RFC 7644 §3.2 to §3.6. POST 201, PUT 200, PATCH 204 unless attributes are asked for, DELETE 204. */
export const groupRoutes: FastifyPluginAsync<Parts> = async (app, parts) => {
  const { db, publicUrl } = parts
  const large = { bodyLimit: largeBodyLimit }

  const textOf = (request: FastifyRequest, group: GroupRecord, projection: Projection, read: Read) =>
    groupsAnswer(parts, request, [group], projection, read)

  const writtenText = (request: FastifyRequest, group: GroupRecord, projection: Projection, read: Read) => {
    const isAsked = projection.only !== undefined || projection.except !== undefined
    return textOf(request, group, isAsked || group.memberCount <= membersRepeated ? projection : withoutMembers, read)
  }

  app.post('/Groups', large, async (request, reply) => {
    const projection = projectionOf(groupType, request.query)
    const input = readGroup(request.body)
    const { group, text } = await inTransaction(db, request.scope, async (trx) => {
      const id = await receiveNewGroup(trx, request.directory, input)
      const group = await groupById(trx, request.directory.id, id)
      return { group, text: await writtenText(request, group, projection, (work) => work(trx)) }
    })
    return sendResource(reply.code(201), 'Group', group, text, publicUrl)
  })

  app.get<ById>('/Groups/:id', async (request, reply) => {
    const projection = projectionOf(groupType, request.query)
    const { group, text } = await reading(db, request.scope, async (reader) => {
      const group = await groupById(reader, request.directory.id, request.params.id)
      return { group, text: await textOf(request, group, projection, (work) => work(reader)) }
    })
    return sendResource(reply, 'Group', group, text, publicUrl)
  })

  const list = async (request: FastifyRequest, reply: FastifyReply, given: unknown) => {
    const { projection, ...query } = readQuery(groupType, given)
    const text = await reading(db, request.scope, async (reader) => {
      const { total, items } = await groupPage(reader, request.directory.id, query)
      const frame = listFrame(total, query.paging.startIndex, items.length)
      return groupsAnswer(parts, request, items, projection, (work) => work(reader), frame)
    })
    return sendScim(reply, text)
  }
  app.get('/Groups', (request, reply) => list(request, reply, request.query))
  app.post('/Groups/.search', (request, reply) => list(request, reply, request.body))

  app.put<ById>('/Groups/:id', large, async (request, reply) => {
    const projection = projectionOf(groupType, request.query)
    return answerChanged(request, reply, readGroupReplacement(request.body), projection)
  })

  app.patch<ById>('/Groups/:id', large, async (request, reply) => {
    const projection = projectionOf(groupType, request.query)
    const change = readGroupPatch(request.body)
    if (projection.only !== undefined || projection.except !== undefined) return answerChanged(request, reply, change, projection)
    const { scope, directory } = request
    const { id } = request.params
    const isDone = await receiveMembersAlone(db, scope, directory, id, change)
    if (!isDone) await inTransaction(db, scope, (trx) => receiveGroup(trx, directory, id, change))
    return reply.code(204).send()
  })

  const answerChanged = async (
    request: FastifyRequest<ById>,
    reply: FastifyReply,
    change: GroupChange,
    projection: Projection,
  ) => {
    const { id } = request.params
    const { group, text } = await inTransaction(db, request.scope, async (trx) => {
      await receiveGroup(trx, request.directory, id, change)
      const group = await groupById(trx, request.directory.id, id)
      return { group, text: await writtenText(request, group, projection, (work) => work(trx)) }
    })
    return sendResource(reply, 'Group', group, text, publicUrl)
  }

  app.delete<ById>('/Groups/:id', async (request, reply) => {
    await inTransaction(db, request.scope, (trx) => receiveGroupDeletion(trx, request.directory, request.params.id))
    return reply.code(204).send()
  })
}
