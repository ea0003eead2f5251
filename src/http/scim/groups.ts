import { setImmediate } from 'node:timers/promises'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Db, Trx } from '../../database/connection.ts'
import type { ProvisionedGroupId } from '../../database/ids.ts'
import { together } from '../../database/together.ts'
import { inTransaction, lookingUp, reading } from '../../database/transaction.ts'
import { pushMembersTogether } from '../../organization/memberships.ts'
import { isLookUp } from '../../provisioning/filter-sql.ts'
import { lookUpsTogether } from '../../provisioning/look-ups.ts'
import { type GroupRecord, groupById, groupPage, groupsBy, type UniqueKey } from '../../provisioning/read.ts'
import { groupPatchTurns } from '../../scim/group-patch.ts'
import { groupChangeInWords, newGroupInWords, queryInWords } from '../../scim/in-words.ts'
import { resolveName } from '../../scim/names.ts'
import { hasAlready, writeCondition } from '../../scim/precondition.ts'
import type { Projection } from '../../scim/projection.ts'
import { dialectOf } from '../../scim/quirks.ts'
import { groupVersion } from '../../scim/representation.ts'
import { type GroupChange, type GroupInput, groupReplacementTurns, groupTurns } from '../../scim/resource.ts'
import { groupType } from '../../scim/schemas.ts'
import { inTurns } from '../../scim/turns.ts'
import {
  receiveGroup,
  receiveGroupDeletion,
  receiveMembersAlone,
  receiveNewGroup,
  receiveNewGroups,
} from '../../sync/receive-group.ts'
import { largeBodyLimit } from '../content.ts'
import type { Parts } from '../parts.ts'
import { listFrame, sendNotModified, sendResource, sendScim } from './answers.ts'
import { groupsAnswer, type Read, showsNames } from './group-text.ts'
import { type FoundPage, inPages, pickedPage } from './pages.ts'
import { projectionOf, readQuery } from './query.ts'
import { noteAsked } from './trace.ts'
import { type Asker, type ScimParts, type Write, type Writes, type Written, writeRoutes } from './writes.ts'

interface ById {
  Params: { id: string }
}

/** A 201 or 200 to a write repeats up to so many members; past it, the members only on request (`attributes=members`). */
const membersRepeated = 1_000
const members = resolveName(groupType, 'members')
const withoutMembers: Projection = members === undefined ? {} : { except: [members] }

/** `/Groups`: RFC 7644 §3.2 to §3.6. */
export const groupRoutes: FastifyPluginAsync<ScimParts> = async (app, parts) => {
  const { db, publicUrl } = parts
  const lookUps = lookUpsTogether(db)
  // What the directory pushed; what it is only offered is found in the general way.
  const lookUp =
    ({ scope, directory }: FastifyRequest) =>
    (by: UniqueKey, key: string) =>
      lookUps.group({ scope, directoryId: directory.id }, by, key)
  const lookedUp =
    ({ scope }: FastifyRequest): Read =>
    (work) =>
      lookingUp(db, scope, work)
  writeRoutes(app, groupType, parts.writes.Group, { publicUrl, bodyLimit: largeBodyLimit })

  app.get<ById>('/Groups/:id', async (request, reply) => {
    const projection = projectionOf(groupType, request.query)
    const { id } = request.params
    const group =
      (await lookUp(request)('id', id)) ?? (await lookedUp(request)((reader) => groupById(reader, request.directory, id)))
    const version = groupVersion(group)
    // What is only offered is others' word, and so are the members' names: no version counts them.
    const isCounted = group.version !== null && !showsNames(projection)
    if (isCounted && hasAlready(request.headers['if-none-match'], version)) return sendNotModified(reply, version)
    const text = await groupsAnswer(parts, request, [group], projection, lookedUp(request))
    return sendResource(reply, 'Group', { id: group.id, version }, text, publicUrl)
  })

  const list = async (request: FastifyRequest, reply: FastifyReply, given: unknown) => {
    const asked = readQuery(groupType, given, dialectOf(request.directory))
    noteAsked(request, queryInWords(asked))
    const { filter, sort, projection } = asked
    const answer = ({ total, place, items }: FoundPage<GroupRecord>, read: Read) =>
      groupsAnswer(parts, request, items, projection, read, listFrame(total, place, items.length))
    const picked = await pickedPage(groupType, request, asked, lookUp(request))
    if (picked) return sendScim(reply, await answer(picked, lookedUp(request)))
    const text = await inPages(
      { db, byIndex: isLookUp(groupType, filter) ? lookingUp : reading },
      request,
      asked,
      (reader, paging) => groupPage(reader, request.directory, { filter, sort, paging }),
      (reader, page) => answer(page, (work) => work(reader)),
    )
    return sendScim(reply, text)
  }
  app.get('/Groups', (request, reply) => list(request, reply, request.query))
  app.post('/Groups/.search', (request, reply) => list(request, reply, request.body))
}

