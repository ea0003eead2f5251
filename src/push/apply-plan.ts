import { Refusal } from '../organization/refusal.ts'
import { eachAtOnce } from './each-at-once.ts'
import { type Journal, noJournal } from './journal.ts'
import type { MadePlan } from './make-plan.ts'
import { type GroupStep, type PersonStep, type PushPlan, stepText } from './plan.ts'
import { TargetDown, TargetError, TargetUnreachable } from './target/answer.ts'
import type { ScimTarget } from './target/scim-target.ts'

/** What a push did. `linked` users and `unchanged` groups were in the target as they are in the source. */
export interface PushResult {
  users: { created: number; updated: number; deactivated: number; linked: number; failed: number }
  groups: { created: number; updated: number; deleted: number; unchanged: number; failed: number }
  requests: number
  /** How many of them were sent again, because an answer was an error or did not come. */
  repeated: number
  /** One for each user and group that failed, with the target's own text. */
  errors: { what: 'user' | 'group'; name: string; why: string }[]
}

export interface PushProgress {
  stage: 'users' | 'groups'
  done: number
  total: number
  failed: number
}

export interface ApplyOptions {
  /** How many requests are under way at once. */
  atOnce?: number
  onProgress?: (progress: PushProgress) => void
  journal?: Journal
  /** Asked before each step: true ends it there. */
  isStopped?: () => boolean
  /** What was confirmed of a group, by the target's ids. */
  onGroup?: (step: GroupStep, id: string) => void | Promise<void>
}

/**
 * Sends what a plan says, and nothing else. `made` is the same plan made anew a moment before: from it come the ids.
 * @throws Refusal `push_stopped`, `plan_changed`; TargetDown; TargetError 401 and 403: nothing more would be accepted
 */
export async function applyPlan(
  plan: PushPlan,
  made: MadePlan,
  target: ScimTarget,
  { atOnce = 8, onProgress = () => {}, journal = noJournal(), isStopped = () => false, onGroup = () => {} }: ApplyOptions = {},
): Promise<PushResult> {
  if (made.plan.stops.length > 0) throw stopped(made.plan.stops)
  expectSame(plan, made.plan, journal.intended)
  const { people, groups, totals } = made.plan
  const result: PushResult = {
    users: { created: 0, updated: 0, deactivated: 0, linked: totals.people.unchanged, failed: 0 },
    groups: { created: 0, updated: 0, deleted: 0, unchanged: totals.groups.unchanged, failed: totals.groups.notPushed },
    requests: 0,
    repeated: 0,
    errors: made.plan.notPushed.map(({ name, why }) => ({ what: 'group', name, why })),
  }
  const run = async <Step extends PersonStep | GroupStep>(
    stage: 'users' | 'groups',
    steps: Step[],
    key: (step: Step) => string,
    send: (step: Step) => Promise<void>,
  ) => {
    const what = stage === 'users' ? 'user' : 'group'
    let done = 0
    onProgress({ stage, done, total: steps.length, failed: 0 })
    await eachAtOnce(steps, atOnce, async (step) => {
      if (isStopped()) return
      const name = key(step)
      await journal.intend(stepKey(step))
      try {
        await send(step)
        await journal.outcome(stepKey(step))
      } catch (error) {
        const why = refusalOf(error)
        await journal.outcome(stepKey(step), why)
        result[stage].failed++
        result.errors.push({ what, name, why })
      }
      onProgress({ stage, done: ++done, total: steps.length, failed: result[stage].failed })
    })
  }
  const sender = senderOf(made, target, result, onGroup)
  try {
    await run('users', people, ({ userName }) => userName, sender.person)
    // Deletions last: nobody should lose what another group is about to give.
    await run('groups', groups, ({ name }) => name, sender.group)
  } finally {
    result.requests = target.requests
    result.repeated = target.repeated
  }
  return result
}

