import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, isId, newId, type TokenId } from '../database/ids.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { appendLog } from './log.ts'
import { checkedName } from './name-rules.ts'
import { Refusal } from './refusal.ts'

/** A passkey as it may be shown. */
export interface Passkey {
  id: TokenId
  name: string
  createdAt: Date
  lastUsedAt: Date | null
}

/** What a passkey is checked against (W3C Web Authentication, §6.1). */
export interface Credential {
  id: TokenId
  accountId: AccountId
  credentialId: string
  publicKey: Buffer
  counter: number
  transports: string[]
}

/** A person's passkeys, sorted by name or createdAt. @throws Refusal `invalid_value` */
export function listPasskeys(reader: Reader, accountId: AccountId, listing: Listing): Promise<Listed<Passkey>> {
  return list(reader, listing, {
    columns: sql`id, name, created_at as "createdAt", last_used_at as "lastUsedAt"`,
    from: sql`passkeys where org_id = ${reader.orgId} and account_id = ${accountId} and ${found(listing, 'lower(name)')}`,
    sorts: { name: 'lower(name)', createdAt: 'created_at' },
    usual: 'createdAt',
    last: 'id',
  })
}

/** The passkeys by which somebody is known: a person's, or the one of this credential. */
export async function credentials(
  reader: Reader,
  of: { accountId: AccountId } | { credentialId: string },
): Promise<Credential[]> {
  const which = 'accountId' in of ? sql`account_id = ${of.accountId}` : sql`credential_id = ${of.credentialId}`
  const { rows } = await sql<Credential & { counter: string }>`
    select id, account_id as "accountId", credential_id as "credentialId", public_key as "publicKey", counter::text, transports from passkeys
    where org_id = ${reader.orgId} and ${which} order by id`.execute(reader)
  return rows.map((row) => ({ ...row, counter: Number(row.counter) }))
}

/** Adds a passkey that was checked. @throws Refusal `invalid_value` where it is known already */
export async function addPasskey(
  trx: Trx,
  { id: accountId, userName }: { id: AccountId; userName: string },
  given: { name: string; credentialId: string; publicKey: Buffer; counter: number; transports: string[] },
): Promise<TokenId> {
  const name = checkedName('name of the passkey', given.name)
  const id = newId<TokenId>()
  const { rows } = await sql`
    insert into passkeys (org_id, id, account_id, name, credential_id, public_key, counter, transports)
    values (${trx.orgId}, ${id}, ${accountId}, ${name}, ${given.credentialId}, ${given.publicKey}, ${given.counter}, ${given.transports}::text[])
    on conflict (org_id, credential_id) do nothing returning 1`.execute(trx)
  if (rows.length === 0) throw new Refusal('invalid_value', 'This passkey is known already. Sign in by it.')
  await appendLog(trx, { action: 'passkey.added', subject: accountId, facts: { userName, name } })
  return id
}

/** Notes that a passkey was used, and how often it says it was: a copy of it would count on from an older number. */
export async function notePasskeyUsed(trx: Trx, id: TokenId, counter: number): Promise<void> {
  await sql`
    update passkeys set counter = ${counter}, last_used_at = now() where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
}

/** Removes a passkey of one's own. @throws Refusal `not_found` */
export async function removePasskey(trx: Trx, accountId: AccountId | null, id: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    delete from passkeys where org_id = ${trx.orgId} and id = ${isId(id) ? id : null}::uuid and account_id = ${accountId}::uuid
    returning name`.execute(trx)
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such passkey of yours. List them to see their ids.')
  await appendLog(trx, { action: 'passkey.removed', subject: accountId, facts: { name: rows[0].name } })
}
