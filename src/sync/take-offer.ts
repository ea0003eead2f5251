import type { Trx } from '../database/connection.ts'
import type { ProvisionedGroupId } from '../database/ids.ts'
import { appendLog } from '../organization/log.ts'
import { existingGroupNamed } from '../provisioning/conflict.ts'
import { type DirectoryContext, lockDirectory } from '../provisioning/directories.ts'
import { lockConcerned } from '../provisioning/groups.ts'
import { declineOffers, type Offer, offerOf, takeOffer } from '../provisioning/offers.ts'
import { provisionGroup } from '../provisioning/pairing.ts'

/**
 * The first write to a group that a directory is offered: a pushed group comes to be under that id, with nobody in it yet, to which
 * the write then goes. It awaits review whatever the conflict policy: that refuses who meets a name by chance, and this is no chance.
 * @param nameKeys of names that the write is about besides
 * @returns whether there is one now that was not; what of the existing group counts as pushed is for the caller to say
 */
export async function adoptOffer(
  trx: Trx,
  directory: DirectoryContext,
  id: ProvisionedGroupId,
  nameKeys: readonly string[],
): Promise<boolean> {
  const offer = await lockOffer(trx, directory, id)
  if (offer === undefined) return false
  await lockConcerned(trx, { nameKeys: [offer.nameKey, ...nameKeys] })
  const existing = await existingGroupNamed(trx, offer.nameKey)
  // Renamed, taken over or protected since: no longer offered.
  if (existing?.id !== offer.groupId || existing.managedBy !== null || existing.isProtected) return false
  await takeOffer(trx, directory.id, offer.groupId)
  await provisionGroup(trx, directory.id, { id, name: existing.name, externalId: null }, existing)
  return true
}

/**
 * A deletion of what was only offered: the group never notices, and the id is gone for good (RFC 7644 §3.6).
 * @returns whether it was only offered
 */
export async function declineOffer(trx: Trx, directory: DirectoryContext, id: ProvisionedGroupId): Promise<boolean> {
  const offer = await lockOffer(trx, directory, id)
  if (offer === undefined) return false
  await declineOffers(trx, directory.id, offer)
  await appendLog(trx, {
    action: 'group.offer_declined',
    subject: offer.groupId,
    directoryId: directory.id,
    facts: { name: offer.name, offeredAs: id },
  })
  return true
}

/**
 * Locks the directory of what is only offered, one after the other: of two first writes the second finds the group that the first has
 * made. To be called before pushed groups are locked (rule 12).
 */
export async function lockOffer(trx: Trx, directory: DirectoryContext, id: ProvisionedGroupId): Promise<Offer | undefined> {
  // Looked for before the lock, so that no wrong id makes others wait.
  if (!(await offerOf(trx, directory, id))) return undefined
  await lockDirectory(trx, directory.id)
  return offerOf(trx, directory, id)
}