function senderOf(made: MadePlan, target: ScimTarget, result: PushResult, onGroup: NonNullable<ApplyOptions['onGroup']>) {
  const { ids } = made
  const member = (userName: string) => {
    const id = ids.ofSource.get(userName)
    // A group is sent whole or not at all: without a member who failed it would take access from them.
    if (id === undefined) throw new TargetError(0, `Its member ${userName} could not be pushed.`)
    return { id, userName }
  }
  const leaver = (userName: string) => ({ id: ids.ofTarget.get(userName) ?? userName, userName })
  return {
    person: async ({ do: what, userName, id }: PersonStep) => {
      const user = made.people.get(userName)
      if (what === 'deactivate' && id !== null) {
        await target.deactivateUser(id)
        result.users.deactivated++
      } else if (what === 'update' && id !== null && user) {
        await target.replaceUser(id, user)
        result.users.updated++
      } else if (user) {
        const created = await target.createUser(user)
        if (!created.isNew) await target.replaceUser(created.id, user)
        ids.ofSource.set(userName, created.id)
        result.users[created.isNew ? 'created' : 'linked']++
      }
    },
    group: async (step: GroupStep) => {
      const group = made.groups.get(step.name)
      const whole = () => ({
        name: step.name,
        members: (group?.members ?? []).map((one) => member(made.userNames.get(one) ?? one)),
      })
      if (step.do === 'delete' && step.id !== null) {
        await target.deleteGroup(step.id)
        result.groups.deleted++
        await onGroup(step, step.id)
      } else if (step.do === 'update' && step.id !== null) {
        await target.updateGroup(step.id, {
          name: step.formerly === null ? undefined : step.name,
          externalId: group?.id ?? null,
          added: step.added.map(member),
          removed: step.removed.map(leaver),
          whole,
        })
        result.groups.updated++
        await onGroup(step, step.id)
      } else {
        const created = await target.createGroup({
          name: step.name,
          externalId: group?.id ?? null,
          members: step.added.map(member),
        })
        result.groups[created.isNew ? 'created' : 'updated']++
        await onGroup(step, created.id)
      }
    },
  }
}

/** The refusal of a plan that the push guard stops. */
export const stopped = (stops: string[]) => new Refusal('push_stopped', stops.join(' '), { stops })

/**
 * A plan is what was seen: it is sent where both sides still say the same. What an earlier attempt at it did is no change, as long as
 * what remains is part of the plan, and a group that is there now was about to be made by that attempt.
 */
function expectSame(plan: PushPlan, again: PushPlan, intended: ReadonlySet<string>): void {
  if (plan.source.fingerprint !== again.source.fingerprint)
    throw changed('The source has changed since the plan was made. Make another plan, and look at it.', [])
  // Nothing is left to send: an attempt was ended after its last step, or somebody else did the same.
  if (plan.fingerprint === again.fingerprint || again.people.length + again.groups.length === 0) return
  const planned = new Map([...plan.people, ...plan.groups].map((step) => [stepKey(step), step]))
  const steps = [...again.people, ...again.groups]
  const other =
    intended.size === 0 ? differing(plan, again) : steps.filter((step) => !isPartOf(step, planned.get(stepKey(step)), intended))
  if (other.length === 0) return
  const names = other.slice(0, 10).map((step) => ('added' in step ? step.name : step.userName))
  const more = other.length > names.length ? ` and ${other.length - names.length} more` : ''
  throw changed(
    `The target has changed since the plan was made: ${names.join(', ')}${more}. Make another plan, and look at it.`,
    names,
  )
}

function isPartOf(
  step: PersonStep | GroupStep,
  planned: PersonStep | GroupStep | undefined,
  intended: ReadonlySet<string>,
): boolean {
  if (!planned) return false
  const isSame = step.do === planned.do || (planned.do === 'create' && step.do === 'update' && intended.has(stepKey(step)))
  if (!isSame || !('added' in step) || !('added' in planned)) return isSame && 'added' in step === 'added' in planned
  return isWithin(step.added, planned.added) && isWithin(step.removed, planned.removed)
}

function isWithin(some: string[], all: string[]): boolean {
  const set = new Set(all)
  return some.every((one) => set.has(one))
}

function differing(plan: PushPlan, again: PushPlan): (PersonStep | GroupStep)[] {
  const [before, after] = [plan, again].map(
    ({ people, groups }) => new Map([...people, ...groups].map((step) => [stepText(step), step])),
  )
  const gone = [...(before ?? [])].filter(([key]) => !after?.has(key))
  const come = [...(after ?? [])].filter(([key]) => !before?.has(key))
  return [...new Map([...come, ...gone].map(([, step]) => [stepKey(step), step])).values()]
}

const changed = (message: string, names: string[]) => new Refusal('plan_changed', message, { changed: names })

const stepKey = (step: PersonStep | GroupStep) => ('added' in step ? `group ${step.name}` : `person ${step.userName}`)

// One refused user or group is told and the rest goes on; a wrong token or a target that is away ends the push.
function refusalOf(error: unknown): string {
  if (error instanceof TargetDown) throw error
  if (error instanceof TargetUnreachable) return error.message
  if (error instanceof TargetError && error.status !== 401 && error.status !== 403) return error.message
  throw error
}
