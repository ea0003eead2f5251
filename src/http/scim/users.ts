import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Db, Reader } from '../../database/connection.ts'
import type { ProvisionedUserId } from '../../database/ids.ts'
import { together } from '../../database/together.ts'
import { inTransaction, lookingUp, reading } from '../../database/transaction.ts'
import { isLookUp } from '../../provisioning/filter-sql.ts'
import { lookUpsTogether } from '../../provisioning/look-ups.ts'
import { noSuchUser, type UniqueKey, userById, userPage, usersBy } from '../../provisioning/read.ts'
import { queryInWords, userInWords, userPatchInWords } from '../../scim/in-words.ts'
import { listResponse } from '../../scim/messages.ts'
import { hasAlready, writeCondition } from '../../scim/precondition.ts'
import { type Projection, project, wants } from '../../scim/projection.ts'
import { dialectOf } from '../../scim/quirks.ts'
import { type StoredUser, userResource, userVersion } from '../../scim/representation.ts'
import { readUser, type UserInput } from '../../scim/resource.ts'
import { userType } from '../../scim/schemas.ts'
import { applyUserPatch } from '../../scim/user-patch.ts'
import { receiveNewcomers, receiveNewUser, receiveUser, receiveUserDeletion } from '../../sync/receive-user.ts'
import type { Parts } from '../parts.ts'
import { scimBase, sendNotModified, sendResource, sendScim } from './answers.ts'
import { inPages, pickedPage } from './pages.ts'
import { projectionOf, readQuery } from './query.ts'
import { noteAsked } from './trace.ts'
import { type Asker, type ScimParts, type Write, type Writes, type Written, writeRoutes } from './writes.ts'

interface ById {
  Params: { id: string }
}

/** `/Users`: RFC 7644 §3.2 to §3.6. */
export const userRoutes: FastifyPluginAsync<ScimParts> = async (app, parts) => {
  const { db, publicUrl } = parts
  const base = scimBase(publicUrl)
  const lookUps = lookUpsTogether(db)
  const lookUp =
    ({ scope, directory }: FastifyRequest, projection: Projection) =>
    (by: UniqueKey, key: string) =>
      lookUps.user({ scope, directoryId: directory.id }, by, key, wants(projection, 'groups'))
  writeRoutes(app, userType, parts.writes.User, { publicUrl })

  app.get<ById>('/Users/:id', async (request, reply) => {
    const projection = projectionOf(userType, request.query)
    const user = await lookUp(request, projection)('id', request.params.id)
    if (user === undefined) throw noSuchUser()
    const version = userVersion(user)
    if (hasAlready(request.headers['if-none-match'], version)) return sendNotModified(reply, version)
    return sendResource(reply, 'User', { id: user.id, version }, project(userResource(user, base), projection), publicUrl)
  })

  const list = async (request: FastifyRequest, reply: FastifyReply, given: unknown) => {
    const asked = readQuery(userType, given, dialectOf(request.directory))
    noteAsked(request, queryInWords(asked))
    const { filter, sort, projection } = asked
    const { total, place, items } =
      (await pickedPage(userType, request, asked, lookUp(request, projection))) ??
      (await inPages(
        { db, byIndex: isLookUp(userType, filter) ? lookingUp : reading },
        request,
        asked,
        (reader, paging) => userPage(reader, request.directory.id, { filter, sort, paging }, wants(projection, 'groups')),
        (_reader, page) => page,
      ))
    const resources = items.map((user) => project(userResource(user, base), projection))
    return sendScim(reply, listResponse(total, place, resources))
  }
  app.get('/Users', (request, reply) => list(request, reply, request.query))
  app.post('/Users/.search', (request, reply) => list(request, reply, request.body))
}

