import type { PushResult } from '../../push/push-folder.ts'
import { count } from './numbers.ts'
import type { Output } from './output.ts'
import { facts } from './table.ts'

/** What a push did, and what it could not do. */
export function pushView({ users, groups, requests, errors }: PushResult, out: Output): string {
  const failed = errors.slice(0, 20).map(({ what, name, why }) => out.colors.red(`${what} ${name}: ${why}`))
  if (errors.length > failed.length) failed.push(`and ${count(errors.length - failed.length)} more`)
  const sums = facts(
    [
      [
        'Users',
        `${count(users.created)} created, ${count(users.updated)} updated, ${count(users.linked)} there already, ${count(users.failed)} failed`,
      ],
      [
        'Groups',
        `${count(groups.created)} created, ${count(groups.updated)} updated, ${count(groups.unchanged)} unchanged, ${count(groups.failed)} failed`,
      ],
      ['Requests', count(requests)],
    ],
    out,
  )
  return [sums, ...failed].join('\n')
}
