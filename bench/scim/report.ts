import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { LargeRead } from './large-group.ts'
import { type Row, sizeRows } from './rows.ts'
import { peerPackages, type TargetName } from './targets.ts'

/** What a row showed of a server: one figure, or why there is none; `atLeastMs` where a request was given up after so long. */
export type Shown = { figure: number } | { none: string; atLeastMs?: number }
export interface Line {
  row: Row
  shown: Partial<Record<TargetName, Shown>>
}

/** The machine and the versions that the figures are of. */
export function setting(databaseVersion: string, names: readonly TargetName[]): string {
  const peers = names.flatMap((name) => {
    const folder = peerPackages[name]
    if (folder === undefined) return []
    const file = new URL(`../peers/node_modules/${folder}/package.json`, import.meta.url)
    return [`${folder} ${JSON.parse(readFileSync(file, 'utf8')).version}`]
  })
  return [
    `${cpus().length} cores, shared by client, server and PostgreSQL`,
    `Node ${process.version}`,
    `PostgreSQL ${databaseVersion}`,
    ...peers,
    new Date().toISOString().slice(0, 10),
  ].join(' · ')
}

/** A row a line, a server a column, how many times as fast as each Muster is, and whether that was the goal. */
export function printLines(lines: Line[], names: readonly TargetName[]): void {
  const others = names.filter((name) => name !== 'muster')
  printTable(
    ['', ...names, ...others.map((name) => `× ${name}`), 'goal'],
    lines.map(({ row, shown }) => [
      row.name,
      ...names.map((name) => cellOf(row, shown[name])),
      ...others.map((name) => timesOf(row, shown, name)?.toFixed(2) ?? ''),
      goalOf(row, shown),
    ]),
  )
}

function cellOf(row: Row, shown: Shown | undefined): string {
  if (shown === undefined) return ''
  if ('none' in shown) return shown.none
  const digits = shown.figure < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 }
  return shown.figure.toLocaleString('en', digits) + (row.unit === 'ms' ? ' ms' : '/s')
}

/** How many times as fast as that one Muster is; what was given up took at least so long. */
function timesOf(row: Row, shown: Line['shown'], name: TargetName): number | undefined {
  const [muster, other] = [shown.muster, shown[name]]
  if (muster === undefined || other === undefined || 'none' in muster) return undefined
  if ('none' in other) return other.atLeastMs === undefined ? undefined : other.atLeastMs / muster.figure
  return row.unit === 'ms' ? other.figure / muster.figure : muster.figure / other.figure
}

function goalOf(row: Row, shown: Line['shown']): string {
  const missed = Object.entries(row.goals).flatMap(([name, goal]) => {
    const times = timesOf(row, shown, name as TargetName)
    return times === undefined || times >= goal ? [] : [`${name} ${goal}`]
  })
  return missed.length === 0 ? 'met' : `**not met**: ${missed.join(', ')}`
}

/** What one member's PATCH costs in the larger groups against the smallest. */
export function printSizes(lines: Line[]): void {
  const figures = lines.flatMap(({ row, shown: { muster } }) =>
    sizeRows.includes(row) && muster !== undefined && 'figure' in muster ? [muster.figure] : [],
  )
  const [first, ...more] = figures
  if (first === undefined || more.length === 0) return
  const times = more.map((figure) => figure / first)
  const said = times.map((one) => one.toFixed(2)).join(', ')
  console.log(
    `\nMuster, one member of the larger groups against one of ten: ${said} (at most 1.2: ${met(Math.max(...times) <= 1.2)})`,
  )
}

export function printLarge(reads: [TargetName, LargeRead | string][]): void {
  console.log('')
  printTable(
    [
      'a group of 100,000 read whole',
      'size',
      'first byte',
      'whole',
      'loop held',
      'memory',
      "others' p99 meanwhile, before",
      'goals',
    ],
    reads.map(([name, read]) =>
      typeof read === 'string'
        ? [name, read, '', '', '', '', '', '']
        : [
            name,
            `${read.megabytes.toFixed(1)} MB`,
            ...[read.firstByteMs, read.ms, read.heldMs].map((ms) => `${ms.toFixed(0)} ms`),
            `+${read.grownMb.toFixed(0)} MB`,
            `${read.othersP99.toFixed(1)} ms, ${read.othersBefore.toFixed(1)} ms`,
            name === 'muster' ? largeGoals(read) : '',
          ],
    ),
  )
}

// Memory: what is read must not be there at once; a heap's own steps are some megabytes.
function largeGoals({ firstByteMs, heldMs, grownMb, megabytes, othersP99 }: LargeRead): string {
  const missed = [
    ...(firstByteMs <= 100 ? [] : ['first byte within 100 ms']),
    ...(heldMs <= 50 ? [] : ['loop held 50 ms at most']),
    ...(grownMb < megabytes ? [] : ['memory below its size']),
    ...(othersP99 <= 100 ? [] : ["others' p99 below 100 ms"]),
  ]
  return missed.length === 0 ? 'met' : `**not met**: ${missed.join(', ')}`
}

const met = (isMet: boolean) => (isMet ? 'met' : '**not met**')

export function printHeld(held: [what: string, ms: number][]): void {
  const said = held.map(([what, ms]) => `${what} ${ms.toFixed(0)} ms`).join(', ')
  console.log(`\nMuster, event loop held by one request: ${said} (50 ms at most: ${met(held.every(([, ms]) => ms <= 50))})`)
}

export function printTable(heading: string[], rows: string[][]): void {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  console.log([line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n'))
}
