import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { completenessOf } from '../../provisioning/completeness.ts'
import {
  createDirectory,
  type Directory as DirectoryOf,
  findDirectory,
  listDirectories,
  listDisconnected,
  updateDirectory,
} from '../../provisioning/directories.ts'
import { disconnect, disconnectionOf } from '../../provisioning/disconnection.ts'
import { guardLimits } from '../../provisioning/guard-limits.ts'
import { lastErrorOf } from '../../provisioning/request-list.ts'
import { createDirectoryToken, listDirectoryTokens, revokeDirectoryToken } from '../../provisioning/tokens.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { Findings } from './reconciliations.ts'
import {
  ConflictPolicy,
  DeletedGroups,
  ExpiresInDays,
  Id,
  NestedGroups,
  NoContent,
  Nullable,
  OfferExistingGroups,
  Provider,
  Secret,
  Time,
  token,
  UnknownMembers,
} from './shapes.ts'

const limit = ({ least, most, means }: { least: number; most: number; means: string }) =>
  Type.Integer({ minimum: least, maximum: most, description: `The guard, over a rolling hour: ${means}` })
const guard = {
  guardMembersPercent: limit(guardLimits.guardMembersPercent),
  guardMembersOver: limit(guardLimits.guardMembersOver),
  guardPeople: limit(guardLimits.guardPeople),
  guardPeoplePercent: limit(guardLimits.guardPeoplePercent),
  guardGroups: limit(guardLimits.guardGroups),
  guardGroupsPercent: limit(guardLimits.guardGroupsPercent),
}

const settings = {
  conflictPolicy: ConflictPolicy,
  unknownMembers: UnknownMembers,
  nestedGroups: NestedGroups,
  deletedGroups: DeletedGroups,
  strict: Type.Boolean({
    description: 'Whether a push of attributes or extensions that no schema has is refused (400); else they are passed over',
  }),
  offerExistingGroups: OfferExistingGroups,
  quietSeconds: Type.Integer({
    minimum: 0,
    maximum: 86_400,
    description: 'How long after its last member a group that is not synced counts as filling; 0 is never',
  }),
  emailDomains: Type.Array(Type.String({ maxLength: 255 }), {
    maxItems: 1_000,
    description: 'Only people of these domains are taken over; empty is all',
  }),
  ...guard,
}

const directory = {
  id: Id,
  name: Type.String(),
  provider: Provider,
  scimUrl: Type.String({ description: 'What the provider is told to call' }),
  ...settings,
  observing: Type.Boolean({ description: 'Everything is accepted, and nothing becomes effective until it goes live' }),
  pausedAt: Nullable(Time),
  createdAt: Time,
}
const Directory = Type.Object(directory)
const NewDirectory = Type.Object({
  ...directory,
  token: Type.String({ description: 'The first token, shown once' }),
  tokenExpiresAt: Time,
})

const StateCounts = Type.Object({
  received: Type.Integer(),
  ready: Type.Integer({ description: 'Of a directory that observes: nothing stands in their way' }),
  synced: Type.Integer(),
  needsReview: Type.Integer(),
  blocked: Type.Integer(),
  held: Type.Integer(),
  ignored: Type.Integer(),
})
const DirectoryDetail = Type.Object({
  ...directory,
  groups: StateCounts,
  users: StateCounts,
  waitingNamesCount: Type.Integer({ description: 'Synced groups whose new name another group has' }),
  unknownMembersCount: Type.Integer(),
  complete: Type.Boolean({
    description: "All that was pushed is synced, nothing differs, and the provider's last list was no other",
  }),
  incomplete: Type.Array(Type.String(), { description: 'Why it is not complete, in plain words' }),
  compared: Nullable(Findings),
  lastPush: Nullable(Time),
  lastError: Nullable(Type.Object({ detail: Type.String(), at: Time })),
})

const Count = Type.Integer()
const Disconnection = Type.Object({
  id: Id,
  name: Type.String(),
  groups: Type.Object({
    pushed: Count,
    unmanaged: Type.Integer({ description: 'Synced: they stay, with members and grants' }),
    dropped: Type.Integer({ description: 'Not synced: what was pushed goes, the existing group stays' }),
  }),
  members: Type.Object({
    staying: Count,
    additions: Type.Integer({ description: 'Pushed and not in force: dropped' }),
    removals: Type.Integer({ description: 'In force and not pushed: they stay' }),
    unknown: Count,
  }),
  people: Type.Object({
    pushed: Count,
    released: Type.Integer({ description: 'Accounts that it owns; they stay as they are' }),
  }),
  reviewable: Type.Integer({ description: 'Pushed groups of other directories that have waited behind it' }),
  tokens: Type.Integer({ description: 'Live ones, revoked' }),
  fingerprint: Type.String({ description: 'SHA-256 in hex of the answer' }),
})

const Params = Type.Object({ directory: Type.String({ description: 'Id or name' }) })
const tags = ['directories']

