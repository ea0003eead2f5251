import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import { type DirectoryId, newId, type TokenId } from '../database/ids.ts'
import { appendLog } from './log.ts'
import { Refusal } from './refusal.ts'
import { hashOf, hintOf } from './token-format.ts'

/** Where tokens are kept: those of the API, and those of directories. What they have in common is done here. */
export type TokenTable = 'api_tokens' | 'directory_tokens'
/** What is noted when it is used: tokens, and sessions, which end when they are not. */
export type UsedTable = TokenTable | 'sessions'

/** A token as it may be shown; the secret itself is not kept. */
export interface Token {
  id: TokenId
  /** The secret's last four characters. */
  hint: string
  createdBy: string
  createdAt: Date
  expiresAt: Date
  lastUsedAt: Date | null
  revokedAt: Date | null
}

export const tokenColumns = [
  'id',
  'hint',
  'created_by as createdBy',
  'created_at as createdAt',
  'expires_at as expiresAt',
  'last_used_at as lastUsedAt',
  'revoked_at as revokedAt',
] as const

/** A token that opens something. */
export const isLive = sql<boolean>`revoked_at is null and expires_at > now()`

/** What is stored of a new token: of its secret, the hash. @throws Refusal `invalid_value` */
export function newTokenRow(trx: Trx, secret: string, expiresInDays = 365) {
  if (!Number.isInteger(expiresInDays) || expiresInDays < 1 || expiresInDays > 3_650)
    throw new Refusal('invalid_value', 'A token expires in 1 to 3650 days.')
  return {
    org_id: trx.orgId,
    id: newId<TokenId>(),
    token_hash: hashOf(secret),
    hint: hintOf(secret),
    created_by: trx.scope.actor,
    expires_at: sql<Date>`now() + make_interval(days => ${expiresInDays}::int)`,
  }
}

/** Revokes a token that is locked; one that is revoked stays as it is. `told`: what else the log says of it. */
export async function revokeToken(
  trx: Trx,
  table: TokenTable,
  { id, hint, revokedAt }: Pick<Token, 'id' | 'hint' | 'revokedAt'>,
  told: { directoryId?: DirectoryId; facts?: Record<string, unknown> },
): Promise<void> {
  if (revokedAt !== null) return
  await stamp(trx, table, 'revoked_at', [id])
  await appendLog(trx, {
    action: 'token.revoked',
    subject: id,
    ...told,
    facts: { ...told.facts, hint, before: { isRevoked: false }, after: { isRevoked: true } },
  })
}

/** Notes that these tokens were used just now. */
export const noteTokensUsed = (trx: Trx, table: UsedTable, ids: TokenId[]): Promise<void> =>
  stamp(trx, table, 'last_used_at', ids)

async function stamp(trx: Trx, table: UsedTable, column: 'revoked_at' | 'last_used_at', ids: TokenId[]): Promise<void> {
  await trx
    .updateTable(table)
    .set({ [column]: sql`now()` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', sql<TokenId>`any(${ids}::uuid[])`)
    .execute()
}
