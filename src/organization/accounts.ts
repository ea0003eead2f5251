import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, type DirectoryId, isId, newId } from '../database/ids.ts'
import { appendLog, appendLogs, changeOf, type LogEntry } from './log.ts'
import { nameKey } from './name-key.ts'
import { checkedName, checkedText, maxNameLength, whyNotLine } from './name-rules.ts'
import { type AskedOfAccount, lockAccount, whyNotChangeAccount } from './permission.ts'
import { Refusal } from './refusal.ts'
import { endSignIns } from './sign-ins.ts'

/** A person in the organization. `ownedBy` is the directory whose `active` and profile take effect, if any has. */
export interface Account {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
  isProtected: boolean
  ownedBy: { id: DirectoryId; name: string } | null
  createdAt: Date
  updatedAt: Date
}

/** What an account is stored with. */
export interface AccountFields {
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
  isProtected: boolean
  ownedBy: DirectoryId | null
  /** The observing directory that alone has the person: the account is not in force until that goes live. Null: it is in force. */
  observedBy?: DirectoryId | null
}

export interface NewAccount {
  userName: string
  email?: string | null | undefined
  displayName?: string | null | undefined
  active?: boolean | undefined
  isProtected?: boolean | undefined
}

/**
 * Creates an account that no directory owns.
 * @throws Refusal `invalid_value`, `user_name_taken`
 */
export async function createAccount(trx: Trx, account: NewAccount): Promise<AccountId> {
  const userName = checkedName('user name', account.userName)
  await refuseTakenUserName(trx, userName, null)
  const fields = {
    userName,
    email: checkedText('e-mail', account.email ?? null, maxNameLength, whyNotLine),
    displayName: checkedText('display name', account.displayName ?? null, maxNameLength),
    active: account.active ?? true,
    isProtected: account.isProtected ?? false,
  }
  const id = await insertAccount(trx, fields)
  await appendLog(trx, accountCreated(id, fields))
  return id
}

/** Stores an account as it is given: unchecked, not in the log. For those who have judged it and log their own act. */
export async function insertAccount(trx: Trx, account: UncheckedAccount): Promise<AccountId> {
  const [id] = await insertAccounts(trx, [account])
  return id as AccountId
}

export type UncheckedAccount = Pick<AccountFields, 'userName'> & Partial<AccountFields>

const asNew = { email: null, displayName: null, active: true, isProtected: false, ownedBy: null }

/** What the log says of an account that was stored. */
export const accountCreated = (id: AccountId, account: UncheckedAccount): LogEntry => ({
  action: 'account.created',
  subject: id,
  facts: { userName: account.userName, after: { ...asNew, ...account } },
})

/** Stores accounts as they are given, as `insertAccount` does; their ids in the same order. */
export async function insertAccounts(trx: Trx, accounts: readonly UncheckedAccount[]): Promise<AccountId[]> {
  const rows = accounts.map((account) => {
    const { userName, email, displayName, active, isProtected, ownedBy, observedBy = null } = { ...asNew, ...account }
    return {
      id: newId<AccountId>(),
      user_name: userName,
      user_name_key: keyWithin(observedBy, nameKey(userName)),
      email,
      email_key: email === null ? null : keyWithin(observedBy, nameKey(email)),
      display_name: displayName,
      active,
      is_protected: isProtected,
      owned_by: ownedBy,
      observed_by: observedBy,
    }
  })
  await sql`
    insert into accounts (org_id, id, user_name, user_name_key, email, email_key, display_name, active, is_protected, owned_by, observed_by)
    select ${trx.orgId}::uuid, given.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given(
      id uuid, user_name text, user_name_key text, email text, email_key text, display_name text, active boolean, is_protected boolean,
      owned_by uuid, observed_by uuid)`.execute(trx)
  return rows.map((row) => row.id)
}

