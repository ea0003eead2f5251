import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { GroupId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { changingGroup } from '../organization/groups.ts'
import { type Act, type LogEntry, logging } from '../organization/log.ts'
import { type ProvisionedGroup, settingState } from './groups.ts'

interface Place {
  state: GroupState
  reasons: GroupReason[]
  groupId?: GroupId
}

/** Moves a pushed group to a state, with the transition in the log. What is so already writes nothing. */
export async function setState(trx: Trx, group: ProvisionedGroup, to: Place, act?: Omit<Act, 'action'>): Promise<void> {
  const { state, reasons, groupId = group.groupId } = to
  if (group.state === state && group.groupId === groupId && same(group.reasons, reasons)) return
  await sql`
    with placed as (${settingState(trx, group.id, { state, reasons, groupId })})
    ${logging(trx, [stateChanged(group, to, act)])}`.execute(trx)
}

/**
 * Links a pushed group with the group it is paired with, which has the name `existingName`: its directory manages it, what is pushed is in
 * force, the name's spelling included.
 */
export async function linkGroup(
  trx: Trx,
  group: ProvisionedGroup & { existingName: string },
  act: Omit<Act, 'action'>,
): Promise<void> {
  const { id, name, existingName, directoryId, groupId } = group
  const linked = { state: 'synced', reasons: [], groupId } satisfies Place
  const facts = { before: existingName, after: name }
  const renamed: LogEntry = { action: 'group.renamed', subject: groupId, directoryId, ...act, facts }
  await sql`
    with managed as (${changingGroup(trx, groupId, { managedBy: directoryId, name })}),
    placed as (${settingState(trx, id, linked)})
    ${logging(trx, [...(existingName === name ? [] : [renamed]), stateChanged(group, linked, act)])}`.execute(trx)
}

function stateChanged(group: ProvisionedGroup, to: Place, act: Omit<Act, 'action'> | undefined): LogEntry {
  const { id, name, directoryId, state, reasons, groupId } = group
  return {
    action: 'group.state_changed',
    subject: id,
    directoryId,
    ...act,
    facts: {
      name,
      groupId: to.groupId ?? groupId,
      from: { state, reasons },
      to: { state: to.state, reasons: to.reasons },
      ...act?.facts,
    },
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((reason, index) => reason === b[index])
