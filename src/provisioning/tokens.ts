import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, isId, newId, type TokenId } from '../database/ids.ts'
import { appendLog } from '../organization/log.ts'
import { Refusal } from '../organization/refusal.ts'
import { hashOf, hintOf, newSecret } from '../organization/token-format.ts'
import { lockDirectory } from './directories.ts'

/** A directory's token as it may be shown; the secret itself is not kept. */
export interface DirectoryToken {
  id: TokenId
  /** The secret's last four characters. */
  hint: string
  createdBy: string
  createdAt: Date
  expiresAt: Date
  lastUsedAt: Date | null
  revokedAt: Date | null
}

const columns = [
  'id',
  'hint',
  'created_by as createdBy',
  'created_at as createdAt',
  'expires_at as expiresAt',
  'last_used_at as lastUsedAt',
  'revoked_at as revokedAt',
] as const

const liveAtOnce = 2

/** Makes a token of a directory; two may live at once, so that one can take over from the other. The secret is shown here and never again.
 * @throws Refusal `too_many_tokens`, `not_found`, `invalid_value` */
export async function createDirectoryToken(
  trx: Trx,
  directoryId: DirectoryId,
  given: { expiresInDays?: number } = {},
): Promise<DirectoryToken & { secret: string }> {
  const { expiresInDays = 365 } = given
  if (!Number.isInteger(expiresInDays) || expiresInDays < 1 || expiresInDays > 3_650)
    throw new Refusal('invalid_value', 'A token expires in 1 to 3650 days.')
  await lockDirectory(trx, directoryId)
  const { live } = await trx
    .selectFrom('directory_tokens')
    .select((eb) => eb.fn.countAll<string>().as('live'))
    .where('org_id', '=', trx.orgId)
    .where('directory_id', '=', directoryId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirstOrThrow()
  if (Number(live) >= liveAtOnce) {
    throw new Refusal(
      'too_many_tokens',
      'This directory has two live tokens already. Revoke the one that is no longer used, then make a new one.',
    )
  }
  const secret = newSecret('scim')
  const token = await trx
    .insertInto('directory_tokens')
    .values({
      org_id: trx.orgId,
      id: newId<TokenId>(),
      directory_id: directoryId,
      token_hash: hashOf(secret),
      hint: hintOf(secret),
      created_by: trx.scope.actor,
      expires_at: sql<Date>`now() + make_interval(days => ${expiresInDays}::int)`,
    })
    .returning(columns)
    .executeTakeFirstOrThrow()
  await appendLog(trx, {
    action: 'token.created',
    subject: token.id,
    directoryId,
    facts: { hint: token.hint, expiresAt: token.expiresAt },
  })
  return { ...token, secret }
}

/** A directory's tokens, the newest first, revoked and expired ones among them. */
export function listDirectoryTokens(reader: Reader, directoryId: DirectoryId): Promise<DirectoryToken[]> {
  return reader
    .selectFrom('directory_tokens')
    .select(columns)
    .where('org_id', '=', reader.orgId)
    .where('directory_id', '=', directoryId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** Revokes a token; a revoked one stays as it is. @throws Refusal `not_found` */
export async function revokeDirectoryToken(trx: Trx, directoryId: DirectoryId, id: string): Promise<void> {
  const token = isId(id)
    ? await trx
        .selectFrom('directory_tokens')
        .select(['id', 'hint', 'revoked_at'])
        .where('org_id', '=', trx.orgId)
        .where('directory_id', '=', directoryId)
        .where('id', '=', id as TokenId)
        .forUpdate()
        .executeTakeFirst()
    : undefined
  if (!token) throw new Refusal('not_found', 'There is no such token in this directory. List its tokens to see their ids.')
  if (token.revoked_at !== null) return
  await trx
    .updateTable('directory_tokens')
    .set({ revoked_at: sql`now()` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', token.id)
    .execute()
  await appendLog(trx, { action: 'token.revoked', subject: token.id, directoryId, facts: { hint: token.hint } })
}

/** Notes that these tokens were used just now. */
export async function noteDirectoryTokensUsed(trx: Trx, ids: TokenId[]): Promise<void> {
  await trx
    .updateTable('directory_tokens')
    .set({ last_used_at: sql`now()` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', sql<TokenId>`any(${ids}::uuid[])`)
    .execute()
}
