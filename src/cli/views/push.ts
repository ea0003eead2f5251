import type { PushResult } from '../../push/apply-plan.ts'
import type { PushCount } from '../../push/count.ts'
import { count } from './numbers.ts'
import type { Output } from './output.ts'
import { facts } from './table.ts'

/** What a push did, and what it could not do. */
export function pushView({ users, groups, requests, errors }: PushResult, out: Output): string {
  const failed = errors.slice(0, 20).map(({ what, name, why }) => out.colors.red(`${what} ${name}: ${why}`))
  if (errors.length > failed.length) failed.push(`and ${count(errors.length - failed.length)} more`)
  const taken = (n: number, what: string) => (n > 0 ? `, ${count(n)} ${what}` : '')
  const sums = facts(
    [
      [
        'Users',
        `${count(users.created)} created, ${count(users.updated)} updated${taken(users.deactivated, 'switched off')}, ${count(users.linked)} there already, ${count(users.failed)} failed`,
      ],
      [
        'Groups',
        `${count(groups.created)} created, ${count(groups.updated)} updated${taken(groups.deleted, 'deleted')}, ${count(groups.unchanged)} unchanged, ${count(groups.failed)} failed`,
      ],
      ['Requests', count(requests)],
    ],
    out,
  )
  return [sums, ...failed].join('\n')
}

/** The same, with both sides counted after it. */
export function pushedView(result: PushResult & { counted: PushCount }, out: Output): string {
  const { source, target, differences } = result.counted
  const both = (what: 'people' | 'groups' | 'memberships') =>
    `source ${count(source[what])} ${what} ${source[what] === target[what] ? '=' : '≠'} target ${count(target[what])}`
  const verdict =
    differences === 0 ? out.colors.green('No difference.') : out.colors.red(`${count(differences)} differ: make another plan.`)
  return `${pushView(result, out)}\n${both('groups')} · ${both('people')} · ${both('memberships')}. ${verdict}`
}
