import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, ProvisionedUserId } from '../database/ids.ts'
import { adoptAccounts, bringAccountsIntoForce, writeAccount } from '../organization/accounts.ts'
import { appendLogs, changeOf } from '../organization/log.ts'
import { matchAccount } from '../provisioning/matching.ts'
import { accountEntries, adoptersWord, freeUserName, type OwnersWord } from '../provisioning/ownership.ts'
import {
  emailOf,
  lockProvisionedUser,
  lockReadyUsers,
  type ReadyUser,
  readyUsersToAdopt,
  settleReadyUsers,
} from '../provisioning/users.ts'
import { moveUser } from './link-person.ts'

/**
 * The people of a directory that goes live: the accounts that it alone has come into force, those that nobody owns are its own and are what
 * it says, and its users are ready no more. Somebody who has come to be here meanwhile is met as if they were pushed now.
 * The caller holds the directory's lock.
 */
export async function bringPeopleIntoForce(trx: Trx, directory: { id: DirectoryId; name: string }): Promise<void> {
  await lockReadyUsers(trx, directory.id)
  await meetNewcomers(trx, directory)
  while (await bringAccountsIntoForce(trx, directory.id));
  for (let after: ProvisionedUserId | null = null; ; ) {
    const users: ReadyUser[] = await readyUsersToAdopt(trx, directory.id, after)
    const last = users.at(-1)
    if (last === undefined) break
    await adopt(trx, directory.id, users)
    after = last.id
  }
  while (await settleReadyUsers(trx, directory.id));
}

async function adopt(trx: Trx, directoryId: DirectoryId, users: readonly ReadyUser[]): Promise<void> {
  const adopted = users.map(({ input, account }) => ({
    account,
    after: changeOf<OwnersWord>(account, adoptersWord(directoryId, input)).after,
  }))
  await adoptAccounts(
    trx,
    directoryId,
    adopted.map(({ account, after }) => ({ id: account.id, ...after })),
  )
  await appendLogs(
    trx,
    adopted.flatMap(({ account, after }) => accountEntries(directoryId, account, after)),
  )
}

// Few: who has a name of somebody whom the directory foresees, or was made while it observed and has their e-mail.
async function meetNewcomers(trx: Trx, directory: { id: DirectoryId; name: string }): Promise<void> {
  const { id, name } = directory
  const { rows } = await sql<{ id: ProvisionedUserId; accountId: AccountId; userName: string; isMet: boolean }>`
    select u.id, a.id as "accountId", a.user_name as "userName", coalesce(x.is_later or y.is_later, false) as "isMet" from accounts a
    join provisioned_users u on u.org_id = a.org_id and u.account_id = a.id and u.directory_id = ${id}
    left join lateral (
      select bool_or(created_at > a.created_at) as is_later from accounts
      where org_id = ${trx.orgId} and user_name_key = substr(a.user_name_key, ${sql.lit(afterPrefix)}) having count(*) > 0
    ) x on true
    left join lateral (
      select true as is_later from accounts
      where org_id = ${trx.orgId} and email_key = substr(a.email_key, ${sql.lit(afterPrefix)}) and created_at > a.created_at limit 1
    ) y on true
    where a.org_id = ${trx.orgId} and a.observed_by = ${id} and (x.is_later is not null or y.is_later)
    order by u.id`.execute(trx)
  for (const { id: userId, accountId, userName, isMet } of rows) {
    const user = await lockProvisionedUser(trx, id, userId)
    const person = { userName: user.input.userName, email: emailOf(user.input) }
    const match = isMet ? await matchAccount(trx, id, person, accountId) : undefined
    if (match?.accountId) await moveUser(trx, directory, user, match.accountId, match.matchedBy)
    else {
      const free = await freeUserName(trx, userName, name, accountId, id)
      if (free !== userName) await writeAccount(trx, accountId, { userName: free, observedBy: id })
    }
  }
}

// `keyWithin`: a UUID and a colon.
const afterPrefix = 38