/** How a user is changed: POST 201, PUT and PATCH 200 with the user, DELETE 204. */
export function userWrites({ db, publicUrl }: Pick<Parts, 'db' | 'publicUrl'>): Writes {
  const base = scimBase(publicUrl)

  const written = (status: 200 | 201, user: StoredUser, projection: Projection | undefined): Written => ({
    status,
    id: user.id,
    version: userVersion(user),
    body: projection && project(userResource(user, base), projection),
  })

  const change = async (asker: Asker, { id, projection, precondition }: Write, changed: Parameters<typeof receiveUser>[3]) => {
    const user = await inTransaction(db, asker.scope, async (trx) => {
      await receiveUser(trx, asker.directory, id as ProvisionedUserId, changed, writeCondition(precondition))
      return read(trx, asker, id, projection)
    })
    return written(200, user, projection)
  }

  const newcomer = newcomersTogether(db)

  return {
    POST: async (asker, { body, projection }) => {
      const input = readUser(body, dialectOf(asker.directory))
      noteAsked(asker, userInWords('create', input))
      const { scope, directory } = asker
      const found = await newcomer(`${scope.orgId} ${directory.id}`, { scope, directory, input })
      if (found !== undefined) return written(201, found, projection)
      const user = await inTransaction(db, asker.scope, async (trx) =>
        read(trx, asker, await receiveNewUser(trx, asker.directory, input), projection),
      )
      return written(201, user, projection)
    },
    PUT: (asker, write) =>
      change(asker, write, (current) => {
        const input = readUser(write.body, dialectOf(asker.directory), current)
        noteAsked(asker, userInWords('replace', input))
        return input
      }),
    PATCH: (asker, write) =>
      change(asker, write, (current) => {
        const dialect = dialectOf(asker.directory)
        const input = applyUserPatch(current, write.body, dialect)
        noteAsked(asker, userPatchInWords(write.body, dialect))
        return input
      }),
    DELETE: async ({ scope, directory }, { id, precondition }) => {
      const condition = writeCondition(precondition)
      await inTransaction(db, scope, (trx) => receiveUserDeletion(trx, directory, id as ProvisionedUserId, condition))
      return { status: 204, id }
    },
  }
}

type Newcomer = Pick<Asker, 'scope' | 'directory'> & { input: UserInput }

/** So many people are received in one transaction. */
const mostTogether = 50

/** New users who are pushed while the last are being received are received together, as one transaction; undefined: that one needs a closer look. */
function newcomersTogether(db: Db) {
  return together<Newcomer, StoredUser | undefined>(
    async (pushes) => {
      const [{ scope, directory }] = pushes as [Newcomer]
      const inputs = pushes.map(({ input }) => input)
      const requests = pushes.map((push) => push.scope.requestId)
      return inTransaction(db, scope, async (trx) =>
        usersBy(trx, directory.id, 'id', await receiveNewcomers(trx, directory, inputs, requests), false),
      )
    },
    { subject: ({ input }) => input.userName, size: () => 1, most: mostTogether },
  )
}

/**
 * Makes several users, each as a POST after those before it would: those, from the first on, whom nobody here knows; perhaps none.
 * All of them in a few statements, as one transaction.
 */
export function newUsers({ db }: Pick<Parts, 'db'>): (asker: Asker, bodies: Iterable<unknown>) => Promise<Written[]> {
  return async ({ scope, directory }, bodies) => {
    const inputs: UserInput[] = []
    try {
      for (const body of bodies) inputs.push(readUser(body, dialectOf(directory)))
    } catch {
      // The first that cannot be read ends them; a POST of its own says why.
    }
    if (inputs.length === 0) return []
    const users = await inTransaction(db, scope, async (trx) =>
      usersBy(trx, directory.id, 'id', await receiveNewcomers(trx, directory, inputs), false),
    )
    return users
      .filter((user) => user !== undefined)
      .map((user) => ({ status: 201, id: user.id, version: userVersion(user), body: undefined }))
  }
}

const read = (reader: Reader, { directory }: Asker, id: string, projection: Projection | undefined): Promise<StoredUser> =>
  userById(reader, directory.id, id, projection === undefined || wants(projection, 'groups'))
