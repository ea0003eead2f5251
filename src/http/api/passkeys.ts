import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Scope, Trx } from '../../database/connection.ts'
import type { AccountId, OrgId } from '../../database/ids.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { accountById } from '../../organization/accounts.ts'
import { addPasskey, credentials, listPasskeys, notePasskeyUsed, removePasskey } from '../../organization/passkeys.ts'
import { Refusal } from '../../organization/refusal.ts'
import type { Asking } from '../../organization/roles.ts'
import { attemptNotValid, beginAttempt, proofsOf, takeAttempt } from '../../organization/sign-in-attempts.ts'
import { beginSession } from '../auth/begin-session.ts'
import { findAttempt } from '../auth/live-tokens.ts'
import { requireRole } from '../auth/roles.ts'
import { attemptCookie, type SessionCookie, sessionCookie } from '../auth/session-cookie.ts'
import {
  type AuthenticationResponseJSON,
  notValid,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  webAuthn,
} from '../auth/webauthn.ts'
import type { Parts } from '../parts.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { WhoAsks, whoAsks } from './session.ts'
import { Id, NoContent, Nullable, Time } from './shapes.ts'
import { nobodysScope, scopeOf } from './sign-in.ts'

const Json = <T>(description: string) => Type.Unsafe<T>({ type: 'object', additionalProperties: true, description })
const Passkey = Type.Object({ id: Id, name: Type.String(), createdAt: Time, lastUsedAt: Nullable(Time) })
const tags = ['passkeys']

/** One's own passkeys. */
export const passkeysApi: ApiPlugin = async (app, { db, publicUrl }) => {
  const passkeys = webAuthn(publicUrl)
  const attempts = attemptCookie(publicUrl)

  app.get(
    '/session/passkeys',
    {
      schema: {
        operationId: 'listPasskeys',
        tags,
        summary: "One's own passkeys",
        description: 'Sorted by name or createdAt.',
        querystring: Page,
        response: { 200: Listed(Passkey) },
      },
    },
    async ({ scope, token, query }) => {
      const { accountId } = token
      if (accountId === null) return { total: 0, items: [] }
      return reading(db, scope, (reader) => listPasskeys(reader, accountId, listingOf(query)))
    },
  )

  app.post(
    '/session/passkeys/options',
    {
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'beginPasskey',
        tags,
        summary: 'What the browser makes a passkey from',
        response: { 200: Json<PublicKeyCredentialCreationOptionsJSON>('PublicKeyCredentialCreationOptionsJSON') },
      },
    },
    async ({ scope, token }, reply) => {
      const id = personIn(token)
      const [account, known] = await reading(db, scope, (reader) =>
        Promise.all([accountById(reader, id), credentials(reader, { accountId: id })]),
      )
      const secret = await inTransaction(db, scope, (trx) =>
        beginAttempt(trx, { providerId: null, accountId: id, returnTo: '/' }),
      )
      attempts.set(reply, secret)
      return passkeys.creationOptions(account, proofsOf(secret).challenge, known)
    },
  )

  app.post(
    '/session/passkeys',
    {
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'addPasskey',
        tags,
        summary: 'Add the passkey that the browser made',
        body: Type.Object(
          { name: Type.String({ maxLength: 255 }), response: Json<RegistrationResponseJSON>('RegistrationResponseJSON') },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ id: Id }) },
      },
    },
    async (request, reply) => {
      const { scope, token, body } = request
      const accountId = personIn(token)
      const { secret, found } = await attemptIn({ db, attempts }, request, reply)
      if (found.orgId !== scope.orgId) throw attemptNotValid()
      await takeOwn(scope, (trx) => takeAttempt(trx, secret), accountId)
      const made = await passkeys.made(body.response, proofsOf(secret).challenge)
      const id = await inTransaction(db, scope, async (trx) =>
        addPasskey(trx, await accountById(trx, accountId), { name: body.name, ...made }),
      )
      return reply.code(201).send({ id })
    },
  )

  app.delete(
    '/session/passkeys/:passkey',
    {
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'removePasskey',
        tags,
        summary: "Remove one of one's own passkeys",
        params: Type.Object({ passkey: Type.String() }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, token, params }, reply) => {
      await inTransaction(db, scope, (trx) => removePasskey(trx, token.accountId, params.passkey))
      return reply.code(204).send()
    },
  )

  async function takeOwn(scope: Scope, take: (trx: Trx) => ReturnType<typeof takeAttempt>, accountId: AccountId) {
    const attempt = await inTransaction(db, scope, take)
    if (attempt.accountId !== accountId || attempt.providerId !== null) throw attemptNotValid()
  }
}

