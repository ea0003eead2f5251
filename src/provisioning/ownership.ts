import type { Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId } from '../database/ids.ts'
import type { UserReason, UserState } from '../database/tables.ts'
import { type AccountFields, insertAccount, writeAccount } from '../organization/accounts.ts'
import { appendLog, appendLogs, type LogEntry } from '../organization/log.ts'
import type { Candidate } from './matching.ts'

/**
 * What a directory may say of an account: its owner everything; of another directory's account, or a protected one,
 * only memberships count (rule 4).
 */
export function ownership(
  account: Pick<Candidate, 'isProtected' | 'ownedBy'> | null,
  directoryId: DirectoryId,
): { owns: boolean; state: UserState; reasons: UserReason[] } {
  if (account === null) return { owns: true, state: 'synced', reasons: [] }
  if (account.isProtected) return { owns: false, state: 'blocked', reasons: ['protected'] }
  if (account.ownedBy !== null && account.ownedBy !== directoryId)
    return { owns: false, state: 'synced', reasons: ['managed_elsewhere'] }
  return { owns: true, state: 'synced', reasons: [] }
}

/** What a directory says of an account that it owns. */
export type OwnersWord = Partial<Pick<AccountFields, 'userName' | 'email' | 'displayName' | 'active' | 'ownedBy'>>

/** Creates the account of a person whom a directory pushes and nobody here is. */
export async function createOwnedAccount(trx: Trx, account: Required<OwnersWord> & { ownedBy: DirectoryId }): Promise<AccountId> {
  const id = await insertAccount(trx, account)
  await appendLog(trx, { action: 'account.created', subject: id, directoryId: account.ownedBy, facts: account })
  return id
}

/** Makes an account what its owner says. Writes and logs what differs only. */
export async function applyOwnersWord(trx: Trx, directoryId: DirectoryId, accountId: AccountId, word: OwnersWord): Promise<void> {
  const have = await trx
    .selectFrom('accounts')
    .select(['user_name as userName', 'email', 'display_name as displayName', 'active', 'owned_by as ownedBy'])
    .where('org_id', '=', trx.orgId)
    .where('id', '=', accountId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const changed = (Object.keys(word) as (keyof OwnersWord)[]).filter(
    (field) => word[field] !== undefined && word[field] !== have[field],
  )
  if (changed.length === 0) return
  await writeAccount(trx, accountId, Object.fromEntries(changed.map((field) => [field, word[field]])))
  await appendLogs(trx, entriesOf(directoryId, accountId, have, word, changed))
}

function entriesOf(
  directoryId: DirectoryId,
  accountId: AccountId,
  have: Required<OwnersWord>,
  word: OwnersWord,
  changed: (keyof OwnersWord)[],
): LogEntry[] {
  const described = changed.filter((field) => field !== 'active')
  const of = (from: OwnersWord) => Object.fromEntries(described.map((field) => [field, from[field]]))
  const entries: LogEntry[] = []
  if (described.length > 0) {
    entries.push({ action: 'account.updated', subject: accountId, directoryId, facts: { before: of(have), after: of(word) } })
  }
  if (changed.includes('active')) {
    entries.push({ action: word.active ? 'account.switched_on' : 'account.switched_off', subject: accountId, directoryId })
  }
  return entries
}
