import { Type } from 'typebox'
import { reading } from '../../database/transaction.ts'
import { findApiToken } from '../../organization/api-tokens.ts'
import { thisOrganization } from '../../organization/organizations.ts'
import { Failure } from '../failure.ts'
import type { ApiPlugin } from './api.ts'
import { Role, Time } from './shapes.ts'

const Whoami = Type.Object({
  organization: Type.Object({ id: Type.String(), slug: Type.String(), name: Type.String() }),
  token: Type.Object({ id: Type.String(), name: Type.String(), role: Role, expiresAt: Time }),
})

/** Who the presented token is. */
export const whoamiApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/whoami',
    {
      schema: {
        operationId: 'whoami',
        tags: ['tokens'],
        summary: 'Who the presented token is, and of which organization',
        response: { 200: Whoami },
      },
    },
    async ({ scope, token }) => {
      if (token.kind === 'session') throw new Failure(403, 'not_permitted', 'A session is no token. Ask /api/v1/session instead.')
      return reading(db, scope, async (reader) => {
        const { id, slug, name } = await thisOrganization(reader)
        const { expiresAt } = await findApiToken(reader, token.id)
        return {
          organization: { id, slug, name },
          token: { id: token.id, name: token.name, role: token.role, expiresAt: expiresAt.toISOString() },
        }
      })
    },
  )
}
