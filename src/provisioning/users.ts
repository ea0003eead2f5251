import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, type DirectoryId, isId, newId, type ProvisionedUserId } from '../database/ids.ts'
import type { MatchedBy, UserReason, UserState } from '../database/tables.ts'
import type { AccountFields } from '../organization/accounts.ts'
import { appendLogs, changeOf } from '../organization/log.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import type { UserInput } from '../scim/resource.ts'
import { connectedOf, mustBeStored } from './directories.ts'
import { isOf } from './key-sql.ts'

export interface ProvisionedUser {
  id: ProvisionedUserId
  accountId: AccountId
  matchedBy: MatchedBy
  state: UserState
  reasons: UserReason[]
  /** Moves with all that the provider says. */
  version: number
  input: UserInput
}

/** The e-mail by which a pushed person is matched: the primary one, else the first, else a user name that is an address. */
export function emailOf(user: UserInput): string | null {
  const emails = Array.isArray(user.attributes.emails) ? (user.attributes.emails as { value?: unknown; primary?: unknown }[]) : []
  const chosen = emails.find((email) => email.primary === true) ?? emails[0]
  if (typeof chosen?.value === 'string' && chosen.value.trim() !== '') return chosen.value.trim()
  return user.userName.includes('@') ? user.userName : null
}

/** The name a person is shown by: displayName, else name.formatted, else given and family name. */
export function displayNameOf(user: UserInput): string | null {
  const { displayName, name } = user.attributes as {
    displayName?: unknown
    name?: { formatted?: unknown; givenName?: unknown; familyName?: unknown }
  }
  const candidates = [displayName, name?.formatted, [name?.givenName, name?.familyName].filter(Boolean).join(' ')]
  return (candidates.find((candidate) => typeof candidate === 'string' && candidate.trim() !== '') as string | undefined) ?? null
}

/** Whether the directory has a user of this name already; user names are unique in a directory, whatever their case. */
export async function isUserNameProvisioned(reader: Reader, directoryId: DirectoryId, userName: string): Promise<boolean> {
  const row = await reader
    .selectFrom('provisioned_users')
    .select('id')
    .where('org_id', '=', reader.orgId)
    .where('user_name_key', '=', nameKey(userName))
    .where(isOf(directoryId))
    .executeTakeFirst()
  return row !== undefined
}

/** A user as a directory pushes it first, beside its account. */
export interface NewUser {
  directoryId: DirectoryId
  input: UserInput
  accountId: AccountId
  matchedBy: MatchedBy
  state: UserState
  reasons: UserReason[]
}

/** Of each of several the request that asks for it, where one transaction does what several requests ask for. */
export type Requests = readonly (string | null | undefined)[]

/** Stores new users of directories, with their log entries; their ids in the same order. */
export async function provisionUsers(trx: Trx, users: readonly NewUser[], requests: Requests = []): Promise<ProvisionedUserId[]> {
  const rows = users.map(({ directoryId, input, accountId, matchedBy, state, reasons }) => ({
    id: newId<ProvisionedUserId>(),
    directory_id: directoryId,
    ...columnsOf(input),
    account_id: accountId,
    matched_by: matchedBy,
    state,
    reasons,
  }))
  const directoryIds = [...new Set(users.map(({ directoryId }) => directoryId))]
  const stored = await sql<{ count: number }>`
    with connected as materialized (${connectedOf(trx, directoryIds)}),
    given as materialized (
      select ${trx.orgId}::uuid as org_id, given.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given(
        id uuid, directory_id uuid, external_id text, user_name text, user_name_key text, email_key text, active boolean, attributes jsonb,
        account_id uuid, matched_by text, state text, reasons text[])
      join connected on connected.id = given.directory_id
    ),
    stored as (
      insert into provisioned_users (org_id, id, directory_id, external_id, user_name, user_name_key, email_key, active, attributes,
        account_id, matched_by, state, reasons)
      select * from given
    ),
    emailed as (
      insert into provisioned_emails (org_id, directory_id, value, provisioned_user_id)
      select distinct org_id, directory_id, ${emailValue}, id from given as u, ${emails} where email ? 'value'
    )
    select count(*)::integer as count from given`.execute(trx)
  mustBeStored(stored.rows[0]?.count ?? 0, users.length)
  const entries = users.map(({ directoryId, input, accountId, matchedBy, state, reasons }, at) => ({
    action: 'user.provisioned' as const,
    subject: rows[at]?.id as ProvisionedUserId,
    directoryId,
    requestId: requests[at],
    facts: { userName: input.userName, accountId, after: { ...input, accountId, matchedBy, state, reasons } },
  }))
  await appendLogs(trx, entries)
  return rows.map((row) => row.id)
}

