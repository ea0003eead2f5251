import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { AccountId, ProductId } from '../database/ids.ts'
import type { ApiRole } from '../database/tables.ts'
import { type AccountUpdate, findAccount } from './accounts.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { appendLog, changeOf } from './log.ts'
import { nameKey } from './name-key.ts'
import { Refusal } from './refusal.ts'
import type { Asking } from './roles.ts'
import { endSignIns } from './sign-ins.ts'

/** What somebody who signs in to the console may do; `products` are a reviewer's. */
export interface Rights {
  role: ApiRole
  products: ProductId[]
}

/** A person who signs in to the console. */
export interface Admin {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
  role: ApiRole
  products: { id: ProductId; site: string; product: string }[]
  createdBy: string
  createdAt: Date
  lastUsedAt: Date | null
}

/** Who signs in, and may do what, in the words of who asks for it: a product is an id or `site/product`. */
export interface AskedRights {
  role: ApiRole
  products?: readonly string[] | undefined
}

/** The people who sign in to the console, sorted by name, role or createdAt. @throws Refusal `invalid_value` */
export function listAdmins(reader: Reader, listing: Listing & { role?: ApiRole | undefined }): Promise<Listed<Admin>> {
  return list(reader, listing, {
    columns: adminColumns,
    from: sql`${adminRows} where m.org_id = ${reader.orgId} and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}
      and (${listing.role ?? null}::text is null or m.role = ${listing.role ?? null})`,
    sorts: { name: 'a.user_name_key', role: 'm.role', createdAt: 'm.created_at' },
    usual: 'name',
    last: 'a.id',
  })
}

/** One of them, by id, user name or e-mail. @throws Refusal `not_found` */
export async function findAdmin(reader: Reader, idOrName: string): Promise<Admin> {
  const { id } = await findAccount(reader, idOrName).catch(orNobody)
  const { rows } = await sql<Admin>`
    select ${adminColumns} from ${adminRows} where m.org_id = ${reader.orgId} and m.account_id = ${id}`.execute(reader)
  return rows[0] ?? nobody()
}

const adminRows = sql`admins m join accounts a on a.org_id = m.org_id and a.id = m.account_id`

const adminColumns = sql`
  a.id, a.user_name as "userName", a.email, a.display_name as "displayName", a.active, m.role, m.created_by as "createdBy", m.created_at as "createdAt",
  (select max(last_used_at) from sessions where org_id = m.org_id and account_id = m.account_id) as "lastUsedAt",
  (select coalesce(json_agg(json_build_object('id', p.id, 'site', s.name, 'product', p.name) order by s.name_key, p.name_key), '[]')
    from products p join sites s on s.org_id = p.org_id and s.id = p.site_id where p.org_id = m.org_id and p.id = any(m.products)) as products`

/** What a person who signs in may do now; undefined where they may not sign in: without rights, or switched off. */
export async function rightsOf(reader: Reader, id: AccountId): Promise<(Rights & { userName: string }) | undefined> {
  const { rows } = await sql<Rights & { userName: string }>`
    select a.user_name as "userName", m.role, m.products from ${adminRows}
    where m.org_id = ${reader.orgId} and m.account_id = ${id} and a.active`.execute(reader)
  return rows[0]
}

/**
 * Gives a person rights in the console. Who signs in is for owners to say: whoever could invite another admin could approve their own runs.
 * @throws Refusal `not_permitted`, `invalid_value`
 */
export async function addAdmin(
  trx: Trx,
  account: { id: AccountId; userName: string; active: boolean },
  asked: AskedRights,
  by: Asking,
) {
  refuseOthersThanOwners(by)
  if (!account.active)
    throw new Refusal('invalid_value', `${account.userName} is switched off. Switch them on first.`, { person: account.userName })
  const { role, products } = await rightsAsked(trx, asked)
  const { rows } = await sql`
    insert into admins (org_id, account_id, role, products, created_by)
    values (${trx.orgId}, ${account.id}, ${role}, ${products}::uuid[], ${trx.scope.actor})
    on conflict do nothing returning 1`.execute(trx)
  if (rows.length === 0)
    throw new Refusal('invalid_value', `${account.userName} signs in already. Change the role, or make a link to sign in by.`, {
      person: account.userName,
    })
  await appendLog(trx, {
    action: 'admin.added',
    subject: account.id,
    facts: { userName: account.userName, after: { role, products } },
  })
}

