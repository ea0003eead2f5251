import { Type } from 'typebox'
import { matches, userReasons, userStates } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findAccount } from '../../organization/accounts.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { findMatch, listMatches, matchKinds } from '../../provisioning/matching-report.ts'
import { linkPerson, separatePerson } from '../../sync/link-person.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { Id, Nullable, OneOf } from './shapes.ts'

const Person = Type.Object({
  id: Id,
  userName: Type.String(),
  email: Nullable(Type.String()),
  displayName: Nullable(Type.String()),
})
const Kind = OneOf(
  matchKinds,
  'new: nobody here is alike; probably_same: new, and like somebody whom the provider does not have (same name before the @, or same name and a group in common); doubtful: only the name is the same, or found by user name where the e-mails differ; not_in_provider: an active person whom the directory does not push',
)
const Match = Type.Object({
  match: Kind,
  user: Nullable(
    Type.Object({
      id: Id,
      userName: Type.String(),
      active: Type.Boolean(),
      state: OneOf(userStates),
      reasons: Type.Array(OneOf(userReasons)),
      matchedBy: OneOf(matches),
    }),
  ),
  person: Type.Object(Person.properties, { description: 'The account; foreseen, of a new person of an observing directory' }),
  alike: Type.Union([Person, Type.Null()], { description: 'Who may be the same' }),
  switches: Nullable(OneOf(['on', 'off'])),
})

const Params = Type.Object({ directory: Type.String({ description: 'Id or name' }) })
const OfUser = Type.Object({ ...Params.properties, user: Type.String({ description: 'SCIM id or user name of a pushed user' }) })
const tags = ['people']

/** Who the people of a directory are here, and an admin's word about it. */
export const matchesApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/directories/:directory/matches',
    {
      schema: {
        operationId: 'listMatches',
        tags,
        summary: 'The matching report: who the pushed people are here, by what, and who is doubtful',
        description: 'Sorted by userName or match.',
        params: Params,
        querystring: pageWith({ match: Type.Optional(Kind) }),
        response: { 200: Listed(Match) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id } = await findDirectory(reader, params.directory)
        return listMatches(reader, id, { ...listingOf(query), match: query.match })
      }),
  )

  app.post(
    '/directories/:directory/matches/:user/link',
    {
      schema: {
        operationId: 'linkPerson',
        tags,
        summary: 'Say who a pushed user is: what is pushed of them moves to that person, and open reviews shrink',
        description:
          'An account that the push had made is switched off; one that it had matched stays as it is. Answers 409 `person_linked` where another user of the directory is that person.',
        params: OfUser,
        body: Type.Object({ person: Type.String({ description: 'Id, user name or e-mail' }) }, { additionalProperties: false }),
        response: { 200: Match },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => {
        const directory = await findDirectory(trx, params.directory)
        const { id } = await findMatch(trx, directory.id, params.user)
        await linkPerson(trx, directory, id, (await findAccount(trx, body.person)).id)
        return (await findMatch(trx, directory.id, id)).listed
      }),
  )

  app.post(
    '/directories/:directory/matches/:user/separate',
    {
      schema: {
        operationId: 'separatePerson',
        tags,
        summary: 'Say that a pushed user is nobody who was here: they get an account of their own',
        params: OfUser,
        response: { 200: Match },
      },
    },
    async ({ scope, params }) =>
      inTransaction(db, scope, async (trx) => {
        const directory = await findDirectory(trx, params.directory)
        const { id } = await findMatch(trx, directory.id, params.user)
        await separatePerson(trx, directory, id)
        return (await findMatch(trx, directory.id, id)).listed
      }),
  )
}
