import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Reader, Scope } from '../../database/connection.ts'
import type { AccountId } from '../../database/ids.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { connectIdentity, personOf } from '../../organization/identities.ts'
import { Refusal } from '../../organization/refusal.ts'
import { attemptNotValid, beginAttempt, proofsOf, takeAttempt } from '../../organization/sign-in-attempts.ts'
import { clientSecretOf, findProvider } from '../../organization/sign-in-providers.ts'
import { beginSession } from '../auth/begin-session.ts'
import { findAttempt } from '../auth/live-tokens.ts'
import type { OpenId, OpenIdProvider } from '../auth/openid.ts'
import { requireRole } from '../auth/roles.ts'
import { attemptCookie, sessionCookie } from '../auth/session-cookie.ts'
import type { Parts } from '../parts.ts'
import type { ApiPlugin } from './api.ts'
import { nobodysScope, scopeOf } from './sign-in.ts'

const Going = Type.Object({ url: Type.String({ description: 'Where the page sends the browser' }) })
const ReturnTo = Type.Optional(Type.String({ maxLength: 1_000, description: 'The path of ours to come back to; / if not said' }))
const Answered = Type.Optional(Type.String())
const Params = Type.Object({ provider: Type.String() })

/** Signing in by an OpenID provider; open to everybody. */
export const signInByProviderApi: ApiPlugin = async (app, parts) => {
  const { db, publicUrl } = parts
  const attempts = attemptCookie(publicUrl)
  const sessions = sessionCookie(publicUrl)

  app.post(
    '/sign-in/providers/:provider',
    {
      schema: {
        operationId: 'goToProvider',
        tags: ['sign-in'],
        security: [],
        summary: 'Begin to sign in by a provider',
        params: Params,
        body: Type.Object(
          { organization: Type.Optional(Type.String({ maxLength: 63 })), returnTo: ReturnTo },
          { additionalProperties: false },
        ),
        response: { 200: Going },
      },
    },
    async ({ params, body }, reply) => {
      const scope = (await scopeOf(db, body.organization)) ?? nobodysScope()
      return goTo(parts, app.openId, scope, reply, { id: params.provider, accountId: null, returnTo: body.returnTo })
    },
  )

  app.get(
    '/sign-in/callback',
    {
      schema: {
        operationId: 'comeFromProvider',
        tags: ['sign-in'],
        security: [],
        summary: 'Where a provider sends the browser back to: signs in, and goes on to a page of ours',
        querystring: Type.Object({ code: Answered, state: Answered, iss: Answered, error: Answered }),
        response: {
          303: Type.Unsafe<void>({ type: 'null', description: 'To the page; where it failed, to /sign-in?problem=CODE' }),
        },
      },
    },
    async (request, reply) => {
      try {
        const secret = attempts.read(request)
        attempts.clear(reply)
        const found = secret === undefined ? undefined : await findAttempt(db, secret)
        const cameBackTo = new URL(request.url, publicUrl)
        if (secret === undefined || !found || cameBackTo.searchParams.get('state') !== proofsOf(secret).state)
          throw attemptNotValid()
        const scope: Scope = { ...found, actor: 'system', requestId: request.id }
        const attempt = await inTransaction(db, scope, (trx) => takeAttempt(trx, secret))
        const { providerId } = attempt
        if (providerId === null) throw attemptNotValid()
        const provider = await reading(db, scope, (reader) => spokenTo(parts, reader, providerId))
        const identified = await app.openId.identified(provider, cameBackTo, proofsOf(secret))
        if (attempt.accountId !== null) {
          const { accountId } = attempt
          await inTransaction(db, scope, (trx) => connectIdentity(trx, accountId, identified))
        } else {
          const accountId = await inTransaction(db, scope, (trx) => personOf(trx, identified))
          const entering = { ...found, accountId, signedInBy: 'provider' as const, otherwise: attemptNotValid }
          await beginSession(db, sessions, [request, reply], entering, async () => {})
        }
        return reply.redirect(attempt.returnTo, 303)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        request.log.info({ code: error.code, why: error.message }, 'nobody was signed in')
        // The code alone: a page must not show a text that stands in an address.
        return reply.redirect(`/sign-in?problem=${error.code}`, 303)
      }
    },
  )
}

/** Connecting a provider to oneself, signed in: for whom no verified e-mail says who they are. */
export const connectProviderApi: ApiPlugin = async (app, parts) => {
  app.post(
    '/session/providers/:provider',
    {
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'connectProvider',
        tags: ['session'],
        summary: 'Begin to connect a provider, to sign in by it from then on',
        params: Params,
        body: Type.Object({ returnTo: ReturnTo }, { additionalProperties: false }),
        response: { 200: Going },
      },
    },
    async ({ scope, token, params, body }, reply) => {
      if (token.kind !== 'session')
        throw new Refusal('invalid_value', 'A token is nobody at a provider. Sign in in the browser, and connect it there.')
      return goTo(parts, app.openId, scope, reply, { id: params.provider, accountId: token.accountId, returnTo: body.returnTo })
    },
  )
}

interface Going {
  id: string
  accountId: AccountId | null
  returnTo: string | undefined
}

async function goTo(parts: Parts, openId: OpenId, scope: Scope, reply: FastifyReply, { id, accountId, returnTo = '/' }: Going) {
  const provider = await reading(parts.db, scope, (reader) => spokenTo(parts, reader, id))
  const secret = await inTransaction(parts.db, scope, (trx) =>
    beginAttempt(trx, { providerId: provider.id, accountId, returnTo }),
  )
  const url = await openId.authorizationUrl(provider, proofsOf(secret))
  attemptCookie(parts.publicUrl).set(reply, secret)
  return { url }
}

async function spokenTo({ secrets }: Parts, reader: Reader, id: string): Promise<OpenIdProvider> {
  const provider = await findProvider(reader, id)
  if (!provider.enabled) throw new Refusal('not_found', 'There is no such sign-in provider. Open the sign-in page anew.')
  if (secrets === undefined) throw new Error('A server has keys for its secrets.')
  return { ...provider, clientSecret: await clientSecretOf(reader, secrets, provider.id) }
}
