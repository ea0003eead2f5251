import type { Trx } from '../database/connection.ts'
import type { AccountId } from '../database/ids.ts'
import { type AccountUpdate, createAccount, findAccount, updateAccount } from '../organization/accounts.ts'
import { type AskedRights, addAdmin, refuseTouchingAdmin } from '../organization/admins.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Asking } from '../organization/roles.ts'
import { settleOwner } from './ownership.ts'
import { lockUsersOf } from './users.ts'

/**
 * What an admin changes of a person, with what follows for the users whom directories pushed: a protected account listens to
 * none of them; one whose protection is lifted, or that nobody owned, to the first that pushed it.
 * @throws Refusal `not_found`, `invalid_value`, `user_name_taken`, `managed_by_directory`; of who signs in: `protected`, `not_permitted`, `last_owner`
 */
export async function updatePerson(trx: Trx, id: AccountId, update: AccountUpdate, by: Asking): Promise<void> {
  await refuseTouchingAdmin(trx, id, update, by)
  if (update.isProtected !== undefined) await lockUsersOf(trx, id)
  const { changed } = await updateAccount(trx, id, update)
  if (changed && update.isProtected !== undefined) await settleOwner(trx, id)
}

/** Who is to sign in: somebody of the organization, by id, user name or e-mail; or somebody new, by e-mail. */
export interface Invited extends AskedRights {
  person: string
  displayName?: string | null | undefined
}

/**
 * Gives somebody rights in the console. They are protected from then on: no push adopts them or switches them off.
 * @throws Refusal `not_permitted`, `invalid_value`
 */
export async function inviteAdmin(trx: Trx, { person, displayName, ...asked }: Invited, by: Asking): Promise<AccountId> {
  const account = await findAccount(trx, person).catch((error) => newcomer(trx, person, displayName, error))
  await addAdmin(trx, account, asked, by)
  await lockUsersOf(trx, account.id)
  await updateAccount(trx, account.id, { isProtected: true })
  await settleOwner(trx, account.id)
  return account.id
}

async function newcomer(trx: Trx, email: string, displayName: string | null | undefined, error: unknown) {
  if (!(error instanceof Refusal && error.code === 'not_found')) throw error
  if (!/^[^@\s]+@[^@\s]+$/.test(email))
    throw new Refusal('invalid_value', `There is no person "${email}". Invite somebody new by their e-mail.`, { person: email })
  return { id: await createAccount(trx, { userName: email, email, displayName }), userName: email, active: true }
}