/** Writes fields of an account: unchecked, not in the log. For those who have judged it and log their own act. */
export async function writeAccount(
  trx: Trx,
  id: AccountId,
  { observedBy = null, ...fields }: Partial<AccountFields>,
): Promise<void> {
  const { userName, email, displayName, active, isProtected, ownedBy, ...rest } = fields
  rest satisfies Record<string, never>
  await trx
    .updateTable('accounts')
    .set({
      updated_at: sql`now()`,
      ...(userName === undefined ? {} : { user_name: userName, user_name_key: keyWithin(observedBy, nameKey(userName)) }),
      ...(email === undefined ? {} : { email, email_key: email === null ? null : keyWithin(observedBy, nameKey(email)) }),
      ...(displayName === undefined ? {} : { display_name: displayName }),
      ...(active === undefined ? {} : { active }),
      ...(isProtected === undefined ? {} : { is_protected: isProtected }),
      ...(ownedBy === undefined ? {} : { owned_by: ownedBy }),
    })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .execute()
  if (active === false) await endSignIns(trx, [id], 'switched_off')
}

/** A key of an account that only an observing directory has: nobody else looks for it, and the name itself stays free. */
export const keyWithin = (observedBy: DirectoryId | null, key: string): string =>
  observedBy === null ? key : `${observedBy}:${key}`

// As many as one statement writes with their log entries.
const atOnce = 5_000

/** Brings into force accounts that an observing directory has alone, some of them, with the log. @returns whether there may be more */
export async function bringAccountsIntoForce(trx: Trx, directoryId: DirectoryId): Promise<boolean> {
  const prefix = keyWithin(directoryId, '').length
  const { rows } = await sql<{ id: AccountId; userName: string }>`
    update accounts set observed_by = null, updated_at = now(),
      user_name_key = substr(user_name_key, ${prefix + 1}::integer), email_key = substr(email_key, ${prefix + 1}::integer)
    where org_id = ${trx.orgId} and id = any(array(
      select id from accounts where org_id = ${trx.orgId} and observed_by = ${directoryId} order by id limit ${atOnce}))
    returning id, user_name as "userName"`.execute(trx)
  const facts = { before: { observedBy: directoryId }, after: { observedBy: null } }
  await appendLogs(
    trx,
    rows.map(({ id, userName }) => ({
      action: 'account.updated' as const,
      subject: id,
      directoryId,
      facts: { userName, ...facts },
    })),
  )
  return rows.length === atOnce
}

/** A directory owns these accounts from now on, which nobody does, and is their owner's word: not in the log. What is not said stays. */
export async function adoptAccounts(
  trx: Trx,
  directoryId: DirectoryId,
  accounts: readonly ({ id: AccountId } & Partial<Pick<AccountFields, 'active' | 'displayName'>>)[],
): Promise<void> {
  const rows = accounts.map(({ id, active, displayName }) => ({ id, active, display_name: displayName }))
  await sql`
    update accounts a set owned_by = ${directoryId}, active = coalesce(given.active, a.active),
      display_name = coalesce(given.display_name, a.display_name), updated_at = now()
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given(id uuid, active boolean, display_name text)
    where a.org_id = ${trx.orgId} and a.id = given.id`.execute(trx)
}

/** Forgets accounts that were never in force, with the log. Nobody pushes them any more. */
export async function forgetAccounts(trx: Trx, directoryId: DirectoryId, ids: readonly AccountId[]): Promise<void> {
  const { rows } = await sql<{ id: AccountId; userName: string; before: Partial<AccountFields> }>`
    delete from accounts
    where org_id = ${trx.orgId} and id = any(${ids}::uuid[]) and observed_by = ${directoryId}
    returning id, user_name as "userName", json_build_object('userName', user_name, 'email', email, 'displayName', display_name,
      'active', active, 'isProtected', is_protected, 'ownedBy', owned_by, 'observedBy', observed_by) as before`.execute(trx)
  await appendLogs(
    trx,
    rows.map(({ id, userName, before }) => ({
      action: 'account.forgotten' as const,
      subject: id,
      directoryId,
      facts: { userName, before },
    })),
  )
}