/** Changes what a person may do. @throws Refusal `not_found`, `not_permitted`, `invalid_value`, `last_owner` */
export async function changeAdmin(trx: Trx, idOrName: string, asked: AskedRights, by: Asking): Promise<AccountId> {
  const admin = await lockAdmin(trx, idOrName, by)
  const want = await rightsAsked(trx, asked)
  const change = changeOf<Rights>({ role: admin.role, products: admin.products.map(({ id }) => id).sort() }, want)
  if (Object.keys(change.after).length === 0) return admin.id
  if (want.role !== 'owner') await refuseLastOwner(trx, admin)
  await sql`
    update admins set role = ${want.role}, products = ${want.products}::uuid[]
    where org_id = ${trx.orgId} and account_id = ${admin.id}`.execute(trx)
  await appendLog(trx, { action: 'admin.changed', subject: admin.id, facts: { userName: admin.userName, ...change } })
  return admin.id
}

/** Takes a person's rights in the console; with them their sessions, links and tokens end. @throws Refusal `not_found`, `not_permitted`, `last_owner` */
export async function removeAdmin(trx: Trx, idOrName: string, by: Asking): Promise<void> {
  const admin = await lockAdmin(trx, idOrName, by)
  await refuseLastOwner(trx, admin)
  await endSignIns(trx, [admin.id], 'rights_taken')
  await sql`delete from admins where org_id = ${trx.orgId} and account_id = ${admin.id}`.execute(trx)
  const products = admin.products.map(({ id }) => id)
  await appendLog(trx, {
    action: 'admin.removed',
    subject: admin.id,
    facts: { userName: admin.userName, before: { role: admin.role, products } },
  })
}

/**
 * Whether `by` may change so the account of a person who signs in: what they are found by at sign-in, or whether they may at all.
 * @throws Refusal `protected`, `not_permitted`, `last_owner`
 */
export async function refuseTouchingAdmin(trx: Trx, id: AccountId, update: AccountUpdate, by: Asking): Promise<void> {
  const { isProtected, active, userName, email } = update
  if ([isProtected, active, userName, email].every((field) => field === undefined)) return
  const { rows } = await sql<Admin>`
    select ${adminColumns} from ${adminRows} where m.org_id = ${trx.orgId} and m.account_id = ${id}`.execute(trx)
  const [admin] = rows
  if (admin === undefined) return
  if (isProtected === false)
    throw new Refusal('protected', `${admin.userName} signs in to the console as ${admin.role}. Take that right away first.`, {
      person: admin.userName,
    })
  refuseOthersThanOwners(by)
  if (active === false) await refuseLastOwner(trx, admin)
}

async function lockAdmin(trx: Trx, idOrName: string, by: Asking): Promise<Admin> {
  refuseOthersThanOwners(by)
  // All of them, so that two owners who remove each other see it: of two at once one waits.
  await sql`select from admins where org_id = ${trx.orgId} order by account_id for update`.execute(trx)
  return findAdmin(trx, idOrName)
}

function refuseOthersThanOwners({ role }: Asking): void {
  if (role === 'owner') return
  throw new Refusal(
    'not_permitted',
    `Only an owner says who signs in, and changes what they sign in by; you are ${role}. Ask an owner.`,
  )
}

async function refuseLastOwner(trx: Trx, { id, role, userName }: Admin): Promise<void> {
  if (role !== 'owner') return
  const { rows } = await sql`
    select from ${adminRows} where m.org_id = ${trx.orgId} and m.role = 'owner' and a.active and a.id <> ${id} limit 1`.execute(
    trx,
  )
  if (rows.length > 0) return
  throw new Refusal('last_owner', `${userName} is the last owner. Make somebody else an owner first.`, { person: userName })
}

async function rightsAsked(trx: Trx, { role, products = [] }: AskedRights): Promise<Rights> {
  if ((role === 'reviewer') !== products.length > 0)
    throw new Refusal(
      'invalid_value',
      'A reviewer is one of given products, and nobody else is: name the products of a reviewer.',
    )
  const { rows } = await sql<{ asked: string; id: ProductId | null }>`
    select given.asked, p.id from unnest(${[...products]}::text[], ${products.map(nameKey)}::text[]) as given(asked, key)
    left join (products p join sites s on s.org_id = p.org_id and s.id = p.site_id)
      on p.org_id = ${trx.orgId} and (p.id::text = given.asked or s.name_key || '/' || p.name_key = given.key)`.execute(trx)
  const unknown = rows.filter(({ id }) => id === null).map(({ asked }) => asked)
  if (unknown.length > 0)
    throw new Refusal('invalid_value', `There is no product ${unknown.slice(0, 10).join(', ')}. Name them as site/product.`, {
      unknown: unknown.slice(0, 10),
    })
  return { role, products: [...new Set(rows.flatMap(({ id }) => (id === null ? [] : [id])))].sort() }
}

function nobody(): never {
  throw new Refusal('not_found', 'Nobody of that name signs in to the console. List who does.')
}

function orNobody(error: unknown): never {
  if (error instanceof Refusal && error.code === 'not_found') nobody()
  throw error
}
