import type { PersonEffect } from '../shapes.ts'
import type { Output } from './output.ts'
import { grantName } from './reviews.ts'
import { type Column, table } from './table.ts'

const columns: Column<PersonEffect>[] = [
  { title: 'PERSON', value: ({ person }) => person.userName },
  {
    title: 'LOSES',
    value: ({ lost }) => lost.map(grantName).join(', '),
    shown: ({ lost }) => lost.map(lostName).join(', '),
    mayShrink: true,
  },
  { title: 'GAINS', value: ({ gained }) => gained.map(grantName).join(', '), mayShrink: true },
  {
    title: 'GROUPS',
    value: ({ groups }) => groups.map(({ name, change }) => `${change === 'added' ? '+' : '−'}${name}`).join(', '),
    mayShrink: true,
  },
]

/** What becomes of people's access, a line a person. */
export const peopleList = (people: PersonEffect[], out: Output): string => table(people, columns, out)

// Roles have no order: who loses one and keeps another is told what stays.
const lostName = (lost: PersonEffect['lost'][number]) =>
  lost.stillHas.length > 0 ? `${grantName(lost)} (still has ${lost.stillHas.join(', ')})` : grantName(lost)
