import { quantile } from '../client.ts'
import { personId, type SeededGroup, sizedGroups } from './population.ts'
import type { Target } from './targets.ts'

/** A group of 100,000 read whole, alone and with others beside it. */
export interface LargeRead {
  megabytes: number
  firstByteMs: number
  ms: number
  heldMs: number
  grownMb: number
  /** Others' time meanwhile, four connections reading users by id. */
  othersP99: number
  othersBefore: number
}

const group = sizedGroups.at(-1) as SeededGroup
const whole = { method: 'GET' as const, path: `/Groups/${group.id}` }
const someone = () => () => ({ method: 'GET' as const, path: `/Users/${personId(Math.floor(Math.random() * group.size))}` })
const four = Array.from({ length: 4 }, someone)

export async function readLargeGroup({ client, watch }: Target, reads: number): Promise<LargeRead> {
  // What the first one makes the heap grow by is not the group's size.
  const { bytes } = await client.ask(whole)
  const times: { firstByteMs: number; ms: number }[] = []
  const { heldMs, grownMb } = await watch(async () => {
    for (let read = 0; read < reads; read++) times.push(await client.ask(whole))
  })
  const before = await client.load(four, 1)
  const meanwhile: number[] = []
  let isReading = true
  await Promise.all([
    (async () => {
      for (let read = 0; read < reads; read++) await client.ask(whole)
      isReading = false
    })(),
    ...four.map(async (source) => {
      while (isReading) meanwhile.push((await client.ask(source())).ms)
    }),
  ])
  const middle = (key: 'firstByteMs' | 'ms') =>
    quantile(
      times.map((time) => time[key]).sort((a, b) => a - b),
      0.5,
    )
  return {
    megabytes: bytes / 1e6,
    firstByteMs: middle('firstByteMs'),
    ms: middle('ms'),
    heldMs,
    grownMb,
    othersP99: quantile(
      meanwhile.sort((a, b) => a - b),
      0.99,
    ),
    othersBefore: quantile(before.times, 0.99),
  }
}
