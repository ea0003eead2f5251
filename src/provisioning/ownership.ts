import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, type DirectoryId, newId } from '../database/ids.ts'
import type { UserReason, UserState } from '../database/tables.ts'
import {
  type AccountFields,
  accountCreated,
  forgetAccounts,
  insertAccounts,
  keyWithin,
  writeAccount,
} from '../organization/accounts.ts'
import { appendLogs, changeOf, type LogEntry } from '../organization/log.ts'
import { nameKey } from '../organization/name-key.ts'
import type { UserInput } from '../scim/resource.ts'
import { holdAll, whySwitchOffWaits } from './guard.ts'
import { endHeldAct, heldActOf, holdAct } from './held-acts.ts'
import { displayNameOf, provisionedUsersOf, type Requests, setUserStates } from './users.ts'

/** An account as it is in force, locked: whose it is does not change until the transaction ends. */
export interface LockedAccount extends Required<AccountFields> {
  id: AccountId
}

/**
 * Locks an account and reads it. What a directory may say of it is decided of what is read here, and of nothing read before.
 * Lock order: provisioned users, then pushed groups, then the account.
 */
export function lockAccountInForce(trx: Trx, accountId: AccountId): Promise<LockedAccount> {
  // One table: after a wait, PostgreSQL answers with the row as its holder left it. Of a joined table it would answer what was before.
  return trx
    .selectFrom('accounts')
    .select([
      'id',
      'user_name as userName',
      'email',
      'display_name as displayName',
      'active',
      'is_protected as isProtected',
      'owned_by as ownedBy',
      'observed_by as observedBy',
    ])
    .where('org_id', '=', trx.orgId)
    .where('id', '=', accountId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
}

/** Locks an account for who deletes a user of it: who is putting it into a group is waited for, and is found to have come too late after. */
export async function lockAccountWhole(trx: Trx, accountId: AccountId): Promise<void> {
  await sql`select from accounts where org_id = ${trx.orgId} and id = ${accountId} for update`.execute(trx)
}

/**
 * What a directory may say of an account: its owner everything; of another directory's account, or a protected one,
 * only memberships count (rule 4). Null is an account that is yet to be created.
 * @param isObserved the directory observes: of an account that is in force it says nothing yet
 */
export function ownership(
  account: Pick<AccountFields, 'isProtected' | 'ownedBy' | 'observedBy'> | null,
  directoryId: DirectoryId,
  isObserved = false,
): { owns: boolean; state: UserState; reasons: UserReason[] } {
  const state = isObserved ? 'ready' : 'synced'
  if (account === null) return { owns: true, state, reasons: [] }
  if (account.isProtected) return { owns: false, state: 'blocked', reasons: ['protected'] }
  if (account.ownedBy !== null && account.ownedBy !== directoryId) return { owns: false, state, reasons: ['managed_elsewhere'] }
  return { owns: !isObserved || account.observedBy === directoryId, state, reasons: [] }
}

/** What a directory says of an account that it owns. */
export type OwnersWord = Partial<Pick<AccountFields, 'userName' | 'email' | 'displayName' | 'active' | 'ownedBy'>>

/** What a directory says of an account that it adopts: never its e-mail or user name (rule 4). Without a name it says nothing of the name. */
export function adoptersWord(directoryId: DirectoryId, input: UserInput): OwnersWord {
  const displayName = displayNameOf(input)
  return { ownedBy: directoryId, active: input.active, ...(displayName === null ? {} : { displayName }) }
}

/** Creates the accounts of people whom a directory pushes and nobody here is; their ids in the same order. `requests`: of each, where they are several. */
export async function createOwnedAccounts(
  trx: Trx,
  accounts: readonly OwnedAccount[],
  requests: Requests = [],
): Promise<AccountId[]> {
  const ids = await insertAccounts(trx, accounts)
  const entries = accounts.map((account, at) => ({
    ...accountCreated(ids[at] as AccountId, account),
    directoryId: account.ownedBy,
    requestId: requests[at],
  }))
  await appendLogs(trx, entries)
  return ids
}

/** What an account is created with whose owner is known. */
export type OwnedAccount = Required<OwnersWord> & { userName: string; ownedBy: DirectoryId; observedBy?: DirectoryId | null }

/**
 * Makes an account what its owner says. Writes and logs what differs only.
 * @param push what a push does by it, where it switches the account off: the guard may have that wait
 */
export async function applyOwnersWord(
  trx: Trx,
  directoryId: DirectoryId,
  have: LockedAccount,
  word: OwnersWord,
  push?: 'switch_off' | 'delete_person',
): Promise<void> {
  const { after } = changeOf<OwnersWord>(have, word)
  const reason =
    push && have.observedBy === null && after.active === false ? await whySwitchOffWaits(trx, directoryId, have.id) : null
  if (push && reason) {
    delete after.active
    await holdAll(trx, reason)
    await holdAct(trx, { directoryId, act: push, accountId: have.id, name: have.userName, reason })
    if (push === 'switch_off') await settleUserStates(trx, { ...have, ...after })
  }
  if (Object.keys(after).length === 0) return
  await writeAccount(trx, have.id, { ...after, observedBy: have.observedBy })
  await appendLogs(trx, accountEntries(directoryId, have, after))
}

/**
 * Settles whose an account is as its owner lets go of it, or as its protection has changed: one that nobody owns goes to the first
 * directory that pushes the person, with what that one says; a protected one stays nobody's. The users' states follow.
 * @param leaving the directory that has deleted its user: if it was the owner and none is next, the account is switched off
 */
export async function settleOwner(trx: Trx, accountId: AccountId, leaving?: DirectoryId): Promise<void> {
  const account = await lockAccountInForce(trx, accountId)
  if (leaving !== undefined && account.ownedBy !== leaving) return
  // It was never in force, and nobody pushes it any more.
  if (account.observedBy !== null) return leaving === undefined ? undefined : forgetAccounts(trx, account.observedBy, [accountId])
  const { isProtected } = account
  let { ownedBy } = account
  if (ownedBy === null || ownedBy === leaving) {
    const [first] = await provisionedUsersOf(trx, accountId)
    const next = isProtected ? undefined : first
    ownedBy = next?.directoryId ?? null
    if (next) {
      const push = leaving === undefined ? undefined : 'switch_off'
      await applyOwnersWord(trx, next.directoryId, account, adoptersWord(next.directoryId, next.input), push)
    } else if (leaving !== undefined) {
      await applyOwnersWord(trx, leaving, account, { ownedBy, ...(isProtected ? {} : { active: false }) }, 'delete_person')
    }
  }
  await settleUserStates(trx, { id: accountId, isProtected, ownedBy })
}

/** Sets what the directories' users of an account are to it: one whose switch-off waits is held. */
export async function settleUserStates(
  trx: Trx,
  { id, ...account }: Pick<LockedAccount, 'id' | 'isProtected' | 'ownedBy'>,
): Promise<void> {
  const held = await heldActOf(trx, id)
  await setUserStates(trx, id, (directoryId, isObserved) => {
    const { state, reasons } = ownership(account, directoryId, isObserved)
    const isHeld = held?.act === 'switch_off' && held.directoryId === directoryId && !held.isRejected
    return isHeld ? { state: 'held', reasons: [...reasons, held.reason] } : { state, reasons }
  })
}

/** Switches an account off, as an admin allowed what a directory had said. The caller holds its lock. */
export async function switchOff(
  trx: Trx,
  directoryId: DirectoryId,
  account: LockedAccount,
  run: Pick<LogEntry, 'runId'>,
): Promise<void> {
  await writeAccount(trx, account.id, { active: false })
  await appendLogs(
    trx,
    accountEntries(directoryId, account, { active: false }).map((entry) => ({ ...entry, ...run })),
  )
}

/** The provider says that a person is active: what waited of them, or was rejected, is no more. */
export async function withdrawSwitchOff(trx: Trx, account: LockedAccount): Promise<void> {
  if (await endHeldAct(trx, { accountId: account.id }, 'removal.withdrawn')) await settleUserStates(trx, account)
}

/** How many numbered names are tried before one that nobody can have. */
const numberedNames = 20

/**
 * The user name that an account can have: as pushed, else `name (directory)`, `name (directory 2)` and so on, because a name that somebody
 * has must not lose what is pushed.
 * @param account whose name it will be: what it has itself is free to it
 * @param within the directory that observes, among whose people it is to be free as well
 */
export async function freeUserName(
  reader: Reader,
  name: string,
  directoryName: string,
  account: AccountId | null = null,
  within: DirectoryId | null = null,
): Promise<string> {
  const names = [
    name,
    `${name} (${directoryName})`,
    ...Array.from({ length: numberedNames }, (_, at) => `${name} (${directoryName} ${at + 2})`),
  ]
  const { rows } = await sql<{ at: number }>`
    select given.at::integer as at from unnest(${names.map(nameKey)}::text[]) with ordinality as given(key, at)
    where not exists (
      select from accounts
      where org_id = ${reader.orgId} and user_name_key in (given.key, ${keyWithin(within, '')} || given.key) and id is distinct from ${account}::uuid
    )
    order by given.at limit 1`.execute(reader)
  return names[(rows[0]?.at ?? 0) - 1] ?? `${name} (${directoryName} ${newId()})`
}

/** What the log says of an account that became what its owner says. */
export function accountEntries(directoryId: DirectoryId, have: LockedAccount, { active, ...described }: OwnersWord): LogEntry[] {
  const entry = (action: LogEntry['action'], want: OwnersWord): LogEntry => ({
    action,
    subject: have.id,
    directoryId,
    facts: { userName: have.userName, ...changeOf<OwnersWord>(have, want) },
  })
  const entries: LogEntry[] = []
  if (Object.keys(described).length > 0) entries.push(entry('account.updated', described))
  if (active !== undefined) entries.push(entry(active ? 'account.switched_on' : 'account.switched_off', { active }))
  return entries
}
