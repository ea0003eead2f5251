import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, type DirectoryId, type GroupId, newId } from '../database/ids.ts'
import type { HeldAct, HeldReason } from '../database/tables.ts'
import { stillWaits } from '../organization/held-sql.ts'
import { type Act, appendLog, appendLogs } from '../organization/log.ts'

// The only writer of held_acts: switch-offs and deletions that a push asked for and the guard has wait (decision 0044).

/** Whose removal waits: an account, or a group. */
type Of = { accountId: AccountId } | { groupId: GroupId }

/** Has an act wait. A new word of the provider's takes the place of one that waited, or was rejected. */
export async function holdAct(
  trx: Trx,
  { directoryId, act, name, reason, ...of }: Of & { directoryId: DirectoryId; act: HeldAct; name: string; reason: HeldReason },
): Promise<void> {
  const [account, group] = idsOf(of)
  await sql`
    with replaced as (delete from held_acts where org_id = ${trx.orgId} and ${about(of)})
    insert into held_acts (org_id, id, directory_id, act, account_id, group_id, name, reason)
    values (${trx.orgId}, ${newId()}, ${directoryId}, ${act}, ${account}, ${group}, ${name}, ${reason})`.execute(trx)
  await appendLog(trx, { action: 'removal.held', subject: account ?? group, directoryId, facts: { act, name, reason } })
}

/** What waits of an account, or was rejected; undefined where nothing does. */
export async function heldActOf(
  reader: Reader,
  accountId: AccountId,
): Promise<{ directoryId: DirectoryId; act: HeldAct; reason: HeldReason; isRejected: boolean } | undefined> {
  const { rows } = await sql<{ directoryId: DirectoryId; act: HeldAct; reason: HeldReason; isRejected: boolean }>`
    select directory_id as "directoryId", act, reason, is_rejected as "isRejected" from held_acts
    where org_id = ${reader.orgId} and account_id = ${accountId}`.execute(reader)
  return rows[0]
}

/** How many deletions of people and groups wait: what the directory pushed of them is gone already. */
export async function heldDeletions(reader: Reader, directoryId: DirectoryId): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from held_acts h
    where org_id = ${reader.orgId} and directory_id = ${directoryId} and act <> 'switch_off' and not is_rejected and ${stillWaits(reader)}`.execute(
    reader,
  )
  return rows[0]?.count ?? 0
}

/** A directory is disconnected: what it asked for and waits is nobody's word any more. */
export async function forgetHeldActs(trx: Trx, directoryId: DirectoryId): Promise<void> {
  await sql`delete from held_acts where org_id = ${trx.orgId} and directory_id = ${directoryId}`.execute(trx)
}

/** Something else decides: the provider says otherwise, or what waited is done. @returns whether anything waited, or was rejected */
export async function endHeldAct(
  trx: Trx,
  of: Of,
  how: 'removal.allowed' | 'removal.withdrawn',
  run: Pick<Act, 'runId'> = {},
): Promise<boolean> {
  const { rows } = await sql<{ directoryId: DirectoryId; act: HeldAct; name: string; reason: HeldReason }>`
    delete from held_acts where org_id = ${trx.orgId} and ${about(of)}
    returning directory_id as "directoryId", act, name, reason`.execute(trx)
  const [account, group] = idsOf(of)
  await appendLogs(
    trx,
    rows.map(({ directoryId, ...facts }) => ({ action: how, subject: account ?? group, directoryId, ...run, facts })),
  )
  return rows.length > 0
}

/** An admin says no: what was to be done is not done, until the provider says otherwise. */
export async function rejectHeldAct(trx: Trx, of: Of, run: Pick<Act, 'runId'>): Promise<void> {
  const { rows } = await sql<{ directoryId: DirectoryId; act: HeldAct; name: string; reason: HeldReason }>`
    update held_acts set is_rejected = true where org_id = ${trx.orgId} and ${about(of)} and not is_rejected
    returning directory_id as "directoryId", act, name, reason`.execute(trx)
  const [account, group] = idsOf(of)
  await appendLogs(
    trx,
    rows.map(({ directoryId, ...facts }) => ({
      action: 'removal.rejected' as const,
      subject: account ?? group,
      directoryId,
      ...run,
      facts,
    })),
  )
}

const idsOf = (of: Of): [AccountId | null, GroupId | null] => ('accountId' in of ? [of.accountId, null] : [null, of.groupId])

const about = (of: Of) => ('accountId' in of ? sql`account_id = ${of.accountId}` : sql`group_id = ${of.groupId}`)
