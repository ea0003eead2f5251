import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, DirectoryId } from '../database/ids.ts'
import type { MatchedBy } from '../database/tables.ts'
import { nameKey } from '../organization/name-key.ts'

/** What the organization has for a person whom a provider pushes. */
export interface Match {
  /** Null where nobody fits: an account is created. */
  account: Candidate | null
  matchedBy: MatchedBy
  /** Whether an account of the same user name stands already, so that a new one needs another name. */
  isUserNameTaken: boolean
}

export interface Candidate {
  id: AccountId
  userNameKey: string
  emailKey: string | null
  displayName: string | null
  active: boolean
  isProtected: boolean
  ownedBy: DirectoryId | null
  /** Whether a user of this directory is this account already. */
  isLinked: boolean
}

/**
 * Finds the account of a pushed person: by e-mail, then by user name (behaviour.md, «People»).
 * An e-mail that several accounts have says nothing, unless one of them has the user name too.
 */
export async function matchAccount(
  reader: Reader,
  directoryId: DirectoryId,
  person: { userName: string; email: string | null },
): Promise<Match> {
  const userNameKey = nameKey(person.userName)
  const emailKey = person.email === null ? null : nameKey(person.email)
  const { rows } = await sql<Candidate>`
    with named as (
      select * from accounts where org_id = ${reader.orgId} and user_name_key = ${userNameKey}
      union
      select * from accounts where org_id = ${reader.orgId} and email_key = ${emailKey}
    )
    select id, user_name_key as "userNameKey", email_key as "emailKey", display_name as "displayName", active,
      is_protected as "isProtected", owned_by as "ownedBy",
      exists (
        select from provisioned_users
        where org_id = ${reader.orgId} and directory_id = ${directoryId} and account_id = named.id
      ) as "isLinked"
    from named limit 50`.execute(reader)
  return choose(rows, userNameKey, emailKey)
}

function choose(candidates: Candidate[], userNameKey: string, emailKey: string | null): Match {
  const byUserName = candidates.find((candidate) => candidate.userNameKey === userNameKey)
  const isUserNameTaken = byUserName !== undefined
  const free = candidates.filter((candidate) => !candidate.isLinked)
  const byEmail = free.filter((candidate) => emailKey !== null && candidate.emailKey === emailKey)
  const sure = byEmail.length > 1 ? byEmail.filter((candidate) => candidate.userNameKey === userNameKey) : byEmail
  if (sure[0]) return { account: sure[0], matchedBy: 'email', isUserNameTaken }
  if (byUserName && !byUserName.isLinked) return { account: byUserName, matchedBy: 'user_name', isUserNameTaken }
  return { account: null, matchedBy: 'created', isUserNameTaken }
}