/** Directories: the providers' connections, their settings and their tokens. */
export const directoriesApi: ApiPlugin = async (app, { db, jobs, publicUrl }) => {
  const shown = (given: DirectoryOf) => ({ ...given, scimUrl: `${publicUrl}/scim/v2` })

  app.get(
    '/directories',
    {
      schema: {
        operationId: 'listDirectories',
        tags,
        summary: 'The directories',
        description: 'Sorted by name or createdAt.',
        querystring: Page,
        response: { 200: Listed(Directory) },
      },
    },
    async ({ scope, query }) =>
      reading(db, scope, async (reader) => {
        const { total, items } = await listDirectories(reader, listingOf(query))
        return { total, items: items.map(shown) }
      }),
  )

  app.post(
    '/directories',
    {
      schema: {
        operationId: 'createDirectory',
        tags,
        summary: 'Connect a provider: a directory and its first token',
        body: Type.Object(
          {
            name: Type.String(),
            provider: Provider,
            observing: Type.Optional(directory.observing),
            ...Type.Partial(Type.Object(settings)).properties,
          },
          { additionalProperties: false },
        ),
        response: { 201: NewDirectory },
      },
    },
    async ({ scope, body }, reply) => {
      const answer = await inTransaction(db, scope, async (trx) => {
        const made = await createDirectory(trx, body)
        const { secret, expiresAt } = await createDirectoryToken(trx, made.id)
        return { ...shown(made), token: secret, tokenExpiresAt: expiresAt }
      })
      return reply.code(201).send(answer)
    },
  )

  app.get(
    '/directories/:directory',
    {
      schema: {
        operationId: 'showDirectory',
        tags,
        summary: 'A directory, and whether all that it pushed is in force',
        params: Params,
        response: { 200: DirectoryDetail },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const found = await findDirectory(reader, params.directory)
        return { ...shown(found), ...(await completenessOf(reader, found.id)), lastError: await lastErrorOf(reader, found.id) }
      }),
  )

  app.patch(
    '/directories/:directory',
    {
      schema: {
        operationId: 'updateDirectory',
        tags,
        summary: "Change a directory's name or settings",
        params: Params,
        body: Type.Partial(Type.Object({ name: Type.String(), ...settings }), { additionalProperties: false }),
        response: { 200: Directory },
      },
    },
    async ({ scope, params, body }) => {
      const written = await inTransaction(db, scope, async (trx) =>
        updateDirectory(trx, (await findDirectory(trx, params.directory)).id, body),
      )
      app.forgetTokens()
      return shown(written)
    },
  )

  app.get(
    '/directories/:directory/disconnection',
    {
      schema: {
        operationId: 'showDisconnection',
        tags,
        summary: 'What disconnecting a directory would come to',
        params: Params,
        response: { 200: Disconnection },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const { id, name } = await findDirectory(reader, params.directory)
        return { id, name, ...(await disconnectionOf(reader, id)) }
      }),
  )

  app.post(
    '/directories/:directory/disconnect',
    {
      schema: {
        operationId: 'disconnectDirectory',
        tags,
        summary: 'Disconnect a directory: its groups and people stay as they are, and nobody but you changes them any more',
        description:
          'Its tokens are revoked at once; what it pushed is let go of in the background (`left` in /disconnected-directories).',
        params: Params,
        body: Type.Object(
          { fingerprint: Type.String({ description: 'Of what was shown; where it comes to something else by now: 409' }) },
          { additionalProperties: false },
        ),
        response: { 202: Disconnection },
      },
    },
    async ({ scope, params, body }, reply) => {
      const answer = await inTransaction(db, scope, async (trx) => {
        const { id, name } = await findDirectory(trx, params.directory)
        return { id, name, ...(await disconnect(trx, jobs, { id, name }, body.fingerprint)) }
      })
      app.forgetTokens()
      return reply.code(202).send(answer)
    },
  )

  app.get(
    '/disconnected-directories',
    {
      schema: {
        operationId: 'listDisconnectedDirectories',
        tags,
        summary: 'Directories that were disconnected, and what is not let go of yet',
        description: 'Sorted by -disconnectedAt or name.',
        querystring: Page,
        response: {
          200: Listed(
            Type.Object({
              id: Id,
              name: Type.String(),
              provider: Provider,
              disconnectedAt: Time,
              left: Type.Object({ groups: Count, people: Count }),
            }),
          ),
        },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listDisconnected(reader, listingOf(query))),
  )

  app.get(
    '/directories/:directory/tokens',
    {
      schema: {
        operationId: 'listDirectoryTokens',
        tags,
        summary: "A directory's tokens, the newest first",
        params: Params,
        response: { 200: Listed(Type.Object(token)) },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const items = await listDirectoryTokens(reader, (await findDirectory(reader, params.directory)).id)
        return { total: items.length, items }
      }),
  )

  app.post(
    '/directories/:directory/tokens',
    {
      schema: {
        operationId: 'createDirectoryToken',
        tags,
        summary: 'Another token of a directory; two may live at once',
        params: Params,
        body: Type.Optional(Type.Object({ expiresInDays: ExpiresInDays }, { additionalProperties: false })),
        response: { 201: Type.Object({ ...token, token: Secret }) },
      },
    },
    async ({ scope, params, body }, reply) => {
      const { secret, ...token } = await inTransaction(db, scope, async (trx) =>
        createDirectoryToken(trx, (await findDirectory(trx, params.directory)).id, body ?? {}),
      )
      return reply.code(201).send({ ...token, token: secret })
    },
  )

  app.delete(
    '/directories/:directory/tokens/:token',
    {
      schema: {
        operationId: 'revokeDirectoryToken',
        tags,
        summary: 'Revoke a token of a directory',
        params: Type.Object({ ...Params.properties, token: Type.String() }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, async (trx) =>
        revokeDirectoryToken(trx, (await findDirectory(trx, params.directory)).id, params.token),
      )
      app.forgetTokens()
      return reply.code(204).send()
    },
  )
}
