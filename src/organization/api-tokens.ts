import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, isId, type TokenId } from '../database/ids.ts'
import type { ApiRole } from '../database/tables.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { appendLog } from './log.ts'
import { nameKey } from './name-key.ts'
import { checkedName } from './name-rules.ts'
import { Refusal } from './refusal.ts'
import { couldBe, newSecret, shortestOwnSecret } from './token-format.ts'
import { isLive, newTokenRow, revokeToken, type Token, tokenColumns } from './tokens.ts'

/** A token of the admin API as it may be shown. */
export interface ApiToken extends Token {
  name: string
  role: ApiRole
}

export interface NewApiToken {
  name: string
  role: ApiRole
  expiresInDays?: number
  /** Whose it is: it ends with the person's rights, and may no more than they. Null: a program's. */
  accountId?: AccountId | null
  /** A secret chosen outside (MUSTER_ADMIN_TOKEN), at least 16 characters that a header can carry. */
  secret?: string
}

const columns = [...tokenColumns, 'name', 'role'] as const

/** Makes a token of the admin API. The secret is shown here and never again. `by` is the role of who asks: only an owner makes owners.
 * The log names a token by its name alone: of those that work, no two have one.
 * @throws Refusal `not_permitted`, `invalid_value`, `name_taken` */
export async function createApiToken(trx: Trx, given: NewApiToken, by: ApiRole): Promise<ApiToken & { secret: string }> {
  const { role } = given
  const name = checkedName('name of the token', given.name)
  refuseOthersThanOwners(role, by)
  if (role === 'reviewer' && !given.accountId)
    throw new Refusal(
      'invalid_value',
      'A reviewer is a person, and signs in: muster login. A program is auditor, admin or owner.',
    )
  const secret = given.secret === undefined ? newSecret('api') : chosen(given.secret)
  await refuseLiveName(trx, name)
  const token = await trx
    .insertInto('api_tokens')
    .values({ ...newTokenRow(trx, secret, given.expiresInDays), name, role, account_id: given.accountId ?? null })
    .returning(columns)
    .executeTakeFirstOrThrow()
  await appendLog(trx, {
    action: 'token.created',
    subject: token.id,
    facts: { name, hint: token.hint, after: { name, role, hint: token.hint, expiresAt: token.expiresAt, isRevoked: false } },
  })
  return { ...token, secret }
}

/** The organization's API tokens, revoked and expired ones among them, sorted by name, createdAt or expiresAt. @throws Refusal `invalid_value` */
export function listApiTokens(reader: Reader, listing: Listing): Promise<Listed<ApiToken>> {
  return list(reader, listing, {
    columns: sql`id, name, role, hint, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
      last_used_at as "lastUsedAt", revoked_at as "revokedAt"`,
    from: sql`api_tokens where org_id = ${reader.orgId} and ${found(listing, 'lower(name)')}`,
    sorts: { name: 'lower(name)', createdAt: 'created_at', expiresAt: 'expires_at' },
    usual: 'name',
    last: 'id',
  })
}

/** One API token. @throws Refusal `not_found` */
export async function findApiToken(reader: Reader, id: string): Promise<ApiToken> {
  return mustBe(isId(id) ? await withId(reader, id).executeTakeFirst() : undefined)
}

/** Revokes a token; a revoked one stays as it is. Only an owner revokes an owner's.
 * @throws Refusal `not_found`, `not_permitted` */
export async function revokeApiToken(trx: Trx, id: string, by: ApiRole): Promise<void> {
  const token = mustBe(isId(id) ? await withId(trx, id).forUpdate().executeTakeFirst() : undefined)
  refuseOthersThanOwners(token.role, by)
  await revokeToken(trx, 'api_tokens', token, { facts: { name: token.name, role: token.role } })
}

/** Revokes the tokens that are these people's own. */
export async function revokeTokensOf(trx: Trx, accountIds: readonly AccountId[]): Promise<void> {
  const tokens = await trx
    .selectFrom('api_tokens')
    .select(columns)
    .where('org_id', '=', trx.orgId)
    .where('account_id', '=', sql<AccountId>`any(${accountIds}::uuid[])`)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute()
  for (const token of tokens) await revokeToken(trx, 'api_tokens', token, { facts: { name: token.name, role: token.role } })
}

const withId = (reader: Reader, id: string) =>
  reader
    .selectFrom('api_tokens')
    .select(columns)
    .where('org_id', '=', reader.orgId)
    .where('id', '=', id as TokenId)

function mustBe(token: ApiToken | undefined): ApiToken {
  if (!token) throw new Refusal('not_found', 'There is no such API token. List them to see their ids.')
  return token
}

function refuseOthersThanOwners(role: ApiRole, by: ApiRole): void {
  if (role === 'owner' && by !== 'owner')
    throw new Refusal('not_permitted', "Only an owner's token may create or revoke owners' tokens. Ask an owner.")
}

async function refuseLiveName(trx: Trx, name: string): Promise<void> {
  // Two at the same moment must see each other; a lock of its own, for that of the organization is an import's, for minutes.
  const lock = JSON.stringify(['api-token', trx.orgId])
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(trx)
  const live = await trx.selectFrom('api_tokens').select('name').where('org_id', '=', trx.orgId).where(isLive).execute()
  if (live.some((token) => nameKey(token.name) === nameKey(name)))
    throw new Refusal('name_taken', 'A token of that name is live. Revoke it or choose another name.', { name })
}

function chosen(secret: string): string {
  if (secret.length < shortestOwnSecret || secret.length > 512 || !/^[\x21-\x7e]+$/.test(secret)) {
    throw new Refusal(
      'invalid_value',
      'A token of your own has 16 to 512 visible ASCII characters and no blanks. `openssl rand -hex 32` makes one.',
    )
  }
  // It would be refused unseen, each time it is presented.
  if (!couldBe('api', secret))
    throw new Refusal('invalid_value', 'This token begins like one of ours and is none: its checksum is wrong. Choose another.')
  return secret
}
