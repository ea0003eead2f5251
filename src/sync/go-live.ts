import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { DirectoryId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import { planForSets } from '../database/transaction.ts'
import { Refusal } from '../organization/refusal.ts'
import { lockToDisconnect, observes, setLive } from '../provisioning/directories.ts'
import { heldGroup, lockConcerned } from '../provisioning/groups.ts'
import { settlePairing } from '../provisioning/pairing.ts'
import { goLiveEffect } from '../review/observed.ts'
import { approvalFor } from './approvals.ts'
import { bringPeopleIntoForce } from './people-in-force.ts'
import {
  addReadyGroups,
  type GroupOutcome,
  giveUpRun,
  heldRun,
  insertRun,
  type PendingGroup,
  type RunTerms,
  recordOutcome,
  skipped,
  takePlace,
} from './runs.ts'

interface LiveRequest {
  directory: { id: DirectoryId; name: string }
  /** Of the report that was looked at. */
  fingerprint: string
  note: string | null
}

/**
 * Starts the run in which a directory goes live (behaviour.md, «A directory's life»): its people, then its groups whose names are free; those
 * that conflict are reviewed after. Where it needs approval, nothing is in force until it is approved.
 * @throws Refusal `not_observing`, `run_under_way`, `review_changed`
 */
export async function startGoingLive(
  trx: Trx,
  jobs: Pick<Jobs, 'send'>,
  { directory, fingerprint, note }: LiveRequest,
): Promise<RunId> {
  await lockToDisconnect(trx, directory.id)
  await refuseLive(trx, directory)
  await refuseWhileGoingLive(trx, directory)
  await planForSets(trx)
  const { fingerprint: now, ...foreseen } = await goLiveEffect(trx, directory.id)
  if (now !== fingerprint) throw changed(directory, now)
  const approval = await approvalFor(trx, foreseen)
  const groups = await readyGroups(trx, directory.id)
  const runId = await insertRun(trx, {
    kind: 'go_live',
    directoryId: directory.id,
    choice: 'overwrite',
    acceptIncomplete: true,
    acceptEmpty: true,
    note,
    fingerprint,
    foreseen: { ...foreseen, blocked: 0 },
    approval,
    groups: groups.map((group) => ({ ...group, choice: 'overwrite', expected: { digest: '', lost: [] } })),
  })
  if (approval === null) await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId })
  return runId
}

/**
 * The first step of the run, all in one transaction and once: if going live comes to what was reviewed, the directory is live, and its people
 * are in force. Otherwise it goes on observing, and the run ends. No push is between: those that have found it observing are waited for, and
 * those behind find it live.
 */
export async function goLive(trx: Trx, run: RunTerms): Promise<void> {
  const { isUnderWay, fingerprint } = await heldRun(trx, run.id)
  if (!isUnderWay) return
  const directory = await lockedName(trx, run.directoryId)
  if (!(await observes(trx, run.directoryId))) return
  await planForSets(trx)
  const now = await goLiveEffect(trx, run.directoryId)
  if (now.fingerprint !== fingerprint)
    return giveUpRun(trx, run, 'review_changed', 'What going live comes to has changed since: the directory observes still.')
  await bringPeopleIntoForce(trx, directory)
  await setLive(trx, directory, run.id)
  await addReadyGroups(trx, run)
}

/** A group of a directory that has gone live, whose name was free: judged as if it were pushed now, with all that was pushed of it. */
export async function goLiveGroup(trx: Trx, run: RunTerms, { id }: Pick<PendingGroup, 'id'>): Promise<GroupOutcome | undefined> {
  if (!(await takePlace(trx, run.id, id))) return undefined
  await lockConcerned(trx, { pushedIds: [id] })
  const group = await heldGroup(trx, id).catch((error) => {
    if (error instanceof Refusal && error.code === 'not_found') return undefined
    throw error
  })
  if (group === undefined) return recordOutcome(trx, run.id, id, skipped('gone'))
  if (group.state !== 'ready') return recordOutcome(trx, run.id, id, skipped('not_ready'))
  await settlePairing(trx, group, { runId: run.id })
  const now = await heldGroup(trx, id)
  if (now.state !== 'synced') return recordOutcome(trx, run.id, id, skipped('needs_review'))
  const { member_count } = await trx
    .selectFrom('groups')
    .select('member_count')
    .where('org_id', '=', trx.orgId)
    .where('id', '=', now.groupId)
    .executeTakeFirstOrThrow()
  return recordOutcome(trx, run.id, id, { result: 'synced', reason: null, detail: null, added: member_count, removed: 0 })
}

async function refuseLive(trx: Trx, { id, name }: LiveRequest['directory']): Promise<void> {
  if (await observes(trx, id)) return
  throw new Refusal('not_observing', `${name} is live: what it pushes is in force already.`, { directory: name })
}

async function refuseWhileGoingLive(trx: Trx, { id, name }: LiveRequest['directory']): Promise<void> {
  const { rows } = await sql<{ id: RunId }>`
    select id from runs where org_id = ${trx.orgId} and directory_id = ${id} and finished_at is null limit 1`.execute(trx)
  if (rows[0] === undefined) return
  throw new Refusal('run_under_way', `A run of ${name} has not ended: look at it, and wait for its end or stop it.`, {
    run: rows[0].id,
  })
}

const changed = ({ name }: LiveRequest['directory'], fingerprint: string): Refusal =>
  new Refusal(
    'review_changed',
    `What going live does to access has changed since you looked at the report of ${name}. Nothing was done. Look at it again, then go on with its fingerprint.`,
    { fingerprint },
  )

async function lockedName(trx: Trx, id: DirectoryId): Promise<LiveRequest['directory']> {
  await lockToDisconnect(trx, id)
  return trx
    .selectFrom('directories')
    .select(['id', 'name'])
    .where('org_id', '=', trx.orgId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

async function readyGroups(reader: Reader, directoryId: DirectoryId): Promise<{ id: ProvisionedGroupId; name: string }[]> {
  return reader
    .selectFrom('provisioned_groups')
    .select(['id', 'name'])
    .where('org_id', '=', reader.orgId)
    .where('directory_id', '=', directoryId)
    .where('state', '=', 'ready')
    .orderBy('name_key')
    .execute()
}
