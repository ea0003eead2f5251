import type { LinkPreview, SettledName, Suggestion, WaitingName } from '../shapes.ts'
import { count, counted, minus, plus } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'
import { stateWord } from './words.ts'

const columns: Column<WaitingName>[] = [
  { title: 'NEW NAME', value: (item) => item.group.name, mayShrink: true },
  { title: 'KEEPS', value: (item) => item.existing.name, mayShrink: true },
  { title: 'TAKEN BY', value: (item) => item.takenBy.name, shown: takenBy, mayShrink: true },
  { title: 'CAN', value: (item) => item.can.map(command).join(', ') },
]

/** New names that other groups have, and what can be done about each. */
export const waitingNames = (items: WaitingName[], out: Output): string => table(items, columns, out)

function takenBy({ takenBy: { memberCount, managedBy } }: WaitingName): string {
  return `a group of ${counted(memberCount, 'member')}${managedBy === null ? '' : `, managed by ${managedBy}`}`
}

const commands: Record<string, string> = { rename_existing: 'rename-existing', keep: 'keep-name' }
const command = (choice: string): string => commands[choice] ?? choice

/** What became of a name. */
export const settledName = ({ renamed, review }: SettledName, out: Output): string =>
  facts(
    [
      ['Group', review.existing?.name ?? review.group.name],
      ['Pushed as', review.group.name],
      ['State', stateWord(review.state, out)],
      ...(renamed ? [['Renamed', `${renamed.before} is now ${renamed.after}`] as const] : []),
    ],
    out,
  )

/** What a link would come to. */
export const linkPreview = ({ group, to, members, cannot }: LinkPreview, out: Output): string =>
  facts(
    [
      ['Group', group.name],
      ['To', `${to.name}, ${counted(to.memberCount, 'member')}`],
      ['Members', `${plus(members.added)} ${minus(members.removed)}, ${count(members.unchanged)} stay`],
      ['Possible', cannot.map(({ why }) => why).join(' ') || 'yes, for review'],
    ],
    out,
  )

const likenesses: Record<string, string> = {
  looks_the_same: 'looks the same',
  says_the_same: 'says the same',
  nearly_the_same: 'nearly the same',
}

const suggested: Column<Suggestion>[] = [
  { title: 'PUSHED', value: (item) => item.group.name, mayShrink: true },
  { title: 'EXISTING', value: (item) => item.existing.name, mayShrink: true },
  {
    title: 'NAME',
    value: (item) => item.names,
    shown: (item) => (item.names === null ? '' : (likenesses[item.names] ?? item.names)),
  },
  { title: 'JACCARD', align: 'right', value: (item) => item.members.jaccard, shown: (item) => item.members.jaccard.toFixed(2) },
  { title: 'COMMON', align: 'right', value: (item) => item.members.common, shown: (item) => count(item.members.common) },
  { title: 'OF PUSHED', align: 'right', value: (item) => item.group.memberCount, shown: (item) => count(item.group.memberCount) },
  {
    title: 'OF EXISTING',
    align: 'right',
    value: (item) => item.existing.memberCount,
    shown: (item) => count(item.existing.memberCount),
  },
  {
    title: 'GRANTS',
    align: 'right',
    value: (item) => item.existing.grantCount,
    shown: (item) => count(item.existing.grantCount),
  },
]

/** Pushed groups that may be existing ones: how alike the names are, and how many members they have in common. */
export const suggestionList = (items: Suggestion[], out: Output): string => table(items, suggested, out)
