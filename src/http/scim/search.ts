import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Reader } from '../../database/connection.ts'
import type { DirectoryContext } from '../../provisioning/directories.ts'
import type { Page } from '../../provisioning/page-sql.ts'
import { type GroupRecord, groupPage, userPage } from '../../provisioning/read.ts'
import { queryInWords } from '../../scim/in-words.ts'
import type { Paging, Position } from '../../scim/paging.ts'
import { project, wants } from '../../scim/projection.ts'
import { dialectOf } from '../../scim/quirks.ts'
import { type StoredUser, userResource } from '../../scim/representation.ts'
import { groupType, userType } from '../../scim/schemas.ts'
import type { Parts } from '../parts.ts'
import { listFrame, scimBase, sendScim } from './answers.ts'
import { groupsAnswer } from './group-text.ts'
import { inPages } from './pages.ts'
import { type Asked, readQueryAcross } from './query.ts'
import { noteAsked } from './trace.ts'

/** Users and groups asked for at once, at the root and by its `.search` (RFC 7644 §3.4.2.1, §3.4.3): users first, then groups. */
export const searchRoutes: FastifyPluginAsync<Parts> = async (app, parts) => {
  const base = scimBase(parts.publicUrl)

  const list = async (request: FastifyRequest, reply: FastifyReply, given: unknown) => {
    const [ofUsers, ofGroups] = readQueryAcross([userType, groupType], given, dialectOf(request.directory))
    if (ofUsers === undefined || ofGroups === undefined) throw new Error('Each kind has its query.')
    const words = { users: queryInWords(ofUsers), groups: queryInWords(ofGroups) }
    noteAsked(request, { ...words.users, words: `users: ${words.users.words}; groups: ${words.groups.words}` })
    noteAsked(request, words.groups)
    const text = await inPages(
      parts,
      request,
      ofUsers,
      (reader, paging) => bothPage(reader, request.directory, ofUsers, ofGroups, paging),
      (reader, { total, place, items }) => {
        const users = items.filter((item) => 'userName' in item)
        const groups = items.filter((item) => 'displayName' in item)
        const texts = users.map((user) => JSON.stringify(project(userResource(user, base), ofUsers.projection)))
        const [before, after] = listFrame(total, place, items.length)
        const frame = [before + texts.join(',') + (users.length > 0 && groups.length > 0 ? ',' : ''), after] as const
        return groupsAnswer(parts, request, groups, ofGroups.projection, (work) => work(reader), frame)
      },
    )
    return sendScim(reply, text)
  }
  app.get('/', (request, reply) => list(request, reply, request.query))
  app.post('/.search', (request, reply) => list(request, reply, request.body))
}

/** A page of users and groups as one list. A position in it has as its key which of the two it is among; it is not gone back in. */
async function bothPage(
  reader: Reader,
  directory: DirectoryContext,
  ofUsers: Asked,
  ofGroups: Asked,
  paging: Paging,
): Promise<Page<StoredUser | GroupRecord>> {
  const isInGroups = 'from' in paging && paging.from?.key === 'Group'
  const users = await userPage(
    reader,
    directory.id,
    { filter: ofUsers.filter, paging: isInGroups ? { count: 0, from: null } : paging },
    wants(ofUsers.projection, 'groups'),
  )
  const count = users.next ? 0 : paging.count - users.items.length
  const left: Paging =
    'startIndex' in paging
      ? { count, startIndex: Math.max(1, paging.startIndex - users.total) }
      : { count, from: isInGroups ? paging.from : null }
  const groups = await groupPage(reader, directory, { filter: ofGroups.filter, paging: left })
  const isAtEndOfUsers = paging.count > 0 && users.items.length === paging.count && groups.total > 0
  const next = users.next ? inUsers(users.next) : isAtEndOfUsers ? startOfGroups : groups.next && inGroups(groups.next)
  return { total: users.total + groups.total, items: [...users.items, ...groups.items], next, at: users.at ?? 0 }
}

const inUsers = (position: Position): Position => ({ ...position, key: 'User' })
const inGroups = (position: Position): Position => ({ ...position, key: 'Group' })
const startOfGroups: Position = { isBackward: false, key: 'Group', id: '00000000-0000-0000-0000-000000000000' }
