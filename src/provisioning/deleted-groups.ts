import type { Trx } from '../database/connection.ts'
import type { GroupId } from '../database/ids.ts'
import { expiredGroups, lockDeletedGroups, purgeGroups } from '../organization/groups.ts'
import { nameKey } from '../organization/name-key.ts'
import { lockConcerned } from './groups.ts'
import { moveApart, settleNames } from './pairing.ts'

// What becomes of deleted groups (decision 0036), with what follows for pushed groups that were offered them.

const atOnce = 100

/** Deletes for good some of what can be restored no more; a push that was offered it gets its name. @returns whether there may be more */
export async function purgeExpired(trx: Trx): Promise<boolean> {
  const ids = await expiredGroups(trx, atOnce)
  if (ids.length > 0) await purge(trx, ids)
  return ids.length === atOnce
}

async function purge(trx: Trx, ids: readonly GroupId[]): Promise<void> {
  await lockConcerned(trx, { groupIds: ids })
  const locked = await lockDeletedGroups(trx, ids)
  await moveApart(trx, locked)
  const names = await purgeGroups(trx, locked)
  await settleNames(trx, names.map(nameKey))
}
