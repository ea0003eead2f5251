import type { Effect, Held } from '../shapes.ts'
import { effectSentence } from './effect.ts'
import { ago, count, counted } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'
import { reasonWord, warningSentence } from './words.ts'

const kinds: Record<string, (held: Held) => string> = {
  members: ({ members }) =>
    `${counted(members.removed, 'member')} removed${members.added > 0 ? `, ${count(members.added)} added` : ''}`,
  switch_off: () => 'switched off',
  delete_person: () => 'deleted: switched off',
  delete_group: ({ members }) => `group deleted, with ${counted(members.removed, 'member')}`,
}

const columns = (now: Date): Column<Held>[] => [
  { title: 'WHAT', value: ({ name }) => name, mayShrink: true },
  { title: 'WAITS', value: ({ kind }) => kind, shown: (held) => kinds[held.kind]?.(held) ?? held.kind },
  { title: 'LOST', value: ({ access }) => String(access.lost) },
  {
    title: 'WHY',
    value: ({ reasons }) => reasons.join(','),
    shown: ({ reasons }) => reasons.map(reasonWord).join(', ') || 'the group was put back',
    mayShrink: true,
  },
  { title: 'SINCE', value: ({ since }) => since, shown: ({ since }) => ago(since, now) },
]

/** What waits, or was rejected. */
export const heldList = (items: Held[], out: Output): string => table(items, columns(new Date()), out)

/** What a decision comes to. */
export function decisionView(decision: 'allow' | 'reject', effect: Omit<Effect, 'directory' | 'blocked'>): string {
  const what = counted(effect.groups, 'thing that waits', 'things that wait')
  if (decision === 'reject')
    return `${what}: kept as ${effect.groups === 1 ? 'it is' : 'they are'}, until the provider says otherwise.`
  return [
    `${what} would be done. ${effectSentence(effect)}`,
    ...effect.warnings.map((warning) => `! ${warningSentence(warning)}.`),
  ].join('\n')
}
