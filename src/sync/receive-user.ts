import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId, ProvisionedUserId } from '../database/ids.ts'
import { appendLog } from '../organization/log.ts'
import { setPushedOf } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import type { DirectoryContext } from '../provisioning/directories.ts'
import { type Match, matchAccount } from '../provisioning/matching.ts'
import { applyOwnersWord, createOwnedAccount, type OwnersWord, ownership } from '../provisioning/ownership.ts'
import { resolveUnknownMembers } from '../provisioning/unknown-members.ts'
import {
  deleteProvisionedUser,
  displayNameOf,
  emailOf,
  insertProvisionedUser,
  isUserNameProvisioned,
  lockProvisionedUser,
  type ProvisionedUser,
  updateProvisionedUser,
} from '../provisioning/users.ts'
import type { UserInput } from '../scim/resource.ts'

/**
 * A directory pushes a person it has not pushed before: matched to an account, or given a new one (behaviour.md, «People»).
 * @throws Refusal `user_name_taken` where the directory has a user of that name, `invalid_value` outside its e-mail domains
 */
export async function receiveNewUser(trx: Trx, directory: DirectoryContext, input: UserInput): Promise<ProvisionedUserId> {
  mustBeInDomains(directory, input)
  const [isTaken, match] = await Promise.all([
    isUserNameProvisioned(trx, directory.id, input.userName),
    matchAccount(trx, directory.id, { userName: input.userName, email: emailOf(input) }),
  ])
  if (isTaken) throw userNameTaken(input.userName)
  const { owns, state, reasons } = ownership(match.account, directory.id)
  const accountId = match.account?.id ?? (await createAccount(trx, directory, input, match))
  const id = await insertProvisionedUser(trx, {
    directoryId: directory.id,
    input,
    accountId,
    matchedBy: match.matchedBy,
    state,
    reasons,
  })
  await appendLog(trx, {
    action: 'user.provisioned',
    subject: id,
    directoryId: directory.id,
    facts: { userName: input.userName, accountId, matchedBy: match.matchedBy, state, reasons },
  })
  if (match.account && owns) await own(trx, directory.id, match.account, input)
  const waiting = await resolveUnknownMembers(trx, directory.id, [
    id,
    input.userName,
    ...(input.externalId === null ? [] : [input.externalId]),
  ])
  if (waiting.length > 0)
    await setPushedOf(trx, accountId, true, waiting, {
      action: 'members.pushed',
      directoryId: directory.id,
      facts: { user: input.userName },
    })
  return id
}

/**
 * A directory changes a person: what it says is stored; profile and `active` take effect where it owns the account.
 * What changes nothing writes nothing.
 * @param change PUT ignores what stands, PATCH builds on it
 */
export async function receiveUser(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedUserId,
  change: (current: UserInput) => UserInput,
): Promise<{ changed: boolean }> {
  const user = await lockProvisionedUser(trx, directory.id, id)
  const input = change(user.input)
  if (isDeepStrictEqual(input, user.input)) return { changed: false }
  mustBeInDomains(directory, input)
  const isRenamed = nameKey(input.userName) !== nameKey(user.input.userName)
  if (isRenamed && (await isUserNameProvisioned(trx, directory.id, input.userName))) throw userNameTaken(input.userName)
  await updateProvisionedUser(trx, id, input)
  await appendLog(trx, {
    action: 'user.updated',
    subject: id,
    directoryId: directory.id,
    facts: { userName: input.userName, accountId: user.accountId, changed: changedKeys(user.input, input), active: input.active },
  })
  if (ownership(user.account, directory.id).owns)
    await applyOwnersWord(trx, directory.id, user.accountId, { ...profileOf(user, input), ownedBy: directory.id })
  return { changed: true }
}

