import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { createApiToken, listApiTokens, revokeApiToken } from '../../organization/api-tokens.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { ExpiresInDays, NoContent, Role, Secret, token } from './shapes.ts'

const apiToken = { ...token, name: Type.String(), role: Role }
const tags = ['tokens']

/** Tokens of this API. Only an owner makes and revokes owners' tokens. */
export const apiTokensApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/api-tokens',
    {
      schema: {
        operationId: 'listApiTokens',
        tags,
        summary: 'The API tokens',
        description: 'Sorted by name, createdAt or expiresAt.',
        querystring: Page,
        response: { 200: Listed(Type.Object(apiToken)) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listApiTokens(reader, listingOf(query))),
  )

  app.post(
    '/api-tokens',
    {
      schema: {
        operationId: 'createApiToken',
        tags,
        summary: 'A new API token, shown once',
        body: Type.Object({ name: Type.String(), role: Role, expiresInDays: ExpiresInDays }, { additionalProperties: false }),
        response: { 201: Type.Object({ ...apiToken, token: Secret }) },
      },
    },
    async ({ scope, token: asking, body }, reply) => {
      const { secret, ...token } = await inTransaction(db, scope, (trx) =>
        createApiToken(trx, { ...body, accountId: asking.accountId }, asking.role),
      )
      return reply.code(201).send({ ...token, token: secret })
    },
  )

  app.delete(
    '/api-tokens/:token',
    {
      schema: {
        operationId: 'revokeApiToken',
        tags,
        summary: 'Revoke an API token',
        params: Type.Object({ token: Type.String() }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, token: asking, params }, reply) => {
      await inTransaction(db, scope, (trx) => revokeApiToken(trx, params.token, asking.role))
      app.forgetTokens()
      return reply.code(204).send()
    },
  )
}
