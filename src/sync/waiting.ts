import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import type { Jobs } from '../database/jobs.ts'
import type { HeldAct } from '../database/tables.ts'
import { planForSets } from '../database/transaction.ts'
import { stillWaits } from '../organization/held-sql.ts'
import { appendLog } from '../organization/log.ts'
import { applyHeld, applyHeldOf, keepHeld, keepHeldOf } from '../organization/memberships.ts'
import { Refusal } from '../organization/refusal.ts'
import { deleteGroup } from '../provisioning/existing-groups.ts'
import { heldGroup, lockConcerned } from '../provisioning/groups.ts'
import { settleHeld } from '../provisioning/guard.ts'
import { endHeldAct, rejectHeldAct } from '../provisioning/held-acts.ts'
import { lockAccountInForce, settleUserStates, switchOff } from '../provisioning/ownership.ts'
import { lockUsersOf } from '../provisioning/users.ts'
import { accessEffects } from '../review/access-effects.ts'
import { type Effect, effectOfProposed } from '../review/effect.ts'
import type { Expectation } from '../review/expected-in-run.ts'
import { type HeldSelection, type HeldUnit, heldOf, heldUnits } from '../review/held.ts'
import { approvalFor } from './approvals.ts'
import { type GroupOutcome, insertRun, type PendingGroup, type RunTerms, recordOutcome, skipped, takePlace } from './runs.ts'
import { isForeseen } from './sync-group.ts'

/** What becomes of what waits: it is done, or it is kept as it is until the provider says otherwise. */
export const heldDecisions = ['allow', 'reject'] as const
export type HeldDecision = (typeof heldDecisions)[number]

/** What allowing this would come to. @throws Refusal `not_found`, `nothing_to_sync` */
export async function heldEffect(reader: Reader, directoryId: DirectoryId, selection: HeldSelection): Promise<Effect> {
  return effectOfProposed(reader, heldOf(reader, await heldUnits(reader, directoryId, selection)))
}

/**
 * Starts the run that allows or rejects what waits, as it was shown. Rejecting takes nothing from anybody, and needs nobody's approval.
 * @throws Refusal as `heldEffect`; `review_changed` where it comes to something else than `fingerprint` says
 */
export async function decideHeld(
  trx: Trx,
  jobs: Pick<Jobs, 'send'>,
  asked: {
    directoryId: DirectoryId
    decision: HeldDecision
    selection: HeldSelection
    fingerprint: string
    note: string | null
  },
): Promise<RunId> {
  await planForSets(trx)
  const { directoryId, decision, selection, note } = asked
  const units = await heldUnits(trx, directoryId, selection)
  const effect = await effectOfProposed(trx, heldOf(trx, units))
  const { fingerprint, ...foreseen } = effect
  if (fingerprint !== asked.fingerprint)
    throw new Refusal(
      'review_changed',
      'What waits has changed while you were looking. Nothing was decided. Look at the new figures, then go on with their fingerprint.',
      { fingerprint, effect },
    )
  const expected = await expectedOf(trx, units)
  const approval = decision === 'allow' ? await approvalFor(trx, effect) : null
  const runId = await insertRun(trx, {
    kind: 'held',
    directoryId,
    choice: decision,
    acceptIncomplete: true,
    acceptEmpty: true,
    note,
    fingerprint,
    foreseen: { ...foreseen, blocked: 0 },
    approval,
    groups: units.map(({ id, name, people }) => ({
      // Its place in a run is by what waits itself.
      id: id as ProvisionedGroupId,
      name,
      choice: decision,
      people: people ?? undefined,
      expected: expected.get(id) ?? { digest: '', lost: [] },
    })),
  })
  if (approval === null) await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId })
  return runId
}

/**
 * What allowing each comes to, with all of them counted as allowed: which members come and go, SHA-256 in hex; what is gone then,
 * `account:role`. Of a person or a group that waits as a whole, what it takes says it all: its memberships may end before by another of the run.
 */
