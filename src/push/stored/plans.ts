import { type RawBuilder, sql } from 'kysely'
import type { Db, Reader, Scope, Trx } from '../../database/connection.ts'
import { isId, newId, type PushPlanId, type PushTargetId } from '../../database/ids.ts'
import type { PushPlanState } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { type Listed, type Listing, list } from '../../organization/listing.ts'
import { appendLog } from '../../organization/log.ts'
import { Refusal } from '../../organization/refusal.ts'
import type { PushResult } from '../apply-plan.ts'
import type { PushCount } from '../count.ts'
import type { Journal } from '../journal.ts'
import type { PlanTotals, PushPlan } from '../plan.ts'

/** A plan that was made, and what became of it. */
export interface StoredPlan {
  id: PushPlanId
  target: { id: PushTargetId; name: string }
  state: PushPlanState
  fingerprint: string
  totals: PlanTotals
  stops: string[]
  estimatedRequests: number
  /** Steps that were confirmed, and that failed. */
  done: number
  failed: number
  result: (PushResult & { counted: PushCount }) | null
  error: string | null
  createdBy: string
  createdAt: Date
  startedAt: Date | null
  finishedAt: Date | null
}

const columns = sql`p.id, jsonb_build_object('id', t.id, 'name', t.name) as target, p.state, p.fingerprint, p.plan->'totals' as totals,
  p.plan->'stops' as stops, (p.plan->>'estimatedRequests')::integer as "estimatedRequests", p.result, p.error, p.created_by as "createdBy",
  p.created_at as "createdAt", p.started_at as "startedAt", p.finished_at as "finishedAt",
  (select count(*)::integer from push_steps s where s.org_id = p.org_id and s.plan_id = p.id and s.outcome = 'done') as done,
  (select count(*)::integer from push_steps s where s.org_id = p.org_id and s.plan_id = p.id and s.outcome = 'failed') as failed`
const rows = (reader: Reader) => sql`push_plans p join push_targets t on t.org_id = p.org_id and t.id = p.target_id
  where p.org_id = ${reader.orgId}`

/** The plans, newest first unless sorted otherwise. @throws Refusal `invalid_value` */
export function listPlans(reader: Reader, listing: Listing, target?: PushTargetId): Promise<Listed<StoredPlan>> {
  return list(reader, listing, {
    columns,
    from: sql`${rows(reader)} and (${target ?? null}::uuid is null or p.target_id = ${target ?? null}::uuid)`,
    sorts: { createdAt: 'p.created_at', state: 'p.state' },
    usual: '-createdAt',
    last: 'p.id',
  })
}

/** One, with all its steps. @throws Refusal `not_found` */
export const findPlan = (reader: Reader, given: string): Promise<StoredPlan & { plan: PushPlan }> =>
  onePlan(reader, given, sql`${columns}, p.plan`)

async function onePlan<Plan>(reader: Reader, given: string, shown: RawBuilder<unknown>): Promise<Plan> {
  const all = await sql<Plan>`
    select ${shown} from ${rows(reader)} and p.id = ${isId(given) ? given : null}::uuid`.execute(reader)
  if (all.rows[0] === undefined) throw new Refusal('not_found', 'There is no such push plan. List them to see their ids.')
  return all.rows[0]
}

export async function savePlan(trx: Trx, target: PushTargetId, plan: PushPlan): Promise<PushPlanId> {
  const id = newId<PushPlanId>()
  await sql`
    insert into push_plans (org_id, id, target_id, fingerprint, plan, created_by)
    values (${trx.orgId}, ${id}, ${target}, ${plan.fingerprint}, ${JSON.stringify(plan)}, ${trx.scope.actor})`.execute(trx)
  return id
}

/**
 * Takes a plan for sending: the one whose fingerprint was seen, and that nothing stops.
 * @throws Refusal `not_found`, `plan_changed`, `push_stopped`, `push_in_use`
 */
