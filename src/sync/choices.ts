import type { Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, RunId } from '../database/ids.ts'
import { applyPushed, type MembershipChange } from '../organization/memberships.ts'
import type { ProvisionedGroup } from '../provisioning/groups.ts'
import { linkGroup } from '../provisioning/pairing.ts'

/** What can be chosen to become of a pushed group whose name a group of the organization has. */
export const choices = ['overwrite'] as const
export type Choice = (typeof choices)[number]

/** A pushed group as a choice acts on it: under lock, itself and the group it is paired with. */
export type LockedPair = ProvisionedGroup & { existingName: string }

/** In whose name a choice acts. */
export interface RunAct {
  runId: RunId
  directoryId: DirectoryId
}

/** What each choice does to a group, in the transaction that holds its locks. One row a choice. */
export const acts: Record<Choice, (trx: Trx, group: LockedPair, act: RunAct) => Promise<MembershipChange>> = { overwrite }

/** The group becomes exactly the pushed one, linked. */
async function overwrite(trx: Trx, group: LockedPair, { runId, directoryId }: RunAct): Promise<MembershipChange> {
  const facts = { name: group.name, choice: 'overwrite' satisfies Choice }
  // Sent together: neither reads what the other writes.
  const [change] = await Promise.all([
    applyPushed(trx, group.groupId satisfies GroupId, { action: 'members.changed', directoryId, runId, facts }),
    linkGroup(trx, group, { runId, directoryId, facts: { choice: 'overwrite' satisfies Choice } }),
  ])
  return change
}
