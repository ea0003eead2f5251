import { Type } from 'typebox'
import type { Reader } from '../../database/connection.ts'
import { runKinds, runResults, runStates, syncChoices } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { findDirectory } from '../../provisioning/directories.ts'
import { chosenWithChoices } from '../../review/chosen.ts'
import { effectOf } from '../../review/effect.ts'
import { approveRun, rejectRun, withdrawRun } from '../../sync/approvals.ts'
import { retryOf } from '../../sync/retry-run.ts'
import { findRun, groupResults, listRunGroups, listRuns, runGroupsCsv } from '../../sync/run-reports.ts'
import { stopRun } from '../../sync/runs.ts'
import { previewRun, type RunRequest, startRun } from '../../sync/start-run.ts'
import { previewUndo, startUndo } from '../../sync/undo-run.ts'
import { requireRole } from '../auth/roles.ts'
import { largeBodyLimit } from '../content.ts'
import type { ApiPlugin } from './api.ts'
import { csvFormat, ListedOrCsv, listingOrAll, sendCsv } from './csv-answer.ts'
import { IdempotencyHeaders, idempotent } from './idempotency.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { askedOf, choicesOf, Effect, Figures, Selection } from './review-shapes.ts'
import { Id, Nullable, OneOf, Time } from './shapes.ts'

const tags = ['runs']
const Count = Type.Integer()
const Members = Type.Object({ added: Count, removed: Count })
const { directory: _directory, fingerprint: Fingerprint, ...foreseen } = Effect.properties
const Choice = OneOf(syncChoices)
const Named = Type.Object({ id: Id, name: Type.String() })

export const Run = Type.Object({
  id: Id,
  kind: OneOf(runKinds),
  undoes: Nullable(Id),
  undoneBy: Nullable(Id),
  state: OneOf(runStates),
  directory: Type.String({ description: "The directory's name" }),
  choice: Choice,
  note: Nullable(Type.String()),
  retryOf: Nullable(Id),
  retriedBy: Type.Array(Id),
  createdBy: Type.String(),
  createdAt: Time,
  startedAt: Nullable(Time),
  finishedAt: Nullable(Time),
  groups: Type.Object({ total: Count, synced: Count, skipped: Count, failed: Count }),
  members: Members,
  access: Type.Object(Figures, { description: 'What truly happened, net; nothing until the run has ended' }),
  foreseen: Type.Object(foreseen, { description: 'What was reviewed' }),
  fingerprint: Type.String({ description: 'Of what was reviewed' }),
  approval: Nullable(
    Type.Object(
      {
        expiresAt: Time,
        decidedBy: Nullable(Type.String()),
        decidedAt: Nullable(Time),
        comment: Nullable(Type.String()),
        isOwn: Type.Boolean({ description: 'You asked for it: you may withdraw it, and others approve or reject it' }),
      },
      { description: 'Of a run that needs approval, or needed it' },
    ),
  ),
})

const Skipped = Type.Object({ group: Named, reason: Type.String(), detail: Nullable(Type.String()) })
const Preview = Type.Object({
  dryRun: Type.Literal(true),
  directory: Type.String(),
  choice: Choice,
  groups: Run.properties.groups,
  members: Members,
  access: Effect.properties.access,
  blocked: Count,
  needsApproval: Type.Boolean({ description: 'It would wait until another person approves it' }),
  skipped: Type.Array(Skipped),
  fingerprint: Fingerprint,
})

const RunGroup = Type.Object({
  group: Named,
  choice: Choice,
  linkTo: Nullable(Type.Object(Named.properties, { description: 'The group that it was linked to first, whatever its name' })),
  result: Nullable(OneOf(runResults)),
  reason: Nullable(
    Type.String({
      description:
        'blocked, filling, empty, already_synced, no_longer_needs_review, gone, review_changed, run_stopped, not_approved, not_possible, nothing_kept; of a directory that goes live or takes over also not_ready, needs_review; busy, error',
    }),
  ),
  detail: Nullable(Type.String()),
  members: Members,
  access: Type.Object(
    { lost: Count, gained: Count },
    { description: "The run's net losses and gains that this group had part in" },
  ),
  foreseen: Type.Object({ lost: Count }, { description: 'The net losses it was expected to have part in' }),
  finishedAt: Nullable(Time),
})

const Reviewed = Type.Object({
  group: Id,
  fingerprint: Type.String({ maxLength: 64 }),
  name: Type.Optional(Type.String({ maxLength: 1_024 })),
  members: Type.Optional(Members),
  access: Type.Optional(Type.Object({ lost: Count, gained: Count })),
})