async function expectedOf(reader: Reader, units: readonly HeldUnit[]): Promise<Map<string, Expectation>> {
  const rows = await inHashes(
    reader,
    sql<Expectation & { id: string }>`
    with ${accessEffects(reader, heldOf(reader, units))},
    met as (
      select id, account_id, group_id, gives, null as lost from changing where id not in (select id from acts)
      union all select id, null, null, null, null from selected
      union all select id, null, null, null, account_id || ':' || role_id from weighed where lost and not gives
    )
    select id, coalesce(array_agg(distinct lost order by lost) filter (where lost is not null), '{}') as lost,
      encode(sha256(convert_to(concat_ws('|', 'muster.held.1', id,
        string_agg(account_id || ' ' || group_id || case when gives then '+' else '-' end, ',' order by account_id, group_id)), 'UTF8')), 'hex') as digest
    from met group by id`,
  )
  return new Map(rows.map(({ id, ...expected }) => [id, expected]))
}

/**
 * One unit of a run over what waits, all of it in this transaction: if it comes to what was foreseen, and takes nothing now that was not, it is
 * done, with the log and the run's cursor.
 * @param isLast nothing else of the run is left that could give what it takes
 * @returns as `syncGroup`
 */
export async function decideOne(
  trx: Trx,
  run: RunTerms,
  unit: Pick<PendingGroup, 'id' | 'choice' | 'people'>,
  isLast = false,
): Promise<GroupOutcome | 'later' | undefined> {
  const { id, people = null } = unit
  const place = await lockPlace(trx, id)
  const foreseen = await takePlace(trx, run.id, id)
  if (foreseen === undefined) return undefined
  if (place === undefined) return recordOutcome(trx, run.id, id, skipped('gone'))
  const act = { runId: run.id, directoryId: run.directoryId }
  const now = (await expectedOf(trx, [{ id, name: '', people }])).get(id)
  if (now?.digest !== foreseen.digest) return recordOutcome(trx, run.id, id, skipped('review_changed'))
  // What it takes may rest on something else of the run, which gives it.
  if (unit.choice === 'allow' && !isForeseen(foreseen, now))
    return isLast ? recordOutcome(trx, run.id, id, skipped('review_changed')) : 'later'
  const change = await (unit.choice === 'allow' ? allow : reject)(trx, place, people, act)
  return recordOutcome(trx, run.id, id, { result: 'synced', reason: null, detail: null, ...change })
}

/** What is left of a run over what waits, in one transaction. */
export async function decideTogether(
  trx: Trx,
  run: RunTerms,
  units: readonly PendingGroup[],
): Promise<Map<ProvisionedGroupId, GroupOutcome>> {
  const outcomes = new Map<ProvisionedGroupId, GroupOutcome>()
  for (const unit of units) {
    const outcome = await decideOne(trx, run, unit, true)
    if (outcome !== undefined && outcome !== 'later') outcomes.set(unit.id, outcome)
  }
  return outcomes
}

type Place =
  | { kind: 'members'; id: ProvisionedGroupId; groupId: GroupId; name: string }
  | { kind: 'person'; accountId: AccountId; directoryId: DirectoryId }
  | { kind: 'group'; groupId: GroupId }

