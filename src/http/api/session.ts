import { Type } from 'typebox'
import type { Reader } from '../../database/connection.ts'
import { apiRoles, waysToSignIn } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { accountById } from '../../organization/accounts.ts'
import { revokeApiToken } from '../../organization/api-tokens.ts'
import { thisOrganization } from '../../organization/organizations.ts'
import { type Asking, deeds, deedsOf } from '../../organization/roles.ts'
import { endSession, listSessions } from '../../organization/sessions.ts'
import { requireRole } from '../auth/roles.ts'
import { sessionCookie } from '../auth/session-cookie.ts'
import { Failure } from '../failure.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { Id, NoContent, Nullable, OneOf, Time } from './shapes.ts'

const tags = ['session']

const Organization = Type.Object({ id: Id, slug: Type.String(), name: Type.String() })

/** Who asks: what the console shows, and what it offers, comes of it. */
export const WhoAsks = Type.Object({
  organization: Organization,
  person: Nullable(
    Type.Object({ id: Id, userName: Type.String(), email: Nullable(Type.String()), displayName: Nullable(Type.String()) }),
  ),
  role: OneOf(apiRoles),
  products: Type.Array(Id, { description: 'Of a reviewer: what groups may give access to that they decide about' }),
  can: Type.Array(OneOf(deeds), {
    description: 'review: decide about groups that await review; change: all else; own: who signs in, and what needs approval',
  }),
})

/** What is told of who asks. */
export async function whoAsks(reader: Reader, { accountId, role, products }: Asking) {
  const { id, slug, name } = await thisOrganization(reader)
  const account = accountId === null ? null : await accountById(reader, accountId)
  return {
    organization: { id, slug, name },
    person: account && {
      id: account.id,
      userName: account.userName,
      email: account.email,
      displayName: account.displayName,
    },
    role,
    products: [...products],
    can: deedsOf(role),
  }
}

const ShownSession = Type.Object({
  id: Id,
  person: Type.Object({ id: Id, userName: Type.String() }),
  signedInBy: OneOf(waysToSignIn),
  address: Nullable(Type.String()),
  userAgent: Nullable(Type.String()),
  createdAt: Time,
  lastUsedAt: Time,
  expiresAt: Time,
  isThis: Type.Boolean({ description: 'The one that asks' }),
})

/** Who is signed in, and where. */
export const sessionApi: ApiPlugin = async (app, { db, publicUrl }) => {
  const cookie = sessionCookie(publicUrl)

  app.get(
    '/session',
    {
      schema: {
        operationId: 'showSession',
        tags,
        summary: 'Who asks, and what they may do',
        response: { 200: WhoAsks },
      },
    },
    async ({ scope, token }) => reading(db, scope, (reader) => whoAsks(reader, token)),
  )

  app.delete(
    '/session',
    {
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'signOut',
        tags,
        summary: "Sign out: end the session that asks, or revoke the token of one's own",
        response: { 204: NoContent },
      },
    },
    async ({ scope, token }, reply) => {
      if (token.accountId === null)
        throw new Failure(403, 'not_permitted', "A program's token has no session. Revoke it instead.")
      await inTransaction(db, scope, (trx) =>
        // It is one's own, whatever one may do by now.
        token.kind === 'session' ? endSession(trx, token.id, token) : revokeApiToken(trx, token.id, 'owner'),
      )
      app.forgetTokens()
      cookie.clear(reply)
      return reply.code(204).send()
    },
  )

  app.get(
    '/sessions',
    {
      schema: {
        operationId: 'listSessions',
        tags,
        summary: 'Where one is signed in; for owners, where everybody is',
        description:
          'Sorted by lastUsedAt, createdAt or person. A session ends after 30 minutes without use, and after 12 hours.',
        querystring: pageWith({ everybody: Type.Optional(Type.Boolean({ description: 'For owners' })) }),
        response: { 200: Listed(ShownSession) },
      },
    },
    async ({ scope, token, query }) => {
      if (query.everybody && token.role !== 'owner')
        throw new Failure(403, 'not_permitted', "Only owners see everybody's sessions. Leave out everybody to see your own.")
      const { total, items } = await reading(db, scope, (reader) =>
        listSessions(reader, query.everybody ? 'everybody' : token, listingOf(query)),
      )
      return { total, items: items.map((session) => ({ ...session, isThis: session.id === token.id })) }
    },
  )

  app.delete(
    '/sessions/:session',
    {
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'endSession',
        tags,
        summary: "End a session: one's own; for owners, anybody's",
        params: Type.Object({ session: Type.String() }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, token, params }, reply) => {
      await inTransaction(db, scope, (trx) => endSession(trx, params.session, token))
      app.forgetTokens()
      return reply.code(204).send()
    },
  )
}
