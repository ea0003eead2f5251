import { createInterface } from 'node:readline/promises'
import { exit, Failure } from './failure.ts'
import type { Effect } from './shapes.ts'
import { consequences } from './views/effect.ts'
import { count, counted } from './views/numbers.ts'
import type { Output } from './views/output.ts'

/**
 * Asks before access is taken: what takes nothing needs no question, since a run can be looked at and put right.
 * `emptied`: the groups among them that were pushed empty, all of whose members go.
 * @throws Failure, where it is not confirmed, or where nobody can be asked and `--yes` was not given
 */
export async function confirmed(effect: Effect, emptied: string[], isYes: boolean, out: Output): Promise<void> {
  const { peopleLosing } = effect.access
  if (peopleLosing === 0 || isYes) return
  if (!out.canAsk) {
    throw new Failure(
      exit.refused,
      `This takes access from ${counted(peopleLosing, 'person', 'people')}, and there is no terminal to ask on. Nothing was done.`,
      'Add --yes if that is meant, with --plan FILE or --max-lost N so that it stays what was reviewed.',
    )
  }
  const typed = await ask(`${consequences(effect, emptied, out)}\nType ${peopleLosing} to go on: `)
  if (typed.trim() !== String(peopleLosing))
    throw new Failure(exit.refused, 'Not confirmed. Nothing was done.', `Type the number ${peopleLosing} to go on.`)
}

/** @throws Failure refused, where more accesses would be lost than `--max-lost` allows */
export function refuseTooMuch({ access }: Effect, maxLost: number | undefined): void {
  if (maxLost === undefined || access.lost <= maxLost) return
  throw new Failure(
    exit.refused,
    `This would take ${counted(access.lost, 'access', 'accesses')} from ${counted(access.peopleLosing, 'person', 'people')}; --max-lost allows ${count(maxLost)}. Nothing was done.`,
    'See whose: muster reviews people --all. Sync what takes nothing: muster sync --only takes-nothing',
  )
}

/**
 * Shows what would be done and asks for one word of it.
 * @throws Failure, where another is typed, or where nobody can be asked and `--yes` was not given
 */
export async function confirmedBy(
  { typed, shown, isYes }: { typed: string; shown: string; isYes: boolean },
  out: Output,
): Promise<void> {
  if (isYes) return
  if (!out.canAsk)
    throw new Failure(
      exit.refused,
      `${shown}\nThere is no terminal to ask on. Nothing was done.`,
      'Add --yes if that is meant; --dry-run shows it alone.',
    )
  const answer = await ask(`${shown}\nType ${typed} to go on: `)
  if (answer.trim() !== typed) throw new Failure(exit.refused, 'Not confirmed. Nothing was done.', `Type ${typed} to go on.`)
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const aborted = new AbortController()
  lines.on('SIGINT', () => aborted.abort())
  try {
    return await lines.question(question, { signal: aborted.signal })
  } catch (error) {
    if (!aborted.signal.aborted) throw error
    throw new Failure(exit.interrupted, 'Nothing was done.', 'Run it again when you are ready.')
  } finally {
    lines.close()
  }
}