/** How a group is changed: POST 201, PUT 200, PATCH 204 unless attributes are asked for, DELETE 204. */
export function groupWrites(parts: Pick<Parts, 'db' | 'publicUrl' | 'jobs'>): Writes {
  const { db, jobs } = parts
  const pushMembers = pushMembersTogether(db)
  const newGroup = newGroupsTogether(db)

  const written = async (trx: Trx, asker: Asker, id: string, status: 200 | 201, projection?: Projection): Promise<Written> => {
    const group = await groupById(trx, asker.directory, id)
    return represented(asker, group, status, projection, (work) => work(trx))
  }

  const represented = async (
    asker: Asker,
    group: GroupRecord,
    status: 200 | 201,
    projection: Projection | undefined,
    read: Read,
  ): Promise<Written> => {
    const shown = projection && (isAsked(projection) || group.memberCount <= membersRepeated ? projection : withoutMembers)
    const body = shown && (await groupsAnswer(parts, asker, [group], shown, read))
    return { status, id: group.id, version: groupVersion(group), body }
  }

  const change = (asker: Asker, { id, projection, precondition }: Write, changed: GroupChange) =>
    inTransaction(db, asker.scope, async (trx) => {
      await receiveGroup(trx, asker.directory, id as ProvisionedGroupId, changed, writeCondition(precondition))
      return written(trx, asker, id, 200, projection)
    })

  return {
    POST: async (asker, { body, projection }) => {
      const input = await inTurns(groupTurns(body, dialectOf(asker.directory)), setImmediate)
      noteAsked(asker, newGroupInWords(input))
      const { scope, directory } = asker
      const isAlone = input.members === undefined || input.members.length === 0
      const made = isAlone ? await newGroup(`${scope.orgId} ${directory.id}`, { scope, directory, input }) : undefined
      if (made) return represented(asker, made, 201, projection, (work) => lookingUp(db, scope, work))
      const { conflictPolicy, quietSeconds } = asker.directory
      return inTransaction(db, asker.scope, async (trx) => {
        const id = await receiveNewGroup(trx, asker.directory, input)
        // What is never filling is due at once; else the job that comes each minute finds it.
        if (conflictPolicy === 'overwrite' && quietSeconds === 0) await jobs.send(trx, 'overwrite-conflicts', {})
        return written(trx, asker, id, 201, projection)
      })
    },
    PUT: async (asker, write) => {
      const changed = await inTurns(groupReplacementTurns(write.body, dialectOf(asker.directory)), setImmediate)
      noteAsked(asker, groupChangeInWords(changed))
      return change(asker, write, changed)
    },
    PATCH: async (asker, write) => {
      const changed = await inTurns(groupPatchTurns(write.body, dialectOf(asker.directory)), setImmediate)
      noteAsked(asker, groupChangeInWords(changed))
      if (write.projection && isAsked(write.projection)) return change(asker, write, changed)
      const { scope, directory } = asker
      const id = write.id as ProvisionedGroupId
      const condition = writeCondition(write.precondition)
      const isDone = !condition && (await receiveMembersAlone(pushMembers, scope, directory, id, changed))
      if (!isDone) await inTransaction(db, scope, (trx) => receiveGroup(trx, directory, id, changed, condition))
      return { status: 204, id }
    },
    DELETE: async ({ scope, directory }, { id, precondition }) => {
      const condition = writeCondition(precondition)
      await inTransaction(db, scope, (trx) => receiveGroupDeletion(trx, directory, id as ProvisionedGroupId, condition))
      return { status: 204, id }
    },
  }
}

type NewGroup = Pick<Asker, 'scope' | 'directory'> & { input: GroupInput }

/** So many groups are received in one transaction. */
const mostTogether = 50

/** New groups without members that are pushed while the last are being received are received together, as one transaction; undefined: that one needs a closer look. */
function newGroupsTogether(db: Db) {
  return together<NewGroup, GroupRecord | undefined>(
    async (pushes) => {
      const [{ scope, directory }] = pushes as [NewGroup]
      const inputs = pushes.map(({ input }) => input)
      const requests = pushes.map((push) => push.scope.requestId)
      return inTransaction(db, scope, async (trx) => {
        const made = await receiveNewGroups(trx, directory, inputs, requests)
        const groups = await groupsBy(
          trx,
          directory.id,
          'id',
          made.filter((id) => id !== undefined),
        )
        const found = groups.values()
        return made.map((id) => (id === undefined ? undefined : found.next().value))
      })
    },
    { subject: ({ input }) => input.displayName, size: () => 1, most: mostTogether },
  )
}

const isAsked = ({ only, except }: Projection): boolean => only !== undefined || except !== undefined
