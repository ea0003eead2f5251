import { ago } from './numbers.ts'
import type { Output } from './output.ts'

/** An event of the log, as the stream tells it. */
export interface Told {
  id: string
  type: string
  at: string
  directory: string | null
  subject: string | null
  run: string | null
  request: string | null
}

/** An event in a line: when, what, to which, in which run, and the entry of the log that says more. */
export const told = ({ id, type, at, subject, run }: Told, out: Output): string =>
  [out.forPeople ? ago(at, out.now) : at, type, subject ?? '–', ...(run === null ? [] : [`run ${run}`]), `entry ${id}`].join(
    out.forPeople ? '  ' : '\t',
  )
