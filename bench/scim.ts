import { parseArgs } from 'node:util'
import { type Figures, quantile, TookTooLong } from './client.ts'
import { median, withBenchOrganization } from './organization.ts'
import { type LargeRead, readLargeGroup } from './scim/large-group.ts'
import { type Line, printHeld, printLarge, printLines, printSizes, printTable, setting } from './scim/report.ts'
import { blocks, connectionsOf, largeWrites, mixed, parallelAdditions, type Row } from './scim/rows.ts'
import { seedMuster } from './scim/seed.ts'
import { installPeers, peerPackages, startTarget, type Target, type TargetName, targetNames } from './scim/targets.ts'

// SCIM beside its peers: the same requests, from one client, to Muster, to SCIMMY (in memory), to Polis (on the same PostgreSQL) and to
// a bare handler (Fastify, pg, a statement a request), in turn, in one run, each server in a process of its own; eight to ten minutes.
// `--quick` for a look; `--only TEXT`: what has that in its name; `--targets muster,bare`.

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    targets: { type: 'string', default: targetNames.join(',') },
  },
})
const [rounds, seconds, mixedSeconds, reads, capMs] = values.quick ? [1, 0.4, 1, 3, 3_000] : [5, 0.6, 10, 10, 20_000]
const mixedRounds = 3
const names = targetNames.filter((name) => values.targets.split(',').includes(name))
const isWanted = (name: string) => name.includes(values.only)

if (names.some((name) => name in peerPackages)) installPeers()
await withBenchOrganization({ scimRate: 0 }, async (bench) => {
  await seedMuster(bench)
  const { rows } = await bench.db.pool.query('show server_version')
  console.log(setting(rows[0].server_version, names))
  const targets: Target[] = []
  try {
    for (const name of names) targets.push(await startTarget(name, bench, capMs))
    const lines: Line[] = []
    for (const block of blocks)
      lines.push(
        ...(await measure(
          block.filter(({ name }) => isWanted(name)),
          targets,
        )),
      )
    if (lines.length > 0) printLines(lines, names)
    printSizes(lines)
    if (isWanted('members lost')) await loseNone(targets)
    if (isWanted('loop held')) await holdNoLoop(targets.filter(({ name }) => name === 'muster'))
    if (isWanted('mixed load')) await mix(targets)
    if (isWanted('read whole')) printLarge(await readWhole(targets.filter(({ name }) => name !== 'polis')))
  } finally {
    for (const target of targets) await target.stop()
  }
})

/** Rows in turn and in each row the servers in turn, round by round; the first round warms up. */
async function measure(rows: Row[], targets: Target[]): Promise<Line[]> {
  const cells = rows.flatMap((row) =>
    targets
      .filter(({ name }) => row.cannot?.[name] === undefined)
      .map((target) => ({
        row,
        target,
        sources: Array.from({ length: connectionsOf(row) }, (_, connection) => row.source(connection)),
        figures: [] as number[],
        isOver: false,
        isCut: false,
      })),
  )
  for (let round = 0; round <= rounds; round++) {
    for (const cell of cells.filter(({ isOver }) => !isOver)) {
      const figures = await cell.target.client.load(cell.sources, round === 0 ? seconds / 3 : seconds)
      // What takes seconds is as warm the first time as ever, and is asked twice at most.
      const isSlow = (figures.times.at(-1) ?? 0) > 2_000
      if (figures.isCut) await cell.target.restart()
      else if (round > 0 || isSlow) cell.figures.push(figureOf(cell.row, figures))
      cell.isCut = figures.isCut
      cell.isOver = figures.isCut || (isSlow && cell.figures.length > 1)
    }
  }
  return rows.map((row) => ({
    row,
    shown: {
      ...Object.fromEntries(Object.entries(row.cannot ?? {}).map(([name, none]) => [name, { none }])),
      ...Object.fromEntries(
        cells
          .filter((cell) => cell.row === row)
          .map(({ target, figures, isCut }) => [
            target.name,
            isCut ? { none: `> ${capMs / 1_000} s`, atLeastMs: capMs } : { figure: median(figures) },
          ]),
      ),
    },
  }))
}

function figureOf({ unit }: Row, { times, perSecond }: Figures): number {
  return unit === 'ms' ? quantile(times, 0.5) : perSecond
}

/** 400 additions to one group over eight connections, and how many members it has then. */
async function loseNone(targets: Target[]): Promise<void> {
  const each = 50
  const lost: string[] = []
  for (const { name, client } of targets) {
    const { group, source } = parallelAdditions(each)
    await Promise.all(
      Array.from({ length: 8 }, async (_, connection) => {
        const next = source(connection)
        for (let n = 0; n < each; n++) await client.ask(next())
      }),
    )
    const { text } = await client.ask({ method: 'GET', path: `/Groups/${group.id}` }, 'text')
    lost.push(name === 'polis' ? 'polis answers no members' : `${name} ${8 * each - (JSON.parse(text).members ?? []).length}`)
  }
  console.log(`\nmembers lost of ${8 * each} added to one group over eight connections: ${lost.join(', ')}`)
}

async function holdNoLoop(targets: Target[]): Promise<void> {
  for (const { client, watch } of targets) {
    const held: [string, number][] = []
    for (const [what, ask] of largeWrites) {
      const { heldMs } = await watch(async () => void (await client.ask(ask)))
      held.push([what, heldMs])
    }
    printHeld(held)
  }
}

async function mix(targets: Target[]): Promise<void> {
  const cells = targets.map((target) => ({
    target,
    sources: Array.from({ length: 8 }, (_, connection) => mixed(connection)),
    times: [] as number[],
    rates: [] as number[],
  }))
  for (let round = 0; round < mixedRounds; round++) {
    for (const { target, sources, times, rates } of cells) {
      const figures = await target.client.load(sources, mixedSeconds)
      times.push(...figures.times)
      rates.push(figures.perSecond)
    }
  }
  console.log('')
  printTable(
    [`mixed load, ${mixedRounds * mixedSeconds} s, 8 connections`, 'requests a second', 'p50', 'p99'],
    cells.map(({ target, times, rates }) => {
      times.sort((a, b) => a - b)
      return [target.name, median(rates).toFixed(0), ...[0.5, 0.99].map((share) => `${quantile(times, share).toFixed(2)} ms`)]
    }),
  )
}

async function readWhole(targets: Target[]): Promise<[TargetName, LargeRead | string][]> {
  const found: [TargetName, LargeRead | string][] = []
  for (const target of targets) {
    try {
      found.push([target.name, await readLargeGroup(target, target.name === 'scimmy' ? 1 : reads)])
    } catch (error) {
      if (!(error instanceof TookTooLong)) throw error
      await target.restart()
      found.push([target.name, `> ${capMs / 1_000} s`])
    }
  }
  return found
}
