import type { Restoration } from '../shapes.ts'
import { effectSentence } from './effect.ts'
import { counted } from './numbers.ts'
import { warningSentence } from './words.ts'

/** What putting a group back comes to: how many changes are undone, and what that gives and takes. */
export function restorationView({ now, was, changes, effect }: Restoration): string {
  const isUnlinked = now.managedBy !== null && was.managedBy === null
  return [
    `${now.name}: ${counted(changes, 'change')} undone. ${effectSentence(effect)}`,
    ...(was.name === now.name ? [] : [`It is called ${was.name} again.`]),
    ...(isUnlinked ? [`It is no longer managed by ${now.managedBy}: what is pushed awaits review again.`] : []),
    ...(now.managedBy !== null && !isUnlinked
      ? [`It stays managed by ${now.managedBy}: what then differs from the push waits, held.`]
      : []),
    ...effect.warnings.map((warning) => `! ${warningSentence(warning)}.`),
  ].join('\n')
}
