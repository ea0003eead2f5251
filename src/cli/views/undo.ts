import type { Undo } from '../shapes.ts'
import { effectSentence } from './effect.ts'
import { count, counted } from './numbers.ts'
import { warningSentence } from './words.ts'

const named = 10

/** What undoing a run comes to, and which groups were changed since. */
export function undoView({ groups, changed, effect }: Undo): string {
  const names = changed.slice(0, named).map(({ group, entries }) => `${group.name} (${counted(entries, 'change')})`)
  const more = changed.length > named ? ` and ${count(changed.length - named)} more` : ''
  return [
    `${counted(groups, 'group')} put back. ${effectSentence(effect)}`,
    ...(changed.length > 0 ? [`Changed since: ${names.join(', ')}${more}. Left out, unless --even-if-changed.`] : []),
    ...effect.warnings.map((warning) => `! ${warningSentence(warning)}.`),
  ].join('\n')
}
