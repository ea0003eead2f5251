import type { Trx } from '../database/connection.ts'
import type { PushPlanId, PushTargetId } from '../database/ids.ts'
import { inTransaction, reading } from '../database/transaction.ts'
import { planPush } from './run-push.ts'
import { findPlan, queuePlan } from './stored/plans.ts'
import { takeDueTarget } from './stored/targets.ts'
import type { PushWorld } from './stored-push.ts'

/**
 * Plans every push of an organization whose time has come. One that is to send itself does, where the push guard lets it and there is
 * something to send; the others wait for a person.
 * @param send has a plan done, in the transaction that took it
 */
export async function planDuePushes(
  world: PushWorld,
  send: (trx: Trx, plan: PushPlanId) => Promise<void>,
  { signal, onError }: { signal: AbortSignal; onError: (error: unknown) => void },
): Promise<void> {
  const { db, scope } = world
  while (!signal.aborted) {
    const due = await inTransaction(db, scope, takeDueTarget)
    if (!due) return
    // One source that cannot be read keeps no other push from its time; why is kept with the source.
    await planAndSend(world, due, send).catch(onError)
  }
}

async function planAndSend(
  world: PushWorld,
  due: { id: PushTargetId; appliesByItself: boolean },
  send: (trx: Trx, plan: PushPlanId) => Promise<void>,
): Promise<void> {
  const { db, scope } = world
  const id = await planPush(world, due.id, 0)
  if (!due.appliesByItself) return
  const { plan, fingerprint } = await reading(db, scope, (reader) => findPlan(reader, id))
  if (plan.stops.length > 0 || plan.people.length + plan.groups.length === 0) return
  await inTransaction(db, scope, async (trx) => {
    await queuePlan(trx, id, fingerprint)
    await send(trx, id)
  })
}
