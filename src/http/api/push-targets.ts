import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { driftOf } from '../../push/drift.ts'
import { findPushTarget, listPushTargets, removePushTarget, savePushTarget } from '../../push/stored/targets.ts'
import { openStoredTarget } from '../../push/stored-push.ts'
import { profileNames } from '../../push/target/profile.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page } from './paging.ts'
import { keysOf, OfName, pushTags, told, worldOf } from './push-shapes.ts'
import { Id, NoContent, Nullable, OneOf, Time } from './shapes.ts'

const Profile = OneOf([...profileNames, 'learnt'] as const, 'How it is spoken to; learnt: as it says of itself')
const OfTarget = Type.Object({ target: Type.String({ description: 'Id or name' }) })
const Count = Type.Integer()
const settings = {
  url: Type.String({ maxLength: 1_024, description: 'The SCIM base URL' }),
  isPaused: Type.Boolean(),
  everyMinutes: Nullable(Type.Integer({ minimum: 5, maximum: 10_080 })),
  appliesByItself: Type.Boolean({ description: 'Whether a plan that the push guard lets pass is sent by itself' }),
}
const Target = Type.Object({
  id: Id,
  name: Type.String(),
  source: OfName,
  profile: Profile,
  ca: Nullable(Type.String()),
  hasSecret: Type.Boolean(),
  ...settings,
  nextAt: Nullable(Time),
  mappings: Type.Object({ active: Count, inactive: Count, error: Count }),
  createdAt: Time,
})
const Tested = Type.Object({
  profile: Type.Object({
    name: OneOf(profileNames),
    groupUpdate: OneOf(['patch', 'put'] as const),
    membersPerRequest: Count,
    pageSize: Count,
    membersReadable: Type.Boolean(),
    filters: Type.Boolean(),
  }),
  people: Count,
  groups: Count,
})
const Drift = Type.Object({
  mapping: Id,
  name: Type.String(),
  renamedTo: Nullable(Type.String()),
  isGone: Type.Boolean(),
  onlyInTarget: Type.Array(Type.String()),
  missingInTarget: Type.Array(Type.String()),
})

/** Where groups are pushed to. */
export const pushTargetsApi: ApiPlugin = async (app, parts) => {
  const { db } = parts
  app.get(
    '/push/targets',
    {
      schema: {
        operationId: 'listPushTargets',
        tags: pushTags,
        summary: 'The SCIM servers that groups are pushed to',
        description: 'Sorted by name or createdAt.',
        querystring: Page,
        response: { 200: Listed(Target) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listPushTargets(reader, listingOf(query))),
  )

  app.get(
    '/push/targets/:target',
    {
      schema: {
        operationId: 'showPushTarget',
        tags: pushTags,
        summary: 'One target',
        params: OfTarget,
        response: { 200: Target },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findPushTarget(reader, params.target)),
  )

  app.put(
    '/push/targets/:target',
    {
      schema: {
        operationId: 'savePushTarget',
        tags: pushTags,
        summary: 'Make the target of this name be so',
        description: 'Its token is sealed and shown to nobody; left out, it stays.',
        params: OfTarget,
        body: Type.Object(
          {
            source: Type.String({ description: 'Id or name' }),
            url: settings.url,
            profile: Type.Optional(Profile),
            ca: Type.Optional(Nullable(Type.String({ maxLength: 65_536 }))),
            secret: Type.Optional(Type.String({ maxLength: 4_096 })),
            isPaused: Type.Optional(settings.isPaused),
            everyMinutes: Type.Optional(settings.everyMinutes),
            appliesByItself: Type.Optional(settings.appliesByItself),
          },
          { additionalProperties: false },
        ),
        response: { 200: Target },
      },
    },
    async ({ scope, params, body }) =>
      inTransaction(db, scope, (trx) => savePushTarget(trx, keysOf(parts), { name: params.target, ...body })),
  )

  app.post(
    '/push/targets/:target/test',
    {
      schema: {
        operationId: 'testPushTarget',
        tags: pushTags,
        summary: 'Ask a target how it is spoken to, and count what it has',
        params: OfTarget,
        response: { 200: Tested },
      },
    },
    async ({ scope, params }) => {
      const world = worldOf(parts, scope)
      const target = await reading(db, scope, (reader) => findPushTarget(reader, params.target))
      const scim = await openStoredTarget(world, target)
      const read = async () => {
        let groups = 0
        const { name, groupUpdate, membersPerRequest, pageSize, membersReadable, filters } = await scim.profile()
        const people = (await scim.users()).length
        await scim.eachGroup(() => {
          groups++
        })
        return { profile: { name, groupUpdate, membersPerRequest, pageSize, membersReadable, filters }, people, groups }
      }
      return told(read().finally(scim.close))
    },
  )

  app.get(
    '/push/targets/:target/drift',
    {
      schema: {
        operationId: 'pushDrift',
        tags: pushTags,
        summary: 'What became other in the target since it was pushed, by nobody here',
        description: 'Read from the target at this moment. A plan puts it right.',
        params: OfTarget,
        response: { 200: Listed(Drift) },
      },
    },
    async ({ scope, params }) => {
      const items = await told(driftOf(worldOf(parts, scope), params.target))
      return { total: items.length, items }
    },
  )

  app.delete(
    '/push/targets/:target',
    {
      schema: {
        operationId: 'removePushTarget',
        tags: pushTags,
        summary: 'Remove a target with its rules, mappings and plans; what it holds stays there',
        params: OfTarget,
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, (trx) => removePushTarget(trx, params.target))
      return reply.code(204).send()
    },
  )
}