/** A directory deletes a person: out of every group it pushed them into, and the account is switched off where the directory owns it. */
export async function receiveUserDeletion(trx: Trx, directory: DirectoryContext, id: ProvisionedUserId): Promise<void> {
  const user = await lockProvisionedUser(trx, directory.id, id)
  const groups = await pushedGroupsOf(trx, directory.id, user.accountId)
  await setPushedOf(trx, user.accountId, false, groups, {
    action: 'members.pushed',
    directoryId: directory.id,
    facts: { user: user.input.userName, deleted: true },
  })
  await deleteProvisionedUser(trx, id)
  // The log keeps what the provider said, so that the person can be restored.
  await appendLog(trx, {
    action: 'user.deleted',
    subject: id,
    directoryId: directory.id,
    facts: { accountId: user.accountId, ...user.input },
  })
  if (user.account.ownedBy === directory.id && !user.account.isProtected) {
    await applyOwnersWord(trx, directory.id, user.accountId, { active: false, ownedBy: null })
  }
}

function createAccount(trx: Trx, directory: DirectoryContext, input: UserInput, match: Match): Promise<AccountId> {
  const userName = match.isUserNameTaken ? `${input.userName} (${directory.name})` : input.userName
  const account = {
    userName,
    email: emailOf(input),
    displayName: displayNameOf(input),
    active: input.active,
    ownedBy: directory.id,
  }
  return createOwnedAccount(trx, account)
}

/** Adopting an account never changes its e-mail or user name (rule 4). */
function own(
  trx: Trx,
  directoryId: DirectoryId,
  account: { id: AccountId; displayName: string | null },
  input: UserInput,
): Promise<void> {
  const displayName = displayNameOf(input) ?? account.displayName
  return applyOwnersWord(trx, directoryId, account.id, { ownedBy: directoryId, active: input.active, displayName })
}

function profileOf(user: ProvisionedUser, input: UserInput): OwnersWord {
  const displayName = displayNameOf(input) ?? user.account.displayName
  // An account that the push created is the push's own; an adopted one keeps the identifiers it came with.
  if (user.matchedBy !== 'created') return { active: input.active, displayName }
  const isRenamed = nameKey(input.userName) !== nameKey(user.input.userName)
  return { active: input.active, displayName, email: emailOf(input), ...(isRenamed ? { userName: input.userName } : {}) }
}

async function pushedGroupsOf(
  trx: Trx,
  directoryId: DirectoryId,
  accountId: AccountId,
): Promise<{ groupId: GroupId; follow: boolean }[]> {
  const { rows } = await sql<{ groupId: GroupId; follow: boolean }>`
    select p.group_id as "groupId", p.state in ('synced', 'held') as follow
    from memberships m
    join provisioned_groups p on p.org_id = m.org_id and p.group_id = m.group_id
    where m.org_id = ${trx.orgId} and m.account_id = ${accountId} and m.pushed and p.directory_id = ${directoryId}
    order by p.id
    for update of p`.execute(trx)
  return rows
}

function mustBeInDomains(directory: DirectoryContext, input: UserInput): void {
  if (directory.emailDomains.length === 0) return
  const email = emailOf(input)
  const domain = email?.split('@').at(-1)?.toLowerCase()
  if (domain !== undefined && directory.emailDomains.some((allowed) => allowed.toLowerCase() === domain)) return
  throw new Refusal(
    'invalid_value',
    `The directory ${directory.name} may push people of ${directory.emailDomains.join(', ')} only. Change the person's e-mail, or the directory's e-mail domains.`,
  )
}

const userNameTaken = (userName: string) =>
  new Refusal(
    'user_name_taken',
    `Resource [USER] with userName "${userName}" already exists. Find it with GET /Users?filter=userName eq "…" and update it, or push another user name.`,
    { userName },
  )

function changedKeys(before: UserInput, after: UserInput): string[] {
  const keys = new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)])
  const changed = [...keys].filter((key) => !isDeepStrictEqual(before.attributes[key], after.attributes[key]))
  return before.active === after.active ? changed : [...changed.filter((key) => key !== 'active'), 'active']
}
