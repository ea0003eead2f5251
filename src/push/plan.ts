import { createHash } from 'node:crypto'
import type { TargetProfile } from './target/profile.ts'

/** What is done with a person, and what of them is other. */
export interface PersonStep {
  do: 'create' | 'update' | 'deactivate'
  userName: string
  /** The target's id; null where it has none yet. */
  id: string | null
  /** What of them is other: `userName`, `email`, `displayName`, `active`. */
  changed: string[]
}

/** What is done with a group. Members by user name: the target's ids of those that are made first are not known yet. */
export interface GroupStep {
  do: 'create' | 'update' | 'delete'
  name: string
  /** The target's id; null where it has none yet. */
  id: string | null
  /** Its name there until now, where that is another. */
  formerly: string | null
  added: string[]
  removed: string[]
}

/** A group that is not pushed, and why. */
export interface NotPushed {
  name: string
  why: string
}

export interface PlanTotals {
  people: { create: number; update: number; deactivate: number; unchanged: number }
  groups: { create: number; update: number; delete: number; unchanged: number; notPushed: number }
  members: { added: number; removed: number }
}

/** How a plan is made. */
export interface PlanOptions {
  /** What the target has beside the source: left alone, or groups deleted and people switched off. */
  removeAbsent: boolean
  /** How much may be taken away beyond what the push guard lets pass. */
  allowRemovals: number
}

/** What a push would do: a value before it is an act. */
export interface PushPlan {
  kind: 'muster.push-plan'
  version: 1
  madeAt: string
  source: { kind: string; place: string; fingerprint: string; people: number; groups: number; memberships: number }
  target: { url: string; profile: TargetProfile; people: number; groups: number; memberships: number }
  options: PlanOptions
  people: PersonStep[]
  groups: GroupStep[]
  notPushed: NotPushed[]
  totals: PlanTotals
  /** What people and groups the target has that the source has not, and that are left alone. */
  beside: { people: number; groups: number }
  /** Why the push guard lets none of it be sent; empty: it may be. */
  stops: string[]
  warnings: string[]
  /** Requests that are sent if nothing goes wrong, those that read both sides again included. */
  estimatedRequests: number
  /** Of the steps and of what the source says. */
  fingerprint: string
}

/** A hash over what is to be done, in whatever order it was found. */
export function stepsFingerprint(sourceFingerprint: string, people: PersonStep[], groups: GroupStep[]): string {
  const hash = createHash('sha256').update(sourceFingerprint)
  for (const line of [...people, ...groups].map(stepText).sort()) hash.update(line)
  return hash.digest('hex')
}

/** What a step does, as text: equal texts, equal steps, whoever stored them in between. */
export const stepText = (step: PersonStep | GroupStep): string =>
  JSON.stringify(
    'added' in step
      ? [step.do, step.name, step.id, step.formerly, [...step.added].sort(), [...step.removed].sort()]
      : [step.do, step.userName, step.id, step.changed],
  )
