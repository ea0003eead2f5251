import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { isId, newId, type WebhookId } from '../database/ids.ts'
import { type SecretKeys, seal, sealedAnew, unseal } from '../database/secrets.ts'
import { beginFollowing } from '../organization/followers.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { appendLog } from '../organization/log.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Reach } from '../outgoing/address.ts'
import { whyNot } from '../outgoing/request.ts'
import { type NoticeKind, noticeKinds } from './kinds.ts'

// The only writer of who is told. An address is https://… (a signed webhook), or mailto:….

export interface Webhook {
  id: WebhookId
  url: string
  /** Empty: of everything. */
  kinds: NoticeKind[]
  /** After how many hours of silence it is told of a directory. */
  silentHours: number
  isEnabled: boolean
  disabledBecause: string | null
  createdBy: string
  createdAt: Date
}

export interface WebhookSettings {
  url: string
  kinds: NoticeKind[]
  silentHours: number
  isEnabled: boolean
}

/** The name under which what is told follows the log. */
export const follower = 'notices'

const most = 50
const columns = sql`
  id, url, kinds, silent_hours as "silentHours", is_enabled as "isEnabled", disabled_because as "disabledBecause", created_by as "createdBy",
  created_at as "createdAt"`

/** Makes a webhook, which is told of what happens from now on. @returns it with its secret, shown once; a mail address has none
 * @throws Refusal `invalid_value` */
export async function createWebhook(
  trx: Trx,
  { keys, reach }: { keys: SecretKeys; reach: Reach },
  given: Partial<WebhookSettings> & Pick<WebhookSettings, 'url'>,
): Promise<Webhook & { secret: string | null }> {
  const settings = checked({ kinds: [], silentHours: 24, isEnabled: true, ...given }, reach)
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from webhooks where org_id = ${trx.orgId}`.execute(trx)
  if ((rows[0]?.n ?? 0) >= most)
    throw new Refusal('invalid_value', `There are ${most} webhooks already. Delete one that is not needed.`)
  const id = newId<WebhookId>()
  const secret = isMail(settings.url) ? null : newSecret()
  await sql`
    insert into webhooks (org_id, id, url, kinds, silent_hours, is_enabled, secret, created_by)
    values (${trx.orgId}, ${id}, ${settings.url}, ${settings.kinds}::text[], ${settings.silentHours}, ${settings.isEnabled},
      ${sealed(trx, keys, id, secret)}, ${trx.scope.actor})`.execute(trx)
  await beginFollowing(trx, follower)
  await appendLog(trx, { action: 'webhook.created', subject: id, facts: { name: settings.url, after: { ...settings } } })
  return { ...(await findWebhook(trx, id)), secret }
}

/** Changes what is given; who was disabled and is enabled again is told of what waits. @throws Refusal `not_found`, `invalid_value` */
export async function updateWebhook(trx: Trx, reach: Reach, id: string, given: Partial<WebhookSettings>): Promise<Webhook> {
  const have = await findWebhook(trx, id)
  const { url, kinds, silentHours, isEnabled } = { ...have, ...given }
  if (isMail(url) !== isMail(have.url))
    throw new Refusal('invalid_value', 'A mail address cannot become a webhook, nor the other way. Make another.')
  const want = checked({ url, kinds, silentHours, isEnabled }, reach)
  await sql`
    update webhooks set url = ${want.url}, kinds = ${want.kinds}::text[], silent_hours = ${want.silentHours}, is_enabled = ${want.isEnabled},
      disabled_because = case when ${want.isEnabled} then null else disabled_because end
    where org_id = ${trx.orgId} and id = ${have.id}`.execute(trx)
  await appendLog(trx, {
    action: 'webhook.updated',
    subject: have.id,
    facts: { name: want.url, before: settingsOf(have), after: want },
  })
  return findWebhook(trx, have.id)
}

/** A new secret; the old one signs too for a day, so that the receiver can be given the new one. @throws Refusal `not_found`, `invalid_value` */
export async function rotateWebhookSecret(trx: Trx, keys: SecretKeys, id: string): Promise<Webhook & { secret: string }> {
  const have = await findWebhook(trx, id)
  if (isMail(have.url)) throw new Refusal('invalid_value', 'A mail address has no secret.')
  const secret = newSecret()
  await sql`
    update webhooks set old_secret = secret, old_secret_until = now() + interval '1 day', secret = ${sealed(trx, keys, have.id, secret)}
    where org_id = ${trx.orgId} and id = ${have.id}`.execute(trx)
  await appendLog(trx, { action: 'webhook.updated', subject: have.id, facts: { name: have.url, isSecretNew: true } })
  return { ...have, secret }
}

/** Deletes a webhook with its deliveries. @throws Refusal `not_found` */
export async function deleteWebhook(trx: Trx, id: string): Promise<void> {
  const have = await findWebhook(trx, id)
  await sql`delete from webhooks where org_id = ${trx.orgId} and id = ${have.id}`.execute(trx)
  await appendLog(trx, { action: 'webhook.deleted', subject: have.id, facts: { name: have.url, before: settingsOf(have) } })
}

/** Disables one whose receiver says that it is gone (410). */
export async function disableWebhook(trx: Trx, id: WebhookId, because: string): Promise<void> {
  await sql`update webhooks set is_enabled = false, disabled_because = ${because} where org_id = ${trx.orgId} and id = ${id}`.execute(
    trx,
  )
  await appendLog(trx, {
    action: 'webhook.updated',
    subject: id,
    facts: { before: { isEnabled: true }, after: { isEnabled: false, because } },
  })
}

/** Notes that a mail goes out now: the next one waits some minutes. */
export async function noteMailed(trx: Trx, id: WebhookId): Promise<void> {
  await sql`update webhooks set mailed_at = now() where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
}

