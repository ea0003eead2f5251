import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Scope } from '../../database/connection.ts'
import { reading } from '../../database/transaction.ts'
import { signedHead } from '../../organization/audit-key.ts'
import { findEntry, listEntryMembers, listLog, memberChanges } from '../../organization/log-list.ts'
import { thisOrganization } from '../../organization/organizations.ts'
import { countUnsealed, exportNext, headOf } from '../../organization/seal.ts'
import { checkSeals } from '../../organization/seal-check.ts'
import { sealLog } from '../../organization/seal-log.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import type { Parts } from '../parts.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { Id, Nullable, OneOf, Time } from './shapes.ts'

const tags = ['audit']
const EntryId = Type.String({ pattern: '^\\d{1,18}$', description: 'A number, as text' })
const NamedMembers = Type.Object({
  count: Type.Integer(),
  names: Type.Array(Type.String(), { description: 'User names of the first ten; /audit/{entry}/members has all' }),
})
const Entry = Type.Object({
  id: EntryId,
  at: Time,
  actor: Type.String({ description: '`token:NAME`, `directory:NAME` or `system`' }),
  action: Type.String(),
  subject: Nullable(
    Type.Object({ id: Id, name: Nullable(Type.String()) }, { description: 'What it was done to, by its name then' }),
  ),
  directory: Nullable(Type.Object({ id: Id, name: Type.String() })),
  requestId: Nullable(Type.String()),
  runId: Nullable(Id),
  facts: Type.Record(Type.String(), Type.Unknown(), { description: '`before`, `after`, and what stands beside them' }),
  role: Nullable(Type.Object({ site: Type.String(), product: Type.String(), role: Type.String() })),
  members: Type.Object({
    added: NamedMembers,
    removed: NamedMembers,
    pushedAdded: NamedMembers,
    pushedRemoved: NamedMembers,
  }),
  block: Nullable(Type.Integer({ description: 'In which it is sealed; null: not yet' })),
})

const Head = Type.Object({
  head: Type.Object({
    organization: Id,
    number: Type.Integer({ description: 'Of the last block; 0 where there is none' }),
    hash: Type.String({ description: 'Its SHA-256, in hex' }),
    entries: Type.Integer({ description: 'How many are sealed in all' }),
    last: EntryId,
    sealedAt: Nullable(Type.String()),
  }),
  key: Nullable(
    Type.Object(
      { id: Type.String(), publicKey: Type.String({ description: 'Ed25519, SPKI, base64' }) },
      { description: 'null: the server has none' },
    ),
  ),
  signature: Nullable(Type.String({ description: 'Ed25519 over RFC 8785 of `head`, base64' })),
})

const OfEntry = Type.Object({ entry: Type.String({ description: 'Its id' }) })

const Query = Type.Object(
  {
    actor: Type.Optional(Type.String({ maxLength: 300 })),
    action: Type.Optional(Type.String({ maxLength: 64, description: 'One action, `group.renamed`, or all of a kind, `group`' })),
    subject: Type.Optional(Type.String({ maxLength: 1_024, description: 'Id or name of what it was done to' })),
    directory: Type.Optional(Type.String({ description: 'Id or name' })),
    run: Type.Optional(Type.String()),
    request: Type.Optional(Type.String({ maxLength: 64 })),
    since: Type.Optional(Type.String({ format: 'date-time' })),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Before this moment' })),
    sort: Type.Optional(OneOf(['id', '-id'], 'The oldest first, or the newest')),
    after: Type.Optional(EntryId),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 30 })),
  },
  { additionalProperties: false },
)

const Checked = Type.Object({
  blocks: Type.Integer({ description: 'How many were checked' }),
  entries: Type.Integer(),
  unsealed: Type.Integer({ description: 'Entries that are not sealed yet' }),
  fault: Nullable(
    Type.Object({
      block: Type.Integer(),
      entry: Nullable(Type.String({ description: 'The first entry that is not what was sealed' })),
      text: Type.String(),
    }),
  ),
  next: Nullable(Type.Integer({ description: 'The block to go on after: `after` of the next request' })),
})

const AfterBlock = Type.Object(
  { after: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: 'Begin behind this block' })) },
  { additionalProperties: false },
)

