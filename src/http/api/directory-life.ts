import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findDirectory, setPaused } from '../../provisioning/directories.ts'
import { reset } from '../../provisioning/disconnection.ts'
import { observedOf } from '../../review/observed.ts'
import { startGoingLive } from '../../sync/go-live.ts'
import { resync } from '../../sync/resync.ts'
import { findRun } from '../../sync/run-reports.ts'
import { previewTakeOver, startTakeOver } from '../../sync/take-over.ts'
import type { ApiPlugin } from './api.ts'
import { IdempotencyHeaders, idempotent } from './idempotency.ts'
import { Figures, JointFigures } from './review-shapes.ts'
import { Run } from './runs.ts'
import { Id, Nullable, Time } from './shapes.ts'

const Count = Type.Integer()
const Params = Type.Object({ directory: Type.String({ description: 'Id or name' }) })
const tags = ['directories']

const Observation = Type.Object({
  id: Id,
  name: Type.String(),
  observing: Type.Boolean(),
  groups: Type.Object({
    pushed: Count,
    new: Type.Integer({ description: 'Their names are free: going live brings them into force' }),
    conflicting: Type.Integer({ description: 'To be reviewed after going live' }),
    blocked: Count,
    ignored: Count,
    unknownMembers: Count,
    members: Type.Integer({ description: 'Members of the new groups' }),
  }),
  people: Type.Object({
    pushed: Count,
    matched: Type.Object({ total: Count, byEmail: Count, byUserName: Count, byPerson: Count }),
    new: Count,
    probablySame: Type.Integer({ description: 'New, and like somebody whom the provider does not have' }),
    doubtful: Count,
    notInProvider: Type.Integer({ description: 'Active people of the organization whom the directory does not push' }),
    managedElsewhere: Count,
    protected: Count,
    switchedOff: Type.Integer({ description: 'By going live' }),
    switchedOn: Type.Integer({ description: 'By going live' }),
  }),
  access: Type.Object(Figures, { description: 'What going live itself does' }),
  conflicts: Type.Object(JointFigures, { description: 'What it would be if every conflicting group were then overwritten' }),
  fingerprint: Type.String({ description: 'SHA-256 in hex of what going live does to whose access' }),
})

const Named = Type.Object({ id: Id, name: Type.String() })
const TakeOver = Type.Object({
  directory: Named,
  from: Type.Object({ ...Named.properties, isDisconnected: Type.Boolean() }),
  groups: Type.Object({
    byExternalId: Type.Integer({ description: 'Pushed by both, found by the provider’s id' }),
    byName: Count,
    equal: Type.Integer({ description: 'Linked without a review: they have the same members' }),
    differing: Type.Integer({ description: 'Up for review' }),
    left: Type.Integer({ description: 'Of the old one alone: they stay, unmanaged' }),
  }),
  people: Type.Object({ handedOver: Count, released: Type.Integer({ description: 'They stay as they are' }) }),
  fingerprint: Type.String({ description: 'SHA-256 in hex of what it comes to' }),
})
const From = Type.String({ description: 'Id or name of the old directory, connected or disconnected' })
const Note = Type.Optional(Type.String({ maxLength: 1_024 }))

const Resynced = Type.Object({
  groups: Type.Integer({ description: 'Looked at again' }),
  people: Count,
  changes: Type.Array(Type.Object({ entry: Type.String(), action: Type.String(), name: Nullable(Type.String()) }), {
    description: 'What became other: the entries of the log, at most 1,000',
  }),
  next: Nullable(Type.String({ description: 'Send it as `after` to go on; null at the end' })),
})

const Life = Type.Object({ id: Id, name: Type.String(), observing: Type.Boolean(), pausedAt: Nullable(Time) })

