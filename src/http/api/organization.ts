import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { setApproval, thisOrganization } from '../../organization/organizations.ts'
import { requireRole } from '../auth/roles.ts'
import type { ApiPlugin } from './api.ts'
import { Id, Nullable, Time } from './shapes.ts'

const PeopleLosing = Nullable(
  Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description: 'Runs that take access from more people need approval; null: none',
  }),
)
const ExpiresHours = Type.Integer({ minimum: 1, maximum: 720, description: 'How long a run waits for it' })

const Organization = Type.Object({
  id: Id,
  slug: Type.String(),
  name: Type.String(),
  createdAt: Time,
  approval: Type.Object({ peopleLosing: PeopleLosing, expiresHours: ExpiresHours }),
})

const Change = Type.Object(
  {
    approval: Type.Object(
      { peopleLosing: Type.Optional(PeopleLosing), expiresHours: Type.Optional(ExpiresHours) },
      { additionalProperties: false, minProperties: 1 },
    ),
  },
  { additionalProperties: false },
)

/** The organization itself and its settings. */
export const organizationApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/organization',
    {
      schema: {
        operationId: 'showOrganization',
        tags: ['organization'],
        summary: 'The organization and its settings',
        response: { 200: Organization },
      },
    },
    async ({ scope }) => reading(db, scope, thisOrganization),
  )

  app.patch(
    '/organization',
    {
      preHandler: requireRole('owner'),
      schema: {
        operationId: 'changeOrganization',
        tags: ['organization'],
        summary: 'Say which runs need the approval of a second person; for owners',
        body: Change,
        response: { 200: Organization },
      },
    },
    async ({ scope, body }) => inTransaction(db, scope, (trx) => setApproval(trx, body.approval)),
  )
}