const NewRun = Type.Object(
  {
    selection: Selection,
    ...choicesOf,
    fingerprint: Type.String({ maxLength: 64, description: 'Of the answer that was reviewed' }),
    acceptIncomplete: Type.Optional(Type.Boolean({ description: 'Also groups that are still filling' })),
    acceptEmpty: Type.Optional(Type.Boolean({ description: 'Also groups that were pushed empty over members' })),
    note: Type.Optional(Type.String({ maxLength: 1_024 })),
    dryRun: Type.Optional(Type.Boolean({ description: 'The same answer, and nothing is changed' })),
    reviewed: Type.Optional(
      Type.Array(Reviewed, {
        maxItems: 1_000,
        description: 'What was seen of each group: a refusal then says which are other now',
      }),
    ),
    effect: Type.Optional(
      Type.Object(
        { groups: Count, members: Members, access: Effect.properties.access },
        { description: 'What was seen of all together: a refusal then says by how much it is other now' },
      ),
    ),
  },
  { additionalProperties: false },
)

const { acceptIncomplete, acceptEmpty, note, dryRun, effect } = NewRun.properties
const NewRetry = Type.Object(
  { fingerprint: NewRun.properties.fingerprint, acceptIncomplete, acceptEmpty, note, dryRun, effect },
  { additionalProperties: false, description: 'What is not said is as it was asked for' },
)
const evenIfChanged = Type.Optional(Type.Boolean({ description: 'Also groups that were changed since: that is undone with it' }))
const { directory: _d, blocked: _b, ...ofUndo } = Effect.properties
const Undo = Type.Object({
  run: Run,
  groups: Count,
  changed: Type.Array(Type.Object({ group: Named, entries: Count })),
  effect: Type.Object(ofUndo),
})

const Comment = Type.String({ minLength: 1, maxLength: 1_024, description: 'Why; kept with the run and in the log' })
const WithComment = Type.Optional(Type.Object({ comment: Type.Optional(Comment) }, { additionalProperties: false }))
const OfRun = Type.Object({ run: Type.String({ description: 'Id' }) })

