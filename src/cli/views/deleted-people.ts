import type { DeletedPerson, PersonRestoration } from '../shapes.ts'
import { ago, counted } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'

const columns: Column<DeletedPerson>[] = [
  { title: 'PERSON', value: (one) => one.userName, mayShrink: true },
  { title: 'E-MAIL', value: (one) => one.email, mayShrink: true },
  { title: 'DELETED BY', value: (one) => one.directory.name },
  { title: 'DELETED', value: (one) => one.deletedAt, shown: (one, out) => ago(one.deletedAt, out.now) },
  { title: 'UNTIL', value: (one) => one.restorableUntil, shown: (one) => one.restorableUntil.slice(0, 10) },
]

export const deletedPersonList = (people: DeletedPerson[], out: Output): string => table(people, columns, out)

export function personRestorationView({ userName, directory, groups, gains }: PersonRestoration): string {
  const held = groups.filter(({ isManaged }) => isManaged).length
  return [
    `Restoring ${userName} gives them ${counted(gains, 'access', 'accesses')}, in ${counted(groups.length, 'group')} again that the deletion took them out of.`,
    ...(held > 0
      ? [`  ${counted(held, 'membership')} of them ${held === 1 ? 'waits' : 'wait'}: the provider does not have it.`]
      : []),
    `  ${directory.name} does not push them: nobody but you switches them off again.`,
  ].join('\n')
}
