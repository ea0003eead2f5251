import { Type } from 'typebox'
import { pushPlanStates } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { applyPushes, exportPushes, type PushConfiguration } from '../../push/configuration.ts'
import { planPush } from '../../push/run-push.ts'
import { findPlan, listPlans, queuePlan } from '../../push/stored/plans.ts'
import { findPushTarget } from '../../push/stored/targets.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { keysOf, OfName, pushTags, Sums, told, worldOf } from './push-shapes.ts'
import { Id, NoContent, Nullable, OneOf, Time } from './shapes.ts'

const OfPlan = Type.Object({ plan: Type.String({ description: 'Id' }) })
const Count = Type.Integer()
const Texts = Type.Array(Type.String())
const Totals = Type.Object({
  people: Type.Object({ create: Count, update: Count, deactivate: Count, unchanged: Count }),
  groups: Type.Object({ create: Count, update: Count, delete: Count, unchanged: Count, notPushed: Count }),
  members: Type.Object({ added: Count, removed: Count }),
})
const Result = Type.Object({
  users: Type.Object({ created: Count, updated: Count, deactivated: Count, linked: Count, failed: Count }),
  groups: Type.Object({ created: Count, updated: Count, deleted: Count, unchanged: Count, failed: Count }),
  requests: Count,
  repeated: Count,
  errors: Type.Array(Type.Object({ what: OneOf(['user', 'group'] as const), name: Type.String(), why: Type.String() })),
  counted: Type.Object({ source: Sums, target: Sums, differences: Count }),
})
const plan = {
  id: Id,
  target: OfName,
  state: OneOf(pushPlanStates),
  fingerprint: Type.String(),
  totals: Totals,
  stops: Texts,
  estimatedRequests: Count,
  done: Count,
  failed: Count,
  result: Nullable(Result),
  error: Nullable(Type.String()),
  createdBy: Type.String(),
  createdAt: Time,
  startedAt: Nullable(Time),
  finishedAt: Nullable(Time),
}
const Plan = Type.Object(plan)
const Steps = Type.Object({
  people: Type.Array(
    Type.Object({
      do: OneOf(['create', 'update', 'deactivate'] as const),
      userName: Type.String(),
      id: Nullable(Type.String()),
      changed: Texts,
    }),
  ),
  groups: Type.Array(
    Type.Object({
      do: OneOf(['create', 'update', 'delete'] as const),
      name: Type.String(),
      id: Nullable(Type.String()),
      formerly: Nullable(Type.String()),
      added: Texts,
      removed: Texts,
    }),
  ),
  notPushed: Type.Array(Type.Object({ name: Type.String(), why: Type.String() })),
  warnings: Texts,
})
const Configuration = Type.Object(
  {
    version: Type.Integer(),
    sources: Type.Array(Type.Object({ name: Type.String(), settings: Type.Unknown() }, { additionalProperties: false })),
    targets: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          source: Type.String(),
          url: Type.String(),
          profile: Type.Optional(Type.String()),
          isPaused: Type.Optional(Type.Boolean()),
          everyMinutes: Type.Optional(Nullable(Type.Integer({ minimum: 5, maximum: 10_080 }))),
          appliesByItself: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
    ),
    rules: Type.Array(
      Type.Object({ name: Type.String(), target: Type.String(), condition: Type.Unknown() }, { additionalProperties: false }),
    ),
    mappings: Type.Array(
      Type.Object(
        {
          target: Type.String(),
          group: Type.String(),
          name: Type.Optional(Type.String()),
          targetName: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

/** What would be sent, and the sending of it. */
export const pushPlansApi: ApiPlugin = async (app, parts) => {
  const { db, jobs } = parts
  app.get(
    '/push/plans',
    {
      schema: {
        operationId: 'listPushPlans',
        tags: pushTags,
        summary: 'The plans that were made, and what became of them',
        description: 'Newest first; sorted by createdAt or state.',
        querystring: pageWith({ target: Type.Optional(Type.String({ description: 'Id or name' })) }),
        response: { 200: Listed(Plan) },
      },
    },
    async ({ scope, query }) =>
      reading(db, scope, async (reader) => {
        const target = query.target === undefined ? undefined : (await findPushTarget(reader, query.target)).id
        return listPlans(reader, listingOf(query), target)
      }),
  )

  app.post(
    '/push/plans',
    {
      schema: {
        operationId: 'planPush',
        tags: pushTags,
        summary: 'Read a target and its source, and say what would be sent',
        body: Type.Object(
          {
            target: Type.String({ description: 'Id or name' }),
            allowRemovals: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000_000 })),
          },
          { additionalProperties: false },
        ),
        response: { 201: Plan },
      },
    },
    async ({ scope, body }, reply) => {
      const id = await told(planPush(worldOf(parts, scope), body.target, body.allowRemovals ?? 0))
      return reply.code(201).send(await reading(db, scope, (reader) => findPlan(reader, id)))
    },
  )

  app.get(
    '/push/plans/:plan',
    {
      schema: {
        operationId: 'showPushPlan',
        tags: pushTags,
        summary: 'A plan with all its steps, or what its push did',
        params: OfPlan,
        response: { 200: Type.Object({ ...plan, plan: Steps }) },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findPlan(reader, params.plan)),
  )

  app.post(
    '/push/plans/:plan/apply',
    {
      schema: {
        operationId: 'applyPushPlan',
        tags: pushTags,
        summary: 'Send exactly what a plan says, as a job',
        params: OfPlan,
        body: Type.Object(
          { fingerprint: Type.String({ description: 'That of the plan that was seen' }) },
          { additionalProperties: false },
        ),
        response: { 202: Plan },
      },
    },
    async ({ scope, params, body }, reply) => {
      const queued = await inTransaction(db, scope, async (trx) => {
        const found = await queuePlan(trx, params.plan, body.fingerprint)
        await jobs.send(trx, 'push-plan', { orgId: trx.orgId, planId: found.id })
        return found
      })
      return reply.code(202).send(queued)
    },
  )

  app.get(
    '/push/configuration',
    {
      schema: {
        operationId: 'exportPushes',
        tags: pushTags,
        summary: 'Sources, targets, rules and mappings by name, without secrets, as one value',
        response: { 200: Configuration },
      },
    },
    async ({ scope }) => reading(db, scope, exportPushes),
  )

  app.put(
    '/push/configuration',
    {
      schema: {
        operationId: 'applyPushes',
        tags: pushTags,
        summary: 'Make what it names be so, all or nothing; what it does not name stays',
        body: Configuration,
        response: { 204: NoContent },
      },
    },
    async ({ scope, body }, reply) => {
      await inTransaction(db, scope, (trx) => applyPushes(trx, keysOf(parts), body as PushConfiguration))
      return reply.code(204).send()
    },
  )
}
