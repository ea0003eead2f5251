import { expect, test } from 'vitest'
import { together, togetherInTurn } from '../../src/database/together.ts'

/** A run that is recorded, and waits until it is let go. */
function held() {
  const runs: string[][] = []
  const gates: PromiseWithResolvers<void>[] = []
  const run = async (items: string[]) => {
    runs.push(items)
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    await gate.promise
    return items.map((item) => item.toUpperCase())
  }
  const letGo = async () => {
    gates.shift()?.resolve()
    // The next run begins once the promises of this one are settled.
    await new Promise(setImmediate)
  }
  return { runs, run, letGo }
}

const options = { subject: (item: string) => item[0] ?? '', size: (item: string) => item.length, most: 6 }

test('the first runs at once and alone; what comes meanwhile runs next, together, and each gets its own answer', async () => {
  const { runs, run, letGo } = held()
  const push = together(run, options)
  const answers = ['a', 'b', 'c'].map((item) => push('k', item))
  expect(runs).toEqual([['a']])
  await letGo()
  expect(runs).toEqual([['a'], ['b', 'c']])
  await letGo()
  expect(await Promise.all(answers)).toEqual(['A', 'B', 'C'])
})

test('two of one subject follow one another, in their order', async () => {
  const { runs, run, letGo } = held()
  const push = together(run, options)
  const answers = ['a', 'b1', 'b2', 'c', 'b3'].map((item) => push('k', item))
  for (let rounds = 0; rounds < 4; rounds++) await letGo()
  await Promise.all(answers)
  expect(runs).toEqual([['a'], ['b1', 'c'], ['b2'], ['b3']])
})

test('no more is done at once than is said; what is larger runs by itself and nothing waits for it', async () => {
  const { runs, run, letGo } = held()
  const push = together(run, options)
  const answers = ['large..', 'a', 'bbb', 'cccc', 'd'].map((item) => push('k', item))
  expect(runs).toEqual([['large..'], ['a']])
  for (let rounds = 0; rounds < 4; rounds++) await letGo()
  await Promise.all(answers)
  expect(runs.slice(2)).toEqual([['bbb', 'd'], ['cccc']])
})

test('keys do not wait for one another', async () => {
  const { runs, run, letGo } = held()
  const push = together(run, options)
  const answers = [push('k', 'a'), push('l', 'b')]
  expect(runs).toEqual([['a'], ['b']])
  await letGo()
  await letGo()
  expect(await Promise.all(answers)).toEqual(['A', 'B'])
})

test('one that cannot be done fails alone', async () => {
  const push = together(async (items: string[]) => {
    if (items.includes('bad')) throw new Error(`cannot do ${items}`)
    return items
  }, options)
  const [first, bad, good] = await Promise.allSettled(['a', 'bad', 'c'].map((item) => push('k', item)))
  expect([first?.status, good?.status]).toEqual(['fulfilled', 'fulfilled'])
  expect(bad).toMatchObject({ status: 'rejected', reason: { message: 'cannot do bad' } })
})

test('what comes in one turn of the event loop is done together, so many at once, and each gets its own answer', async () => {
  const { runs, run, letGo } = held()
  const lookUp = togetherInTurn(run, 2)
  const first = ['a', 'b', 'c'].map((item) => lookUp('k', item))
  const other = lookUp('l', 'd')
  expect(runs).toEqual([])
  await new Promise(setImmediate)
  expect(runs).toEqual([['a', 'b'], ['c'], ['d']])
  // Nothing waits for what is under way.
  const next = lookUp('k', 'e')
  await new Promise(setImmediate)
  expect(runs).toEqual([['a', 'b'], ['c'], ['d'], ['e']])
  for (let rounds = 0; rounds < 4; rounds++) await letGo()
  expect(await Promise.all([...first, other, next])).toEqual(['A', 'B', 'C', 'D', 'E'])
})

test('of what came in one turn, one that cannot be done fails alone', async () => {
  const lookUp = togetherInTurn(async (items: string[]) => {
    if (items.includes('bad')) throw new Error(`cannot do ${items}`)
    return items
  }, 10)
  const [first, bad, good] = await Promise.allSettled(['a', 'bad', 'c'].map((item) => lookUp('k', item)))
  expect([first?.status, good?.status]).toEqual(['fulfilled', 'fulfilled'])
  expect(bad).toMatchObject({ status: 'rejected', reason: { message: 'cannot do bad' } })
})
