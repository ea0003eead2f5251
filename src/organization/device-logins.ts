import { randomInt } from 'node:crypto'
import { sql } from 'kysely'
import type { Scope, Trx } from '../database/connection.ts'
import { type AccountId, newId, type OrgId, type TokenId } from '../database/ids.ts'
import { checkedText, whyNotLine } from './name-rules.ts'
import { Refusal } from './refusal.ts'
import { hashOf, newSecret } from './token-format.ts'

const minutes = 10
const waitingAtMost = 1_000

/** A program that asks for a token of somebody's, and shows them a code to confirm (RFC 8628). */
export interface DeviceLogin {
  userCode: string
  /** What the program says it runs on. */
  device: string
  address: string | null
  createdAt: Date
}

/** Until somebody confirms it a device login is nobody's: of the organization of all zeros. */
export const devicesScope = (requestId: string): Scope => ({
  orgId: '00000000-0000-0000-0000-000000000000' as OrgId,
  actor: 'system',
  requestId,
})

/** Begins one. The secret is the program's, the code is for people. @throws Refusal `invalid_value`, also where too many wait */
export async function beginDeviceLogin(trx: Trx, given: { device: string; address: string }) {
  const device = checkedText('name of the device', given.device, 100, whyNotLine) ?? 'a program'
  await sql`delete from device_logins where org_id = ${trx.orgId} and expires_at <= now()`.execute(trx)
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from device_logins where org_id = ${trx.orgId}`.execute(trx)
  if ((rows[0]?.count ?? 0) >= waitingAtMost)
    throw new Refusal('invalid_value', `Too many wait to be confirmed. Try again in ${minutes} minutes, or sign in by a token.`)
  const secret = newSecret('link')
  const userCode = newCode()
  await sql`
    insert into device_logins (org_id, id, token_hash, user_code, device, address, expires_at)
    values (${trx.orgId}, ${newId<TokenId>()}, ${hashOf(secret)}, ${userCode}, ${device}, ${given.address},
      now() + make_interval(mins => ${minutes}::int))`.execute(trx)
  return { secret, userCode, expiresInSeconds: minutes * 60 }
}

/** The one that shows this code. @throws Refusal `not_found` */
export async function findDeviceLogin(trx: Trx, userCode: string): Promise<DeviceLogin> {
  const { rows } = await sql<DeviceLogin>`
    select user_code as "userCode", device, address, created_at as "createdAt" from device_logins
    where org_id = ${trx.orgId} and user_code = ${codeOf(userCode)} and confirmed_by is null and expires_at > now()`.execute(trx)
  if (rows[0] === undefined)
    throw new Refusal('not_found', `No program shows this code now. It is good for ${minutes} minutes: begin again.`)
  return rows[0]
}

/** Somebody lets it have a token of theirs. @throws Refusal `not_found` */
export async function confirmDeviceLogin(
  trx: Trx,
  userCode: string,
  by: { orgId: OrgId; accountId: AccountId },
): Promise<DeviceLogin> {
  const login = await findDeviceLogin(trx, userCode)
  await sql`
    update device_logins set confirmed_org = ${by.orgId}, confirmed_by = ${by.accountId}
    where org_id = ${trx.orgId} and user_code = ${login.userCode} and confirmed_by is null`.execute(trx)
  return login
}

/** The program asks whether it was confirmed; if so it is over. @throws Refusal `device_not_confirmed` yet, `link_not_valid` no more */
export async function takeDeviceLogin(trx: Trx, secret: string) {
  const { rows } = await sql<{ device: string; orgId: OrgId; accountId: AccountId }>`
    delete from device_logins where org_id = ${trx.orgId} and token_hash = ${hashOf(secret)} and expires_at > now() and confirmed_by is not null
    returning device, confirmed_org as "orgId", confirmed_by as "accountId"`.execute(trx)
  if (rows[0]) return rows[0]
  const waiting = await sql`
    select from device_logins where org_id = ${trx.orgId} and token_hash = ${hashOf(secret)} and expires_at > now()`.execute(trx)
  if (waiting.rows.length > 0)
    throw new Refusal('device_not_confirmed', 'Nobody has confirmed the code yet. Ask again in some seconds.')
  throw new Refusal('link_not_valid', 'This code is used or over. Begin again.')
}

// Consonants: no code is a word, none is mistaken for another.
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

function newCode(): string {
  const part = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  return `${part()}-${part()}`
}

/** A code as it is kept, however it is typed. */
function codeOf(typed: string): string {
  const plain = typed.toUpperCase().replace(/[^A-Z]/g, '')
  return `${plain.slice(0, 4)}-${plain.slice(4)}`
}