/** Signing in by a passkey; open to everybody. */
export const signInByPasskeyApi: ApiPlugin = async (app, { db, publicUrl }) => {
  const passkeys = webAuthn(publicUrl)
  const attempts = attemptCookie(publicUrl)
  const sessions = sessionCookie(publicUrl)

  app.post(
    '/sign-in/passkey/options',
    {
      schema: {
        operationId: 'beginSignInByPasskey',
        tags: ['sign-in'],
        security: [],
        summary: 'What the browser has a passkey answer',
        body: Type.Object({ organization: Type.Optional(Type.String({ maxLength: 63 })) }, { additionalProperties: false }),
        response: { 200: Json<PublicKeyCredentialRequestOptionsJSON>('PublicKeyCredentialRequestOptionsJSON') },
      },
    },
    async ({ body }, reply) => {
      const scope = (await scopeOf(db, body.organization)) ?? nobodysScope()
      const secret = await inTransaction(db, scope, (trx) =>
        beginAttempt(trx, { providerId: null, accountId: null, returnTo: '/' }),
      )
      attempts.set(reply, secret)
      return passkeys.requestOptions(proofsOf(secret).challenge)
    },
  )

  app.post(
    '/sign-in/passkey',
    {
      schema: {
        operationId: 'signInByPasskey',
        tags: ['sign-in'],
        security: [],
        summary: 'Sign in by what a passkey answered',
        body: Type.Object(
          { response: Json<AuthenticationResponseJSON>('AuthenticationResponseJSON') },
          { additionalProperties: false },
        ),
        response: { 200: WhoAsks },
      },
    },
    async (request, reply) => {
      const { response } = request.body
      const { secret, found } = await attemptIn({ db, attempts }, request, reply)
      const scope: Scope = { orgId: found.orgId, actor: 'system', requestId: request.id }
      const attempt = await inTransaction(db, scope, (trx) => takeAttempt(trx, secret))
      if (attempt.accountId !== null || attempt.providerId !== null) throw attemptNotValid()
      const credentialId = String(response.id)
      const [known = notValid()] = await reading(db, scope, (reader) => credentials(reader, { credentialId }))
      const counter = await passkeys.usedBy(response, proofsOf(secret).challenge, known)
      const entering = {
        orgId: found.orgId,
        accountId: known.accountId,
        signedInBy: 'passkey' as const,
        otherwise: () => new Refusal('passkey_not_valid', 'Whose passkey this is may sign in no more. Ask an owner.'),
      }
      const { scope: theirs, asking } = await beginSession(db, sessions, [request, reply], entering, (trx) =>
        notePasskeyUsed(trx, known.id, counter),
      )
      return reading(db, theirs, (reader) => whoAsks(reader, asking))
    },
  )
}

function personIn({ accountId, kind }: Asking & { kind: string }): AccountId {
  if (accountId === null || kind !== 'session')
    throw new Refusal('invalid_value', 'A passkey is made in the browser, signed in: a token is not.')
  return accountId
}

/** The attempt that this browser began; it answers once. @throws Refusal `attempt_not_valid` */
async function attemptIn(
  { db, attempts }: Pick<Parts, 'db'> & { attempts: SessionCookie },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<{ secret: string; found: { orgId: OrgId } }> {
  const secret = attempts.read(request)
  attempts.clear(reply)
  const found = secret === undefined ? undefined : await findAttempt(db, secret)
  if (secret === undefined || !found) throw attemptNotValid()
  return { secret, found }
}
