import { Type } from 'typebox'
import { groupStates } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findGroup } from '../../organization/groups.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { allowSuggestion, rejectSuggestion } from '../../provisioning/not-the-same.ts'
import { listSuggestions, nameLikenesses } from '../../review/suggestions.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { inDirectory, named, OfGroup } from './reviews.ts'
import { Id, NoContent, Nullable, OneOf } from './shapes.ts'

const tags = ['reviews']
const Count = Type.Integer()

const Suggestion = Type.Object({
  group: Type.Object(
    { id: Id, name: Type.String(), state: OneOf(groupStates), memberCount: Count },
    { description: 'The pushed group, and how many members the provider says' },
  ),
  existing: Type.Object(
    { id: Id, name: Type.String(), memberCount: Count, grantCount: Count },
    { description: 'The group it may be: unmanaged, with these members and grants' },
  ),
  names: Nullable(OneOf(nameLikenesses)),
  members: Type.Object({
    common: Count,
    jaccard: Type.Number({ description: 'Common members beside the members of either, 0 to 1' }),
  }),
})

const OfPair = Type.Object({ ...OfGroup.properties, existing: Type.String({ description: 'Id or name of an existing group' }) })
const InDirectory = Type.Object(inDirectory, { additionalProperties: false })

/** Pushed groups that may be existing ones of other names. */
export const suggestionsApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/directories/:directory/suggestions',
    {
      schema: {
        operationId: 'listSuggestions',
        tags,
        summary: 'Pushed groups and unmanaged existing ones with alike names, or with members who overlap by half at least',
        description: 'Sorted by members (Jaccard; alike names alone last), name or existing; `-members` if not said.',
        params: Type.Object({ directory: Type.String({ description: 'Id or name' }) }),
        querystring: pageWith({
          rejected: Type.Optional(Type.Boolean({ description: 'Those that somebody said are not the same' })),
        }),
        response: { 200: Listed(Suggestion) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) =>
        listSuggestions(reader, (await findDirectory(reader, params.directory)).id, listingOf(query), query),
      ),
  )

  app.put(
    '/reviews/:group/not-the-same/:existing',
    {
      schema: {
        operationId: 'rejectSuggestion',
        tags,
        summary: 'Remember that a pushed group and an existing one are not the same',
        params: OfPair,
        querystring: InDirectory,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params, query }, reply) => {
      await inTransaction(db, scope, async (trx) =>
        rejectSuggestion(trx, { id: await named(trx, params, query), groupId: (await findGroup(trx, params.existing)).id }),
      )
      return reply.code(204).send()
    },
  )

  app.delete(
    '/reviews/:group/not-the-same/:existing',
    {
      schema: {
        operationId: 'allowSuggestion',
        tags,
        summary: 'Forget that they are not the same',
        params: OfPair,
        querystring: InDirectory,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params, query }, reply) => {
      await inTransaction(db, scope, async (trx) =>
        allowSuggestion(trx, { id: await named(trx, params, query), groupId: (await findGroup(trx, params.existing)).id }),
      )
      return reply.code(204).send()
    },
  )
}
