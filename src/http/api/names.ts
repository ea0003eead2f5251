import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findGroup } from '../../organization/groups.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { linkByHand, previewLink, unlink } from '../../provisioning/linking.ts'
import { listWaitingNames, nameChoices } from '../../provisioning/waiting-name-list.ts'
import { keepName, renameExistingByHand } from '../../provisioning/waiting-names.ts'
import { oneReview } from '../../review/review.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { Review } from './review-shapes.ts'
import { inDirectory, named, OfGroup, shown } from './reviews.ts'
import { Id, Nullable, OneOf } from './shapes.ts'

const tags = ['reviews']
const OfDirectory = Type.Object({ directory: Type.String({ description: 'Id or name' }) })
const InDirectory = Type.Object(inDirectory, { additionalProperties: false })
const Named = Type.Object({ id: Id, name: Type.String() })
const counted = { ...Named.properties, memberCount: Type.Integer() }
const To = Type.String({ minLength: 1, description: 'Id or name of the existing group' })

const WaitingName = Type.Object({
  group: Type.Object(Named.properties, { description: 'The pushed group, with the name that waits' }),
  existing: Type.Object(counted, { description: 'Its group, with the name that it keeps meanwhile' }),
  takenBy: Type.Object(
    {
      ...counted,
      managedBy: Nullable(Type.String()),
      freeName: Nullable(Type.String({ description: 'One that this group could take' })),
    },
    { description: 'The group that has the name' },
  ),
  can: Type.Array(OneOf(nameChoices)),
  cannot: Type.Array(Type.Object({ what: OneOf(nameChoices), why: Type.String() })),
})

const LinkPreview = Type.Object({
  group: Named,
  to: Type.Object(counted),
  members: Type.Object({ added: Type.Integer(), removed: Type.Integer(), unchanged: Type.Integer() }),
  can: Type.Array(Type.Literal('link')),
  cannot: Type.Array(Type.Object({ what: Type.Literal('link'), why: Type.String() })),
})

/** New names of synced groups that other groups have, and which group a pushed one is linked to. */
export const namesApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/directories/:directory/names',
    {
      schema: {
        operationId: 'listWaitingNames',
        tags,
        summary: 'New names of synced groups that other groups have, and what may be done about each',
        description: 'Sorted by name, existing (the name kept meanwhile) or members (of the group that has the name).',
        params: OfDirectory,
        querystring: Page,
        response: { 200: Listed(WaitingName) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) =>
        listWaitingNames(reader, (await findDirectory(reader, params.directory)).id, listingOf(query)),
      ),
  )

  app.put(
    '/reviews/:group/name',
    {
      schema: {
        operationId: 'settleName',
        tags,
        summary: 'Settle a new name that another group has: that one is renamed, or the old name is kept',
        params: OfGroup,
        querystring: InDirectory,
        body: Type.Object(
          {
            choice: OneOf(['rename_existing', 'keep'] as const),
            newName: Type.Optional(Type.String({ description: 'Of the existing group; a free one like its own if not said' })),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ renamed: Nullable(Type.Object({ before: Type.String(), after: Type.String() })), review: Review }),
        },
      },
    },
    async ({ scope, params, query, body }) =>
      inTransaction(db, scope, async (trx) => {
        const id = await named(trx, params, query)
        const renamed = body.choice === 'keep' ? null : await renameExistingByHand(trx, id, body.newName)
        if (body.choice === 'keep') await keepName(trx, id)
        return { renamed, review: shown(await oneReview(trx, id)) }
      }),
  )

  app.get(
    '/reviews/:group/link',
    {
      schema: {
        operationId: 'previewLink',
        tags,
        summary: 'Whom linking a pushed group to an existing one would add and remove, and whether it may be',
        params: OfGroup,
        querystring: Type.Object({ ...inDirectory, to: To }, { additionalProperties: false }),
        response: { 200: LinkPreview },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) =>
        previewLink(reader, await named(reader, params, query), (await findGroup(reader, query.to)).id),
      ),
  )

  app.put(
    '/reviews/:group/link',
    {
      schema: {
        operationId: 'linkGroup',
        tags,
        summary: 'Link a pushed group to an existing one, whatever its name: it then needs review against that one',
        params: OfGroup,
        querystring: InDirectory,
        body: Type.Object({ to: To }, { additionalProperties: false }),
        response: { 200: Review },
      },
    },
    async ({ scope, params, query, body }) =>
      inTransaction(db, scope, async (trx) => {
        const id = await named(trx, params, query)
        await linkByHand(trx, id, (await findGroup(trx, body.to)).id)
        return shown(await oneReview(trx, id))
      }),
  )

  app.delete(
    '/reviews/:group/link',
    {
      schema: {
        operationId: 'unlinkGroup',
        tags,
        summary: 'Unlink a pushed group: its group is as it is in force, and the push meets the group of its own name again',
        params: OfGroup,
        querystring: InDirectory,
        response: { 200: Review },
      },
    },
    async ({ scope, params, query }) =>
      inTransaction(db, scope, async (trx) => {
        const id = await named(trx, params, query)
        await unlink(trx, id)
        return shown(await oneReview(trx, id))
      }),
  )
}
