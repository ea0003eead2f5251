import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId, ProvisionedUserId } from '../database/ids.ts'
import { appendLog, changeOf } from '../organization/log.ts'
import { pushedOf } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { type DirectoryContext, observes } from '../provisioning/directories.ts'
import { followsIn, touchGroupsOf } from '../provisioning/groups.ts'
import { asOneRequest, pushMemberships } from '../provisioning/guard.ts'
import { heldActOf } from '../provisioning/held-acts.ts'
import { countNewcomers, matchAccount } from '../provisioning/matching.ts'
import { forgetDirectMember, joinDirectly } from '../provisioning/nesting.ts'
import {
  adoptersWord,
  applyOwnersWord,
  createOwnedAccounts,
  freeUserName,
  lockAccountInForce,
  lockAccountWhole,
  type OwnedAccount,
  type OwnersWord,
  ownership,
  settleOwner,
  withdrawSwitchOff,
} from '../provisioning/ownership.ts'
import { type Awaiting, resolveUnknownMembers } from '../provisioning/unknown-members.ts'
import {
  deleteProvisionedUser,
  displayNameOf,
  emailOf,
  isUserNameProvisioned,
  lockProvisionedUser,
  lockUsersOf,
  type ProvisionedUser,
  provisionUsers,
  type Requests,
  updateProvisionedUser,
} from '../provisioning/users.ts'
import type { UserInput } from '../scim/resource.ts'
import { type Condition, mustMeet } from './condition.ts'

/**
 * A directory pushes a person it has not pushed before: matched to an account, or given a new one (behaviour.md, «People»).
 * Groups that were pushed with the person's user name or external id as an unknown member have the person from now on; a push
 * names its members by id, and no name in it is looked up.
 * @throws Refusal `user_name_taken` where the directory has a user of that name, `invalid_value` outside its e-mail domains
 */
export async function receiveNewUser(trx: Trx, directory: DirectoryContext, input: UserInput): Promise<ProvisionedUserId> {
  mustBeInDomains(directory, input)
  const [newcomer] = await receiveNewcomers(trx, directory, [input])
  if (newcomer !== undefined) return newcomer
  const [isTaken, match, isObserved] = await Promise.all([
    isUserNameProvisioned(trx, directory.id, input.userName),
    matchAccount(trx, directory.id, { userName: input.userName, email: emailOf(input) }),
    observes(trx, directory.id),
  ])
  if (isTaken) throw userNameTaken(input.userName)
  const awaiting = await resolveUnknownMembers(trx, directory.id, namesOf(input))
  const account = match.accountId === null ? null : await lockAccountInForce(trx, match.accountId)
  const { owns, state, reasons } = ownership(account, directory.id, isObserved)
  const accountId = account?.id ?? (await createAccount(trx, directory, input, isObserved))
  const { matchedBy } = match
  const [id] = await provisionUsers(trx, [{ directoryId: directory.id, input, accountId, matchedBy, state, reasons }])
  if (account && owns) {
    if (input.active) await withdrawSwitchOff(trx, account)
    await applyOwnersWord(trx, directory.id, account, adoptersWord(directory.id, input), 'switch_off')
  }
  await joinGroups(trx, directory, accountId, awaiting, input)
  return id as ProvisionedUserId
}

/**
 * A directory pushes people one after the other. Those of them, from the first on, whom nobody here knows and no group awaits are received
 * in a few statements for all, as `receiveNewUser` would each; the first who needs a closer look ends them.
 * @param requests of each, where they are several requests'
 * @returns the users of those who were received
 */
export async function receiveNewcomers(
  trx: Trx,
  directory: DirectoryContext,
  inputs: readonly UserInput[],
  requests: Requests = [],
): Promise<ProvisionedUserId[]> {
  const people = inputs.map((input) => ({ ...input, email: emailOf(input) }))
  const stranger = inputs.findIndex((input) => !isInDomains(directory, input))
  const [count, isObserved] = await Promise.all([
    countNewcomers(trx, directory.id, stranger < 0 ? people : people.slice(0, stranger)),
    observes(trx, directory.id),
  ])
  if (count === 0) return []
  const newcomers = inputs.slice(0, count)
  const accountIds = await createOwnedAccounts(
    trx,
    newcomers.map((input) => ownedAccount(directory, input, input.userName, isObserved)),
    requests,
  )
  return provisionUsers(
    trx,
    newcomers.map((input, at) => ({
      directoryId: directory.id,
      input,
      accountId: accountIds[at] as AccountId,
      matchedBy: 'created' as const,
      ...ownership(null, directory.id, isObserved),
    })),
    requests,
  )
}