/** A directory's life: what it comes to before it is live, going live, pausing. */
export const directoryLifeApi: ApiPlugin = async (app, { db, jobs }) => {
  app.get(
    '/directories/:directory/observation',
    {
      schema: {
        operationId: 'showObservation',
        tags,
        summary: 'What a directory comes to: the report over all that it pushed, before it goes live',
        params: Params,
        response: { 200: Observation },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const { id, name, observing } = await findDirectory(reader, params.directory)
        return { id, name, observing, ...(await observedOf(reader, id)) }
      }),
  )

  app.post(
    '/directories/:directory/go-live',
    {
      schema: {
        operationId: 'goLive',
        tags,
        summary: 'Go live, as one run: people first, then the groups whose names are free',
        description:
          'Answers 409 `review_changed` where going live does something else to access than the report said; where the organization asks for approval of what it takes, the run waits for that.',
        params: Params,
        headers: IdempotencyHeaders,
        body: Type.Object(
          {
            fingerprint: Type.String({ maxLength: 64, description: 'Of the report that was looked at' }),
            note: Note,
          },
          { additionalProperties: false },
        ),
        response: { 202: Run },
      },
    },
    async (request, reply) => {
      const { scope, params, body } = request
      const { status, body: run } = await inTransaction(db, scope, (trx) =>
        idempotent(trx, request, async () => {
          const { id, name } = await findDirectory(trx, params.directory)
          const asked = { directory: { id, name }, fingerprint: body.fingerprint, note: body.note ?? null }
          return { status: 202, body: await findRun(trx, await startGoingLive(trx, jobs, asked)) }
        }),
      )
      return reply.code(status as 202).send(run)
    },
  )

  app.get(
    '/directories/:directory/take-over',
    {
      schema: {
        operationId: 'previewTakeOver',
        tags,
        summary: 'What it comes to that a directory takes over the groups of an old one. Nobody’s access changes by it',
        params: Params,
        querystring: Type.Object({ from: From }, { additionalProperties: false }),
        response: { 200: TakeOver },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const { id, name } = await findDirectory(reader, params.directory)
        return previewTakeOver(reader, { id, name }, query.from)
      }),
  )

  app.post(
    '/directories/:directory/take-over',
    {
      schema: {
        operationId: 'takeOver',
        tags,
        summary: 'Take over the groups of an old directory, by the provider’s id of them, then by name',
        description:
          'Groups with the same members are linked without a review, others are up for one. The old directory is disconnected.',
        params: Params,
        headers: IdempotencyHeaders,
        body: Type.Object(
          { from: From, fingerprint: Type.String({ maxLength: 64, description: 'Of what was shown' }), note: Note },
          { additionalProperties: false },
        ),
        response: { 202: Run },
      },
    },
    async (request, reply) => {
      const { scope, params, body } = request
      const { status, body: run } = await inTransaction(db, scope, (trx) =>
        idempotent(trx, request, async () => {
          const { id, name } = await findDirectory(trx, params.directory)
          const asked = { directory: { id, name }, from: body.from, fingerprint: body.fingerprint, note: body.note ?? null }
          return { status: 202, body: await findRun(trx, await startTakeOver(trx, jobs, asked)) }
        }),
      )
      app.forgetTokens()
      return reply.code(status as 202).send(run)
    },
  )

  app.post(
    '/directories/:directory/resync',
    {
      schema: {
        operationId: 'resyncDirectory',
        tags,
        summary: 'Judge a pushed group, a pushed person or all afresh, from what is stored; says what became other',
        params: Params,
        body: Type.Object(
          {
            group: Type.Optional(Type.String({ maxLength: 255, description: 'SCIM id or name of a pushed group' })),
            user: Type.Optional(Type.String({ maxLength: 255, description: 'SCIM id or user name of a pushed user' })),
            after: Type.Optional(Type.String({ maxLength: 40, description: '`next` of the answer before' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: Resynced },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => resync(trx, await findDirectory(trx, params.directory), body)),
  )

  app.post(
    '/directories/:directory/reset',
    {
      schema: {
        operationId: 'resetDirectory',
        tags,
        summary: 'Forget all that an observing directory pushed; it is paused until that is done',
        params: Params,
        response: { 202: Life },
      },
    },
    async ({ scope, params }, reply) => {
      const { id, name, observing, pausedAt } = await inTransaction(db, scope, async (trx) => {
        const directory = await findDirectory(trx, params.directory)
        await reset(trx, jobs, directory)
        return findDirectory(trx, directory.id)
      })
      app.forgetTokens()
      return reply.code(202).send({ id, name, observing, pausedAt })
    },
  )

  for (const [path, isPaused, summary] of [
    ['pause', true, 'Pause a directory: its provider reads on, and its writes are answered 503 with Retry-After'],
    ['resume', false, 'Let a paused directory go on'],
  ] as const) {
    app.post(
      `/directories/:directory/${path}`,
      { schema: { operationId: `${path}Directory`, tags, summary, params: Params, response: { 200: Life } } },
      async ({ scope, params }) => {
        const { id, name, observing, pausedAt } = await inTransaction(db, scope, async (trx) =>
          setPaused(trx, (await findDirectory(trx, params.directory)).id, isPaused),
        )
        app.forgetTokens()
        return { id, name, observing, pausedAt }
      },
    )
  }
}
