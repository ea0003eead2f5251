import type { Match } from '../shapes.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'

const words: Record<Match['match'], string> = {
  matched: 'matched',
  new: 'new',
  probably_same: 'probably the same',
  doubtful: 'doubtful',
  not_in_provider: 'not in the provider',
}
const by: Record<string, string> = { email: 'e-mail', user_name: 'user name', created: '', person: 'a person’s word' }

const columns: Column<Match>[] = [
  { title: 'PUSHED AS', value: ({ user }) => user?.userName ?? '', mayShrink: true },
  { title: 'PERSON', value: ({ person }) => person.userName, mayShrink: true },
  { title: 'IS', value: ({ match }) => match, shown: ({ match }) => words[match] },
  { title: 'BY', value: ({ user }) => (user === null ? '' : (by[user.matchedBy] ?? user.matchedBy)) },
  { title: 'MAY BE', value: ({ alike }) => alike?.userName ?? '', mayShrink: true },
  { title: 'SWITCHED', value: ({ switches }) => switches ?? '' },
]

export const matchList = (matches: Match[], out: Output): string => table(matches, columns, out)
