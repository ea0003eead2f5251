import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, isId, type TokenId } from '../database/ids.ts'
import { appendLog } from '../organization/log.ts'
import { Refusal } from '../organization/refusal.ts'
import { newSecret } from '../organization/token-format.ts'
import { isLive, newTokenRow, revokeToken, type Token, tokenColumns } from '../organization/tokens.ts'
import { lockDirectory } from './directories.ts'

const liveAtOnce = 2

/** Makes a token of a directory; two may live at once, so that one can take over from the other. The secret is shown here and never again.
 * @throws Refusal `too_many_tokens`, `not_found`, `invalid_value` */
export async function createDirectoryToken(
  trx: Trx,
  directoryId: DirectoryId,
  given: { expiresInDays?: number } = {},
): Promise<Token & { secret: string }> {
  await lockDirectory(trx, directoryId)
  const { live } = await trx
    .selectFrom('directory_tokens')
    .select((eb) => eb.fn.countAll<string>().as('live'))
    .where('org_id', '=', trx.orgId)
    .where('directory_id', '=', directoryId)
    .where(isLive)
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
    .values({ ...newTokenRow(trx, secret, given.expiresInDays), directory_id: directoryId })
    .returning(tokenColumns)
    .executeTakeFirstOrThrow()
  await appendLog(trx, {
    action: 'token.created',
    subject: token.id,
    directoryId,
    facts: { hint: token.hint, after: { hint: token.hint, expiresAt: token.expiresAt, isRevoked: false } },
  })
  return { ...token, secret }
}

/** A directory's tokens, the newest first, revoked and expired ones among them. */
export function listDirectoryTokens(reader: Reader, directoryId: DirectoryId): Promise<Token[]> {
  return reader
    .selectFrom('directory_tokens')
    .select(tokenColumns)
    .where('org_id', '=', reader.orgId)
    .where('directory_id', '=', directoryId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** Revokes all of a directory's tokens that are live: it is disconnected. */
export async function revokeAllTokens(trx: Trx, directoryId: DirectoryId): Promise<void> {
  const live = await trx
    .selectFrom('directory_tokens')
    .select(tokenColumns)
    .where('org_id', '=', trx.orgId)
    .where('directory_id', '=', directoryId)
    .where(isLive)
    .forUpdate()
    .execute()
  // Two at most.
  for (const token of live) await revokeToken(trx, 'directory_tokens', token, { directoryId })
}

/** Revokes a token; a revoked one stays as it is. @throws Refusal `not_found` */
export async function revokeDirectoryToken(trx: Trx, directoryId: DirectoryId, id: string): Promise<void> {
  const token = isId(id)
    ? await trx
        .selectFrom('directory_tokens')
        .select(tokenColumns)
        .where('org_id', '=', trx.orgId)
        .where('directory_id', '=', directoryId)
        .where('id', '=', id as TokenId)
        .forUpdate()
        .executeTakeFirst()
    : undefined
  if (!token) throw new Refusal('not_found', 'There is no such token in this directory. List its tokens to see their ids.')
  await revokeToken(trx, 'directory_tokens', token, { directoryId })
}
