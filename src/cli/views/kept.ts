import type { KeptMember } from '../shapes.ts'
import { ago } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'

const columns = (now: Date): Column<KeptMember>[] => [
  { title: 'GROUP', value: ({ group }) => group.name, mayShrink: true },
  { title: 'PERSON', value: ({ person }) => person.userName },
  { title: 'NAME', value: ({ person }) => person.displayName ?? '', mayShrink: true },
  { title: 'SINCE', value: ({ since }) => since, shown: ({ since }) => ago(since, now) },
]

/** Members whom a merge kept. */
export const keptMembers = (items: KeptMember[], out: Output): string => table(items, columns(new Date()), out)