/** Finds out what a unit is about and locks it, and who would go; undefined where it waits no more. In the one order of locks (rule 12). */
async function lockPlace(trx: Trx, id: ProvisionedGroupId): Promise<Place | undefined> {
  const { rows } = await sql<{ act: HeldAct; accountId: AccountId | null; groupId: GroupId | null; directoryId: DirectoryId }>`
    select act, account_id as "accountId", group_id as "groupId", directory_id as "directoryId" from held_acts
    where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
  const [held] = rows
  if (held?.accountId) {
    await lockUsersOf(trx, held.accountId)
    await sql`
      select from provisioned_groups where org_id = ${trx.orgId} and group_id = any(array(
        select group_id from memberships where org_id = ${trx.orgId} and account_id = ${held.accountId} and waiting = 'held'))
      order by id for no key update`.execute(trx)
    const { active, isProtected, ownedBy } = await lockAccountInForce(trx, held.accountId)
    const isOthers = isProtected || (ownedBy !== null && ownedBy !== held.directoryId)
    if (!active || isOthers || !(await waitsStill(trx, id))) return undefined
    return { kind: 'person', accountId: held.accountId, directoryId: held.directoryId }
  }
  if (held?.groupId) {
    await lockConcerned(trx, { groupIds: [held.groupId] })
    return (await waitsStill(trx, id)) ? { kind: 'group', groupId: held.groupId } : undefined
  }
  await sql`select from provisioned_groups where org_id = ${trx.orgId} and id = ${id} for no key update`.execute(trx)
  const group = await heldGroup(trx, id).catch((error) => {
    if (error instanceof Refusal) return undefined
    throw error
  })
  if (group === undefined) return undefined
  await sql`select from groups where org_id = ${trx.orgId} and id = ${group.groupId} for no key update`.execute(trx)
  await sql`
    select from accounts where org_id = ${trx.orgId} and id = any(array(
      select account_id from memberships where org_id = ${trx.orgId} and group_id = ${group.groupId} and waiting = 'held' and not pushed))
    order by id for no key update`.execute(trx)
  return { kind: 'members', id, groupId: group.groupId, name: group.name }
}

async function waitsStill(trx: Trx, id: string): Promise<boolean> {
  const { rows } = await sql`select from held_acts h where org_id = ${trx.orgId} and id = ${id} and ${stillWaits(trx)}`.execute(
    trx,
  )
  return rows.length > 0
}

interface InRun {
  runId: RunId
  directoryId: DirectoryId
}

type Change = { added: number; removed: number }

async function allow(
  trx: Trx,
  place: Place,
  people: readonly AccountId[] | null,
  { runId, directoryId }: InRun,
): Promise<Change> {
  switch (place.kind) {
    case 'members': {
      const facts = { name: place.name, choice: 'allow' }
      const change = await applyHeld(trx, place.groupId, people, { action: 'members.changed', directoryId, runId, facts })
      await settleHeld(trx, change.waits, { runId })
      return change
    }
    case 'person': {
      await endHeldAct(trx, { accountId: place.accountId }, 'removal.allowed', { runId })
      const account = await lockAccountInForce(trx, place.accountId)
      await switchOff(trx, place.directoryId, account, { runId })
      await settleUserStates(trx, account)
      const facts = { user: account.userName, choice: 'allow' }
      const change = await applyHeldOf(trx, place.accountId, { action: 'members.changed', directoryId, runId, facts })
      await settleHeld(trx, change.waits, { runId })
      return change
    }
    case 'group': {
      await endHeldAct(trx, { groupId: place.groupId }, 'removal.allowed', { runId })
      return { added: 0, removed: await deleteGroup(trx, place.groupId, { runId, directoryId }) }
    }
    default:
      return place satisfies never
  }
}

async function reject(
  trx: Trx,
  place: Place,
  people: readonly AccountId[] | null,
  { runId, directoryId }: InRun,
): Promise<Change> {
  switch (place.kind) {
    case 'members': {
      const kept = await keepHeld(trx, place.groupId, people)
      const facts = { name: place.name, people: kept }
      await appendLog(trx, { action: 'removal.rejected', subject: place.groupId, directoryId, runId, facts })
      await settleHeld(trx, [{ groupId: place.groupId, reason: null }], { runId })
      break
    }
    case 'person':
      await rejectHeldAct(trx, place, { runId })
      await settleUserStates(trx, await lockAccountInForce(trx, place.accountId))
      await settleHeld(
        trx,
        (await keepHeldOf(trx, place.accountId)).map((groupId) => ({ groupId, reason: null })),
        { runId },
      )
      break
    case 'group':
      await rejectHeldAct(trx, place, { runId })
      break
    default:
      place satisfies never
  }
  return { added: 0, removed: 0 }
}
