import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import { type AccountId, newId, type TokenId } from '../database/ids.ts'
import { appendLog } from './log.ts'
import { Refusal } from './refusal.ts'
import { hashOf, newSecret } from './token-format.ts'

/** How long a link can be used (rule 35). */
export const linkMinutes = 10

/** A link that opens the console once, for one person; the secret stands behind a `#`, so that it reaches no log. */
export interface Link {
  secret: string
  expiresAt: Date
}

/**
 * Makes a link that signs a person in once. Without a person: one that makes the organization of the transaction, and its first owner.
 * Earlier links of the person, and those that are over, are of no use any more.
 */
export async function createLink(trx: Trx, account: { id: AccountId; userName: string } | null): Promise<Link> {
  const secret = newSecret('link')
  await sql`delete from links where org_id = ${trx.orgId} and (expires_at <= now() or account_id = ${account?.id ?? null})`.execute(
    trx,
  )
  const { expiresAt } = await trx
    .insertInto('links')
    .values({
      org_id: trx.orgId,
      id: newId<TokenId>(),
      account_id: account?.id ?? null,
      token_hash: hashOf(secret),
      created_by: trx.scope.actor,
      expires_at: sql<Date>`now() + make_interval(mins => ${linkMinutes}::int)`,
    })
    .returning('expires_at as expiresAt')
    .executeTakeFirstOrThrow()
  if (account !== null)
    await appendLog(trx, { action: 'link.created', subject: account.id, facts: { userName: account.userName, expiresAt } })
  return { secret, expiresAt }
}

/** Uses a link up: of two who use it at once, one. @throws Refusal `link_not_valid` */
export async function takeLink(trx: Trx, secret: string): Promise<AccountId | null> {
  const { rows } = await sql<{ accountId: AccountId | null }>`
    delete from links where org_id = ${trx.orgId} and token_hash = ${hashOf(secret)} and expires_at > now()
    returning account_id as "accountId"`.execute(trx)
  if (rows[0] === undefined) throw linkNotValid()
  return rows[0].accountId
}

/** Takes these people's links from them. */
export async function deleteLinksOf(trx: Trx, accountIds: readonly AccountId[]): Promise<void> {
  await sql`delete from links where org_id = ${trx.orgId} and account_id = any(${accountIds}::uuid[])`.execute(trx)
}

export const linkNotValid = (): Refusal =>
  new Refusal(
    'link_not_valid',
    `This link was used already, or is older than ${linkMinutes} minutes. Ask an owner for another, or run on the server's machine: muster admin link`,
  )
