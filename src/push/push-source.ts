import { type ApplyOptions, applyPlan, type PushResult } from './apply-plan.ts'
import { makePlan, type ReadSource } from './make-plan.ts'
import type { PlanOptions } from './plan.ts'
import type { ScimTarget } from './target/scim-target.ts'

/**
 * Plans and sends in one: a target comes to hold the people and groups of a source. Only what differs is sent, so that a second push
 * of the same source writes nothing. What the target has beside it is left alone, unless asked otherwise.
 * @throws as makePlan and applyPlan
 */
export async function pushSource(
  from: ReadSource,
  target: ScimTarget,
  options: ApplyOptions & Partial<PlanOptions> = {},
): Promise<PushResult> {
  const { removeAbsent = false, allowRemovals = 0 } = options
  const made = await makePlan({ from, target, options: { removeAbsent, allowRemovals } })
  return applyPlan(made.plan, made, target, options)
}
