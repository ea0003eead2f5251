import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import { type AccountId, newId, type SignInProviderId, type TokenId } from '../database/ids.ts'
import { Refusal } from './refusal.ts'
import { hashOf, newSecret } from './token-format.ts'

const attemptMinutes = 10

/** Somebody who went to a provider and is to come back, or whose passkey is to answer. */
export interface Attempt {
  /** Null: it is a passkey's. */
  providerId: SignInProviderId | null
  /** Who is signed in and connects the provider; null: who comes back is to be signed in. */
  accountId: AccountId | null
  /** A path of ours. */
  returnTo: string
}

export type Proofs = Record<'state' | 'nonce' | 'codeVerifier' | 'challenge', string>

/** What goes to the provider and must come back from it: made of the secret that the browser keeps, so that no other browser's answer fits. */
export function proofsOf(secret: string): Proofs {
  const of = (what: string) => createHash('sha256').update(`${what} ${secret}`).digest('base64url')
  return { state: of('state'), nonce: of('nonce'), codeVerifier: of('verifier'), challenge: of('challenge') }
}

/** Begins an attempt. @returns the secret for the browser; its hash alone is kept */
export async function beginAttempt(trx: Trx, { providerId, accountId, returnTo }: Attempt): Promise<string> {
  const secret = newSecret('link')
  await sql`delete from sign_in_attempts where org_id = ${trx.orgId} and expires_at <= now()`.execute(trx)
  await sql`
    insert into sign_in_attempts (org_id, id, token_hash, provider_id, account_id, return_to, expires_at)
    values (${trx.orgId}, ${newId<TokenId>()}, ${hashOf(secret)}, ${providerId}, ${accountId}, ${ownPath(returnTo)},
      now() + make_interval(mins => ${attemptMinutes}::int))`.execute(trx)
  return secret
}

/** Ends an attempt, which is answered once. @throws Refusal `attempt_not_valid` */
export async function takeAttempt(trx: Trx, secret: string): Promise<Attempt> {
  const { rows } = await sql<Attempt>`
    delete from sign_in_attempts where org_id = ${trx.orgId} and token_hash = ${hashOf(secret)} and expires_at > now()
    returning provider_id as "providerId", account_id as "accountId", return_to as "returnTo"`.execute(trx)
  if (rows[0] === undefined) throw attemptNotValid()
  return rows[0]
}

export const attemptNotValid = (): Refusal =>
  new Refusal(
    'attempt_not_valid',
    `This answer belongs to no sign-in of the last ${attemptMinutes} minutes in this browser. Begin again.`,
  )

// `//evil.example` and `/\evil.example` are addresses of others.
const ownPath = (path: string): string => (/^\/(?![/\\])[\x21-\x7e]{0,1000}$/.test(path) && !path.includes('\\') ? path : '/')
