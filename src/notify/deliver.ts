import type { Db, Scope } from '../database/connection.ts'
import type { SecretKeys } from '../database/secrets.ts'
import { inTransaction, reading } from '../database/transaction.ts'
import type { Outgoing } from '../outgoing/request.ts'
import { sentenceOf } from './kinds.ts'
import { type Due, type Outcome, recordTry, takeDue } from './notices.ts'
import { addressOf, disableWebhook, isMail, noteMailed, secretsOf } from './webhooks.ts'

/** Sends a mail. @throws where the mail server does not take it */
export type SendMail = (mail: { to: string; subject: string; text: string }) => Promise<void>

/** What telling needs of the outside. */
export interface Tellers {
  keys: SecretKeys
  outgoing: Outgoing
  /** Undefined: the deployment has no mail server. */
  sendMail: SendMail | undefined
  /** Where people reach this server. */
  publicUrl: string
}

/**
 * Tells what is due in an organization: taken in a transaction, sent outside of one, noted in another. A node that dies in between leaves a
 * notice that is told again under the same id, by which a receiver knows it.
 * @returns whether there may be more
 */
export async function deliverDue(db: Db, scope: Scope, tellers: Tellers): Promise<boolean> {
  const taken = await inTransaction(db, scope, async (trx) => {
    const found = await takeDue(trx)
    if (found !== undefined && isMail(found.url)) await noteMailed(trx, found.webhookId)
    return found
  })
  if (taken === undefined || taken.due.length === 0) return false
  const { webhookId, url, due } = taken
  const note = (some: readonly Due[], outcome: Outcome) => inTransaction(db, scope, (trx) => recordTry(trx, some, outcome))
  if (isMail(url)) {
    await note(due, await mail(tellers, addressOf(url), due))
    return true
  }
  const secrets = await reading(db, scope, (reader) => secretsOf(reader, tellers.keys, webhookId))
  const began = performance.now()
  for (const one of due) {
    const outcome = await post(tellers, url, secrets, one)
    await note([one], outcome)
    if (outcome.status === 410) await inTransaction(db, scope, (trx) => disableWebhook(trx, webhookId, 'It answered 410 Gone.'))
    // The others are tried when they may be taken again: a receiver that is away, or slow, keeps nobody else waiting.
    if (outcome.status === 410 || outcome.status === null || performance.now() - began > goesOnForMs) break
  }
  return true
}

// Less than they are taken for, by the longest that a request takes.
const goesOnForMs = 60_000

const answerShown = 2_048

async function post(
  { outgoing }: Tellers,
  url: string,
  secrets: readonly string[],
  { noticeId, kind, at, data }: Due,
): Promise<Outcome> {
  const body = JSON.stringify({ type: kind, timestamp: at.toISOString(), data })
  const now = new Date()
  const { Webhook } = await import('standardwebhooks')
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'muster-webhooks',
    'webhook-id': noticeId,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(noticeId, now, body)).join(' '),
  }
  try {
    const { status, text } = await outgoing.send({ method: 'POST', url, headers, body })
    const isTaken = status >= 200 && status < 300
    return { status, error: isTaken ? null : `It answered ${status}.`, answer: storable(text) }
  } catch (error) {
    return { status: null, error: `It could not be reached: ${(error as Error).message}.`, answer: null }
  }
}

async function mail({ sendMail, publicUrl }: Tellers, to: string, due: readonly Due[]): Promise<Outcome> {
  if (sendMail === undefined)
    return { status: null, error: 'This deployment has no mail server (MUSTER_SMTP_URL).', answer: null }
  const lines = due.map(({ kind, data }) => sentenceOf(kind, data))
  const [first = ''] = lines
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more)` : ''
  try {
    await sendMail({ to, subject: subjectOf(`Muster: ${first}`, more), text: `${lines.join('\n')}\n\n${publicUrl}\n` })
    return { status: null, error: null, answer: null }
  } catch (error) {
    return { status: null, error: `The mail server did not take it: ${storable((error as Error).message)}`, answer: null }
  }
}

const subjectOf = (text: string, more: string) => {
  const line = text.replace(/\s+/g, ' ')
  return `${line.length > 150 ? `${line.slice(0, 150).toWellFormed()}…` : line}${more}`
}

// As text, at most 2 KiB of it (rule 26), and without what PostgreSQL cannot store.
const storable = (text: string) => text.slice(0, answerShown).toWellFormed().replaceAll('\0', '�')
