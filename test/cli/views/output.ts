import picocolors from 'picocolors'
import type { Output } from '../../../src/cli/views/output.ts'

/** An output that is looked at, not written: for a person at a terminal of 100 columns, or for a program in a pipe. */
export const seenBy = (who: 'a person' | 'a program', width = 100): Output => ({
  json: false,
  forPeople: who === 'a person',
  width,
  colors: picocolors.createColors(false),
  now: new Date('2026-11-24T09:00:00Z'),
  canAsk: false,
  canDraw: false,
  data: () => {},
  say: () => {},
})
