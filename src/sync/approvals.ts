import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId, type ProvisionedGroupId, type RunId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import type { RunKind, RunState } from '../database/tables.ts'
import { planForSets } from '../database/transaction.ts'
import { thisOrganization } from '../organization/organizations.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Chosen } from '../review/differences.ts'
import { type Effect, effectOf, effectOfProposed } from '../review/effect.ts'
import { heldOf, heldUnitsOf } from '../review/held.ts'
import { goLiveEffect } from '../review/observed.ts'
import { type Cut, restoreOf } from '../review/restore.ts'
import { noSuchRun, recordDecision } from './runs.ts'

/** Whether what takes this needs a second person in the organization, and how long it waits for one; null: it goes on at once. */
export async function approvalFor(reader: Reader, { access }: Pick<Effect, 'access'>): Promise<{ expiresHours: number } | null> {
  const { peopleLosing, expiresHours } = (await thisOrganization(reader)).approval
  return peopleLosing !== null && access.peopleLosing > peopleLosing ? { expiresHours } : null
}

/**
 * Approves a run that somebody else asked for. What it comes to is computed again: if it is what was asked for, the run goes on as any.
 * @throws Refusal `not_found`, `not_awaiting_approval`, `not_permitted` for one's own, `review_changed`
 */
export async function approveRun(trx: Trx, jobs: Pick<Jobs, 'send'>, id: string, comment: string | null): Promise<RunId> {
  const run = await lockAwaiting(trx, id)
  refuseOwn(trx, run)
  await planForSets(trx)
  const effect = run.kind === 'go_live' ? await goLiveEffect(trx, run.directoryId) : await effectNow(trx, run.id)
  if (effect.fingerprint !== run.fingerprint) {
    throw new Refusal(
      'review_changed',
      'What this run comes to has changed since it was asked for. Nothing was done, and it is not approved. Reject it; whoever wants it looks again and asks again.',
      { fingerprint: effect.fingerprint, effect },
    )
  }
  await recordDecision(trx, [run.id], 'approved', comment)
  await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId: run.id })
  return run.id
}

/** Ends a run that somebody else asked for, and says why. @throws Refusal `not_found`, `not_awaiting_approval`, `not_permitted` for one's own */
export async function rejectRun(trx: Trx, id: string, comment: string): Promise<RunId> {
  const run = await lockAwaiting(trx, id)
  refuseOwn(trx, run)
  await recordDecision(trx, [run.id], 'rejected', comment)
  return run.id
}

/** Ends a run that one asked for oneself. @throws Refusal `not_found`, `not_awaiting_approval`, `not_permitted` for another's */
export async function withdrawRun(trx: Trx, id: string, comment: string | null): Promise<RunId> {
  const run = await lockAwaiting(trx, id)
  if (run.createdBy !== trx.scope.actor)
    throw new Refusal('not_permitted', `${run.createdBy} asked for this run and may withdraw it. Reject it instead.`)
  await recordDecision(trx, [run.id], 'withdrawn', comment)
  return run.id
}

const atOnce = 100

/** Ends runs that nobody approved in time, some at once. @returns whether there may be more */
export async function expireApprovals(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ id: RunId }>`
    select id from runs
    where org_id = ${trx.orgId} and finished_at is null and state = 'awaiting_approval' and approval_expires_at <= now()
    order by id limit ${atOnce} for no key update skip locked`.execute(trx)
  if (rows.length === 0) return false
  await recordDecision(
    trx,
    rows.map(({ id }) => id),
    'expired',
  )
  return rows.length === atOnce
}

interface Awaiting {
  id: RunId
  kind: RunKind
  directoryId: DirectoryId
  createdBy: string
  fingerprint: string
}

async function lockAwaiting(trx: Trx, id: string): Promise<Awaiting> {
  const { rows } = await sql<Awaiting & { state: RunState; isTooLate: boolean }>`
    select id, kind, directory_id as "directoryId", created_by as "createdBy", fingerprint, state, approval_expires_at <= now() as "isTooLate" from runs
    where org_id = ${trx.orgId} and id = ${isId(id) ? id : null}::uuid for no key update`.execute(trx)
  const [run] = rows
  if (run === undefined) throw noSuchRun()
  if (run.state !== 'awaiting_approval')
    throw new Refusal('not_awaiting_approval', `This run does not wait for approval: it is ${run.state}.`, { state: run.state })
  if (run.isTooLate)
    throw new Refusal('not_awaiting_approval', 'Nobody approved this run in time: it has expired. Look again, and ask again.', {
      state: 'expired' satisfies RunState,
    })
  return run
}

function refuseOwn(trx: Trx, { createdBy }: Awaiting): void {
  if (createdBy !== trx.scope.actor) return
  throw new Refusal('not_permitted', 'You asked for this run: somebody else approves or rejects it. You may withdraw it.')
}

/** What a run that was stored comes to now: the groups that were reviewed, each as chosen. Those that were settled have nothing expected. */
async function effectNow(trx: Trx, id: RunId): Promise<Effect> {
  const { rows } = await sql<Chosen & { groupId: ProvisionedGroupId; name: string; cut: string | null }>`
    select unit_id as "groupId", name, choice, link_to as "linkTo", new_name as "newName", people, cut::text from run_groups
    where org_id = ${trx.orgId} and run_id = ${id} and expected::jsonb ->> 'digest' <> '' order by position`.execute(trx)
  const cuts = rows.flatMap(({ groupId, cut }): Cut[] =>
    cut === null ? [] : [{ groupId: groupId as string as GroupId, entry: cut }],
  )
  if (cuts.length > 0) return effectOfProposed(trx, restoreOf(trx, cuts))
  if (rows[0]?.choice === 'allow')
    return effectOfProposed(trx, heldOf(trx, heldUnitsOf(rows.map(({ groupId, ...row }) => ({ id: groupId, ...row })))))
  const choices = new Map(
    rows.map(({ groupId, choice, linkTo, newName, people }): [ProvisionedGroupId, Chosen] => [
      groupId,
      { choice, linkTo: linkTo ?? undefined, newName: newName ?? undefined, people: people ?? undefined },
    ]),
  )
  return effectOf(trx, [...choices.keys()], choices)
}