/** Runs: what makes groups what was reviewed, as jobs, with a report each. */
export const runsApi: ApiPlugin = async (app, { db, jobs }) => {
  app.post(
    '/directories/:directory/runs',
    {
      bodyLimit: largeBodyLimit,
      preHandler: requireRole('reviewer'),
      schema: {
        operationId: 'startRun',
        tags,
        summary: 'Sync groups: one, a selection, or all that need review',
        description:
          'Where the organization asks for approval of what it takes, the run waits in the state `awaiting_approval`. Answers 409 `review_changed`, with what changed and the new figures, where the answer is no longer the reviewed one.',
        params: Type.Object({ directory: Type.String({ description: 'Id or name' }) }),
        headers: IdempotencyHeaders,
        body: NewRun,
        response: { 200: Preview, 202: Run },
      },
    },
    async (request, reply) => {
      const { scope, token, params, body } = request
      const asked = (directoryId: RunRequest['directoryId']): RunRequest => ({
        by: token,
        directoryId,
        kind: body.kind ?? 'sync',
        ...askedOf(body),
        fingerprint: body.fingerprint,
        acceptIncomplete: body.acceptIncomplete ?? false,
        acceptEmpty: body.acceptEmpty ?? false,
        note: body.note ?? null,
        reviewed: body.reviewed,
        effect: body.effect,
      })
      if (body.dryRun) {
        return reading(db, scope, async (reader) => {
          const directory = await findDirectory(reader, params.directory)
          return shownPreview(reader, directory.name, asked(directory.id))
        })
      }
      const { status, body: run } = await inTransaction(db, scope, (trx) =>
        idempotent(trx, request, async () => {
          const directory = await findDirectory(trx, params.directory)
          return { status: 202, body: await findRun(trx, await startRun(trx, jobs, asked(directory.id))) }
        }),
      )
      return reply.code(status as 202).send(run)
    },
  )

  app.get(
    '/runs',
    {
      schema: {
        operationId: 'listRuns',
        tags,
        summary: 'The runs, the newest first',
        description: 'Sorted by createdAt, groups or state.',
        querystring: pageWith({ state: Type.Optional(OneOf(runStates)) }),
        response: { 200: Listed(Run) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listRuns(reader, { state: query.state }, listingOf(query))),
  )

  app.get(
    '/runs/:run',
    {
      schema: {
        operationId: 'showRun',
        tags,
        summary: 'A run: what it has done, beside what was foreseen',
        params: OfRun,
        response: { 200: Run },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findRun(reader, params.run)),
  )

  app.get(
    '/runs/:run/groups',
    {
      schema: {
        operationId: 'listRunGroups',
        tags,
        summary: "A run's groups, with what became of each",
        params: OfRun,
        description: 'Sorted by position, name, lost, gained, added, removed or finishedAt.',
        querystring: pageWith({ result: Type.Optional(OneOf(groupResults)), ...csvFormat }),
        response: { 200: ListedOrCsv(RunGroup) },
      },
    },
    async ({ scope, params, query }, reply) => {
      const listed = await reading(db, scope, (reader) =>
        listRunGroups(reader, params.run, { result: query.result }, listingOrAll(query)),
      )
      return query.format === 'csv' ? sendCsv(reply, `run-${params.run}`, runGroupsCsv(listed.items)) : listed
    },
  )

  app.get(
    '/runs/:run/retry',
    {
      schema: {
        operationId: 'showRetry',
        tags,
        summary: 'What syncing the groups that a run skipped or failed at would do now',
        params: OfRun,
        response: { 200: Type.Object({ ...Effect.properties, selection: Selection }) },
      },
    },
    async ({ scope, params }) =>
      reading(db, scope, async (reader) => {
        const retry = await retryOf(reader, params.run)
        const { ids, blocked, choices } = await chosenWithChoices(reader, retry.directoryId, retry)
        const { directory } = await findRun(reader, params.run)
        return { directory, blocked, ...(await effectOf(reader, ids, choices)), selection: retry.selection }
      }),
  )

  app.post(
    '/runs/:run/retry',
    {
      preHandler: requireRole('reviewer'),
      schema: {
        operationId: 'retryRun',
        tags,
        summary: 'Sync the groups that a run skipped or failed at, as they were to be then',
        params: OfRun,
        headers: IdempotencyHeaders,
        body: NewRetry,
        response: { 200: Preview, 202: Run },
      },
    },
    async (request, reply) => {
      const { dryRun, ...body } = request.body
      const asked = async (reader: Reader): Promise<RunRequest> => ({
        by: request.token,
        note: null,
        ...(await retryOf(reader, request.params.run)),
        ...body,
      })
      if (dryRun)
        return reading(db, request.scope, async (reader) =>
          shownPreview(reader, (await findRun(reader, request.params.run)).directory, await asked(reader)),
        )
      const { status, body: run } = await inTransaction(db, request.scope, (trx) =>
        idempotent(trx, request, async () => ({
          status: 202,
          body: await findRun(trx, await startRun(trx, jobs, await asked(trx))),
        })),
      )
      return reply.code(status as 202).send(run)
    },
  )

  app.get(
    '/runs/:run/undo',
    {
      schema: {
        operationId: 'showUndo',
        tags,
        summary: 'What undoing a run would come to',
        description: 'Groups that were changed since are left out and listed, unless they are asked for.',
        params: OfRun,
        querystring: Type.Object({ evenIfChanged }, { additionalProperties: false }),
        response: { 200: Undo },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, (reader) => previewUndo(reader, { run: params.run, evenIfChanged: query.evenIfChanged ?? false })),
  )

  app.post(
    '/runs/:run/undo',
    {
      schema: {
        operationId: 'undoRun',
        tags,
        summary: 'Put the groups of a run back to what they were before it, as a run',
        params: OfRun,
        headers: IdempotencyHeaders,
        body: Type.Object(
          {
            fingerprint: Type.String({ maxLength: 64, description: 'Of the effect that was shown' }),
            evenIfChanged,
            note: Type.Optional(Type.String({ maxLength: 1_024 })),
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
          const { fingerprint, evenIfChanged = false, note = null } = body
          return {
            status: 202,
            body: await findRun(trx, await startUndo(trx, jobs, { run: params.run, fingerprint, evenIfChanged, note })),
          }
        }),
      )
      return reply.code(status as 202).send(run)
    },
  )

  app.post(
    '/runs/:run/stop',
    {
      schema: {
        operationId: 'stopRun',
        tags,
        summary: 'Stop a run after the group it is at; what was synced stays',
        params: OfRun,
        response: { 200: Run },
      },
    },
    async ({ scope, params }) => inTransaction(db, scope, async (trx) => findRun(trx, await stopRun(trx, jobs, params.run))),
  )

  app.post(
    '/runs/:run/approve',
    {
      schema: {
        operationId: 'approveRun',
        tags,
        summary: 'Approve a run that somebody else asked for',
        description:
          'What it comes to is computed again: 409 `review_changed`, with what it is now, where that is no longer what was asked for.',
        params: OfRun,
        body: WithComment,
        response: { 200: Run },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => findRun(trx, await approveRun(trx, jobs, params.run, body?.comment ?? null))),
  )

  app.post(
    '/runs/:run/reject',
    {
      schema: {
        operationId: 'rejectRun',
        tags,
        summary: 'Reject a run that somebody else asked for',
        params: OfRun,
        body: Type.Object({ comment: Comment }, { additionalProperties: false }),
        response: { 200: Run },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => findRun(trx, await rejectRun(trx, params.run, body.comment))),
  )

  app.post(
    '/runs/:run/withdraw',
    {
      preHandler: requireRole('reviewer'),
      schema: {
        operationId: 'withdrawRun',
        tags,
        summary: 'Withdraw a run that one asked for oneself and that waits for approval',
        params: OfRun,
        body: WithComment,
        response: { 200: Run },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, async (trx) => findRun(trx, await withdrawRun(trx, params.run, body?.comment ?? null))),
  )
}

async function shownPreview(reader: Reader, directory: string, request: RunRequest) {
  const { effect, ...preview } = await previewRun(reader, request)
  const { members, access, fingerprint } = effect
  return { dryRun: true as const, directory, choice: request.choice, ...preview, members, access, fingerprint }
}
