import type { Trx } from '../database/connection.ts'
import type { GroupId, ProvisionedGroupId } from '../database/ids.ts'
import { findGroup } from '../organization/groups.ts'
import { appendLog } from '../organization/log.ts'
import { heldGroup } from './groups.ts'

interface Pair {
  id: ProvisionedGroupId
  groupId: GroupId
}

/**
 * Remembers that a pushed group and an existing one are not the same: the one is not suggested for the other again. What is so already
 * writes nothing.
 * @throws Refusal `not_found`
 */
export async function rejectSuggestion(trx: Trx, pair: Pair): Promise<void> {
  const facts = await factsOf(trx, pair)
  const { numInsertedOrUpdatedRows: said } = await trx
    .insertInto('not_the_same')
    .values({ org_id: trx.orgId, provisioned_group_id: pair.id, group_id: pair.groupId, said_by: trx.scope.actor })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  if (said) await appendLog(trx, { action: 'suggestion.rejected', subject: pair.id, ...facts })
}

/** Forgets that they are not the same. @throws Refusal `not_found` */
export async function allowSuggestion(trx: Trx, pair: Pair): Promise<void> {
  const facts = await factsOf(trx, pair)
  const { numDeletedRows: forgotten } = await trx
    .deleteFrom('not_the_same')
    .where('org_id', '=', trx.orgId)
    .where('provisioned_group_id', '=', pair.id)
    .where('group_id', '=', pair.groupId)
    .executeTakeFirstOrThrow()
  if (forgotten) await appendLog(trx, { action: 'suggestion.allowed', subject: pair.id, ...facts })
}

async function factsOf(trx: Trx, { id, groupId }: Pair) {
  const [group, existing] = await Promise.all([heldGroup(trx, id), findGroup(trx, groupId)])
  return { directoryId: group.directoryId, facts: { name: group.name, existing: { id: existing.id, name: existing.name } } }
}
