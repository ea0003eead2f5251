import { Type } from 'typebox'
import { groupStates } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { writeCsv } from '../../organization/csv.ts'
import { nameKey } from '../../organization/name-key.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { addPart, beginList, compareList } from '../../provisioning/reconcile.ts'
import { readListedPart } from '../../provisioning/reconcile-file.ts'
import {
  type ComparedGroup,
  type ComparedMember,
  findingsOf,
  groupFindings,
  listComparedGroups,
  listComparedMembers,
  listUnderWay,
} from '../../provisioning/reconcile-list.ts'
import { largeBodyLimit } from '../content.ts'
import type { ApiPlugin } from './api.ts'
import { csvFormat, ListedOrCsv, listingOrAll, sendCsv } from './csv-answer.ts'
import { pageWith } from './paging.ts'
import { Id, NoContent, Nullable, OneOf, Time } from './shapes.ts'

const Count = Type.Integer()
export const Findings = Type.Object(
  {
    id: Id,
    comparedAt: Time,
    startedBy: Type.String(),
    listed: Type.Object({ groups: Count, memberships: Count }),
    pushed: Type.Object({ groups: Count, memberships: Count }),
    missing: Type.Object(
      { groups: Count, members: Count },
      { description: 'In the list and not here; members of groups on both sides' },
    ),
    extra: Type.Object({ groups: Count, members: Count }, { description: 'Here and not in the list' }),
    differing: Type.Integer({ description: 'Groups on both sides whose members differ' }),
    unknownPeople: Type.Integer({ description: 'People in the list whom the provider has not pushed' }),
    isEqual: Type.Boolean(),
  },
  { description: "What the provider's own list came to" },
)
const UnderWay = Type.Object({
  id: Id,
  state: OneOf(['receiving', 'comparing']),
  startedBy: Type.String(),
  startedAt: Time,
  parts: Count,
  groups: Count,
  comparedGroups: Count,
})

const Given = Type.Object(
  {
    csv: Type.Optional(
      Type.String({ description: 'CSV with the columns `group,user_name`; without a user name a group without members' }),
    ),
    groups: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), members: Type.Array(Type.String()) }, { additionalProperties: false })),
    ),
  },
  { additionalProperties: false },
)
const End = {
  groupCount: Type.Optional(Type.Integer({ minimum: 0, description: 'How many groups the list has' })),
  membershipCount: Type.Optional(Type.Integer({ minimum: 0, description: 'How many memberships, each once' })),
}
const ofDirectory = { directory: Type.String({ description: 'Id or name' }) }
const ofList = { ...ofDirectory, list: Type.String({ description: 'Its id' }) }
const tags = ['directories']