/**
 * A directory changes a person: what it says is stored; profile and `active` take effect where it owns the account.
 * Groups that were pushed with the new user name or external id as an unknown member have the person from now on.
 * What changes nothing writes nothing.
 * @param change PUT ignores what stands, PATCH builds on it
 * @param condition of the user's version, under its lock
 * @throws Refusal `not_found`, `version_changed`, `user_name_taken`, `invalid_value` where a new e-mail is outside the directory's domains
 */
export async function receiveUser(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedUserId,
  change: (current: UserInput) => UserInput,
  condition?: Condition,
): Promise<{ changed: boolean }> {
  const user = await lockProvisionedUser(trx, directory.id, id)
  mustMeet(condition, user)
  const input = change(user.input)
  if (isDeepStrictEqual(input, user.input)) return { changed: false }
  const isSwitchedOff = user.input.active && !input.active
  // Whoever was pushed before the domains were narrowed can still be changed, and nothing stands in the way of switching off.
  if (!isSwitchedOff && emailOf(input) !== emailOf(user.input)) mustBeInDomains(directory, input)
  const isRenamed = nameKey(input.userName) !== nameKey(user.input.userName)
  if (isRenamed && (await isUserNameProvisioned(trx, directory.id, input.userName))) throw userNameTaken(input.userName)
  await updateProvisionedUser(trx, id, input)
  await appendLog(trx, {
    action: 'user.updated',
    subject: id,
    directoryId: directory.id,
    facts: {
      userName: input.userName,
      accountId: user.accountId,
      changed: changedKeys(user.input, input),
      ...inputChange(user.input, input),
    },
  })
  const names = namesOf(input).filter((name) => !namesOf(user.input).includes(name))
  const awaiting = names.length === 0 ? [] : await resolveUnknownMembers(trx, directory.id, names)
  await joinGroups(trx, directory, user.accountId, awaiting, input)
  const account = await lockAccountInForce(trx, user.accountId)
  // Of a user that was ready as it was locked, whatever has become of the directory since it was asked.
  if (ownership(account, directory.id, user.state === 'ready').owns) {
    if (input.active && !user.input.active) await withdrawSwitchOff(trx, account)
    const word = await wordOf(trx, directory, user, input)
    // Only a new word decides of what waits, or was rejected.
    const saysAgain = account.active && !input.active && !user.input.active && (await heldActOf(trx, account.id)) !== undefined
    await applyOwnersWord(trx, directory.id, account, saysAgain ? { ...word, active: true } : word, 'switch_off')
  }
  return { changed: true }
}

/**
 * A directory deletes a person: out of every group it pushed them into. Where it owns the account, the next directory that pushes the
 * person does from now on; if there is none, the account is switched off.
 * @throws Refusal `not_found`, `version_changed`
 */
export async function receiveUserDeletion(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedUserId,
  condition?: Condition,
): Promise<void> {
  await lockUsersOf(trx, id)
  const user = await lockProvisionedUser(trx, directory.id, id)
  mustMeet(condition, user)
  const groups = await lockPushedGroupsOf(trx, directory.id, user.accountId)
  await forgetDirectMember(trx, directory.id, user.accountId)
  const { observedBy } = await lockAccountInForce(trx, user.accountId)
  const leave = () => setMemberships(trx, directory, user.accountId, false, groups, { user: user.input.userName, deleted: true })
  // An account that is only observed goes with its user.
  if (observedBy !== null) await leave()
  await deleteProvisionedUser(trx, id)
  // The log keeps what the provider said, so that the person can be restored.
  const { input, accountId, matchedBy, state, reasons } = user
  await appendLog(trx, {
    action: 'user.deleted',
    subject: id,
    directoryId: directory.id,
    facts: { userName: input.userName, accountId, before: { ...input, accountId, matchedBy, state, reasons } },
  })
  // First whether the person is switched off: who is has nothing that could be taken, and where that waits, so does the rest.
  await settleOwner(trx, user.accountId, directory.id)
  if (observedBy === null) await asOneRequest(trx, leave)
}

/** Makes the account of a person whom a directory pushes and nobody here is. */
export async function createAccount(
  trx: Trx,
  directory: DirectoryContext,
  input: UserInput,
  isObserved: boolean,
): Promise<AccountId> {
  const userName = await freeUserName(trx, input.userName, directory.name, null, isObserved ? directory.id : null)
  const [id] = await createOwnedAccounts(trx, [ownedAccount(directory, input, userName, isObserved)])
  return id as AccountId
}

const ownedAccount = (directory: DirectoryContext, input: UserInput, userName: string, isObserved: boolean): OwnedAccount => ({
  userName,
  email: emailOf(input),
  displayName: displayNameOf(input),
  active: input.active,
  ownedBy: directory.id,
  ...(isObserved ? { observedBy: directory.id } : {}),
})

