import { BlockList } from 'node:net'
import { Type } from 'typebox'
import { newId, type WebhookId } from '../../database/ids.ts'
import { deliveryStates } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { noticeKinds } from '../../notify/kinds.ts'
import { addNotices, listDeliveries, replayDelivery } from '../../notify/notices.ts'
import {
  createWebhook,
  deleteWebhook,
  findWebhook,
  listWebhooks,
  rotateWebhookSecret,
  updateWebhook,
} from '../../notify/webhooks.ts'
import type { ApiPlugin } from './api.ts'
import { Listed, listingOf, Page, pageWith } from './paging.ts'
import { Id, NoContent, Nullable, OneOf, Secret, Time } from './shapes.ts'

const settings = {
  url: Type.String({
    maxLength: 2_048,
    description: '`https://…`, told by signed requests (Standard Webhooks), or `mailto:NAME@HOST`',
  }),
  kinds: Type.Array(OneOf(noticeKinds), { maxItems: 50, description: 'What it is told; empty is everything' }),
  silentHours: Type.Integer({
    minimum: 1,
    maximum: 8_760,
    description: 'After how many hours without a request it is told of a directory',
  }),
  isEnabled: Type.Boolean(),
}
const webhook = {
  id: Id,
  ...settings,
  disabledBecause: Nullable(Type.String()),
  createdBy: Type.String(),
  createdAt: Time,
}
const Webhook = Type.Object(webhook)
const Data = Type.Object(
  {
    directory: Nullable(Type.Object({ id: Id, name: Type.String() })),
    count: Type.Integer(),
    subjects: Type.Array(Type.Object({ id: Type.String(), name: Nullable(Type.String()) }), {
      description: 'The first of `count`',
    }),
  },
  { additionalProperties: true },
)
const Delivery = Type.Object({
  id: Id,
  notice: Type.String({ format: 'uuid', description: 'The header `webhook-id`: the same however often it is told' }),
  kind: OneOf(noticeKinds),
  at: Time,
  data: Data,
  state: OneOf(deliveryStates),
  attempts: Type.Integer(),
  triedAt: Nullable(Time),
  dueAt: Nullable(Time),
  status: Nullable(Type.Integer()),
  error: Nullable(Type.String()),
  answer: Nullable(Type.String({ description: 'Its first 2 KiB' })),
})
const ofWebhook = { webhook: Type.String({ description: 'Its id' }) }
const tags = ['webhooks']

/** Webhooks and mail addresses: who is told what happens, and how telling went. */
export const webhooksApi: ApiPlugin = async (app, { db, secrets, reach = { hosts: new Set(), networks: new BlockList() } }) => {
  const keys = () => {
    if (secrets === undefined) throw new Error('A server has keys for its secrets.')
    return secrets
  }

  app.get(
    '/webhooks',
    {
      schema: {
        operationId: 'listWebhooks',
        tags,
        summary: 'Who is told what happens',
        description: 'Sorted by createdAt or url.',
        querystring: Page,
        response: { 200: Listed(Webhook) },
      },
    },
    async ({ scope, query }) => reading(db, scope, (reader) => listWebhooks(reader, listingOf(query))),
  )

  app.post(
    '/webhooks',
    {
      schema: {
        operationId: 'createWebhook',
        tags,
        summary: 'Have somebody told what happens from now on: a webhook, or a mail address',
        body: Type.Object(
          { ...Type.Partial(Type.Object(settings)).properties, url: settings.url },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ ...webhook, secret: Nullable(Secret) }) },
      },
    },
    async ({ scope, body }, reply) =>
      reply.code(201).send(await inTransaction(db, scope, (trx) => createWebhook(trx, { keys: keys(), reach }, body))),
  )

  app.get(
    '/webhooks/:webhook',
    {
      schema: {
        operationId: 'showWebhook',
        tags,
        summary: 'A webhook',
        params: Type.Object(ofWebhook),
        response: { 200: Webhook },
      },
    },
    async ({ scope, params }) => reading(db, scope, (reader) => findWebhook(reader, params.webhook)),
  )

  app.patch(
    '/webhooks/:webhook',
    {
      schema: {
        operationId: 'updateWebhook',
        tags,
        summary: 'Change what it is told, or where; disable or enable it',
        params: Type.Object(ofWebhook),
        body: Type.Partial(Type.Object(settings), { additionalProperties: false }),
        response: { 200: Webhook },
      },
    },
    async ({ scope, params, body }) => inTransaction(db, scope, (trx) => updateWebhook(trx, reach, params.webhook, body)),
  )

  app.delete(
    '/webhooks/:webhook',
    {
      schema: {
        operationId: 'deleteWebhook',
        tags,
        summary: 'Tell it no more',
        params: Type.Object(ofWebhook),
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, (trx) => deleteWebhook(trx, params.webhook))
      return reply.code(204).send()
    },
  )

  app.post(
    '/webhooks/:webhook/rotate',
    {
      schema: {
        operationId: 'rotateWebhookSecret',
        tags,
        summary: 'A new secret, shown once; the old one signs too for a day',
        params: Type.Object(ofWebhook),
        response: { 200: Type.Object({ ...webhook, secret: Secret }) },
      },
    },
    async ({ scope, params }) => inTransaction(db, scope, (trx) => rotateWebhookSecret(trx, keys(), params.webhook)),
  )

  app.post(
    '/webhooks/:webhook/test',
    {
      schema: {
        operationId: 'testWebhook',
        tags,
        summary: 'Tell it something for a test, within seconds: /deliveries says how that went',
        params: Type.Object(ofWebhook),
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, async (trx) => {
        const { id } = await findWebhook(trx, params.webhook)
        const notice = { key: `test:${newId<WebhookId>()}`, kind: 'webhook.test' as const, at: new Date() }
        await addNotices(trx, [{ ...notice, data: { directory: null, count: 0, subjects: [] } }], id)
      })
      return reply.code(204).send()
    },
  )

  app.get(
    '/webhooks/:webhook/deliveries',
    {
      schema: {
        operationId: 'listDeliveries',
        tags,
        summary: 'What it was told in the last 30 days, the newest first, and how that went',
        description: 'Sorted by at, kind, state or triedAt.',
        params: Type.Object(ofWebhook),
        querystring: pageWith({ state: Type.Optional(OneOf(deliveryStates)) }),
        response: { 200: Listed(Delivery) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) =>
        listDeliveries(reader, (await findWebhook(reader, params.webhook)).id, listingOf(query), query.state),
      ),
  )

  app.post(
    '/webhooks/:webhook/deliveries/:delivery/replay',
    {
      schema: {
        operationId: 'replayDelivery',
        tags,
        summary: 'Tell it once more, under the same id',
        params: Type.Object({ ...ofWebhook, delivery: Type.String({ description: 'Its id' }) }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, params }, reply) => {
      await inTransaction(db, scope, async (trx) =>
        replayDelivery(trx, (await findWebhook(trx, params.webhook)).id, params.delivery),
      )
      return reply.code(204).send()
    },
  )
}