/** Webhooks by address. */
export const listWebhooks = (reader: Reader, listing: Listing): Promise<Listed<Webhook>> =>
  list(reader, listing, {
    columns,
    from: sql`webhooks where org_id = ${reader.orgId} and ${found(listing, 'url')}`,
    sorts: { url: 'url', createdAt: 'created_at' },
    usual: 'createdAt',
    last: 'id',
  })

/** @throws Refusal `not_found` */
export async function findWebhook(reader: Reader, id: string): Promise<Webhook> {
  const { rows } = isId(id)
    ? await sql<Webhook>`select ${columns} from webhooks where org_id = ${reader.orgId} and id = ${id}`.execute(reader)
    : { rows: [] }
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such webhook. List them to see their ids.')
  return rows[0]
}

/** The secrets that sign just now, the newest first. */
export async function secretsOf(reader: Reader, keys: SecretKeys, id: WebhookId): Promise<string[]> {
  const { rows } = await sql<{ secret: Buffer | null; old: Buffer | null }>`
    select secret, case when old_secret_until > now() then old_secret end as old from webhooks
    where org_id = ${reader.orgId} and id = ${id}`.execute(reader)
  return [rows[0]?.secret, rows[0]?.old].flatMap((one) => (one ? [unseal(keys, placeOf(reader, id), one)] : []))
}

/** Seals anew what is under an older key. @returns how many */
export async function resealWebhooks(trx: Trx, keys: SecretKeys): Promise<number> {
  const { rows } = await sql<{ id: WebhookId; secret: Buffer }>`
    select id, secret from webhooks where org_id = ${trx.orgId} and secret is not null for update`.execute(trx)
  const { ids, secrets } = sealedAnew(keys, { orgId: trx.orgId, table: 'webhooks' }, rows)
  // An old secret that is under an older key signs no more: it would be for a day at most.
  await sql`
    update webhooks w set secret = given.secret, old_secret = null
    from unnest(${ids}::uuid[], ${secrets}::bytea[]) as given(id, secret)
    where w.org_id = ${trx.orgId} and w.id = given.id`.execute(trx)
  return ids.length
}

export const isMail = (url: string): boolean => url.startsWith('mailto:')
export const addressOf = (url: string): string => decodeURIComponent(url.slice('mailto:'.length))

const placeOf = ({ orgId }: Reader, id: WebhookId) => ({ orgId, table: 'webhooks', row: id })
const sealed = (trx: Trx, keys: SecretKeys, id: WebhookId, secret: string | null): Buffer | null =>
  secret === null ? null : seal(keys, placeOf(trx, id), secret)

// As Standard Webhooks has it.
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`
const settingsOf = ({ url, kinds, silentHours, isEnabled }: WebhookSettings) => ({ url, kinds, silentHours, isEnabled })

function checked({ url: given, kinds, silentHours, isEnabled }: WebhookSettings, reach: Reach): WebhookSettings {
  const url = given.trim()
  const refuse = (why: string) => new Refusal('invalid_value', `The address ${why}.`, { url })
  if (url.length > 2_048) throw refuse('is longer than 2048 characters')
  const unknown = kinds.find((kind) => !noticeKinds.includes(kind))
  if (unknown !== undefined)
    throw new Refusal('invalid_value', `There is no kind ${unknown}. There are ${noticeKinds.join(', ')}.`, { kinds })
  if (isMail(url)) {
    if (!/^mailto:[^\s@,;<>"?&]+@[^\s@,;<>"?&]+$/.test(url)) throw refuse('is no mail address: write mailto:NAME@HOST')
  } else {
    const to = URL.parse(url)
    if (to === null) throw refuse('is no URL: write https://HOST/PATH, or mailto:NAME@HOST')
    const why = whyNot(to, reach)
    if (why !== undefined) throw new Refusal('invalid_value', `A webhook cannot go there: ${why}.`, { url })
  }
  return { url, kinds, silentHours, isEnabled }
}
