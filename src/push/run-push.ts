import type { PushPlanId } from '../database/ids.ts'
import { inTransaction } from '../database/transaction.ts'
import { Refusal } from '../organization/refusal.ts'
import { applyPlan } from './apply-plan.ts'
import { countBoth } from './count.ts'
import { SourceError } from './source.ts'
import { type Confirmed, noteConfirmed, removeMappings } from './stored/mappings.ts'
import { beginPlan, endPlan, savePlan, storedJournal } from './stored/plans.ts'
import { noteSourceRead } from './stored/sources.ts'
import { type OpenedPush, openPush, type PushWorld, planOf } from './stored-push.ts'
import { TargetError, TargetUnreachable } from './target/answer.ts'

/** Plans a push: reads both sides, outside any transaction, and keeps what would be sent. @throws Refusal, SourceError, TargetError */
export async function planPush(world: PushWorld, target: string, allowRemovals: number): Promise<PushPlanId> {
  const push = await openPush(world, target)
  try {
    const made = await planOf(push, allowRemovals)
    return await inTransaction(world.db, world.scope, async (trx) => {
      // A source is what the next one is compared with only where its plan may be sent.
      const counts = made.plan.stops.length === 0 ? push.counts : null
      await noteSourceRead(trx, push.source.id, { counts, error: null })
      return savePlan(trx, push.target.id, made.plan)
    })
  } finally {
    push.scim.close()
  }
}

/**
 * Sends a plan, and goes on with one that ended in between: what is left of it is sent where both sides say what they said, or where they
 * differ only by what it did itself. What was confirmed is noted group by group.
 */
export async function runPush(world: PushWorld, id: PushPlanId, signal: AbortSignal): Promise<void> {
  const { db, scope } = world
  const begun = await inTransaction(db, scope, (trx) => beginPlan(trx, id))
  if (!begun) return
  let push: OpenedPush | undefined
  try {
    push = await openPush(world, begun.target)
    const end = await sent(world, push, id, begun.plan, signal)
    if (end) await inTransaction(db, scope, (trx) => endPlan(trx, id, end))
  } catch (error) {
    if (!isTold(error)) throw error
    await inTransaction(db, scope, (trx) => endPlan(trx, id, { state: 'failed', error: error.message }))
  } finally {
    push?.scim.close()
  }
  // Not ended: the job is tried again, here or on another node.
  signal.throwIfAborted()
}

const isTold = (error: unknown): error is Error =>
  [Refusal, SourceError, TargetError, TargetUnreachable].some((kind) => error instanceof kind)

/** Whether these are who was confirmed before, in whatever order: then nothing of them is written. */
function areSame(before: readonly string[] | null, now: readonly string[]): boolean {
  const had = new Set(before)
  return before !== null && had.size === now.length && now.every((one) => had.has(one))
}

async function sent(
  world: PushWorld,
  push: OpenedPush,
  id: PushPlanId,
  plan: Parameters<typeof applyPlan>[0],
  signal: AbortSignal,
) {
  const { db, scope } = world
  const { allowRemovals } = plan.options
  const made = await planOf(push, allowRemovals)
  const groups = new Map(push.from.source.groups.map((group) => [group.name, group]))
  const confirmed = (name: string, targetGroupId: string): Confirmed[] => {
    const mapping = push.mappings.get(name)
    const members = (groups.get(name)?.members ?? []).flatMap((one) => made.ids.ofSource.get(made.userNames.get(one) ?? '') ?? [])
    if (mapping === undefined) return []
    return [{ id: mapping.id, targetGroupId, members: areSame(mapping.confirmed, members) ? null : members, error: null }]
  }
  const result = await applyPlan(plan, made, push.scim, {
    journal: await storedJournal(db, scope, id),
    isStopped: () => signal.aborted,
    onGroup: async (step, groupId) => {
      if (step.do !== 'delete') await inTransaction(db, scope, (trx) => noteConfirmed(trx, confirmed(step.name, groupId)))
    },
  })
  if (signal.aborted) return undefined
  const steps = new Set(made.plan.groups.map(({ name }) => name))
  await inTransaction(db, scope, async (trx) => {
    // Those that were equal already are confirmed by having been read.
    await noteConfirmed(
      trx,
      [...made.met].flatMap(([name, groupId]) => (steps.has(name) ? [] : confirmed(name, groupId))),
    )
    const failed = result.errors.flatMap(({ what, name, why }) => {
      const mapping = what === 'group' ? push.mappings.get(name) : undefined
      return mapping ? [{ id: mapping.id, targetGroupId: null, members: null, error: why }] : []
    })
    await noteConfirmed(trx, failed)
    if (result.errors.length === 0) await removeMappings(trx, push.overdue)
  })
  const counted = await countBoth(push.from, push.scim)
  const isWhole = result.errors.length === 0 && counted.differences === 0
  return { state: isWhole ? ('done' as const) : ('incomplete' as const), result: { ...result, counted } }
}
