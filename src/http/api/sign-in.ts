import { Type } from 'typebox'
import type { Db, Scope } from '../../database/connection.ts'
import { newId, type OrgId } from '../../database/ids.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { rightsOf } from '../../organization/admins.ts'
import { linkNotValid, takeLink } from '../../organization/links.ts'
import { countOrganizations, findOrganization, onlyOrganization } from '../../organization/organizations.ts'
import { setUp } from '../../organization/set-up.ts'
import { enabledProviders } from '../../organization/sign-in-providers.ts'
import { beginSession } from '../auth/begin-session.ts'
import { findLink } from '../auth/live-tokens.ts'
import { sessionCookie } from '../auth/session-cookie.ts'
import { hasPasskeys } from '../auth/webauthn.ts'
import type { ApiPlugin } from './api.ts'
import { WhoAsks, whoAsks } from './session.ts'
import { Id, Nullable, OneOf } from './shapes.ts'

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
        querystring: Type.Object(
          { organization: Type.Optional(Type.String({ maxLength: 63, description: 'Its slug; the only one if not said' })) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            needsSetup: Type.Boolean({ description: 'There is no organization yet: a link that the server prints makes it' }),
            providers: Type.Array(Type.Object({ id: Id, name: Type.String() })),
            passkeys: Type.Boolean({
              description: 'Whether passkeys can be used: not where the server is reached by an address',
            }),
          }),
        },
      },
    },
    async ({ query }) => {
      const scope = await scopeOf(db, query.organization)
      const needsSetup = !scope && (await reading(db, nobodysScope(), countOrganizations)) === 0
      return { needsSetup, providers: scope ? await reading(db, scope, enabledProviders) : [], passkeys: hasPasskeys(publicUrl) }
    },
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
      const entering = { orgId, accountId, signedInBy: 'link' as const, otherwise: linkNotValid }
      const { scope, asking } = await beginSession(db, cookie, [request, reply], entering, (trx) => takeLink(trx, link))
      return reading(db, scope, (reader) => whoAsks(reader, asking))
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
      const entering = { orgId: found.orgId, accountId: id, signedInBy: 'link' as const, otherwise: linkNotValid }
      const { asking } = await beginSession(db, cookie, [request, reply], entering, async () => {})
      return reply.code(201).send(await reading(db, scope, (reader) => whoAsks(reader, asking)))
    },
  )
}

/** The organization that is called so; where none is named, the only one there is. */
export async function scopeOf(db: Db, slug: string | undefined): Promise<Scope | undefined> {
  const found = await reading(db, nobodysScope(), (reader) =>
    slug === undefined ? onlyOrganization(reader) : findOrganization(reader, slug),
  )
  return found && { orgId: found.id, actor: 'system' }
}

/** The organizations can be read from within any, this one among them, which is not there. */
export const nobodysScope = (): Scope => ({ orgId: newId<OrgId>(), actor: 'system' })
