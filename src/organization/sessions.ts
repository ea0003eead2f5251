import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, isId, newId, type TokenId } from '../database/ids.ts'
import type { SignedInBy } from '../database/tables.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { appendLog, appendLogs } from './log.ts'
import { Refusal } from './refusal.ts'
import type { Asking } from './roles.ts'
import { hashOf, newSecret } from './token-format.ts'

/** How long a session lasts that is not used, and one that is (rule 34). */
export const idleMinutes = 30
export const sessionHours = 12

/** A browser in which somebody is signed in. */
export interface Session {
  id: TokenId
  person: { id: AccountId; userName: string }
  signedInBy: SignedInBy
  address: string | null
  userAgent: string | null
  createdAt: Date
  lastUsedAt: Date
  expiresAt: Date
}

/** How, and from where, somebody signs in. */
export interface SigningIn {
  signedInBy: SignedInBy
  address: string | null
  userAgent: string | null
}

const live = sql`s.expires_at > now() and s.last_used_at > now() - make_interval(mins => ${idleMinutes}::int)`

/** Begins a session; the secret is for the browser's cookie, and its hash alone is kept. Those that are over are cleared away. */
export async function startSession(
  trx: Trx,
  account: { id: AccountId; userName: string },
  { signedInBy, address, userAgent }: SigningIn,
) {
  const secret = newSecret('session')
  await sql`delete from sessions s where s.org_id = ${trx.orgId} and not (${live})`.execute(trx)
  const { id } = await trx
    .insertInto('sessions')
    .values({
      org_id: trx.orgId,
      id: newId<TokenId>(),
      account_id: account.id,
      token_hash: hashOf(secret),
      signed_in_by: signedInBy,
      address,
      user_agent: userAgent?.slice(0, 255) ?? null,
      expires_at: sql<Date>`now() + make_interval(hours => ${sessionHours}::int)`,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await appendLog(trx, { action: 'session.started', subject: account.id, facts: { userName: account.userName, signedInBy } })
  return { id, secret }
}

/** The sessions that are live: one's own, or everybody's. Sorted by lastUsedAt, createdAt or person. @throws Refusal `invalid_value` */
export function listSessions(
  reader: Reader,
  of: { accountId: AccountId | null } | 'everybody',
  listing: Listing,
): Promise<Listed<Session>> {
  return list(reader, listing, {
    columns: sql`s.id, json_build_object('id', a.id, 'userName', a.user_name) as person, s.signed_in_by as "signedInBy", s.address,
      s.user_agent as "userAgent", s.created_at as "createdAt", s.last_used_at as "lastUsedAt", s.expires_at as "expiresAt"`,
    from: sql`sessions s join accounts a on a.org_id = s.org_id and a.id = s.account_id
      where s.org_id = ${reader.orgId} and (${of === 'everybody'} or s.account_id = ${of === 'everybody' ? null : of.accountId}::uuid) and ${live} and ${found(listing, 'a.user_name_key')}`,
    sorts: { lastUsedAt: 's.last_used_at', createdAt: 's.created_at', person: 'a.user_name_key' },
    usual: '-lastUsedAt',
    last: 's.id',
  })
}

/** Ends a session: one's own, or as an owner anybody's. @throws Refusal `not_found` */
export async function endSession(trx: Trx, id: string, by: Asking): Promise<void> {
  const which = sql`s.id = ${isId(id) ? id : null}::uuid and (${by.role === 'owner'} or s.account_id = ${by.accountId}::uuid)`
  if ((await end(trx, which, 'ended')) === 0) throw new Refusal('not_found', 'There is no such session. It may be over already.')
}

/** Ends all sessions of these people. */
export const endSessionsOf = (trx: Trx, accountIds: readonly AccountId[], why: string): Promise<number> =>
  end(trx, sql`s.account_id = any(${accountIds}::uuid[])`, why)

async function end(trx: Trx, which: RawBuilder<unknown>, why: string): Promise<number> {
  const { rows } = await sql<{ accountId: AccountId; userName: string; signedInBy: SignedInBy }>`
    delete from sessions s using accounts a
    where s.org_id = ${trx.orgId} and a.org_id = s.org_id and a.id = s.account_id and ${which}
    returning s.account_id as "accountId", a.user_name as "userName", s.signed_in_by as "signedInBy"`.execute(trx)
  await appendLogs(
    trx,
    rows.map(({ accountId, userName, signedInBy }) => ({
      action: 'session.ended' as const,
      subject: accountId,
      facts: { userName, signedInBy, why },
    })),
  )
  return rows.length
}