async function wordOf(trx: Trx, directory: DirectoryContext, user: ProvisionedUser, input: UserInput): Promise<OwnersWord> {
  const word = adoptersWord(directory.id, input)
  // An account that the push created is the push's own; an adopted one keeps the identifiers it came with.
  if (user.matchedBy !== 'created') return word
  const isRenamed = nameKey(input.userName) !== nameKey(user.input.userName)
  return {
    ...word,
    ...(isInDomains(directory, input) ? { email: emailOf(input) } : {}),
    ...(isRenamed ? { userName: await freeUserName(trx, input.userName, directory.name, user.accountId, directory.id) } : {}),
  }
}

/** What a provider may have called a person whom it had not pushed yet. An id it has from us, so that one is never unknown. */
export const namesOf = (input: UserInput): string[] => [input.userName, ...(input.externalId === null ? [] : [input.externalId])]

/** The person comes into groups that were pushed with a name of theirs. */
export async function joinGroups(
  trx: Trx,
  directory: DirectoryContext,
  accountId: AccountId,
  awaiting: readonly Awaiting[],
  { userName }: UserInput,
): Promise<void> {
  const [nested, others] = [awaiting.filter((group) => group.isNested), awaiting.filter((group) => !group.isNested)]
  await setMemberships(trx, directory, accountId, true, others, { user: userName })
  if (nested.length === 0) return
  await joinDirectly(
    trx,
    directory.id,
    nested.map((group) => group.id),
    accountId,
  )
  await touchGroupsOf(
    trx,
    nested.map((group) => group.groupId),
  )
}

/** The person comes into pushed groups, or leaves them: another version of each, as after a push of its own. */
async function setMemberships(
  trx: Trx,
  directory: DirectoryContext,
  accountId: AccountId,
  pushed: boolean,
  groups: { groupId: GroupId; follow: boolean }[],
  facts: Record<string, unknown>,
): Promise<void> {
  if (groups.length === 0) return
  await pushMemberships(trx, directory.id, pushedOf(accountId, pushed, groups), facts)
  await touchGroupsOf(
    trx,
    groups.map((group) => group.groupId),
  )
}

/** Locks the groups that a person was pushed into, for good: nobody puts them into another one until the transaction ends. */
export async function lockPushedGroupsOf(
  trx: Trx,
  directoryId: DirectoryId,
  accountId: AccountId,
): Promise<{ groupId: GroupId; follow: boolean }[]> {
  const groups = sql`
    from memberships m
    join provisioned_groups p on p.org_id = m.org_id and p.group_id = m.group_id
    where m.org_id = ${trx.orgId} and m.account_id = ${accountId} and p.directory_id = ${directoryId}`
  const lockGroups = () =>
    sql`
    select from provisioned_groups where org_id = ${trx.orgId} and id = any(array(select p.id ${groups}))
    order by id for update`.execute(trx)
  // Statements of their own, each of which sees what was waited for before it: those whom a push is putting the person into are known once
  // the account is locked, since the foreign key of each new membership holds it; and a group may have been linked to another one.
  const [, , , { rows }] = await Promise.all([
    lockGroups(),
    lockAccountWhole(trx, accountId),
    lockGroups(),
    sql<{ groupId: GroupId; follow: boolean }>`
      select p.group_id as "groupId", ${followsIn('p.state')} as follow ${groups} and m.pushed`.execute(trx),
  ])
  return rows
}

function isInDomains({ emailDomains }: DirectoryContext, input: UserInput): boolean {
  const domain = emailOf(input)?.split('@').at(-1)?.toLowerCase()
  return emailDomains.length === 0 || (domain !== undefined && emailDomains.includes(domain))
}

function mustBeInDomains(directory: DirectoryContext, input: UserInput): void {
  if (isInDomains(directory, input)) return
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

/** What the provider says otherwise: of its attributes those that differ, one that is not there left out. */
function inputChange({ attributes: had, ...before }: UserInput, { attributes, ...after }: UserInput) {
  const change = changeOf(before, after)
  const { before: gone, after: come } = changeOf({ ...absent(attributes), ...had }, { ...absent(had), ...attributes })
  if (Object.keys(come).length === 0) return change
  return { before: { ...change.before, attributes: present(gone) }, after: { ...change.after, attributes: present(come) } }
}

const absent = (attributes: Record<string, unknown>) => Object.fromEntries(Object.keys(attributes).map((key) => [key, null]))
const present = (attributes: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null))

function changedKeys(before: UserInput, after: UserInput): string[] {
  const keys = new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)])
  const changed = [...keys].filter((key) => !isDeepStrictEqual(before.attributes[key], after.attributes[key]))
  return before.active === after.active ? changed : [...changed.filter((key) => key !== 'active'), 'active']
}
