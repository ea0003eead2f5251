import type { Happening } from '../shapes.ts'
import { ago } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'

const columns: Column<Happening>[] = [
  { title: 'AT', value: ({ at }) => at, shown: ({ at }, out) => ago(at, out.now) },
  { title: 'WHO', value: ({ actor }) => actor, shown: ({ actor }) => actor.replace(/^\w+:/, ''), mayShrink: true },
  { title: 'WHAT', value: ({ text }) => text, mayShrink: true },
  { title: 'WHY', value: why, mayShrink: true },
  { title: 'ENTRY', value: ({ id }) => id },
]

/** What was done, a line each: when, by whom, what, in which run or request. */
export const historyList = (items: Happening[], out: Output): string => table(items, columns, out)

function why({ run, requestId, actor }: Happening): string {
  if (run !== null) return run.note === null ? `run ${run.id}` : `run ${run.id}: ${run.note}`
  // What a provider sent can be looked up: muster directories requests show.
  return requestId !== null && actor.startsWith('directory:') ? `request ${requestId}` : ''
}
