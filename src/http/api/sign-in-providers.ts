import { Type } from 'typebox'
import type { SecretKeys } from '../../database/secrets.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { addProvider, changeProvider, findProvider, listProviders, removeProvider } from '../../organization/sign-in-providers.ts'
import { signInCallback } from '../auth/openid.ts'
import { requireRole } from '../auth/roles.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { Id, NoContent, Nullable, Time } from './shapes.ts'

const tags = ['sign-in providers']

const Provider = Type.Object({
  id: Id,
  name: Type.String(),
  issuer: Type.String(),
  clientId: Type.String(),
  hasClientSecret: Type.Boolean(),
  enabled: Type.Boolean(),
  redirectUri: Type.String({ description: 'What to enter at the provider' }),
  createdAt: Time,
  updatedAt: Time,
})
const settings = {
  name: Type.String({ maxLength: 255, description: 'What people read on the button' }),
  issuer: Type.String({ maxLength: 1_000, description: 'As the provider calls itself, to the letter' }),
  clientId: Type.String({ maxLength: 255 }),
}
const ClientSecret = Type.Optional(
  Nullable(Type.String({ minLength: 1, maxLength: 1_024, description: 'Shown to nobody again' })),
)
const Params = Type.Object({ provider: Type.String() })

/** Identity providers that people sign in by (OpenID Connect). */
export const signInProvidersApi: ApiPlugin = async (app, { db, publicUrl, secrets }) => {
  const shown = <T extends object>(provider: T) => ({ ...provider, redirectUri: `${publicUrl}${signInCallback}` })
  const keys = (): SecretKeys => {
    if (secrets === undefined) throw new Error('A server has keys for its secrets.')
    return secrets
  }

  app.get(
    '/sign-in-providers',
    {
      schema: {
        operationId: 'listSignInProviders',
        tags,
        summary: 'The identity providers that people sign in by',
        description: 'Sorted by name or createdAt.',
        querystring: Page,
        response: { 200: Listed(Provider) },
      },
    },
    async ({ scope, query }) => {
      const { total, items } = await reading(db, scope, (reader) => listProviders(reader, listingOf(query)))
      return { total, items: items.map(shown) }
    },
  )

  app.get(
    '/sign-in-providers/:provider',
    {
      schema: { operationId: 'showSignInProvider', tags, summary: 'One of them', params: Params, response: { 200: Provider } },
    },
    async ({ scope, params }) => shown(await reading(db, scope, (reader) => findProvider(reader, params.provider))),
  )

  app.post(
    '/sign-in-providers',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'addSignInProvider',
        tags,
        summary: 'Have people sign in by an OpenID provider; for owners',
        body: Type.Object({ ...settings, clientSecret: ClientSecret }, { additionalProperties: false }),
        response: { 201: Provider },
      },
    },
    async ({ scope, body }, reply) => {
      const given = { ...body, clientSecret: body.clientSecret ?? null }
      return reply.code(201).send(shown(await inTransaction(db, scope, (trx) => addProvider(trx, keys(), given))))
    },
  )

  app.patch(
    '/sign-in-providers/:provider',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'changeSignInProvider',
        tags,
        summary: 'Change a provider, or have nobody sign in by it for now; for owners',
        params: Params,
        body: Type.Partial(
          Type.Object({ ...settings, clientSecret: ClientSecret, enabled: Type.Boolean() }, { additionalProperties: false }),
        ),
        response: { 200: Provider },
      },
    },
    async ({ scope, params, body }) =>
      shown(await inTransaction(db, scope, (trx) => changeProvider(trx, keys(), params.provider, body))),
  )

  app.delete(
    '/sign-in-providers/:provider',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'removeSignInProvider',
        tags,
        summary: 'Have nobody sign in by a provider any more; for owners',
        params: Params,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, (trx) => removeProvider(trx, params.provider))
      return reply.code(204).send()
    },
  )
}
