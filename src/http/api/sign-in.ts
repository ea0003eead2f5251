import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Scope, Trx } from '../../database/connection.ts'
import { type AccountId, newId, type OrgId } from '../../database/ids.ts'
import type { SignedInBy } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { rightsOf } from '../../organization/admins.ts'
import { linkNotValid, takeLink } from '../../organization/links.ts'
import { countOrganizations } from '../../organization/organizations.ts'
import { lockAccount } from '../../organization/permission.ts'
import { startSession } from '../../organization/sessions.ts'
import { setUp } from '../../organization/set-up.ts'
import { personActor } from '../auth/authenticate.ts'
import { findLink } from '../auth/live-tokens.ts'
import { sessionCookie } from '../auth/session-cookie.ts'
import type { ApiPlugin } from './api.ts'
import { WhoAsks, whoAsks } from './session.ts'
import { Nullable, OneOf } from './shapes.ts'

const tags = ['sign-in']
/** What is open to everybody: the document says so. */
const security: [] = []
const LinkSecret = Type.String({ maxLength: 512, description: 'What stands behind the # of the link' })

/** Signing in: the routes that are open to everybody, for pages of ours alone. */
export const signInApi: ApiPlugin = async (app, { db, publicUrl }) => {
  const cookie = sessionCookie(publicUrl)

  app.get(
    '/sign-in',
    {
      schema: {
        operationId: 'showSignIn',
        tags,
        security,
        summary: 'How one can sign in here',
        response: {
          200: Type.Object({
            needsSetup: Type.Boolean({ description: 'There is no organization yet: a link that the server prints makes it' }),
          }),
        },
      },
    },
    async () => ({ needsSetup: (await reading(db, nobodysScope(), countOrganizations)) === 0 }),
  )

  app.post(
    '/sign-in/link/show',
    {
      schema: {
        operationId: 'showLink',
        tags,
        security,
        summary: 'What a link would do; it can be used after as before',
        body: Type.Object({ link: LinkSecret }, { additionalProperties: false }),
        response: {
          200: Type.Object({
            kind: OneOf(['setup', 'sign_in']),
            who: Nullable(WhoAsks),
          }),
        },
      },
    },
    async ({ body }) => {
      const found = await findLink(db, body.link)
      if (!found) throw linkNotValid()
      const { orgId, accountId } = found
      if (accountId === null) return { kind: 'setup' as const, who: null }
      const who = await reading(db, { orgId, actor: 'system' }, async (reader) => {
        const rights = await rightsOf(reader, accountId)
        return rights && whoAsks(reader, { ...rights, accountId })
      })
      if (!who) throw linkNotValid()
      return { kind: 'sign_in' as const, who }
    },
  )

  app.post(
    '/sign-in/link',
    {
      schema: {
        operationId: 'signInByLink',
        tags,
        security,
        summary: 'Sign in by a link, which is used up by it',
        body: Type.Object({ link: LinkSecret }, { additionalProperties: false }),
        response: { 200: WhoAsks },
      },
    },
    async (request, reply) => {
      const { link } = request.body
      const found = await findLink(db, link)
      if (!found?.accountId) throw linkNotValid()
      const { orgId, accountId } = found
      return signIn(request, reply, { orgId, accountId }, 'link', (trx) => takeLink(trx, link))
    },
  )

  app.post(
    '/sign-in/setup',
    {
      schema: {
        operationId: 'setUp',
        tags,
        security,
        summary: 'Make the organization and its first owner, by the link that a server prints that holds nothing yet',
        body: Type.Object(
          {
            link: LinkSecret,
            organization: Type.String({ minLength: 1, maxLength: 255 }),
            email: Type.String({ maxLength: 255 }),
            displayName: Type.Optional(Nullable(Type.String({ maxLength: 255 }))),
          },
          { additionalProperties: false },
        ),
        response: { 201: WhoAsks },
      },
    },
    async (request, reply) => {
      const found = await findLink(db, request.body.link)
      if (found?.accountId !== null) throw linkNotValid()
      const scope = { orgId: found.orgId, actor: 'system', requestId: request.id }
      const { id } = await inTransaction(db, scope, (trx) => setUp(trx, request.body))
      const who = await signIn(request, reply, { orgId: found.orgId, accountId: id }, 'link')
      return reply.code(201).send(who)
    },
  )

  /** Begins a session, if the person may sign in now; `first` is done in its transaction, before. */
  async function signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { orgId, accountId }: { orgId: OrgId; accountId: AccountId },
    signedInBy: SignedInBy,
    first: (trx: Trx) => Promise<unknown> = async () => {},
  ) {
    const rights = await reading(db, { orgId, actor: 'system' }, (reader) => rightsOf(reader, accountId))
    if (!rights) throw linkNotValid()
    const scope: Scope = { orgId, actor: personActor(rights.userName), accountId, requestId: request.id }
    const { secret, who } = await inTransaction(db, scope, async (trx) => {
      await first(trx)
      // Again, under lock: an account that was switched off meanwhile signs nobody in.
      await lockAccount(trx, accountId)
      const now = await rightsOf(trx, accountId)
      if (!now) throw linkNotValid()
      const from = { signedInBy, address: request.ip, userAgent: request.headers['user-agent'] ?? null }
      const session = await startSession(trx, { id: accountId, userName: now.userName }, from)
      return { secret: session.secret, who: await whoAsks(trx, { ...now, accountId }) }
    })
    cookie.set(reply, secret)
    return who
  }
}

// How many organizations there are can be asked from within any.
const nobodysScope = (): Scope => ({ orgId: newId<OrgId>(), actor: 'system' })
