import type { Trx } from '../database/connection.ts'
import type { AccountId } from '../database/ids.ts'
import { type AccountUpdate, accountById, updateAccount } from '../organization/accounts.ts'
import { applyOwnersWord, ownership } from './ownership.ts'
import { displayNameOf, provisionedUsersOf, setUserStates } from './users.ts'

/**
 * What an admin changes of a person, with what follows for the users whom directories pushed: a protected account listens to
 * none of them; one whose protection is lifted, or that nobody owned, to the first that pushed it.
 * @throws Refusal `not_found`, `invalid_value`, `user_name_taken`, `managed_by_directory`
 */
export async function updatePerson(trx: Trx, id: AccountId, update: AccountUpdate): Promise<void> {
  const { changed } = await updateAccount(trx, id, update)
  if (!changed || update.isProtected === undefined) return
  const { isProtected, ownedBy } = await accountById(trx, id)
  const [first] = await provisionedUsersOf(trx, id)
  if (!isProtected && ownedBy === null && first) {
    const displayName = displayNameOf(first.input)
    const word = { ownedBy: first.directoryId, active: first.input.active, ...(displayName === null ? {} : { displayName }) }
    await applyOwnersWord(trx, first.directoryId, id, word)
  }
  const owner = ownedBy?.id ?? first?.directoryId ?? null
  await setUserStates(trx, id, (directoryId) => ownership({ isProtected, ownedBy: owner }, directoryId))
}