/** Accounts that a directory owns, some of them. */
export async function accountsOwnedBy(reader: Reader, directoryId: DirectoryId, limit: number): Promise<AccountId[]> {
  const rows = await reader
    .selectFrom('accounts')
    .select('id')
    .where('org_id', '=', reader.orgId)
    .where('owned_by', '=', directoryId)
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** A directory lets go of accounts, which stay as they are: those of these that it owns are others' from now on, or nobody's. The caller holds their locks. */
export async function handOverAccounts(
  trx: Trx,
  from: DirectoryId,
  owners: readonly { accountId: AccountId; to: DirectoryId | null }[],
): Promise<{ accountId: AccountId; to: DirectoryId | null }[]> {
  const { rows } = await sql<{ accountId: AccountId; userName: string; to: DirectoryId | null }>`
    update accounts a set owned_by = given.owner, updated_at = now()
    from unnest(${owners.map(({ accountId }) => accountId)}::uuid[], ${owners.map(({ to }) => to)}::uuid[]) as given(id, owner)
    where a.org_id = ${trx.orgId} and a.id = given.id and a.owned_by = ${from}
    returning a.id as "accountId", a.user_name as "userName", a.owned_by as "to"`.execute(trx)
  await appendLogs(
    trx,
    rows.map(({ accountId, userName, to }) => ({
      action: 'account.updated' as const,
      subject: accountId,
      directoryId: from,
      facts: { userName, before: { ownedBy: from }, after: { ownedBy: to } },
    })),
  )
  return rows
}

/** What an admin may ask to be changed. */
export type AccountUpdate = {
  [Field in Exclude<keyof AccountFields, 'ownedBy' | 'observedBy'>]?: AccountFields[Field] | undefined
}

/**
 * An admin's change of an account. What changes nothing writes nothing.
 * @throws Refusal `not_found`, `invalid_value`, `user_name_taken`, `managed_by_directory`
 */
export async function updateAccount(trx: Trx, id: AccountId, update: AccountUpdate): Promise<{ changed: boolean }> {
  const standing = await lockAccount(trx, id)
  const have = await accountById(trx, id)
  const want = wanted(have, update)
  const differing = (Object.keys(want) as (keyof AccountUpdate)[]).filter((field) => want[field] !== have[field])
  for (const field of differing) {
    const refusal = whyNotChangeAccount(permissionFor[field], standing)
    if (refusal) throw refusal
  }
  if (want.userName !== have.userName) await refuseTakenUserName(trx, want.userName, id)
  if (differing.length === 0) return { changed: false }
  await writeAccount(trx, id, want)
  await appendLogs(trx, entriesOf(have, want, differing))
  return { changed: true }
}

const permissionFor: Record<keyof AccountUpdate, AskedOfAccount> = {
  userName: 'update_profile',
  email: 'update_profile',
  displayName: 'update_profile',
  active: 'switch_on_or_off',
  isProtected: 'protect',
}

function wanted(have: Account, update: AccountUpdate): Omit<AccountFields, 'ownedBy'> {
  return {
    userName: update.userName === undefined ? have.userName : checkedName('user name', update.userName),
    email: update.email === undefined ? have.email : checkedText('e-mail', update.email, maxNameLength, whyNotLine),
    displayName:
      update.displayName === undefined ? have.displayName : checkedText('display name', update.displayName, maxNameLength),
    active: update.active ?? have.active,
    isProtected: update.isProtected ?? have.isProtected,
  }
}

function entriesOf(have: Account, want: Omit<AccountFields, 'ownedBy'>, differing: (keyof AccountUpdate)[]): LogEntry[] {
  const { userName, email, displayName, active, isProtected } = want
  const entry = (action: LogEntry['action'], of: Partial<typeof want>): LogEntry => ({
    action,
    subject: have.id,
    facts: { userName: have.userName, ...changeOf<typeof want>(have, of) },
  })
  const entries: LogEntry[] = []
  if (differing.some((field) => permissionFor[field] === 'update_profile'))
    entries.push(entry('account.updated', { userName, email, displayName }))
  if (differing.includes('active')) entries.push(entry(active ? 'account.switched_on' : 'account.switched_off', { active }))
  if (differing.includes('isProtected'))
    entries.push(entry(isProtected ? 'account.protected' : 'account.unprotected', { isProtected }))
  return entries
}

/** The columns of an `Account`, of `accounts a left join directories d` (its owner). */
export const accountColumns = sql`
  a.id, a.user_name as "userName", a.email, a.display_name as "displayName", a.active, a.is_protected as "isProtected",
  case when d.id is not null then json_build_object('id', d.id, 'name', d.name) end as "ownedBy",
  a.created_at as "createdAt", a.updated_at as "updatedAt"`

/**
 * Finds an account by id, user name or e-mail, in this order; an e-mail that several have finds none of them.
 * @throws Refusal `not_found`, `invalid_value` for an e-mail that says nothing
 */
export async function findAccount(reader: Reader, idOrName: string): Promise<Account> {
  const key = nameKey(idOrName)
  const { rows } = await sql<Account & { rank: number }>`
    select ${accountColumns},
      case when a.id = ${isId(idOrName) ? idOrName : null}::uuid then 1 when a.user_name_key = ${key} then 2 else 3 end as rank
    from accounts a left join directories d on d.org_id = a.org_id and d.id = a.owned_by
    where a.org_id = ${reader.orgId}
      and (a.id = ${isId(idOrName) ? idOrName : null}::uuid or a.user_name_key = ${key} or a.email_key = ${key})
    order by rank limit 2`.execute(reader)
  const [first, second] = rows
  if (first === undefined) throw new Refusal('not_found', 'There is no such person.', { person: idOrName })
  if (first.rank === 3 && second !== undefined) {
    throw new Refusal('invalid_value', 'Several people have this e-mail. Ask by user name or id.', { person: idOrName })
  }
  const { rank: _, ...account } = first
  return account
}

/**
 * The accounts of these ids, user names or e-mails, in the order of `findAccount`, each once.
 * @throws Refusal `unknown_members`, naming up to ten that none or several people have
 */
export async function accountIdsOf(reader: Reader, idsOrNames: readonly string[]): Promise<AccountId[]> {
  const keys = idsOrNames.map(nameKey)
  const { rows } = await sql<{ id: AccountId; userNameKey: string; emailKey: string | null }>`
    select id, user_name_key as "userNameKey", email_key as "emailKey" from accounts
    where org_id = ${reader.orgId} and observed_by is null
      and (id = any(${idsOrNames.filter(isId)}::uuid[]) or user_name_key = any(${keys}::text[]) or email_key = any(${keys}::text[]))`.execute(
    reader,
  )
  const byId = new Map(rows.map(({ id }) => [id as string, id]))
  const byUserName = new Map(rows.map(({ id, userNameKey }) => [userNameKey, id]))
  const byEmail = new Map<string | null, AccountId | undefined>()
  for (const { id, emailKey } of rows) byEmail.set(emailKey, byEmail.has(emailKey) ? undefined : id)
  const found = idsOrNames.map(
    (given) => byId.get(given.toLowerCase()) ?? byUserName.get(nameKey(given)) ?? byEmail.get(nameKey(given)),
  )
  const unknown = idsOrNames.filter((_, index) => found[index] === undefined).slice(0, 10)
  if (unknown.length > 0) {
    throw new Refusal(
      'unknown_members',
      `There is no one person of: ${unknown.join(', ')}. Give ids, user names or e-mails of people of the organization.`,
      { unknown },
    )
  }
  return [...new Set(found.filter((id) => id !== undefined))]
}

/** The account of an id. @throws Refusal `not_found` */
export async function accountById(reader: Reader, id: AccountId): Promise<Account> {
  const { rows } = await sql<Account>`
    select ${accountColumns} from accounts a left join directories d on d.org_id = a.org_id and d.id = a.owned_by
    where a.org_id = ${reader.orgId} and a.id = ${id}`.execute(reader)
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such person.', { person: id })
  return rows[0]
}

/** An account of a file: what is empty in it says nothing about an account that exists. */
export interface GivenAccount {
  userName: string
  email: string | null
  displayName: string | null
}

type Profile = Pick<AccountFields, 'email' | 'displayName'>

export interface Ensured<Id> {
  created: { id: Id; key: string }[]
  updated: { id: Id; key: string }[]
}

/**
 * Sees to it that these accounts exist, and have these profiles unless a directory owns them; nothing else is changed.
 * User names are checked and each is given once. One set of statements, whatever their number; all in the log.
 */
export async function ensureAccounts(trx: Trx, given: readonly GivenAccount[]): Promise<Ensured<AccountId>> {
  const rows = given.map((account) => ({
    ...account,
    id: newId<AccountId>(),
    key: nameKey(account.userName),
    emailKey: keyOf(account.email),
  }))
  const table = sql`unnest(
    ${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.userName)}::text[], ${rows.map((row) => row.key)}::text[],
    ${rows.map((row) => row.email)}::text[], ${rows.map((row) => row.emailKey)}::text[], ${rows.map((row) => row.displayName)}::text[]
  ) as given(id, user_name, user_name_key, email, email_key, display_name)`
  // Locked as they are read: what the log says they were is what they were.
  const updated = await sql<{ id: AccountId; key: string; userName: string; before: Profile; after: Profile }>`
    select a.id, a.user_name_key as key, a.user_name as "userName",
      json_build_object('email', a.email, 'displayName', a.display_name) as before,
      json_build_object('email', coalesce(given.email, a.email), 'displayName', coalesce(given.display_name, a.display_name)) as after
    from accounts a, ${table}
    where a.org_id = ${trx.orgId} and a.user_name_key = given.user_name_key and a.owned_by is null
      -- Who signs in is found by the e-mail: a file does not change it.
      and not exists (select from admins where org_id = a.org_id and account_id = a.id)
      and (coalesce(given.email, a.email) is distinct from a.email or coalesce(given.display_name, a.display_name) is distinct from a.display_name)
    order by a.id for no key update of a`.execute(trx)
  await sql`
    update accounts a set email = given.email, email_key = given.email_key, display_name = given.display_name, updated_at = now()
    from unnest(
      ${updated.rows.map((row) => row.id)}::uuid[], ${updated.rows.map((row) => row.after.email)}::text[],
      ${updated.rows.map((row) => keyOf(row.after.email))}::text[], ${updated.rows.map((row) => row.after.displayName)}::text[]
    ) as given(id, email, email_key, display_name)
    where a.org_id = ${trx.orgId} and a.id = given.id`.execute(trx)
  const created = await sql<{ id: AccountId; key: string }>`
    insert into accounts (org_id, id, user_name, user_name_key, email, email_key, display_name)
    select ${trx.orgId}::uuid, given.* from ${table}
    where not exists (select from accounts a where a.org_id = ${trx.orgId} and a.user_name_key = given.user_name_key)
    returning id, user_name_key as key`.execute(trx)
  const fields = new Map(rows.map(({ key, userName, email, displayName }) => [key, { userName, email, displayName }]))
  await appendLogs(trx, [
    ...created.rows.map(({ id, key }) => accountCreated(id, fields.get(key) as GivenAccount)),
    ...updated.rows.map(({ id, userName, before, after }) => ({
      action: 'account.updated' as const,
      subject: id,
      facts: { userName, ...changeOf(before, after) },
    })),
  ])
  return { created: created.rows, updated: updated.rows }
}

/** The accounts of these user name keys; a key that none has is not in the answer. */
export async function accountIdsByKey(reader: Reader, keys: readonly string[]): Promise<Map<string, AccountId>> {
  const { rows } = await sql<{ id: AccountId; key: string }>`
    select id, user_name_key as key from accounts where org_id = ${reader.orgId} and user_name_key = any(${keys}::text[])`.execute(
    reader,
  )
  return new Map(rows.map((row) => [row.key, row.id]))
}

async function refuseTakenUserName(trx: Trx, userName: string, except: AccountId | null): Promise<void> {
  const { rows } = await sql`
    select from accounts where org_id = ${trx.orgId} and user_name_key = ${nameKey(userName)} and id is distinct from ${except}::uuid`.execute(
    trx,
  )
  if (rows.length > 0)
    throw new Refusal('user_name_taken', `A person with user name "${userName}" already exists. Choose another user name.`, {
      userName,
    })
}

const keyOf = (text: string | null): string | null => (text === null ? null : nameKey(text))
