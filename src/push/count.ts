import { makePlan, type ReadSource } from './make-plan.ts'
import type { ScimTarget } from './target/scim-target.ts'

/** Both sides, counted after a push by reading the target anew. */
export interface PushCount {
  source: { people: number; groups: number; memberships: number }
  /** Of the target, what the source has too. */
  target: { people: number; groups: number; memberships: number }
  /** Steps that would still be needed, groups that could not be pushed included. 0: both sides are equal. */
  differences: number
}

/** Reads the target again and compares it with the source. What it has besides is not counted. */
export async function countBoth(from: ReadSource, target: ScimTarget): Promise<PushCount> {
  const { plan } = await makePlan({ from, target, options: { removeAbsent: false, allowRemovals: 0 } })
  const { people, groups, memberships } = plan.source
  return {
    source: { people, groups, memberships },
    target: {
      people: people - plan.totals.people.create,
      groups: plan.totals.groups.unchanged + plan.totals.groups.update,
      memberships: plan.target.memberships,
    },
    differences: plan.people.length + plan.groups.length + plan.notPushed.length,
  }
}
