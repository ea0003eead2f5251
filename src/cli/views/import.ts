import type { ImportReport } from '../shapes.ts'
import { count } from './numbers.ts'
import type { Output } from './output.ts'
import { facts } from './table.ts'

/** What an import did. */
export function importView({ users, groups, members, access, durationMs }: ImportReport, out: Output): string {
  return facts(
    [
      ['People', `${count(users.created)} created, ${count(users.updated)} updated, ${count(users.unchanged)} unchanged`],
      ['Groups', `${count(groups.created)} created, ${count(groups.updated)} updated, ${count(groups.unchanged)} unchanged`],
      ['Memberships', `${count(members.added)} added`],
      ['Access', `${count(access.added)} added`],
      ['Took', `${(durationMs / 1_000).toFixed(1)} s`],
    ],
    out,
  )
}
