import { Type } from 'typebox'
import { groupReasons, groupStates } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findGroup } from '../../organization/groups.ts'
import { momentOf } from '../../organization/moment.ts'
import { putBackAsShown, restorationTo } from '../../sync/put-back.ts'
import type { ApiPlugin } from './api.ts'
import { Effect } from './review-shapes.ts'
import { Id, Nullable, OneOf, PastMoment } from './shapes.ts'

const Standing = Type.Object({
  name: Type.String(),
  isInForce: Type.Boolean(),
  managedBy: Nullable(Type.String({ description: 'The directory that manages it' })),
  state: Nullable(OneOf(groupStates, 'Of the pushed group that is paired with it')),
  reasons: Type.Array(OneOf(groupReasons)),
})
const { directory: _, blocked: __, ...effect } = Effect.properties
const Restoration = Type.Object({
  now: Standing,
  was: Standing,
  changes: Type.Integer({ description: 'So many changes of it since are undone' }),
  effect: Type.Object(effect),
})
const Params = Type.Object({ group: Type.String({ description: 'Id or name, percent-encoded' }) })
const tags = ['groups']

/** A group put back to what it was at a moment: shown first, with its net effect, then done as it was shown. */
export const restoresApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/groups/:group/restore',
    {
      schema: {
        operationId: 'showGroupRestore',
        tags,
        summary: 'What putting a group back to a moment would come to',
        params: Params,
        querystring: Type.Object({ to: PastMoment('As it was then') }, { additionalProperties: false }),
        response: { 200: Restoration },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const group = await findGroup(reader, params.group)
        const { was, ...shown } = await restorationTo(reader, group, await momentOf(reader, query.to))
        return { ...shown, was: was ?? shown.now }
      }),
  )

  app.post(
    '/groups/:group/restore',
    {
      schema: {
        operationId: 'putGroupBack',
        tags,
        summary: 'Put a group back to what it was at a moment: its members, its name, its link',
        description:
          'What it was granted stays. A group that stays linked is held: what then differs from what is pushed waits, and no push of the same undoes it.',
        params: Params,
        body: Type.Object(
          {
            to: PastMoment('As it was then'),
            fingerprint: Type.String({ description: 'Of the effect that was shown; another one by now: 409' }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ id: Id, name: Type.String(), added: Type.Integer(), removed: Type.Integer() }) },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => {
        const group = await findGroup(trx, params.group)
        const { added, removed } = await putBackAsShown(trx, group, await momentOf(trx, body.to), body.fingerprint)
        const { id, name } = await findGroup(trx, group.id)
        return { id, name, added, removed }
      }),
  )
}
