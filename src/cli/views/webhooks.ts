import type { Delivery, Webhook } from '../shapes.ts'
import { ago } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'

const columns: Column<Webhook>[] = [
  { title: 'WEBHOOK', value: (one) => one.id },
  { title: 'TO', value: (one) => one.url, mayShrink: true },
  { title: 'TOLD', value: (one) => one.kinds.join(', ') || 'everything', mayShrink: true },
  { title: 'STATE', value: (one) => (one.isEnabled ? 'enabled' : `disabled: ${one.disabledBecause ?? 'by an admin'}`) },
]

export const webhookList = (webhooks: Webhook[], out: Output): string => table(webhooks, columns, out)

/** A webhook; just made, with its secret, which is shown this once. */
export const webhookView = (one: Webhook, out: Output): string =>
  facts(
    [
      ['Webhook', one.id],
      ['To', one.url],
      ['Told', one.kinds.join(', ') || 'everything'],
      ['Silence', `${one.silentHours} hours`],
      ['State', one.isEnabled ? 'enabled' : `disabled: ${one.disabledBecause ?? 'by an admin'}`],
      ...(one.secret ? [['Secret', one.secret] as const] : []),
    ],
    out,
  )

const deliveryColumns: Column<Delivery>[] = [
  { title: 'AT', value: (one) => one.at, shown: (one, out) => ago(one.at, out.now) },
  { title: 'KIND', value: (one) => one.kind },
  { title: 'STATE', value: (one) => one.state.replace('_', ' ') },
  { title: 'TRIES', value: (one) => one.attempts, align: 'right' },
  { title: 'OUTCOME', value: (one) => one.error ?? (one.status === null ? '' : String(one.status)), mayShrink: true },
  { title: 'NEXT', value: (one) => one.dueAt, shown: (one, out) => ago(one.dueAt, out.now) },
  { title: 'DELIVERY', value: (one) => one.id },
]

export const deliveryList = (deliveries: Delivery[], out: Output): string => table(deliveries, deliveryColumns, out)
