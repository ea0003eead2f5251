import type { Trx } from '../database/connection.ts'
import type { AccountId } from '../database/ids.ts'
import { type AccountUpdate, updateAccount } from '../organization/accounts.ts'
import { settleOwner } from './ownership.ts'
import { lockUsersOf } from './users.ts'

/**
 * What an admin changes of a person, with what follows for the users whom directories pushed: a protected account listens to
 * none of them; one whose protection is lifted, or that nobody owned, to the first that pushed it.
 * @throws Refusal `not_found`, `invalid_value`, `user_name_taken`, `managed_by_directory`
 */
export async function updatePerson(trx: Trx, id: AccountId, update: AccountUpdate): Promise<void> {
  if (update.isProtected !== undefined) await lockUsersOf(trx, id)
  const { changed } = await updateAccount(trx, id, update)
  if (changed && update.isProtected !== undefined) await settleOwner(trx, id)
}