/** A provider's own list of its groups and members, compared with what it pushed: what is missing here, extra here, differs. */
export const reconciliationsApi: ApiPlugin = async (app, { db, jobs }) => {
  app.post(
    '/directories/:directory/lists',
    {
      bodyLimit: largeBodyLimit,
      schema: {
        operationId: 'beginList',
        tags,
        summary: "Give the provider's own list: whole, or begin one that comes in parts",
        description:
          'With `csv` or `groups` it is the whole list, and is compared in the background. Without, its parts follow, then `/compare`. What an earlier one found stays until this one is compared.',
        params: Type.Object(ofDirectory),
        body: Type.Optional(Type.Object({ ...Given.properties, ...End }, { additionalProperties: false })),
        response: { 202: Type.Object({ id: Id }) },
      },
    },
    async ({ scope, params, body }, reply) => {
      const part = body?.csv === undefined && body?.groups === undefined ? undefined : await readListedPart(body)
      const id = await inTransaction(db, scope, async (trx) => {
        const directory = await findDirectory(trx, params.directory)
        const begun = await beginList(trx, directory.id)
        if (part === undefined) return begun
        await addPart(trx, directory.id, begun, 1, part)
        await compareList(trx, jobs, directory.id, begun, { parts: 1, ...countsOf(body) })
        return begun
      })
      return reply.code(202).send({ id })
    },
  )

  app.put(
    '/directories/:directory/lists/:list/parts/:part',
    {
      bodyLimit: largeBodyLimit,
      schema: {
        operationId: 'addListPart',
        tags,
        summary: 'A part of a list, 32 MiB at most; the same part again changes nothing',
        params: Type.Object({ ...ofList, part: Type.Integer({ minimum: 1, maximum: 100_000 }) }),
        body: Given,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params, body }, reply) => {
      const part = await readListedPart(body)
      await inTransaction(db, scope, async (trx) =>
        addPart(trx, (await findDirectory(trx, params.directory)).id, params.list, params.part, part),
      )
      return reply.code(204).send()
    },
  )

  app.post(
    '/directories/:directory/lists/:list/compare',
    {
      schema: {
        operationId: 'compareList',
        tags,
        summary: 'The list is whole: compare it. Where it is not what is said here, nothing is concluded (409)',
        params: Type.Object(ofList),
        body: Type.Object(
          { parts: Type.Integer({ minimum: 1, description: 'How many parts it had' }), ...End },
          { additionalProperties: false },
        ),
        response: { 202: Type.Object({ id: Id }) },
      },
    },
    async ({ scope, params, body }, reply) => {
      await inTransaction(db, scope, async (trx) =>
        compareList(trx, jobs, (await findDirectory(trx, params.directory)).id, params.list, {
          parts: body.parts,
          ...countsOf(body),
        }),
      )
      return reply.code(202).send({ id: params.list })
    },
  )

  app.get(
    '/directories/:directory/reconciliation',
    {
      schema: {
        operationId: 'showReconciliation',
        tags,
        summary: "What the provider's last list came to, and how far one is that is under way",
        params: Type.Object(ofDirectory),
        response: { 200: Type.Object({ found: Nullable(Findings), underWay: Nullable(UnderWay) }) },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const { id } = await findDirectory(reader, params.directory)
        return { found: (await findingsOf(reader, id)) ?? null, underWay: await listUnderWay(reader, id) }
      }),
  )

  app.get(
    '/directories/:directory/reconciliation/groups',
    {
      schema: {
        operationId: 'listComparedGroups',
        tags,
        summary: 'Groups that are missing here, extra here, or differ',
        description: 'Sorted by name, missing, extra or finding.',
        params: Type.Object(ofDirectory),
        querystring: pageWith({
          finding: Type.Optional(OneOf(groupFindings, 'All but equal where it is not said')),
          ...csvFormat,
        }),
        response: {
          200: ListedOrCsv(
            Type.Object({
              name: Type.String(),
              finding: OneOf(groupFindings),
              id: Nullable(Id),
              state: Nullable(OneOf(groupStates)),
              listedMembers: Count,
              pushedMembers: Count,
              missing: Type.Integer({ description: 'Members in the list and not here' }),
              extra: Count,
            }),
          ),
        },
      },
    },
    async ({ scope, params, query }, reply) => {
      const listed = await reading(db, scope, async (reader) =>
        listComparedGroups(reader, (await findDirectory(reader, params.directory)).id, listingOrAll(query), query.finding),
      )
      return query.format === 'csv' ? sendCsv(reply, 'groups', writeCsv<ComparedGroup>(groupColumns, listed.items)) : listed
    },
  )

  app.get(
    '/directories/:directory/reconciliation/members',
    {
      schema: {
        operationId: 'listComparedMembers',
        tags,
        summary: 'Members on one side only, of groups on both',
        description: 'Sorted by group, userName or finding.',
        params: Type.Object(ofDirectory),
        querystring: pageWith({
          group: Type.Optional(Type.String({ maxLength: 255, description: 'Only of this group, by its name' })),
          finding: Type.Optional(OneOf(['missing', 'extra'])),
          ...csvFormat,
        }),
        response: {
          200: ListedOrCsv(
            Type.Object({
              group: Type.String(),
              userName: Type.String(),
              finding: OneOf(['missing', 'extra']),
              isKnown: Type.Boolean({ description: 'Whether the provider has pushed this person at all' }),
            }),
          ),
        },
      },
    },
    async ({ scope, params, query }, reply) => {
      const { finding, group } = query
      const listed = await reading(db, scope, async (reader) =>
        listComparedMembers(reader, (await findDirectory(reader, params.directory)).id, listingOrAll(query), {
          finding,
          group: group === undefined ? undefined : nameKey(group),
        }),
      )
      return query.format === 'csv' ? sendCsv(reply, 'members', writeCsv<ComparedMember>(memberColumns, listed.items)) : listed
    },
  )
}

const countsOf = (given: { groupCount?: number; membershipCount?: number } = {}) => ({
  groups: given.groupCount,
  memberships: given.membershipCount,
})

const groupColumns = {
  group: (row: ComparedGroup) => row.name,
  finding: (row: ComparedGroup) => row.finding,
  state: (row: ComparedGroup) => row.state,
  listed_members: (row: ComparedGroup) => row.listedMembers,
  pushed_members: (row: ComparedGroup) => row.pushedMembers,
  missing: (row: ComparedGroup) => row.missing,
  extra: (row: ComparedGroup) => row.extra,
}

const memberColumns = {
  group: (row: ComparedMember) => row.group,
  user_name: (row: ComparedMember) => row.userName,
  finding: (row: ComparedMember) => row.finding,
  known: (row: ComparedMember) => row.isKnown,
}
