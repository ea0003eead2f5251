import { Type } from 'typebox'
import { heldReasons } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { heldKinds, listHeld } from '../../review/held.ts'
import { findRun } from '../../sync/run-reports.ts'
import { decideHeld, heldDecisions, heldEffect } from '../../sync/waiting.ts'
import { requireRole } from '../auth/roles.ts'
import { largeBodyLimit } from '../content.ts'
import type { ApiPlugin } from './api.ts'
import { IdempotencyHeaders, idempotent } from './idempotency.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { Effect } from './review-shapes.ts'
import { Run } from './runs.ts'
import { Id, OneOf, Time } from './shapes.ts'

const tags = ['reviews']
const Count = Type.Integer()
const OfDirectory = Type.Object({ directory: Type.String({ description: 'Id or name' }) })

const Held = Type.Object({
  id: Id,
  kind: OneOf(
    heldKinds,
    'members: of the pushed group of that id; switch_off, delete_person: somebody is to be switched off; delete_group: a group is to be deleted',
  ),
  name: Type.String({ description: "The group's, or the user name" }),
  reasons: Type.Array(OneOf(heldReasons), { description: 'None where an admin put the group back' }),
  since: Time,
  rejected: Type.Boolean(),
  members: Type.Object({ added: Count, removed: Count }, { description: 'Memberships that would come and end, were it allowed' }),
  access: Type.Object({ lost: Count, gained: Count }, { description: 'Net, of this alone' }),
  fingerprint: Type.String(),
})

const Names = (description: string) =>
  Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 100_000, description }))
const selection = {
  ids: Names('Of what waits, ids or names; all of it if not said'),
  except: Names('But these'),
  people: Names('Of members these people alone, by id, user name or e-mail'),
}
const { directory: _d, blocked: _b, ...figures } = Effect.properties

/** What the guard has wait: listed, shown with what it would come to, allowed or rejected. */
export const heldApi: ApiPlugin = async (app, { db, jobs }) => {
  app.get(
    '/directories/:directory/held',
    {
      schema: {
        operationId: 'listHeld',
        tags,
        summary: 'What a directory took and the guard has wait',
        description: 'Sorted by since, name or kind.',
        params: OfDirectory,
        querystring: pageWith({
          kind: Type.Optional(OneOf(heldKinds)),
          rejected: Type.Optional(
            Type.Boolean({ description: 'What was rejected, and is kept until the provider says otherwise' }),
          ),
        }),
        response: { 200: Listed(Held) },
      },
    },
    async ({ scope, params, query: { kind, rejected = false, ...query } }) =>
      reading(db, scope, async (reader) =>
        listHeld(reader, (await findDirectory(reader, params.directory)).id, { kind, rejected }, listingOf(query)),
      ),
  )

  app.post(
    '/directories/:directory/held/effect',
    {
      bodyLimit: largeBodyLimit,
      preHandler: requireRole('auditor'),
      schema: {
        operationId: 'heldEffect',
        tags,
        summary: 'What allowing what waits would do to access, all of it together',
        params: OfDirectory,
        body: Type.Object(selection, { additionalProperties: false }),
        response: { 200: Type.Object(figures) },
      },
    },
    async ({ scope, params, body }) =>
      reading(db, scope, async (reader) => heldEffect(reader, (await findDirectory(reader, params.directory)).id, body)),
  )

  app.post(
    '/directories/:directory/held/decisions',
    {
      bodyLimit: largeBodyLimit,
      schema: {
        operationId: 'decideHeld',
        tags,
        summary: 'Allow what waits, or reject it, as a run',
        description:
          'Allowed: it is done. Rejected: it is kept as it is until the provider says otherwise. Answers 409 `review_changed`, with the new figures, where it is no longer what was shown.',
        params: OfDirectory,
        headers: IdempotencyHeaders,
        body: Type.Object(
          {
            decision: OneOf(heldDecisions),
            ...selection,
            fingerprint: Type.String({ maxLength: 64, description: 'Of the effect that was shown' }),
            note: Type.Optional(Type.String({ maxLength: 1_024 })),
          },
          { additionalProperties: false },
        ),
        response: { 202: Run },
      },
    },
    async (request, reply) => {
      const { scope, params, body } = request
      const { decision, fingerprint, note = null, ...selected } = body
      const { status, body: run } = await inTransaction(db, scope, (trx) =>
        idempotent(trx, request, async () => {
          const { id: directoryId } = await findDirectory(trx, params.directory)
          const id = await decideHeld(trx, jobs, { directoryId, decision, selection: selected, fingerprint, note })
          return { status: 202, body: await findRun(trx, id) }
        }),
      )
      return reply.code(status as 202).send(run)
    },
  )
}
