import { Type } from 'typebox'
import { inTransaction, reading } from '../../database/transaction.ts'
import { keyOf } from '../../push/make-plan.ts'
import { matcherOf, RuleCondition } from '../../push/rules.ts'
import { mappingsOf } from '../../push/stored/mappings.ts'
import { findPushRule, listPushRules, readCondition, removePushRule, savePushRule } from '../../push/stored/rules.ts'
import { findPushSource } from '../../push/stored/sources.ts'
import { findPushTarget } from '../../push/stored/targets.ts'
import { readStoredSource } from '../../push/stored-push.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import { OfName, pushTags, told, worldOf } from './push-shapes.ts'
import { Id, NoContent, OneOf, Time } from './shapes.ts'

const OfRule = Type.Object({ rule: Type.String({ description: 'Id or name' }) })
const Rule = Type.Object({
  id: Id,
  name: Type.String(),
  target: OfName,
  condition: RuleCondition,
  mappings: Type.Integer(),
  createdAt: Time,
})
const Given = Type.Object(
  {
    target: Type.String({ description: 'Id or name' }),
    condition: Type.Unknown({ description: 'include, exclude, template, whenUnmatched' }),
  },
  { additionalProperties: false },
)
const Preview = Type.Object({
  matches: Type.Integer(),
  first: Type.Array(Type.String(), { description: 'The first 20 of them' }),
  gained: Type.Array(Type.String(), { description: 'Not mapped yet' }),
  lost: Type.Array(Type.String(), { description: 'Mapped by the rule of this name, and no longer' }),
})

/** Rules that map groups by themselves. */
export const pushRulesApi: ApiPlugin = async (app, parts) => {
  const { db } = parts
  app.get(
    '/push/rules',
    {
      schema: {
        operationId: 'listPushRules',
        tags: pushTags,
        summary: 'The rules that map groups by themselves',
        description: 'Sorted by name or createdAt.',
        querystring: pageWith({ target: Type.Optional(Type.String({ description: 'Id or name' })) }),
        response: { 200: Listed(Rule) },
      },
    },
    async ({ scope, query }) =>
      reading(db, scope, async (reader) => {
        const target = query.target === undefined ? undefined : (await findPushTarget(reader, query.target)).id
        return listPushRules(reader, listingOf(query), target)
      }),
  )

  app.put(
    '/push/rules/:rule',
    {
      schema: {
        operationId: 'savePushRule',
        tags: pushTags,
        summary: 'Make the rule of this name be so',
        params: OfRule,
        body: Given,
        response: { 200: Rule },
      },
    },
    async ({ scope, params, body }) => inTransaction(db, scope, (trx) => savePushRule(trx, { name: params.rule, ...body })),
  )

  app.post(
    '/push/rules/:rule/preview',
    {
      schema: {
        operationId: 'previewPushRule',
        tags: pushTags,
        summary: 'What a rule would match, gain and lose; nothing is kept',
        params: Type.Object({ rule: Type.String({ description: 'The name of a rule, or of none yet' }) }),
        body: Given,
        response: { 200: Preview },
      },
    },
    async ({ scope, params, body }) => {
      const matches = matcherOf(readCondition(body.condition))
      const { source, mappings } = await reading(db, scope, async (reader) => {
        const target = await findPushTarget(reader, body.target)
        return { source: await findPushSource(reader, target.source.id), mappings: await mappingsOf(reader, target.id) }
      })
      const { groups } = await told(readStoredSource(worldOf(parts, scope), source))
      const matched = groups.filter(matches)
      const mapped = new Set(mappings.map(({ sourceKey }) => sourceKey))
      const still = new Set(matched.map(keyOf))
      return {
        matches: matched.length,
        first: matched.slice(0, 20).map(({ name }) => name),
        gained: matched.filter((group) => !mapped.has(keyOf(group))).map(({ name }) => name),
        lost: mappings
          .filter(({ rule, sourceKey }) => rule === params.rule && !still.has(sourceKey))
          .map((one) => one.sourceName),
      }
    },
  )

  app.delete(
    '/push/rules/:rule',
    {
      schema: {
        operationId: 'removePushRule',
        tags: pushTags,
        summary: 'Remove a rule; what it mapped stays mapped by name, or is pushed no more',
        params: OfRule,
        querystring: Type.Object(
          { mappings: Type.Optional(OneOf(['keep', 'unlink'] as const)) },
          { additionalProperties: false },
        ),
        response: { 204: NoContent },
      },
    },
    async ({ scope, params, query }, reply) => {
      await inTransaction(db, scope, (trx) => removePushRule(trx, params.rule, query.mappings ?? 'keep'))
      return reply.code(204).send()
    },
  )

  app.get(
    '/push/rules/:rule',
    { schema: { operationId: 'showPushRule', tags: pushTags, summary: 'One rule', params: OfRule, response: { 200: Rule } } },
    async ({ scope, params }) => reading(db, scope, (reader) => findPushRule(reader, params.rule)),
  )
}
