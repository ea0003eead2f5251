import { Type } from 'typebox'
import { apiRoles } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { changeAdmin, findAdmin, listAdmins, removeAdmin } from '../../organization/admins.ts'
import { createLink, type Link } from '../../organization/links.ts'
import { inviteAdmin } from '../../provisioning/existing-people.ts'
import { requireRole } from '../auth/roles.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { Id, NoContent, Nullable, OneOf, Role, Time } from './shapes.ts'

const tags = ['admins']

const Admin = Type.Object({
  id: Id,
  userName: Type.String(),
  email: Nullable(Type.String()),
  displayName: Nullable(Type.String()),
  active: Type.Boolean(),
  role: Role,
  products: Type.Array(Type.Object({ id: Id, site: Type.String(), product: Type.String() }), { description: 'Of a reviewer' }),
  createdBy: Type.String(),
  createdAt: Time,
  lastUsedAt: Nullable(Time),
})
const SignInLink = Type.Object({
  url: Type.String({ description: 'Signs the person in once. Shown once: give it to them, and to nobody else' }),
  expiresAt: Time,
})
const Products = Type.Optional(
  Type.Array(Type.String({ maxLength: 600 }), { maxItems: 1_000, description: 'Of a reviewer: ids, or site/product' }),
)
const Params = Type.Object({ person: Type.String() })

/** Who signs in to the console, and may do what. */
export const adminsApi: ApiPlugin = async (app, { db, publicUrl }) => {
  const shown = ({ secret, expiresAt }: Link) => ({ url: signInUrl(publicUrl, secret), expiresAt })

  app.get(
    '/admins',
    {
      schema: {
        operationId: 'listAdmins',
        tags,
        summary: 'Who signs in to the console, and may do what',
        description: 'Sorted by name, role or createdAt.',
        querystring: pageWith({ role: Type.Optional(OneOf(apiRoles)) }),
        response: { 200: Listed(Admin) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listAdmins(reader, { ...listingOf(query), role: query.role })),
  )

  app.get(
    '/admins/:person',
    {
      schema: { operationId: 'showAdmin', tags, summary: 'Somebody who signs in', params: Params, response: { 200: Admin } },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findAdmin(reader, params.person)),
  )

  app.post(
    '/admins',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'inviteAdmin',
        tags,
        summary: 'Have somebody sign in: a person of the organization, or somebody new, by e-mail; for owners',
        body: Type.Object(
          {
            person: Type.String({ maxLength: 255, description: 'An id, user name or e-mail; of somebody new, the e-mail' }),
            displayName: Type.Optional(Nullable(Type.String())),
            role: OneOf(apiRoles),
            products: Products,
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ admin: Admin, link: SignInLink }) },
      },
    },
    async ({ scope, token, body }, reply) => {
      const { admin, link } = await inTransaction(db, scope, async (trx) => {
        const admin = await findAdmin(trx, await inviteAdmin(trx, body, token))
        return { admin, link: await createLink(trx, admin) }
      })
      return reply.code(201).send({ admin, link: shown(link) })
    },
  )

  app.post(
    '/admins/:person/link',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'createSignInLink',
        tags,
        summary: 'A link that signs somebody in once, within 10 minutes; for owners',
        params: Params,
        response: { 201: SignInLink },
      },
    },
    async ({ scope, params }, reply) => {
      const link = await inTransaction(db, scope, async (trx) => createLink(trx, await findAdmin(trx, params.person)))
      return reply.code(201).send(shown(link))
    },
  )

  app.patch(
    '/admins/:person',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'changeAdmin',
        tags,
        summary: 'Change what somebody may do; for owners',
        params: Params,
        body: Type.Object({ role: OneOf(apiRoles), products: Products }, { additionalProperties: false }),
        response: { 200: Admin },
      },
    },
    async ({ scope, token, params, body }) => {
      const admin = await inTransaction(db, scope, async (trx) =>
        findAdmin(trx, await changeAdmin(trx, params.person, body, token)),
      )
      app.forgetTokens()
      return admin
    },
  )

  app.delete(
    '/admins/:person',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'removeAdmin',
        tags,
        summary: 'Have somebody sign in no more; their sessions, links and own tokens end; for owners',
        params: Params,
        response: { 204: NoContent },
      },
    },
    async ({ scope, token, params }, reply) => {
      await inTransaction(db, scope, (trx) => removeAdmin(trx, params.person, token))
      app.forgetTokens()
      return reply.code(204).send()
    },
  )
}

/** Where a link leads. Behind the `#`: no server, proxy or Referer sees what it opens. */
const signInUrl = (publicUrl: string, secret: string): string => `${publicUrl}/sign-in#${secret}`
