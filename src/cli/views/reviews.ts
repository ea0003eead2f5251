import type { Grant, ReviewItem, ReviewMember } from '../shapes.ts'
import { accessSentence } from './effect.ts'
import { ago, count, counted, minus, plus } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'
import { reasonWord, stateWord } from './words.ts'

const columns: Column<ReviewItem>[] = [
  { title: 'GROUP', value: (item) => item.group.name, mayShrink: true },
  {
    title: 'ACCESS',
    value: (item) => item.productAccess.map(grantName).join(', '),
    shown: (item) => firstGrant(item.productAccess),
    mayShrink: true,
  },
  { title: 'ADD', align: 'right', value: (item) => item.members.added, shown: (item) => plus(item.members.added) },
  { title: 'REMOVE', align: 'right', value: (item) => item.members.removed, shown: (item) => minus(item.members.removed) },
  { title: 'STAY', align: 'right', value: (item) => item.members.unchanged, shown: (item) => count(item.members.unchanged) },
  { title: 'LOST', align: 'right', value: (item) => item.access.lost, shown: (item) => minus(item.access.lost) },
  { title: 'GAINED', align: 'right', value: (item) => item.access.gained, shown: (item) => plus(item.access.gained) },
  {
    title: '!',
    align: 'right',
    value: (item) => item.warnings.map(({ code }) => code).join(','),
    shown: ({ warnings }) => (warnings.length === 0 ? '' : String(warnings.length)),
  },
  { title: 'STATE', value: (item) => item.state, shown: (item, out) => stateWord(item.state, out) },
]

/** The groups that differ from what was pushed. */
export const reviewList = (items: ReviewItem[], out: Output): string => table(items, columns, out)

/** One group's review. */
export function reviewView(item: ReviewItem, out: Output): string {
  const { group, existing, members, access, warnings } = item
  return facts(
    [
      ['Group', group.name],
      ['State', stateWord(item.state, out) + (item.reasons.length > 0 ? ` (${item.reasons.map(reasonWord).join(', ')})` : '')],
      ['Existing group', existing ? `${existing.name}, ${counted(existing.memberCount, 'member')}` : 'none: the name is free'],
      ['Pushed', out.forPeople ? ago(item.pushedAt, out.now) : item.pushedAt],
      ['Access', item.productAccess.map(grantName).join(', ') || 'none'],
      ['Members', `${plus(members.added)} ${minus(members.removed)}, ${count(members.unchanged)} stay`],
      ['Effect', accessSentence({ ...access, jointLosses: 0 })],
      ['Warnings', warnings.map(({ code, count: n }) => `${code.replaceAll('_', ' ')} (${count(n)})`).join(', ') || 'none'],
      ['Fingerprint', item.fingerprint],
    ],
    out,
  )
}

export const grantName = ({ site, product, role }: Grant): string => `${site}/${product}:${role}`

function firstGrant(grants: Grant[]): string {
  const [first, ...rest] = grants
  if (!first) return 'none'
  return rest.length === 0 ? grantName(first) : `${grantName(first)} +${rest.length} more`
}

const changes: Record<string, string> = { added: '+ added', removed: '− removed', unchanged: '  stays' }

const memberColumns: Column<ReviewMember>[] = [
  { title: 'CHANGE', value: (member) => member.change, shown: (member) => changes[member.change] ?? member.change },
  { title: 'USER NAME', value: (member) => member.userName },
  { title: 'E-MAIL', value: (member) => member.email, mayShrink: true },
]

/** The members of a group before and after. */
export const reviewMembers = (members: ReviewMember[], out: Output): string => table(members, memberColumns, out)
