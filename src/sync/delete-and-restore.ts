import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { GroupId } from '../database/ids.ts'
import { type DeletedGroup, membersAtDeletion } from '../organization/deleted-groups.ts'
import { Refusal } from '../organization/refusal.ts'
import { lockToRestore, restoreGroup } from '../provisioning/deleted-groups.ts'
import { deleteGroup } from '../provisioning/existing-groups.ts'
import { lockConcerned } from '../provisioning/groups.ts'
import { membersInForce, type ThroughGroup, throughGroup } from '../review/through-group.ts'

// An admin deletes a group, or brings a deleted one back: what that would come to, and the act, which is refused where it would come to
// something else than was shown.

/** What deleting a group would take. */
export const deletionOf = (reader: Reader, { id }: { id: GroupId }): Promise<ThroughGroup> =>
  throughGroup(reader, id, membersInForce(reader, id))

/** What restoring a deleted group would give. */
export const restorationOf = (reader: Reader, { id }: { id: GroupId }): Promise<ThroughGroup> =>
  throughGroup(reader, id, membersAtDeletion(reader, id))

/**
 * Deletes a group, with members and grants; it can be restored for 30 days.
 * @param fingerprint of what was shown; undefined: whatever it takes
 * @throws Refusal `review_changed`, `managed_by_directory`, `protected`
 */
export async function deleteAsShown(trx: Trx, group: { id: GroupId; name: string }, fingerprint?: string): Promise<void> {
  if (fingerprint !== undefined) {
    await lockConcerned(trx, { groupIds: [group.id] })
    await lockMembers(trx, group.id)
    mustBeAsShown(
      await deletionOf(trx, group),
      fingerprint,
      `"${group.name}" changed while you were looking. Nothing was deleted.`,
    )
  }
  await deleteGroup(trx, group.id)
}

/**
 * Restores a deleted group, as it was.
 * @param as another name
 * @throws Refusal `review_changed`, `name_taken`, `not_found`
 */
export async function restoreAsShown(trx: Trx, group: DeletedGroup, fingerprint: string, as?: string): Promise<void> {
  await lockToRestore(trx, group, as)
  mustBeAsShown(
    await restorationOf(trx, group),
    fingerprint,
    `What "${group.name}" would give is another thing by now. Nothing was restored.`,
  )
  await restoreGroup(trx, group, as)
}

function mustBeAsShown(now: ThroughGroup, shown: string, why: string): void {
  if (now.fingerprint === shown) return
  const { fingerprint, ...effect } = now
  throw new Refusal('review_changed', `${why} Look at the new figures, then go on with their fingerprint.`, {
    fingerprint,
    effect,
  })
}

// Two groups that each keep the other's access alive are not deleted at once, each in reliance on the other. In id order (rule 12).
async function lockMembers(trx: Trx, id: GroupId): Promise<void> {
  await sql`
    select from groups where org_id = ${trx.orgId} and id = ${id} for no key update`.execute(trx)
  await sql`
    select from accounts where org_id = ${trx.orgId} and id = any(array(${membersInForce(trx, id)}))
    order by id for no key update`.execute(trx)
}