/** Locks a user of the directory. Its account is locked and read after it. @throws Refusal `not_found`, a foreign id included */
export async function lockProvisionedUser(trx: Trx, directoryId: DirectoryId, id: ProvisionedUserId): Promise<ProvisionedUser> {
  const row = isId(id)
    ? await trx
        .selectFrom('provisioned_users')
        .select(['id', 'account_id', 'matched_by', 'state', 'reasons', 'version', ...inputColumns])
        .where('org_id', '=', trx.orgId)
        .where('id', '=', id)
        .where(isOf(directoryId))
        .forUpdate()
        .executeTakeFirst()
    : undefined
  if (!row) throw new Refusal('not_found', 'There is no such user in this directory.')
  const { state, reasons, version } = row
  return { id: row.id, accountId: row.account_id, matchedBy: row.matched_by, state, reasons, version, input: inputOf(row) }
}

/**
 * Locks, in id order, the users that directories pushed for an account: for who may come to change what several of them are to it, before
 * one of them or the account is locked alone.
 * @param of the account, or one of these users
 */
export async function lockUsersOf(trx: Trx, of: AccountId | ProvisionedUserId): Promise<void> {
  if (!isId(of)) return
  await sql`
    select from provisioned_users
    where org_id = ${trx.orgId} and account_id = any(array(
      select ${of}::uuid
      union all
      select account_id from provisioned_users where org_id = ${trx.orgId} and id = ${of}::uuid
    ))
    order by id for update`.execute(trx)
}

/** Stores what the provider now says of a user. */
export async function updateProvisionedUser(trx: Trx, id: ProvisionedUserId, input: UserInput): Promise<void> {
  await Promise.all([
    trx
      .updateTable('provisioned_users')
      .set({
        ...columnsOf(input),
        attributes: JSON.stringify(input.attributes),
        updated_at: sql`now()`,
        version: sql`version + 1`,
      })
      .where('org_id', '=', trx.orgId)
      .where('id', '=', id)
      .execute(),
    // Sent with it, and so done after it.
    sql`
      with has as (
        select distinct u.directory_id, ${emailValue} as value from provisioned_users u, ${emails}
        where u.org_id = ${trx.orgId} and u.id = ${id} and email ? 'value'
      ),
      gone as (
        delete from provisioned_emails
        where org_id = ${trx.orgId} and provisioned_user_id = ${id} and value <> all(array(select value from has))
      )
      insert into provisioned_emails (org_id, directory_id, value, provisioned_user_id)
      select ${trx.orgId}, directory_id, value, ${id} from has on conflict do nothing`.execute(trx),
  ])
}

// Of the attributes of rows `u`: what a user can be found by (filter-sql.ts), lower case, since e-mail addresses are not case-exact.
const emails = sql`jsonb_array_elements(u.attributes -> 'emails') as email`
const emailValue = sql`left(lower(email ->> 'value'), 255)`

/** Forgets a user of a directory; the account is another matter. */
export async function deleteProvisionedUser(trx: Trx, id: ProvisionedUserId): Promise<void> {
  await trx.deleteFrom('provisioned_users').where('org_id', '=', trx.orgId).where('id', '=', id).execute()
}

/** The users that live directories pushed for an account, the first one first. */
export async function provisionedUsersOf(
  reader: Reader,
  accountId: AccountId,
): Promise<{ directoryId: DirectoryId; input: UserInput }[]> {
  const rows = await reader
    .selectFrom('provisioned_users')
    .select(['directory_id', ...inputColumns])
    .where('org_id', '=', reader.orgId)
    .where('account_id', '=', accountId)
    .where(sql<boolean>`not ${isObserved}`)
    .orderBy('id')
    .execute()
  return rows.map((row) => ({ directoryId: row.directory_id, input: inputOf(row) }))
}

/** Whether a user is of a directory that observes. */
const isObserved = sql<boolean>`exists (
  select from directories d where d.org_id = provisioned_users.org_id and d.id = provisioned_users.directory_id and d.observing)`

/** What a user of a directory is to its account. */
export interface Standing {
  state: UserState
  reasons: UserReason[]
}

