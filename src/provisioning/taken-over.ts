import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import type { GroupState } from '../database/tables.ts'
import { applyingPushed } from '../organization/memberships.ts'
import { Refusal } from '../organization/refusal.ts'
import { follows, lockIfProvisioned, lockProvisionedGroup, pairedWith } from './groups.ts'
import { linkTo } from './linking.ts'
import { linkGroup, unpair } from './pairing.ts'

/**
 * A pushed group takes the place of an old directory's with a group of the organization: that one's claim ends, and where what is pushed is
 * what is in force the group is synced. Otherwise it is up for review. The caller holds what `lockConcerned` locks of both.
 * @returns the state it is in
 */
export async function takeOverPair(
  trx: Trx,
  { id, groupId }: { id: ProvisionedGroupId; groupId: GroupId },
  act: { runId: RunId; directoryId: DirectoryId },
): Promise<GroupState | 'gone'> {
  const group = await lockIfProvisioned(trx, act.directoryId, id)
  if (group === undefined) return 'gone'
  if (follows(group.state) || group.state === 'ignored') return group.state
  for (const old of await pairedWith(trx, [groupId]))
    if (old.id !== id && old.directoryId !== act.directoryId)
      await unpair(trx, await lockProvisionedGroup(trx, old.directoryId, old.id), false)
  // Of the same name it is with the group already: that name is judged afresh as the old one goes.
  const now = await linkTo(trx, await lockProvisionedGroup(trx, act.directoryId, id), groupId, { runId: act.runId }).catch(
    (error) => {
      if (error instanceof Refusal) return undefined
      throw error
    },
  )
  if (now === undefined) return 'blocked'
  if (now.state !== 'needs_review') return now.state
  const existing = await trx
    .selectFrom('groups')
    .select(['name', 'add_count', 'remove_count'])
    .where('org_id', '=', trx.orgId)
    .where('id', '=', groupId)
    .executeTakeFirstOrThrow()
  if (existing.add_count + existing.remove_count > 0) return 'needs_review'
  const facts = { name: now.name, choice: 'overwrite' }
  // Nobody comes or goes: there is nothing to apply, and the caller records what became of it.
  const members = applyingPushed(trx, groupId, false, { action: 'members.changed', ...act, facts })
  await linkGroup(trx, { ...now, existingName: existing.name }, { ...act, facts }, { members, record: sql`select 1` })
  return 'synced'
}
