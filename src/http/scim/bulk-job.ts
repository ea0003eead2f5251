import { eachAtOnce } from '../../push/each-at-once.ts'
import { type Bulk, type BulkOperation, resolved, type Sound } from '../../scim/bulk.ts'
import { nextRun } from './bulk-runs.ts'
import type { Written } from './writes.ts'

/** What became of an operation; where it failed, `id` is of whom it is about, as far as that is known. */
export type Outcome = { written: Written } | { error: unknown; id: string | undefined }

/** An operation whose references are followed. */
export interface Resolved extends Pick<Sound, 'method' | 'target' | 'version'> {
  id: string
  data: unknown
}

export interface Hands {
  /** Does one operation. */
  write(operation: Resolved): Promise<Written>
  /** Makes those of several new users, from the first on, who can be made together; there may be none. */
  makeUsers(data: Iterable<unknown>): Promise<Written[]>
  /** Whether somebody still waits for the answer. Else nothing more is begun. */
  isAwaited(): boolean
}

/** How many are done at a time. Members that are written together are one statement (memberships.ts); the others take one of the pool's ten connections each. */
const atOnce = { members: 16, profiles: 4, 'new groups': 4, other: 1 }

/** How many operations are done between two looks at whether somebody waits. */
const mostInRun = 100

/** Does the operations of a bulk so that each has the outcome that it would have after those before it. What was not begun has none. */
export async function doBulk(bulk: Bulk, hands: Hands): Promise<(Outcome | undefined)[]> {
  const { operations, order, failOnErrors } = bulk
  const outcomes: (Outcome | undefined)[] = operations.map(() => undefined)
  const ids = new Map<string, string>()
  let errors = 0
  let usersAtOnce = mostInRun

  const note = (at: number, written: Written) => {
    const { method, bulkId } = operations[at] as BulkOperation
    if (method === 'POST' && bulkId !== undefined) ids.set(bulkId, written.id)
    outcomes[at] = { written }
  }

  const one = async (at: number): Promise<void> => {
    const operation = operations[at] as BulkOperation
    try {
      if (operation.fault) throw operation.fault
      note(at, await hands.write({ ...operation, ...resolved(operation, ids) }))
    } catch (error) {
      errors++
      outcomes[at] = { error, id: idOf(operation, ids) }
    }
  }

  const users = async (of: readonly number[]): Promise<number> => {
    const data = of.values().map((at) => resolved(operations[at] as Sound, ids).data)
    // Nobody fails for another's sake: who could not be made together is made alone, and told why not.
    const made = await hands.makeUsers(data).catch(() => [])
    for (const [place, written] of made.entries()) note(of[place] as number, written)
    // Where people are known here they come one by one: to ask of a hundred each time would cost more than it saves.
    usersAtOnce = made.length === of.length ? Math.min(mostInRun, 2 * usersAtOnce) : 1
    if (made.length > 0) return made.length
    await one(of[0] as number)
    return 1
  }

  for (let begun = 0; begun < order.length && errors < failOnErrors && hands.isAwaited(); ) {
    const most = failOnErrors < order.length ? 1 : mostInRun
    const { kind, of } = nextRun(operations, order, begun, most)
    if (kind === 'new users') begun += await users(of.slice(0, usersAtOnce))
    else {
      await eachAtOnce(of, atOnce[kind], one)
      begun += of.length
    }
  }
  return outcomes
}

// Not where what a reference stands for was not made.
const idOf = ({ target }: BulkOperation, ids: ReadonlyMap<string, string>): string | undefined =>
  target?.id.startsWith('bulkId:') ? ids.get(target.id.slice('bulkId:'.length)) : target?.id
