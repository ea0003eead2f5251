import type { ComparedGroup, ComparedMember, Findings } from '../shapes.ts'
import { count, counted } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'

const columns: Column<ComparedGroup>[] = [
  { title: 'GROUP', value: (one) => one.name, mayShrink: true },
  { title: 'FINDING', value: (one) => one.finding },
  { title: 'LISTED', value: (one) => one.listedMembers, align: 'right' },
  { title: 'PUSHED', value: (one) => one.pushedMembers, align: 'right' },
  { title: 'MISSING', value: (one) => one.missing, align: 'right' },
  { title: 'EXTRA', value: (one) => one.extra, align: 'right' },
  { title: 'STATE', value: (one) => one.state },
]

/** What the provider's list came to, in sentences: whether all is here, then what is not. */
export function findingsView({ listed, pushed, missing, extra, differing, unknownPeople, isEqual }: Findings): string {
  const sides = `The provider’s list has ${counted(listed.groups, 'group')} with ${counted(listed.memberships, 'membership')}, it has pushed ${counted(pushed.groups, 'group')} with ${counted(pushed.memberships, 'membership')}.`
  if (isEqual) return `${sides}\nNothing differs.`
  const lines = [
    missing.groups > 0 ? `${counted(missing.groups, 'group')} missing here` : '',
    extra.groups > 0 ? `${counted(extra.groups, 'group')} here and not in the list` : '',
    differing > 0
      ? `${counted(differing, 'group')} with other members: ${count(missing.members)} missing here, ${count(extra.members)} not in the list`
      : '',
    unknownPeople > 0 ? `${counted(unknownPeople, 'person', 'people')} in the list whom the provider has not pushed` : '',
  ].filter((line) => line !== '')
  return [sides, ...lines.map((line) => `  ${line}`)].join('\n')
}

export const comparedGroups = (groups: ComparedGroup[], out: Output): string => table(groups, columns, out)

export const comparedMembers = (members: ComparedMember[], out: Output): string =>
  table<ComparedMember>(
    members,
    [
      { title: 'GROUP', value: (one) => one.group, mayShrink: true },
      { title: 'USER', value: (one) => one.userName, mayShrink: true },
      { title: 'FINDING', value: (one) => one.finding, shown: (one) => `${one.finding}${one.isKnown ? '' : ', never pushed'}` },
    ],
    out,
  )
