import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DeliveryId, isId, type NoticeId, newId, type WebhookId } from '../database/ids.ts'
import type { DeliveryState } from '../database/tables.ts'
import { type Listed, type Listing, list } from '../organization/listing.ts'
import { Refusal } from '../organization/refusal.ts'
import type { NoticeData, NoticeKind } from './kinds.ts'

// The only writer of what there is to tell, and of how telling went.

export interface NewNotice {
  /** Of what it is: the same is told once. */
  key: string
  kind: NoticeKind
  at: Date
  data: NoticeData
}

/** Puts notices down, with a delivery for each webhook that wants to be told; one that was told before is passed over. */
export async function addNotices(trx: Trx, notices: readonly NewNotice[], only?: WebhookId): Promise<void> {
  if (notices.length === 0) return
  const given = notices.map((notice) => ({ ...notice, id: newId<NoticeId>() }))
  await sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as g(id uuid, key text, kind text, at timestamptz, data jsonb)
    ),
    new as (
      insert into notices (org_id, id, key, kind, at, data) select ${trx.orgId}::uuid, id, key, kind, at, data from given
      on conflict do nothing returning id, kind, data
    )
    insert into notice_deliveries (org_id, id, webhook_id, notice_id, state)
    select ${trx.orgId}::uuid, gen_random_uuid(), w.id, new.id, 'waiting'
    from new join webhooks w on w.org_id = ${trx.orgId} and w.is_enabled
      and (w.kinds = '{}' or new.kind = any(w.kinds) or new.kind = 'webhook.test')
      and (new.kind <> 'directory.silent' or (new.data ->> 'hours')::int = w.silent_hours)
      and (${only ?? null}::uuid is null or w.id = ${only ?? null}::uuid)`.execute(trx)
}

/** A notice on its way. */
export interface Due {
  id: DeliveryId
  noticeId: NoticeId
  kind: NoticeKind
  at: Date
  data: NoticeData
}

// What Standard Webhooks advises: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
const retriesAfter = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
const mostAttempts = retriesAfter.length + 1
const atOnce = 20
// Who takes some has them for so long: within it they are told, or another may take them.
const takenForSeconds = 180
// One mail, and what comes within the next minutes is in the next.
const mailEverySeconds = 300

/**
 * Takes what is due of one webhook, for three minutes: nobody else takes it, and a node that dies is followed by another after them, under
 * the same id.
 * @returns the webhook that has been waiting longest, with what is due; undefined: nothing is due
 */
export async function takeDue(trx: Trx): Promise<{ webhookId: WebhookId; url: string; due: Due[] } | undefined> {
  const { rows } = await sql<{ id: WebhookId; url: string }>`
    select w.id, w.url from webhooks w
    cross join lateral (
      select due_at from notice_deliveries
      where org_id = ${trx.orgId} and webhook_id = w.id and state = 'waiting' and due_at <= now() order by due_at limit 1
    ) d
    where w.org_id = ${trx.orgId} and w.is_enabled
      and (w.url not like 'mailto:%' or w.mailed_at is null or w.mailed_at <= now() - make_interval(secs => ${mailEverySeconds}))
    order by d.due_at limit 1 for update of w skip locked`.execute(trx)
  const [webhook] = rows
  if (webhook === undefined) return undefined
  const { rows: due } = await sql<Due>`
    with due as materialized (
      select id from notice_deliveries
      where org_id = ${trx.orgId} and webhook_id = ${webhook.id} and state = 'waiting' and due_at <= now()
      order by due_at, id limit ${webhook.url.startsWith('mailto:') ? 1_000 : atOnce} for update skip locked
    ),
    taken as (
      update notice_deliveries d set due_at = now() + make_interval(secs => ${takenForSeconds})
      from due where d.org_id = ${trx.orgId} and d.id = due.id
      returning d.id, d.notice_id
    )
    select t.id, t.notice_id as "noticeId", n.kind, n.at, n.data
    from taken t join notices n on n.org_id = ${trx.orgId} and n.id = t.notice_id order by n.at, n.id`.execute(trx)
  return { webhookId: webhook.id, url: webhook.url, due }
}

/** How a try came out. `isGone`: the receiver says that it is to be told no more (410). */
export interface Outcome {
  status: number | null
  error: string | null
  /** The beginning of what was answered. */
  answer: string | null
}

/** Notes how a try came out; one that failed is tried again later, ten times in all. */
export async function recordTry(trx: Trx, due: readonly Due[], { status, error, answer }: Outcome): Promise<void> {
  const isDone = error === null
  await sql`
    update notice_deliveries d set attempts = attempts + 1, tried_at = now(), status = ${status}::int, error = ${error}, answer = ${answer},
      state = case when ${isDone} then 'delivered' when attempts + 1 >= ${mostAttempts} then 'given_up' else 'waiting' end,
      due_at = now() + make_interval(secs => (${retriesAfter}::int[])[least(attempts + 1, ${retriesAfter.length})])
    where org_id = ${trx.orgId} and id = any(${due.map(({ id }) => id)}::uuid[])`.execute(trx)
}

/** A delivery as it is listed. */
export interface ListedDelivery {
  id: DeliveryId
  notice: NoticeId
  kind: NoticeKind
  at: Date
  data: NoticeData
  state: DeliveryState
  attempts: number
  triedAt: Date | null
  /** When it is tried again; null where it is not. */
  dueAt: Date | null
  status: number | null
  error: string | null
  answer: string | null
}

/** What a webhook was told, the newest first. */
export const listDeliveries = (
  reader: Reader,
  webhookId: WebhookId,
  listing: Listing,
  state?: DeliveryState,
): Promise<Listed<ListedDelivery>> =>
  list(reader, listing, {
    columns: sql`
      d.id, d.notice_id as notice, n.kind, n.at, n.data, d.state, d.attempts, d.tried_at as "triedAt",
      case when d.state = 'waiting' then d.due_at end as "dueAt", d.status, d.error, d.answer`,
    from: sql`notice_deliveries d join notices n on n.org_id = d.org_id and n.id = d.notice_id
      where d.org_id = ${reader.orgId} and d.webhook_id = ${webhookId} and ${state === undefined ? sql`true` : sql`d.state = ${state}`}
        and strpos(n.kind, lower(${listing.search ?? ''})) > 0`,
    sorts: { at: 'n.at', kind: 'n.kind', state: 'd.state', triedAt: 'd.tried_at' },
    usual: '-at',
    last: 'd.id',
  })

/** Has a notice told once more, under the same id. @throws Refusal `not_found` */
export async function replayDelivery(trx: Trx, webhookId: WebhookId, id: string): Promise<void> {
  const { numAffectedRows } = isId(id)
    ? await sql`
        update notice_deliveries set state = 'waiting', attempts = 0, due_at = now()
        where org_id = ${trx.orgId} and webhook_id = ${webhookId} and id = ${id}`.execute(trx)
    : { numAffectedRows: 0n }
  if (!numAffectedRows) throw new Refusal('not_found', 'There is no such delivery of this webhook. They are kept for 30 days.')
}

const forgottenAtOnce = 10_000

/** Forgets notices of more than 30 days ago, some at once. @returns whether there may be more */
export async function forgetNotices(trx: Trx): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from notices where org_id = ${trx.orgId} and id = any(array(
      select id from notices where org_id = ${trx.orgId} and at < now() - interval '30 days' limit ${forgottenAtOnce}
    ))`.execute(trx)
  return numAffectedRows === BigInt(forgottenAtOnce)
}
