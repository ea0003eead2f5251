import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { reading } from '../../database/transaction.ts'
import { groupPage, userPage } from '../../provisioning/read.ts'
import { project, wants } from '../../scim/projection.ts'
import { dialectOf } from '../../scim/quirks.ts'
import { userResource } from '../../scim/representation.ts'
import { groupType, userType } from '../../scim/schemas.ts'
import type { Parts } from '../parts.ts'
import { listFrame, scimBase, sendScim } from './answers.ts'
import { groupsAnswer } from './group-text.ts'
import { readQueryAcross } from './query.ts'

/** Users and groups asked for at once, at the root and by its `.search` (RFC 7644 §3.4.2.1, §3.4.3): users first, then groups. */
export const searchRoutes: FastifyPluginAsync<Parts> = async (app, parts) => {
  const base = scimBase(parts.publicUrl)

  const list = async (request: FastifyRequest, reply: FastifyReply, given: unknown) => {
    const [ofUsers, ofGroups] = readQueryAcross([userType, groupType], given, dialectOf(request.directory))
    if (ofUsers === undefined || ofGroups === undefined) throw new Error('Each kind has its query.')
    const { startIndex, count } = ofUsers.paging
    const text = await reading(parts.db, request.scope, async (reader) => {
      const { directory } = request
      const users = await userPage(reader, directory.id, ofUsers, wants(ofUsers.projection, 'groups'))
      const left = { startIndex: Math.max(1, startIndex - users.total), count: count - users.items.length }
      const groups = await groupPage(reader, directory, { filter: ofGroups.filter, paging: left })
      const texts = users.items.map((user) => JSON.stringify(project(userResource(user, base), ofUsers.projection)))
      const isMixed = texts.length > 0 && groups.items.length > 0
      const [before, after] = listFrame(users.total + groups.total, startIndex, users.items.length + groups.items.length)
      const frame = [before + texts.join(',') + (isMixed ? ',' : ''), after] as const
      return groupsAnswer(parts, request, groups.items, ofGroups.projection, (work) => work(reader), frame)
    })
    return sendScim(reply, text)
  }
  app.get('/', (request, reply) => list(request, reply, request.query))
  app.post('/.search', (request, reply) => list(request, reply, request.body))
}
