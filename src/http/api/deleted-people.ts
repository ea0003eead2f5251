import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { listDeletedPeople, personRestoration, restorePerson } from '../../sync/restore-person.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { Id, Nullable, Time } from './shapes.ts'

const person = {
  id: Id,
  userName: Type.String(),
  email: Nullable(Type.String()),
  displayName: Nullable(Type.String()),
  directory: Type.Object({ id: Id, name: Type.String() }),
  deletedAt: Time,
  restorableUntil: Time,
}
const Restoration = Type.Object({
  ...person,
  groups: Type.Array(
    Type.Object({
      id: Id,
      name: Type.String(),
      isManaged: Type.Boolean({
        description: 'A directory pushes it without the person: the membership waits to be allowed or rejected',
      }),
    }),
    { description: 'What the deletion took the person out of' },
  ),
  gains: Type.Integer({ description: 'What the person may do then: accesses (site, product, role)' }),
  fingerprint: Type.String({ description: 'SHA-256 in hex of the answer' }),
})
const Params = Type.Object({ person: Type.String({ description: 'Id or user name' }) })
const tags = ['people']

/** People whom a provider deleted: switched off, and restorable for 30 days. */
export const deletedPeopleApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/deleted-people',
    {
      schema: {
        operationId: 'listDeletedPeople',
        tags,
        summary: 'People whom a provider deleted and who can be restored',
        description: 'Sorted by -deletedAt or userName.',
        querystring: Page,
        response: { 200: Listed(Type.Object(person)) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listDeletedPeople(reader, listingOf(query))),
  )

  app.get(
    '/deleted-people/:person',
    {
      schema: {
        operationId: 'showDeletedPerson',
        tags,
        summary: 'Somebody who was deleted, and what restoring them would give',
        params: Params,
        response: { 200: Restoration },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => personRestoration(reader, params.person)),
  )

  app.post(
    '/deleted-people/:person/restore',
    {
      schema: {
        operationId: 'restorePerson',
        tags,
        summary: 'Restore somebody who was deleted: switched on, and in the groups again that the deletion took them out of',
        params: Params,
        body: Type.Object(
          {
            fingerprint: Type.String({
              maxLength: 64,
              description: 'Of what was shown; where it gives something else by now: 409',
            }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Restoration },
      },
    },
    async ({ scope, params, body }) => inTransaction(db, scope, (trx) => restorePerson(trx, params.person, body.fingerprint)),
  )
}
