import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { SourceSettings } from '../../push/sources/settings.ts'
import { findPushSource, listPushSources, removePushSource, savePushSource } from '../../push/stored/sources.ts'
import { readStoredSource } from '../../push/stored-push.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { keysOf, pushTags, Sums, told, worldOf } from './push-shapes.ts'
import { Id, NoContent, Nullable, Time } from './shapes.ts'

const OfSource = Type.Object({ source: Type.String({ description: 'Id or name' }) })
const Source = Type.Object({
  id: Id,
  name: Type.String(),
  settings: SourceSettings,
  hasSecret: Type.Boolean(),
  counts: Nullable(Sums),
  readAt: Nullable(Time),
  error: Nullable(Type.String()),
  createdAt: Time,
})
const Sample = Type.Object({
  counts: Sums,
  people: Type.Array(
    Type.Object({ userName: Type.String(), email: Nullable(Type.String()), displayName: Nullable(Type.String()) }),
  ),
  groups: Type.Array(Type.Object({ name: Type.String(), description: Nullable(Type.String()), memberCount: Type.Integer() })),
  notes: Type.Array(Type.String()),
})

/** Where people and groups are read from. */
export const pushSourcesApi: ApiPlugin = async (app, parts) => {
  const { db } = parts
  app.get(
    '/push/sources',
    {
      schema: {
        operationId: 'listPushSources',
        tags: pushTags,
        summary: 'The sources that people and groups are pushed from',
        description: 'Sorted by name, readAt or createdAt.',
        querystring: Page,
        response: { 200: Listed(Source) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listPushSources(reader, listingOf(query))),
  )

  app.get(
    '/push/sources/:source',
    {
      schema: {
        operationId: 'showPushSource',
        tags: pushTags,
        summary: 'One source',
        params: OfSource,
        response: { 200: Source },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findPushSource(reader, params.source)),
  )

  app.put(
    '/push/sources/:source',
    {
      schema: {
        operationId: 'savePushSource',
        tags: pushTags,
        summary: 'Make the source of this name be so',
        description: 'The secret (a password, a token) is sealed and shown to nobody; left out, it stays.',
        params: OfSource,
        body: Type.Object(
          {
            settings: Type.Unknown({ description: 'As SourceSettings: kind and what it takes' }),
            secret: Type.Optional(Type.String({ maxLength: 4_096 })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Source },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, (trx) => savePushSource(trx, keysOf(parts), { name: params.source, ...body })),
  )

  app.post(
    '/push/sources/:source/test',
    {
      schema: {
        operationId: 'testPushSource',
        tags: pushTags,
        summary: 'Read a source to its end: counts, and some of what it has; nothing is kept',
        params: OfSource,
        response: { 200: Sample },
      },
    },
    async ({ scope, params }) => {
      const source = await reading(db, scope, (reader) => findPushSource(reader, params.source))
      const { users, groups, notes = [] } = await told(readStoredSource(worldOf(parts, scope), source))
      return {
        counts: {
          people: users.length,
          groups: groups.length,
          memberships: groups.reduce((sum, { members }) => sum + members.length, 0),
        },
        people: users.slice(0, 5).map(({ userName, email, displayName }) => ({ userName, email, displayName })),
        groups: groups.slice(0, 5).map(({ name, description, members }) => ({ name, description, memberCount: members.length })),
        notes,
      }
    },
  )

  app.delete(
    '/push/sources/:source',
    {
      schema: {
        operationId: 'removePushSource',
        tags: pushTags,
        summary: 'Remove a source that no target has',
        params: OfSource,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, (trx) => removePushSource(trx, params.source))
      return reply.code(204).send()
    },
  )
}