export async function queuePlan(trx: Trx, given: string, fingerprint: string): Promise<StoredPlan> {
  // The target's, as that is what two plans share: of two at once one waits, and finds the other under way.
  await sql`
    select from push_targets where org_id = ${trx.orgId} and id = (
      select target_id from push_plans where org_id = ${trx.orgId} and id = ${isId(given) ? given : null}::uuid)
    for no key update`.execute(trx)
  const stored = await onePlan<StoredPlan>(trx, given, columns)
  if (stored.fingerprint !== fingerprint)
    throw new Refusal('plan_changed', 'This is not the plan that you saw: its fingerprint is another.', {
      fingerprint: stored.fingerprint,
    })
  if (stored.stops.length > 0) throw new Refusal('push_stopped', stored.stops.join(' '), { stops: stored.stops })
  if (stored.state !== 'planned')
    throw new Refusal('push_in_use', `The plan is ${stored.state}. Make another one.`, { state: stored.state })
  const { rows: others } = await sql<{ id: string }>`
    select id from push_plans where org_id = ${trx.orgId} and target_id = ${stored.target.id} and state in ('queued', 'running')`.execute(
    trx,
  )
  if (others.length > 0) throw new Refusal('push_in_use', 'Another push to this target is under way. Wait for its end.')
  await sql`update push_plans set state = 'queued' where org_id = ${trx.orgId} and id = ${stored.id}`.execute(trx)
  await appendLog(trx, { action: 'push.started', subject: stored.id, facts: { target: stored.target.name, fingerprint } })
  return { ...stored, state: 'queued' }
}

/** Begins to send a plan, or goes on. @returns undefined where it has ended */
export async function beginPlan(trx: Trx, id: PushPlanId): Promise<{ target: PushTargetId; plan: PushPlan } | undefined> {
  const begun = await sql<{ target: PushTargetId; plan: PushPlan }>`
    update push_plans set state = 'running', started_at = coalesce(started_at, now())
    where org_id = ${trx.orgId} and id = ${id} and state in ('queued', 'running')
    returning target_id as target, plan`.execute(trx)
  return begun.rows[0]
}

/** Ends a plan: what it did, or why nothing more was sent. */
export async function endPlan(
  trx: Trx,
  id: PushPlanId,
  end: { state: 'done' | 'incomplete' | 'failed'; result?: object; error?: string },
): Promise<void> {
  const { state, result, error } = end
  const ended = await sql<{ target: string }>`
    update push_plans set state = ${state}, result = ${result ? JSON.stringify(result) : null}, error = ${error ?? null}, finished_at = now()
    where org_id = ${trx.orgId} and id = ${id}
    returning (select name from push_targets where org_id = ${trx.orgId} and id = target_id) as target`.execute(trx)
  await appendLog(trx, {
    action: 'push.finished',
    subject: id,
    facts: { target: ended.rows[0]?.target, state, ...(error ? { error } : {}) },
  })
}

/** A plan's journal in the database: an intent is committed before its step is sent. */
export async function storedJournal(db: Db, scope: Scope, id: PushPlanId): Promise<Journal> {
  const before = await reading(db, scope, (reader) =>
    sql<{ step: string }>`select step from push_steps where org_id = ${reader.orgId} and plan_id = ${id}`.execute(reader),
  )
  return {
    intended: new Set(before.rows.map(({ step }) => step)),
    intend: (step) =>
      inTransaction(db, scope, async (trx) => {
        await sql`
          insert into push_steps (org_id, plan_id, step) values (${trx.orgId}, ${id}, ${step})
          on conflict (org_id, plan_id, step) do update set outcome = 'intended', why = null, at = now()`.execute(trx)
      }),
    outcome: (step, why) =>
      inTransaction(db, scope, async (trx) => {
        await sql`
          update push_steps set outcome = ${why === undefined ? 'done' : 'failed'}, why = ${why ?? null}, at = now()
          where org_id = ${trx.orgId} and plan_id = ${id} and step = ${step}`.execute(trx)
      }),
  }
}
