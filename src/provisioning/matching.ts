import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, DirectoryId } from '../database/ids.ts'
import type { MatchedBy } from '../database/tables.ts'
import { keyWithin } from '../organization/accounts.ts'
import { nameKey } from '../organization/name-key.ts'
import { isOf } from './key-sql.ts'

/** Who a person whom a provider pushes is here. */
export interface Match {
  /** Null where nobody fits: an account is created. Not locked yet: what it is, is read again under its lock. */
  accountId: AccountId | null
  matchedBy: MatchedBy
}

interface Candidate {
  id: AccountId
  userNameKey: string
  emailKey: string | null
  /** Whether a user of this directory is this account already. */
  isLinked: boolean
}

/**
 * Finds the account of a pushed person: by e-mail, then by user name (behaviour.md, «People»).
 * An e-mail that several accounts have says nothing, unless one of them has the user name too.
 * @param except an account that is not meant
 */
export async function matchAccount(
  reader: Reader,
  directoryId: DirectoryId,
  person: { userName: string; email: string | null },
  except: AccountId | null = null,
): Promise<Match> {
  const userNameKey = nameKey(person.userName)
  const emailKey = person.email === null ? null : nameKey(person.email)
  // Among those that only this directory has, while it observes, too.
  const within = (key: string) => [key, keyWithin(directoryId, key)]
  const { rows } = await sql<Candidate>`
    with named as (
      select * from accounts where org_id = ${reader.orgId} and user_name_key = any(${within(userNameKey)}::text[])
      union
      select * from accounts where org_id = ${reader.orgId} and email_key = any(${emailKey === null ? [] : within(emailKey)}::text[])
    )
    select id, regexp_replace(user_name_key, ${`^${directoryId}:`}, '') as "userNameKey", regexp_replace(email_key, ${`^${directoryId}:`}, '') as "emailKey",
      exists (
        select from provisioned_users
        where org_id = ${reader.orgId} and account_id = named.id and ${isOf(directoryId)}
      ) as "isLinked"
    from named where id is distinct from ${except}::uuid limit 50`.execute(reader)
  return choose(rows, userNameKey, emailKey)
}

/**
 * How many of these people, from the first on, are new beyond doubt: nobody before has their name, no account has their name or
 * e-mail, no user of the directory has their name, and no push named them before they were there.
 */
export async function countNewcomers(
  reader: Reader,
  directoryId: DirectoryId,
  people: readonly { userName: string; email: string | null; externalId: string | null }[],
): Promise<number> {
  const given = people.map(({ userName, email, externalId }) => ({
    userName,
    externalId,
    userNameKey: nameKey(userName),
    emailKey: email === null ? null : nameKey(email),
  }))
  const distinct = given.slice(0, countDistinct(given.map((person) => person.userNameKey)))
  // `offset 0` keeps look-ups look-ups: hashed, each would read all accounts (100 people among 30,000: 40 ms).
  const { rows } = await sql<{ before: number | null }>`
    select min(place)::integer - 1 as before
    from unnest(
      ${distinct.map((person) => person.userNameKey)}::text[], ${distinct.map((person) => person.emailKey)}::text[],
      ${distinct.map((person) => person.userName)}::text[], ${distinct.map((person) => person.externalId)}::text[]
    ) with ordinality as given(user_name_key, email_key, user_name, external_id, place)
    where exists (select from accounts where org_id = ${reader.orgId} and user_name_key in (given.user_name_key, ${keyWithin(directoryId, '')} || given.user_name_key) offset 0)
      or exists (select from accounts where org_id = ${reader.orgId} and email_key in (given.email_key, ${keyWithin(directoryId, '')} || given.email_key) offset 0)
      or exists (
        select from provisioned_users
        where org_id = ${reader.orgId} and user_name_key = given.user_name_key and ${isOf(directoryId)} offset 0
      )
      or exists (
        select from unknown_members where org_id = ${reader.orgId} and value in (given.user_name, given.external_id) offset 0
      )`.execute(reader)
  return rows[0]?.before ?? distinct.length
}

function countDistinct(keys: readonly string[]): number {
  const repeated = keys.findIndex((key, at) => keys.indexOf(key) < at)
  return repeated < 0 ? keys.length : repeated
}

function choose(candidates: Candidate[], userNameKey: string, emailKey: string | null): Match {
  const byUserName = candidates.find((candidate) => candidate.userNameKey === userNameKey)
  const byEmail = candidates.filter((candidate) => emailKey !== null && candidate.emailKey === emailKey)
  // Counted with those who are linked already: who was pushed first must not decide whose account the last one gets.
  const sure = byEmail.length > 1 ? byEmail.find((candidate) => candidate.userNameKey === userNameKey) : byEmail[0]
  if (sure && !sure.isLinked) return { accountId: sure.id, matchedBy: 'email' }
  if (byUserName && !byUserName.isLinked) return { accountId: byUserName.id, matchedBy: 'user_name' }
  return { accountId: null, matchedBy: 'created' }
}
