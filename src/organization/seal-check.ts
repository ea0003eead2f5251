import type { Reader } from '../database/connection.ts'
import { checkBlock, firstWrongEntry, headOf } from './seal.ts'

/** What is wrong, first of all, in the log as it is stored. */
export interface SealFault {
  block: number
  entry: string | null
  text: string
}

/** What a check found; `next`: the block behind which to go on. */
export interface SealCheck {
  blocks: number
  entries: number
  fault: SealFault | null
  next: number | null
}

// A request's worth: some seconds.
const entriesAtOnce = 300_000

/** Computes seals anew from what is stored, from behind a block on, until something is wrong or enough is done for once. */
export async function checkSeals(reader: Reader, after: number): Promise<SealCheck> {
  const { number: end } = await headOf(reader)
  let previous = after === 0 ? '0'.repeat(64) : (await checkBlock(reader, after))?.hash
  let entries = 0
  for (let number = after + 1; number <= end; number++) {
    if (entries >= entriesAtOnce) return { blocks: number - 1 - after, entries, fault: null, next: number - 1 }
    const block = await checkBlock(reader, number)
    const found = (text: string, entry: string | null = null): SealCheck => ({
      blocks: number - 1 - after,
      entries,
      fault: { block: number, entry, text },
      next: null,
    })
    if (block === undefined) return found(`Block ${number} is missing.`)
    if (block.previous !== previous) return found(`Block ${number} does not follow from the block before it.`)
    if (!block.isWhole) return found(`Block ${number} is not what was sealed.`)
    if (!block.hasItsEntries) {
      const wrong = await firstWrongEntry(reader, number)
      if (wrong === undefined) throw new Error('A block that has not its entries has them.')
      const where = `place ${wrong.place} of block ${number}`
      return found(
        wrong.id === null ? `An entry is missing at ${where}.` : `Entry ${wrong.id}, at ${where}, is not what was sealed there.`,
        wrong.id,
      )
    }
    previous = block.hash
    entries += block.count
  }
  return { blocks: Math.max(0, end - after), entries, fault: null, next: null }
}
