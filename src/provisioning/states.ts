import type { Trx } from '../database/connection.ts'
import type { GroupId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { changeGroup } from '../organization/groups.ts'
import { type Act, appendLog } from '../organization/log.ts'
import { type ProvisionedGroup, setProvisionedGroupState } from './groups.ts'

/** Moves a pushed group to a state, with the transition in the log. What is so already writes nothing. */
export async function setState(
  trx: Trx,
  group: ProvisionedGroup,
  to: { state: GroupState; reasons: GroupReason[]; groupId?: GroupId },
  act?: Omit<Act, 'action'>,
): Promise<void> {
  const groupId = to.groupId ?? group.groupId
  if (group.state === to.state && group.groupId === groupId && same(group.reasons, to.reasons)) return
  await setProvisionedGroupState(trx, group.id, { state: to.state, reasons: to.reasons, groupId })
  await appendLog(trx, {
    action: 'group.state_changed',
    subject: group.id,
    directoryId: group.directoryId,
    ...act,
    facts: {
      name: group.name,
      groupId,
      from: { state: group.state, reasons: group.reasons },
      to: { state: to.state, reasons: to.reasons },
      ...act?.facts,
    },
  })
}

/** Links a pushed group with the group it is paired with: its directory manages it, what is pushed is in force, the name's spelling included. */
export async function linkGroup(trx: Trx, group: ProvisionedGroup, act?: Omit<Act, 'action'>): Promise<void> {
  const before = await changeGroup(trx, group.groupId, { managedBy: group.directoryId, name: group.name })
  if (before !== group.name) {
    const facts = { before, after: group.name }
    await appendLog(trx, { action: 'group.renamed', subject: group.groupId, directoryId: group.directoryId, ...act, facts })
  }
  await setState(trx, group, { state: 'synced', reasons: [] }, act)
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((reason, index) => reason === b[index])
