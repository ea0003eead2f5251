import { Type } from 'typebox'
import { pushMappingStates } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { nameKey } from '../../organization/name-key.ts'
import { Refusal } from '../../organization/refusal.ts'
import { keyOf } from '../../push/make-plan.ts'
import { addMappings, changeMapping, findMapping, listMappings, removeMapping } from '../../push/stored/mappings.ts'
import { findPushSource } from '../../push/stored/sources.ts'
import { findPushTarget } from '../../push/stored/targets.ts'
import { openStoredTarget, readStoredSource } from '../../push/stored-push.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { OfName, pushTags, told, worldOf } from './push-shapes.ts'
import { Id, NoContent, Nullable, OneOf, Time } from './shapes.ts'

const OfMapping = Type.Object({ mapping: Type.String({ description: 'Id' }) })
const Text = Nullable(Type.String())
const Mapping = Type.Object({
  id: Id,
  target: OfName,
  sourceKey: Type.String(),
  sourceName: Type.String(),
  targetName: Text,
  targetGroupId: Text,
  rule: Text,
  state: OneOf(pushMappingStates),
  error: Text,
  memberCount: Nullable(Type.Integer()),
  goneSince: Nullable(Time),
  unmatchedSince: Nullable(Time),
  pushedAt: Nullable(Time),
  createdAt: Time,
})

/** Which groups are pushed. */
export const pushMappingsApi: ApiPlugin = async (app, parts) => {
  const { db } = parts
  app.get(
    '/push/mappings',
    {
      schema: {
        operationId: 'listMappings',
        tags: pushTags,
        summary: 'The groups that are pushed, and how far they are',
        description: 'Sorted by sourceName, state, pushedAt or createdAt.',
        querystring: pageWith({
          target: Type.Optional(Type.String({ description: 'Id or name' })),
          state: Type.Optional(OneOf(pushMappingStates)),
        }),
        response: { 200: Listed(Mapping) },
      },
    },
    async ({ scope, query }) =>
      reading(db, scope, async (reader) => {
        const target = query.target === undefined ? undefined : (await findPushTarget(reader, query.target)).id
        return listMappings(reader, listingOf(query), { target, state: query.state })
      }),
  )

  app.post(
    '/push/mappings',
    {
      schema: {
        operationId: 'addMappings',
        tags: pushTags,
        summary: 'Push groups of a target’s source by name',
        body: Type.Object(
          {
            target: Type.String({ description: 'Id or name' }),
            groups: Type.Array(Type.String({ maxLength: 255 }), {
              minItems: 1,
              maxItems: 10_000,
              description: 'Names in the source',
            }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Type.Object({ added: Type.Integer() }) },
      },
    },
    async ({ scope, body }) => {
      const { target, stored } = await reading(db, scope, async (reader) => {
        const found = await findPushTarget(reader, body.target)
        return { target: found, stored: await findPushSource(reader, found.source.id) }
      })
      const source = await told(readStoredSource(worldOf(parts, scope), stored))
      const byName = new Map(source.groups.map((group) => [nameKey(group.name), group]))
      const mappings = body.groups.map((name) => {
        const group = byName.get(nameKey(name))
        if (!group) throw new Refusal('invalid_value', `The source has no group ${name}.`, { group: name })
        return { sourceKey: keyOf(group), sourceName: group.name, targetName: null, ruleId: null }
      })
      return { added: await inTransaction(db, scope, (trx) => addMappings(trx, target.id, mappings)) }
    },
  )

  app.get(
    '/push/mappings/:mapping',
    {
      schema: {
        operationId: 'showMapping',
        tags: pushTags,
        summary: 'One mapping',
        params: OfMapping,
        response: { 200: Mapping },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findMapping(reader, params.mapping)),
  )

  app.patch(
    '/push/mappings/:mapping',
    {
      schema: {
        operationId: 'changeMapping',
        tags: pushTags,
        summary: 'Pause a mapping, name its group there, or link it to one that is there',
        params: OfMapping,
        body: Type.Object(
          {
            state: Type.Optional(OneOf(['active', 'inactive'] as const)),
            targetName: Type.Optional(Nullable(Type.String({ maxLength: 255 }))),
            targetGroupId: Type.Optional(Nullable(Type.String({ maxLength: 255, description: 'The target’s own id' }))),
          },
          { additionalProperties: false },
        ),
        response: { 200: Mapping },
      },
    },
    async ({ scope, params, body }) => inTransaction(db, scope, (trx) => changeMapping(trx, params.mapping, body)),
  )

  app.delete(
    '/push/mappings/:mapping',
    {
      schema: {
        operationId: 'removeMapping',
        tags: pushTags,
        summary: 'Unlink a mapping that is not active; the group there is left, or deleted',
        params: OfMapping,
        querystring: Type.Object({ group: Type.Optional(OneOf(['leave', 'delete'] as const)) }, { additionalProperties: false }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, params, query }, reply) => {
      const { mapping, target } = await reading(db, scope, async (reader) => {
        const found = await findMapping(reader, params.mapping)
        return { mapping: found, target: await findPushTarget(reader, found.target.id) }
      })
      await inTransaction(db, scope, (trx) => removeMapping(trx, mapping.id))
      if (query.group === 'delete' && mapping.targetGroupId !== null) {
        const scim = await openStoredTarget(worldOf(parts, scope), target)
        await told(scim.deleteGroup(mapping.targetGroupId).finally(scim.close))
      }
      return reply.code(204).send()
    },
  )
}