/** Sets what the directories' users of an account are to it, as protection or ownership of the account changes. */
export async function setUserStates(
  trx: Trx,
  accountId: AccountId,
  stateOf: (directoryId: DirectoryId, isObserved: boolean) => Standing,
): Promise<void> {
  const users = await trx
    .selectFrom('provisioned_users')
    .select(['id', 'directory_id as directoryId', 'user_name as userName', 'state', 'reasons', isObserved.as('isObserved')])
    .where('org_id', '=', trx.orgId)
    .where('account_id', '=', accountId)
    .execute()
  const changes = users.map((user) => {
    const { state, reasons } = stateOf(user.directoryId, user.isObserved)
    return { user, to: { state, reasons }, ...changeOf<Standing>(user, { state, reasons }) }
  })
  const changed = changes.filter(({ after }) => Object.keys(after).length > 0)
  if (changed.length === 0) return
  const given = changed.map(({ user, to }) => ({ id: user.id, ...to }))
  await sql`
    update provisioned_users set state = given.state, reasons = given.reasons
    from jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as given(id uuid, state text, reasons text[])
    where provisioned_users.org_id = ${trx.orgId} and provisioned_users.id = given.id`.execute(trx)
  const entries = changed.map(({ user: { id, directoryId, userName }, before, after }) => ({
    action: 'user.state_changed' as const,
    subject: id,
    directoryId,
    facts: { userName, accountId, before, after },
  }))
  await appendLogs(trx, entries)
}

/** Locks, in id order, the users that directories pushed for the accounts of these users. */
export async function lockUsersOfAccounts(trx: Trx, ids: readonly ProvisionedUserId[]): Promise<void> {
  await sql`
    select from provisioned_users
    where org_id = ${trx.orgId} and account_id = any(array(
      select account_id from provisioned_users where org_id = ${trx.orgId} and id = any(${ids}::uuid[])
    ))
    order by id for update`.execute(trx)
}

/** Forgets users of a directory that is disconnected, as `deleteProvisionedUser` does one, with the log. @returns their accounts */
export async function forgetUsers(trx: Trx, directoryId: DirectoryId, ids: readonly ProvisionedUserId[]): Promise<AccountId[]> {
  const rows = await trx
    .deleteFrom('provisioned_users')
    .where('org_id', '=', trx.orgId)
    .where('directory_id', '=', directoryId)
    .where('id', '=', sql<ProvisionedUserId>`any(${ids}::uuid[])`)
    .returning(['id', 'account_id', 'matched_by', 'state', 'reasons', ...inputColumns])
    .execute()
  await appendLogs(
    trx,
    rows.map(({ id, account_id: accountId, matched_by: matchedBy, state, reasons, ...row }) => ({
      action: 'user.deleted' as const,
      subject: id,
      directoryId,
      facts: { userName: row.user_name, accountId, before: { ...inputOf(row), accountId, matchedBy, state, reasons } },
    })),
  )
  return rows.map((row) => row.account_id)
}

/** Which directory is the first to push each account, but for those that are protected; null where none does. */
export async function nextOwners(
  reader: Reader,
  accountIds: readonly AccountId[],
): Promise<{ accountId: AccountId; to: DirectoryId | null }[]> {
  const { rows } = await sql<{ accountId: AccountId; to: DirectoryId | null }>`
    select a.id as "accountId", case when not a.is_protected then (
      select directory_id from provisioned_users u where u.org_id = ${reader.orgId} and u.account_id = a.id and u.state <> 'ready' order by u.id limit 1) end as "to"
    from accounts a where a.org_id = ${reader.orgId} and a.id = any(${accountIds}::uuid[])
    order by a.id for no key update of a`.execute(reader)
  return rows
}

/** Notes that these directories own these accounts now: their users of them are managed elsewhere no more. */
export async function takeOverUsers(trx: Trx, owned: readonly { accountId: AccountId; to: DirectoryId | null }[]): Promise<void> {
  const { rows } = await sql<{
    id: ProvisionedUserId
    directoryId: DirectoryId
    userName: string
    accountId: AccountId
    reasons: UserReason[]
  }>`
    update provisioned_users u set reasons = array_remove(u.reasons, 'managed_elsewhere')
    from unnest(${owned.map(({ accountId }) => accountId)}::uuid[], ${owned.map(({ to }) => to)}::uuid[]) as given(account_id, directory_id)
    where u.org_id = ${trx.orgId} and u.account_id = given.account_id and u.directory_id = given.directory_id
      and 'managed_elsewhere' = any(u.reasons)
    returning u.id, u.directory_id as "directoryId", u.user_name as "userName", u.account_id as "accountId", u.reasons`.execute(
    trx,
  )
  await appendLogs(
    trx,
    rows.map(({ id, directoryId, userName, accountId, reasons }) => ({
      action: 'user.state_changed' as const,
      subject: id,
      directoryId,
      facts: { userName, accountId, before: { reasons: ['managed_elsewhere', ...reasons] }, after: { reasons } },
    })),
  )
}

