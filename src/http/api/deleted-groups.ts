import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findDeletedGroup, listDeletedGroups } from '../../organization/deleted-groups.ts'
import { findGroup } from '../../organization/groups.ts'
import { deleteForGood } from '../../provisioning/deleted-groups.ts'
import { restorationOf, restoreAsShown } from '../../sync/delete-and-restore.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { Id, NoContent, Nullable, ThroughGroup, Time } from './shapes.ts'

const deletedGroup = {
  id: Id,
  name: Type.String(),
  description: Nullable(Type.String()),
  memberCount: Type.Integer({ description: 'How many were in it' }),
  grantCount: Type.Integer(),
  deletedAt: Time,
  deletedBy: Type.String(),
  restorableUntil: Time,
  pushedBy: Nullable(
    Type.Object(
      { id: Id, name: Type.String() },
      { description: 'The directory that has pushed its name since, and is offered it' },
    ),
  ),
}

const Params = Type.Object({ group: Type.String({ description: 'Id or name, percent-encoded' }) })
const tags = ['groups']

/** Groups that were deleted: not in force, and restorable for 30 days. */
export const deletedGroupsApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/deleted-groups',
    {
      schema: {
        operationId: 'listDeletedGroups',
        tags,
        summary: 'Groups that were deleted and can be restored',
        description: 'Sorted by -deletedAt, name or members; the search looks into descriptions too.',
        querystring: Page,
        response: { 200: Listed(Type.Object(deletedGroup)) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listDeletedGroups(reader, listingOf(query))),
  )

  app.get(
    '/deleted-groups/:group',
    {
      schema: {
        operationId: 'showDeletedGroup',
        tags,
        summary: 'A deleted group, and what restoring it would give',
        params: Params,
        response: { 200: Type.Object({ ...deletedGroup, restores: ThroughGroup }) },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const group = await findDeletedGroup(reader, params.group)
        return { ...group, restores: await restorationOf(reader, group) }
      }),
  )

  app.post(
    '/deleted-groups/:group/restore',
    {
      schema: {
        operationId: 'restoreGroup',
        tags,
        summary: 'Restore a deleted group as it was, with members and grants',
        params: Params,
        body: Type.Object(
          {
            fingerprint: Type.String({ description: 'Of what was shown; where it would give something else by now: 409' }),
            name: Type.Optional(Type.String({ description: 'Another name, where its own is taken' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ id: Id, name: Type.String(), memberCount: Type.Integer(), grantCount: Type.Integer() }) },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => {
        const group = await findDeletedGroup(trx, params.group)
        await restoreAsShown(trx, group, body.fingerprint, body.name)
        const { id, name, memberCount, grantCount } = await findGroup(trx, group.id)
        return { id, name, memberCount, grantCount }
      }),
  )

  app.delete(
    '/deleted-groups/:group',
    {
      schema: {
        operationId: 'deleteGroupForGood',
        tags,
        summary: 'Delete for good what was deleted; a push that was offered it gets its name',
        params: Params,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, async (trx) => deleteForGood(trx, await findDeletedGroup(trx, params.group)))
      return reply.code(204).send()
    },
  )
}
