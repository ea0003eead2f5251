import { timingSafeEqual } from 'node:crypto'
import type { Db } from '../../database/connection.ts'
import type { AccountId, DirectoryId, OrgId, TokenId } from '../../database/ids.ts'
import type { ApiRole } from '../../database/tables.ts'
import { idleMinutes } from '../../organization/sessions.ts'
import { couldBe, hashOf, isOurs, type TokenKind } from '../../organization/token-format.ts'

/** A token of ours, as it was found. */
export interface FoundToken {
  orgId: OrgId
  id: TokenId
}

export interface FoundApiToken extends FoundToken {
  name: string
  role: ApiRole
  /** Whose it is; null: a program's. */
  accountId: AccountId | null
}

export interface FoundSession extends FoundToken {
  accountId: AccountId
}

export interface FoundDirectoryToken extends FoundToken {
  directoryId: DirectoryId
}

/** A token of ours by its hash: what is stored, and for how long it opens something. */
export interface Found<T extends FoundToken> {
  token: T
  hash: Buffer
  msLeft: number
}

/** What was presented: a token of ours, whether it still opens anything or has expired or been revoked. */
export interface Presented<T extends FoundToken> {
  token: T
  isLive: boolean
}

/** Tokens that were presented lately. A push pays no round trip for its token; a revocation is seen within 4 s everywhere (rule 7). */
export interface LiveTokens<T extends FoundToken> {
  find(secret: string): Promise<Presented<T> | undefined>
  /** Whether a secret may be a guess: one that somebody chose, and that was not a live one lately. */
  mayBeGuess(secret: string): boolean
  /** Looks again before it believes any token: one was revoked here. */
  forget(): void
}

const rememberedMs = 4_000
const rememberedCount = 10_000

interface Remembered<T extends FoundToken> extends Presented<T> {
  until: number
}

/** Remembers tokens of one kind. `clock` counts milliseconds; expiry itself is told by the database's time. */
export function liveTokens<T extends FoundToken>(
  kind: TokenKind,
  lookup: (hash: Buffer) => Promise<Found<T> | undefined>,
  clock: () => number,
): LiveTokens<T> {
  const remembered = new Map<string, Remembered<T>>()
  const asked = new Map<string, Promise<Presented<T> | undefined>>()
  let forgotten = 0

  async function ask(key: string, hash: Buffer): Promise<Presented<T> | undefined> {
    // Counted from before the question: what is revoked while it is under way is seen in time, too.
    const askedAt = clock()
    const forgottenThen = forgotten
    const found = await lookup(hash)
    remembered.delete(key)
    if (!found || !timingSafeEqual(found.hash, hash)) return undefined
    if (remembered.size >= rememberedCount) remembered.delete(remembered.keys().next().value as string)
    const isStale = forgotten !== forgottenThen
    const isLive = found.msLeft > 0
    // One that is dead is remembered as such: it stays so, and a provider that was not told goes on sending it.
    const forMs = isLive ? Math.min(rememberedMs, found.msLeft) : rememberedMs
    const presented = { token: found.token, isLive, until: isStale ? 0 : askedAt + forMs }
    remembered.set(key, presented)
    return presented
  }

  return {
    async find(secret) {
      if (!couldBe(kind, secret)) return undefined
      const hash = hashOf(secret)
      const key = hash.toString('base64')
      const known = remembered.get(key)
      if (known && clock() < known.until) return known
      // Many requests with one token ask the database once.
      const under = asked.get(key) ?? ask(key, hash).finally(() => asked.delete(key))
      asked.set(key, under)
      return under
    },
    mayBeGuess: (secret) => !isOurs(kind, secret) && remembered.get(hashOf(secret).toString('base64'))?.isLive !== true,
    forget() {
      forgotten++
      for (const entry of remembered.values()) entry.until = 0
      asked.clear()
    },
  }
}

const msLeft = 'case when revoked_at is null then extract(epoch from expires_at - now())::float8 * 1000 else 0 end as "msLeft"'

/** Finds an API token by its hash, before any organization is known: the policy `presented` shows that one row. */
export async function findApiTokenByHash(db: Db, hash: Buffer) {
  const row = await presentedRow<FoundApiToken & Stored>(
    db,
    hash,
    `org_id as "orgId", id, name, role, account_id as "accountId", token_hash as hash, ${msLeft} from api_tokens`,
  )
  if (!row) return undefined
  const { hash: stored, msLeft: left, ...token } = row
  return { token, hash: stored, msLeft: left }
}

/** Finds a directory token by its hash, likewise. */
export async function findDirectoryTokenByHash(db: Db, hash: Buffer) {
  const row = await presentedRow<FoundDirectoryToken & Stored>(
    db,
    hash,
    `org_id as "orgId", id, directory_id as "directoryId", token_hash as hash, ${msLeft} from directory_tokens`,
  )
  return row && { token: { orgId: row.orgId, id: row.id, directoryId: row.directoryId }, hash: row.hash, msLeft: row.msLeft }
}

/** Finds a session by its hash, likewise; one that was not used for long is over. */
export async function findSessionByHash(db: Db, hash: Buffer) {
  const row = await presentedRow<FoundSession & Stored>(
    db,
    hash,
    `org_id as "orgId", id, account_id as "accountId", token_hash as hash,
      extract(epoch from least(expires_at, last_used_at + interval '${idleMinutes} minutes') - now())::float8 * 1000 as "msLeft" from sessions`,
  )
  return row && { token: { orgId: row.orgId, id: row.id, accountId: row.accountId }, hash: row.hash, msLeft: row.msLeft }
}

/** Whose link this is, likewise, if it can be used still: it is not used up by this. */
export async function findLink(db: Db, secret: string): Promise<{ orgId: OrgId; accountId: AccountId | null } | undefined> {
  if (!isOurs('link', secret)) return undefined
  const row = await presentedRow<{ orgId: OrgId; accountId: AccountId | null; isLive: boolean }>(
    db,
    hashOf(secret),
    'org_id as "orgId", account_id as "accountId", expires_at > now() as "isLive" from links',
  )
  return row?.isLive ? { orgId: row.orgId, accountId: row.accountId } : undefined
}

/** Whose attempt to sign in by a provider this is, likewise. */
export async function findAttempt(db: Db, secret: string): Promise<{ orgId: OrgId } | undefined> {
  return isOurs('link', secret) ? presentedRow(db, hashOf(secret), 'org_id as "orgId" from sign_in_attempts') : undefined
}

interface Stored {
  hash: Buffer
  msLeft: number
}

// One simple query of two statements is one transaction and one round trip; the hash is hex, made here.
async function presentedRow<Row extends object>(db: Db, hash: Buffer, columnsFrom: string): Promise<Row | undefined> {
  const hex = hash.toString('hex')
  const client = await db.pool.connect()
  try {
    const results = (await client.query(
      `select set_config('muster.presented_hash', '${hex}', true); select ${columnsFrom} where token_hash = '\\x${hex}'`,
    )) as unknown as { rows: Row[] }[]
    return results[1]?.rows[0]
  } finally {
    client.release()
  }
}
