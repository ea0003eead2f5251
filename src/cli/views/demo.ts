import type { PushResult } from '../../push/apply-plan.ts'
import type { Effect, GroupCounts, ImportReport, ReviewItem } from '../shapes.ts'
import { effectView } from './effect.ts'
import { count, counted } from './numbers.ts'
import type { Output } from './output.ts'

interface ComputedSet {
  groups: number
  access: Effect['access']
}

/** What the demo's push would change: every figure as the API answered it. */
export interface DemoReview {
  organization: string
  directory: string
  /** Pushed groups whose name an existing group has. */
  conflicts: number
  groups: GroupCounts
  users: { received: number }
  effect: Effect
  top: ReviewItem[]
  sets: { takesNothing: ComputedSet; noAccessEffect: ComputedSet; noMemberChange: ComputedSet }
}

export function demoView({ organization, conflicts, groups, effect, top, sets }: DemoReview, out: Output): string {
  const { takesNothing, noAccessEffect, noMemberChange } = sets
  return [
    '',
    `${count(groups.received)} groups pushed: ${count(groups.synced)} synced, ${counted(conflicts, 'conflict')} with existing groups.`,
    '',
    effectView(effect, out, { org: organization, top }),
    '',
    `Safe set: ${counted(takesNothing.groups, 'group')} take nothing from anybody and give ${counted(takesNothing.access.gained, 'access', 'accesses')}. ` +
      `${count(noAccessEffect.groups)} have no effect on access, ${count(noMemberChange.groups)} no member change.`,
  ].join('\n')
}

export const importedLine = ({ users, groups, members, access, durationMs }: ImportReport): string =>
  `Imported ${count(users.created)} people, ${count(groups.created)} groups, ${count(members.added)} memberships, ${count(access.added)} grants (${(durationMs / 1_000).toFixed(1)} s)`

export const pushedLine = ({ users, groups, requests }: PushResult): string =>
  `Pushed ${count(users.created + users.updated + users.linked)} users and ${count(groups.created + groups.updated + groups.unchanged)} groups in ${count(requests)} requests`

/** What to type next, in any terminal in the clone. `profile` is a name, or the path of a file. */
export function nextCommands(profile: string): string {
  const commands: [command: string, what: string][] = [
    ['reviews list', 'group by group, what takes most first'],
    ['reviews people --all', 'who loses what'],
    ['sync --only takes-nothing', 'sync all that takes nothing from anybody'],
    ['reviews plan -o review.json', 'keep the review of the rest'],
    ['sync --plan review.json', 'sync exactly that; asks, since access is taken'],
    ['access why bentheelder kubernetes-sigs/porche/write', 'who has what, and why'],
  ]
  const typed = commands.map(([command, what]) => [`  npx muster -P ${profile} ${command}`, what] as const)
  const width = Math.max(...typed.map(([command]) => command.length))
  return ['Next, in another terminal here:', ...typed.map(([command, what]) => `${command.padEnd(width)}   ${what}`)].join('\n')
}