/** A user whose account nobody owns, and becomes the directory's as it goes live. */
export interface ReadyUser {
  id: ProvisionedUserId
  input: UserInput
  account: { id: AccountId } & Required<AccountFields>
}

/** Locks, in id order, the users of a directory that goes live. */
export async function lockReadyUsers(trx: Trx, directoryId: DirectoryId): Promise<void> {
  await sql`
    select from provisioned_users where org_id = ${trx.orgId} and directory_id = ${directoryId} and state = 'ready'
    order by id for update`.execute(trx)
}

/** The users of a directory that goes live whose accounts it adopts, some at once, in id order. */
export async function readyUsersToAdopt(
  trx: Trx,
  directoryId: DirectoryId,
  after: ProvisionedUserId | null,
): Promise<ReadyUser[]> {
  const { rows } = await sql<Omit<ReadyUser, 'input'> & Parameters<typeof inputOf>[0]>`
    select u.id, u.user_name, u.external_id, u.active, u.attributes, json_build_object('id', a.id, 'userName', a.user_name, 'email', a.email,
      'displayName', a.display_name, 'active', a.active, 'isProtected', a.is_protected, 'ownedBy', a.owned_by, 'observedBy', a.observed_by) as account
    from provisioned_users u join accounts a on a.org_id = ${trx.orgId} and a.id = u.account_id
    where u.org_id = ${trx.orgId} and u.directory_id = ${directoryId} and u.state = 'ready' and (${after}::uuid is null or u.id > ${after}::uuid)
      and a.observed_by is null and a.owned_by is null and not a.is_protected
    order by u.id limit ${usersAtOnce} for no key update of a`.execute(trx)
  return rows.map(({ id, account, ...row }) => ({ id, account, input: inputOf(row) }))
}

const usersAtOnce = 5_000

/** Notes that users of a directory that goes live are ready no more, some at once. @returns whether there may be more */
export async function settleReadyUsers(trx: Trx, directoryId: DirectoryId): Promise<boolean> {
  const { rows } = await sql<{ id: ProvisionedUserId; userName: string; accountId: AccountId }>`
    update provisioned_users set state = 'synced'
    where org_id = ${trx.orgId} and id = any(array(
      select id from provisioned_users where org_id = ${trx.orgId} and directory_id = ${directoryId} and state = 'ready'
      order by id limit ${usersAtOnce}))
    returning id, user_name as "userName", account_id as "accountId"`.execute(trx)
  await appendLogs(
    trx,
    rows.map(({ id, userName, accountId }) => ({
      action: 'user.state_changed' as const,
      subject: id,
      directoryId,
      facts: { userName, accountId, before: { state: 'ready' }, after: { state: 'synced' } },
    })),
  )
  return rows.length === usersAtOnce
}

/** Stores which account a user is, as somebody has said. */
export async function setAccountOf(
  trx: Trx,
  directoryId: DirectoryId,
  user: ProvisionedUser,
  to: Pick<ProvisionedUser, 'accountId' | 'matchedBy' | 'state' | 'reasons'>,
): Promise<void> {
  const { accountId, matchedBy, state, reasons } = to
  await trx
    .updateTable('provisioned_users')
    .set({ account_id: accountId, matched_by: matchedBy, state, reasons, updated_at: sql`now()`, version: sql`version + 1` })
    .where('org_id', '=', trx.orgId)
    .where('id', '=', user.id)
    .execute()
  const facts = {
    userName: user.input.userName,
    accountId,
    ...changeOf<typeof to>(user, { accountId, matchedBy, state, reasons }),
  }
  await appendLogs(trx, [{ action: 'user.linked', subject: user.id, directoryId, facts }])
}

const inputColumns = ['user_name', 'external_id', 'active', 'attributes'] as const

const inputOf = (row: {
  user_name: string
  external_id: string | null
  active: boolean
  attributes: Record<string, unknown>
}): UserInput => ({ userName: row.user_name, externalId: row.external_id, active: row.active, attributes: row.attributes })

function columnsOf(input: UserInput) {
  const email = emailOf(input)
  return {
    external_id: input.externalId,
    user_name: input.userName,
    user_name_key: nameKey(input.userName),
    email_key: email === null ? null : nameKey(email),
    active: input.active,
    attributes: input.attributes,
  }
}