/** The log: listed, exported with its seals, checked. What was written before a request is sealed first, so that it is in the answer. */
export const auditApi: ApiPlugin = async (app, { db, auditKey }: Parts) => {
  const seal = (scope: Scope) => sealLog(db, [scope], { patienceMs: 10_000 })

  app.get(
    '/audit',
    {
      schema: {
        operationId: 'listAudit',
        tags,
        summary: 'Every change, the newest first: who, when, what, before and after',
        description:
          'They are not counted, as there may be millions; `next` leads on, as `after`. docs/reference-log.md has the actions.',
        querystring: Query,
        response: { 200: Type.Object({ items: Type.Array(Entry), next: Nullable(EntryId) }) },
      },
    },
    async ({ scope, query: { directory, limit = 30, ...query } }) =>
      reading(db, scope, async (reader) =>
        listLog(reader, {
          ...query,
          limit,
          directory: directory === undefined ? undefined : (await findDirectory(reader, directory)).id,
        }),
      ),
  )

  app.get(
    '/audit/:entry',
    {
      schema: {
        operationId: 'showAudit',
        tags,
        summary: 'One entry of the log',
        params: OfEntry,
        response: { 200: Entry },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findEntry(reader, params.entry)),
  )

  app.get(
    '/audit/:entry/members',
    {
      schema: {
        operationId: 'listAuditMembers',
        tags,
        summary: 'All members that an entry names',
        description: 'Sorted by name, displayName or change.',
        params: OfEntry,
        querystring: Page,
        response: {
          200: Listed(
            Type.Object({ id: Id, userName: Type.String(), displayName: Nullable(Type.String()), change: OneOf(memberChanges) }),
          ),
        },
      },
    },
    async ({ scope, params, query }) => reading(db, scope, (reader) => listEntryMembers(reader, params.entry, listingOf(query))),
  )

  app.get(
    '/audit/head',
    {
      schema: {
        operationId: 'auditHead',
        tags,
        summary: 'How far the log is sealed, signed: keep it elsewhere, and no later export can be cut or rewritten unseen',
        response: { 200: Head },
      },
    },
    async ({ scope }) => {
      await seal(scope)
      return signedHead(await reading(db, scope, headOf), auditKey)
    },
  )

  app.get(
    '/audit/export',
    {
      schema: {
        operationId: 'exportAudit',
        tags,
        summary: 'The log with its seals and a signed head, a line of JSON each: `muster audit verify FILE` checks it off-line',
        querystring: AfterBlock,
        response: { 200: { description: 'NDJSON', content: { 'application/x-ndjson': { schema: Type.String() } } } },
      },
    },
    async ({ scope, query }, reply) => {
      await seal(scope)
      const head = await reading(db, scope, headOf)
      const organization = await reading(db, scope, thisOrganization)
      async function* lines() {
        const { id, slug, name } = organization
        yield `${JSON.stringify({ export: 'muster-log', version: 1, organization: { id, slug, name }, after: query.after ?? 0 })}\n`
        for (let number = query.after ?? 0; number < head.number; number++) {
          const block = await reading(db, scope, (reader) => exportNext(reader, number))
          if (block !== undefined) yield block.lines
        }
        yield `${JSON.stringify(signedHead(head, auditKey))}\n`
      }
      return sendLines(reply, `audit-${organization.slug}.ndjson`, lines())
    },
  )

  app.get(
    '/audit/verification',
    {
      schema: {
        operationId: 'verifyAudit',
        tags,
        summary: 'Compute the seals anew from what the database has, some blocks at a time',
        querystring: AfterBlock,
        response: { 200: Checked },
      },
    },
    async ({ scope, query }) => {
      await seal(scope)
      return reading(db, scope, async (reader) => ({
        ...(await checkSeals(reader, query.after ?? 0)),
        unsealed: await countUnsealed(reader),
      }))
    },
  )
}

const sendLines = (reply: FastifyReply, name: string, lines: AsyncIterable<string>): FastifyReply =>
  reply
    .header('content-type', 'application/x-ndjson')
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(Readable.from(lines, { objectMode: false }))
