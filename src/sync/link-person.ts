import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId, ProvisionedUserId } from '../database/ids.ts'
import type { MatchedBy } from '../database/tables.ts'
import { forgetAccounts, handOverAccounts } from '../organization/accounts.ts'
import { pushedOf, writePushed } from '../organization/memberships.ts'
import { Refusal } from '../organization/refusal.ts'
import type { DirectoryContext } from '../provisioning/directories.ts'
import { touchGroupsOf } from '../provisioning/groups.ts'
import { settleHeld } from '../provisioning/guard.ts'
import { forgetDirectMember, joinDirectly, namedIn } from '../provisioning/nesting.ts'
import { adoptersWord, applyOwnersWord, lockAccountInForce, ownership } from '../provisioning/ownership.ts'
import {
  lockProvisionedUser,
  lockUsersOf,
  nextOwners,
  type ProvisionedUser,
  provisionedUsersOf,
  setAccountOf,
  takeOverUsers,
} from '../provisioning/users.ts'
import { createAccount, lockPushedGroupsOf } from './receive-user.ts'

type LinkingDirectory = Pick<DirectoryContext, 'id' | 'name'>

/**
 * An admin says who a pushed user is (behaviour.md, «Probably the same»): what the directory pushed of the person moves to that account,
 * memberships too, so that open reviews shrink. An account that the push had made is switched off, or never was; one that it had
 * matched stays as it is, and is let go of.
 * @throws Refusal `not_found`, `person_linked` where another user of the directory is that account
 */
export async function linkPerson(
  trx: Trx,
  directory: LinkingDirectory,
  id: ProvisionedUserId,
  accountId: AccountId,
): Promise<{ changed: boolean }> {
  await lockUsersOf(trx, accountId)
  const user = await lockProvisionedUser(trx, directory.id, id)
  if (user.accountId === accountId) return { changed: false }
  await refuseLinked(trx, directory, accountId)
  await moveUser(trx, directory, user, accountId, 'person')
  return { changed: true }
}

/**
 * An admin says that a pushed user is nobody who was here: the person gets an account of their own. Of one that has that already it is noted,
 * and nobody is taken for the same any more.
 * @throws Refusal `not_found`
 */
export async function separatePerson(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedUserId,
): Promise<{ changed: boolean }> {
  await lockUsersOf(trx, id)
  const user = await lockProvisionedUser(trx, directory.id, id)
  if (user.matchedBy === 'created') {
    await setAccountOf(trx, directory.id, user, { ...user, matchedBy: 'person' })
    return { changed: true }
  }
  if (await isAlone(trx, directory.id, user)) return { changed: false }
  const accountId = await createAccount(trx, directory, user.input, user.state === 'ready')
  await moveUser(trx, directory, user, accountId, 'person')
  return { changed: true }
}

/** Moves a user to another account, with the memberships that the directory pushed of them. The users of both accounts are locked. */
export async function moveUser(
  trx: Trx,
  directory: LinkingDirectory,
  user: ProvisionedUser,
  to: AccountId,
  matchedBy: MatchedBy,
): Promise<void> {
  const from = user.accountId
  const facts = { user: user.input.userName, from, to }
  const groups = await lockPushedGroupsOf(trx, directory.id, from)
  const named = await namedIn(trx, directory.id, from)
  await forgetDirectMember(trx, directory.id, from)
  await moveMemberships(trx, directory.id, from, false, groups, facts)
  const account = await lockAccountInForce(trx, to)
  const isObserved = user.state === 'ready'
  const { owns, state, reasons } = ownership(account, directory.id, isObserved)
  await setAccountOf(trx, directory.id, user, { accountId: to, matchedBy, state, reasons })
  if (named.length > 0) await joinDirectly(trx, directory.id, named, to)
  await moveMemberships(trx, directory.id, to, true, groups, facts)
  if (owns) await applyOwnersWord(trx, directory.id, account, adoptersWord(directory.id, user.input))
  if (user.matchedBy === 'created' && (await provisionedUsersOf(trx, from)).length === 0) await leave(trx, directory.id, from)
  else await letGoOf(trx, directory.id, from)
}

// An admin's act and no push: the guard is not asked.
async function moveMemberships(
  trx: Trx,
  directoryId: DirectoryId,
  accountId: AccountId,
  pushed: boolean,
  groups: { groupId: GroupId; follow: boolean }[],
  facts: Record<string, unknown>,
): Promise<void> {
  if (groups.length === 0) return
  const change = await writePushed(trx, pushedOf(accountId, pushed, groups), { action: 'members.changed', directoryId, facts })
  await settleHeld(trx, change.waits)
  await touchGroupsOf(
    trx,
    groups.map((group) => group.groupId),
  )
}

/** An account that the push had made is nobody's, and has no more access; one that was only foreseen never was. */
async function leave(trx: Trx, directoryId: DirectoryId, accountId: AccountId): Promise<void> {
  const account = await lockAccountInForce(trx, accountId)
  if (account.observedBy !== null) return forgetAccounts(trx, account.observedBy, [accountId])
  await applyOwnersWord(trx, directoryId, account, { ownedBy: null, ...(account.isProtected ? {} : { active: false }) })
}

/** An account that was another person's stays as it is, and is the next directory's, or nobody's. */
async function letGoOf(trx: Trx, directoryId: DirectoryId, accountId: AccountId): Promise<void> {
  await takeOverUsers(trx, await handOverAccounts(trx, directoryId, await nextOwners(trx, [accountId])))
}

async function refuseLinked(trx: Trx, directory: LinkingDirectory, accountId: AccountId): Promise<void> {
  const { rows } = await sql<{ userName: string }>`
    select user_name as "userName" from provisioned_users
    where org_id = ${trx.orgId} and directory_id = ${directory.id} and account_id = ${accountId}`.execute(trx)
  if (rows[0] === undefined) return
  throw new Refusal(
    'person_linked',
    `${directory.name} has pushed that person already, as "${rows[0].userName}". Separate them first, or link another person.`,
    { userName: rows[0].userName },
  )
}

// Said by a person before, of an account that nobody had before this push: there is nothing to separate from.
async function isAlone(trx: Trx, directoryId: DirectoryId, user: ProvisionedUser): Promise<boolean> {
  if (user.matchedBy !== 'person') return false
  const { rows } = await sql`
    select from log_entries l
    where l.org_id = ${trx.orgId} and l.subject = ${user.accountId} and l.action = 'account.created' and l.directory_id = ${directoryId}
    limit 1`.execute(trx)
  return rows.length > 0
}
