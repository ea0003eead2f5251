import { Type } from 'typebox'
import { groupReasons, groupStates, matches, userReasons, userStates } from '../../database/tables.ts'
import { reading } from '../../database/transaction.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { listProvisionedGroups, listProvisionedUsers } from '../../provisioning/listing.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { Id, Nullable, OneOf, Time } from './shapes.ts'

const Params = Type.Object({ directory: Type.String({ description: 'Id or name' }) })

const ProvisionedGroup = Type.Object({
  id: Id,
  name: Type.String(),
  externalId: Nullable(Type.String()),
  state: OneOf(groupStates),
  reasons: Type.Array(OneOf(groupReasons)),
  group: Nullable(Type.Object({ id: Id, name: Type.String() })),
  memberCount: Type.Integer({ description: 'Members that the provider says it has, unknown ones left out' }),
  unknownMembersCount: Type.Integer(),
  createdAt: Time,
  updatedAt: Time,
})

const ProvisionedUser = Type.Object({
  id: Id,
  userName: Type.String(),
  externalId: Nullable(Type.String()),
  active: Type.Boolean(),
  state: OneOf(userStates),
  reasons: Type.Array(OneOf(userReasons)),
  person: Type.Object({ id: Id, userName: Type.String(), email: Nullable(Type.String()) }),
  matchedBy: OneOf(matches),
  createdAt: Time,
  updatedAt: Time,
})

/** What a directory pushed: the provider's side of groups and people. */
export const provisionedApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/directories/:directory/provisioned-groups',
    {
      schema: {
        operationId: 'listProvisionedGroups',
        tags: ['directories'],
        summary: 'The groups that a directory pushed',
        description: 'Sorted by name, state, memberCount or updatedAt.',
        params: Params,
        querystring: pageWith({ state: Type.Optional(OneOf(groupStates)) }),
        response: { 200: Listed(ProvisionedGroup) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id } = await findDirectory(reader, params.directory)
        return listProvisionedGroups(reader, id, { ...listingOf(query), state: query.state })
      }),
  )

  app.get(
    '/directories/:directory/provisioned-users',
    {
      schema: {
        operationId: 'listProvisionedUsers',
        tags: ['directories'],
        summary: 'The users that a directory pushed',
        description: 'Sorted by userName, state or updatedAt; the search looks into e-mail addresses too.',
        params: Params,
        querystring: pageWith({ state: Type.Optional(OneOf(userStates)) }),
        response: { 200: Listed(ProvisionedUser) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id } = await findDirectory(reader, params.directory)
        return listProvisionedUsers(reader, id, { ...listingOf(query), state: query.state })
      }),
  )
}
