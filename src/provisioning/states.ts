import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { GroupId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { changingGroup, groupRestored } from '../organization/groups.ts'
import { type Act, changeOf, type LogEntry, logging } from '../organization/log.ts'
import type { ApplyingPushed } from '../organization/memberships.ts'
import { type ProvisionedGroup, settingState } from './groups.ts'

/** What becomes of a pushed group. What is not said stays. */
export interface Place {
  state: GroupState
  reasons: GroupReason[]
  groupId?: GroupId
  isLinked?: boolean
  keepsName?: boolean
}

/** Moves a pushed group to a state, with the transition in the log. What is so already writes nothing. */
export async function setState(trx: Trx, group: ProvisionedGroup, to: Place, act?: Omit<Act, 'action'>): Promise<void> {
  const { state, reasons, groupId, isLinked, keepsName } = { ...group, ...to }
  if (group.state === state && group.groupId === groupId && same(group.reasons, reasons))
    if (group.isLinked === isLinked && group.keepsName === keepsName) return
  await sql`
    with placed as (${settingState(trx, group.id, { state, reasons, groupId, isLinked, keepsName })})
    ${logging(trx, [stateChanged(group, to, act)])}`.execute(trx)
}

/**
 * Links a pushed group with the group it is paired with, which has the name `existingName`: its directory manages it, what is pushed is in
 * force, the name's spelling included. One that was deleted is in force again, with the grants it had. The name itself is followed if
 * `takesName`; if it is not, and not settled, it waits.
 * @param along what is written by the same statement: the members, and what else is to be so exactly when this is
 * @returns how many members came and went
 */
export async function setLinked(
  trx: Trx,
  group: ProvisionedGroup & { existingName: string },
  takesName: boolean,
  act: Omit<Act, 'action'>,
  { members, record }: Along,
): Promise<{ added: number; removed: number }> {
  const { id, name, existingName, directoryId, groupId } = group
  const placed = { state: 'synced', reasons: takesName || group.keepsName ? [] : ['name_taken'] } satisfies Place
  const about = { subject: groupId, directoryId, ...act }
  const isRenamed = takesName && existingName !== name
  const renamed: LogEntry = { ...about, action: 'group.renamed', facts: changeOf({ name: existingName }, { name }) }
  const managed: LogEntry = {
    ...about,
    action: 'group.managed',
    facts: { name: existingName, before: { managedBy: null }, after: { managedBy: directoryId } },
  }
  const restored = group.reasons.includes('deleted_before')
    ? [{ ...about, ...(await groupRestored(trx, groupId, existingName)) }]
    : []
  const fields = { managedBy: directoryId, effective: true, ...(isRenamed ? { name } : {}) }
  const { rows } = await sql<{ added: number; removed: number }>`
    with ${members.written},
    managed as (${changingGroup(trx, groupId, fields, members.counts)}),
    placed as (${settingState(trx, id, { ...group, ...placed })}),
    recorded as (${record}),
    logged as (${logging(trx, [...restored, ...(isRenamed ? [renamed] : []), managed, stateChanged(group, placed, act)], members.logged)})
    select cardinality(added) as added, cardinality(removed) as removed from changed`.execute(trx)
  const [change] = rows
  if (change === undefined) throw new Error('What was changed is one row.')
  return change
}

/** What is written with a link, by one statement. */
export interface Along {
  members: ApplyingPushed
  record: RawBuilder<unknown>
}

function stateChanged(group: ProvisionedGroup, to: Place, act: Omit<Act, 'action'> | undefined): LogEntry {
  const { id, name, directoryId } = group
  // Whole before and after, not what differs alone: who reads of a state wants its reasons.
  const before = placeOf(group)
  const after = placeOf({ ...group, ...to })
  return { action: 'group.state_changed', subject: id, directoryId, ...act, facts: { name, before, after, ...act?.facts } }
}

const placeOf = ({ state, reasons, groupId, isLinked, keepsName }: Required<Place>): Required<Place> => ({
  state,
  reasons,
  groupId,
  isLinked,
  keepsName,
})

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((reason, index) => reason === b[index])
