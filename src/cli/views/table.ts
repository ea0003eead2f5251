import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import type { Output } from './output.ts'

/** A column of a list. A cell may differ for a person (`shown`) and a program (`value`, exact). */
export interface Column<Row> {
  title: string
  value: (row: Row) => string | number | boolean | null | undefined
  shown?: (row: Row, out: Output) => string
  align?: 'right'
  /** May be cut where the terminal is too narrow. */
  mayShrink?: true
}

/** A list as a table for a person, or as tab-separated lines without header for a program. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], out: Output): string {
  return out.forPeople ? forPerson(rows, columns, out) : forProgram(rows, columns)
}

const forProgram = <Row>(rows: readonly Row[], columns: readonly Column<Row>[]) =>
  rows.map((row) => `${columns.map((column) => oneLine(textOf(column.value(row)))).join('\t')}\n`).join('')

function forPerson<Row>(rows: readonly Row[], columns: readonly Column<Row>[], out: Output): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.shown?.(row, out) ?? textOf(column.value(row)), true)))
  const grid = new Table({
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
    colAligns: columns.map((column) => column.align ?? 'left'),
    colWidths: widths(cells, columns, out.width),
  })
  grid.push(
    columns.map((column) => out.colors.dim(column.title)),
    ...cells,
  )
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

// Only columns that must be cut get a width, the widest first; the others are as wide as what they hold.
function widths<Row>(cells: string[][], columns: readonly Column<Row>[], available: number): (number | null)[] {
  const needed = columns.map((column, i) => Math.max(column.title.length, ...cells.map((row) => lengthOf(row[i] ?? ''))) + 2)
  const wide = [...needed]
  for (let excess = wide.reduce((sum, width) => sum + width, 0) - available; excess > 0; excess--) {
    const widest = columns.reduce(
      (found, column, i) => (column.mayShrink && (wide[i] ?? 0) > (wide[found] ?? narrowest) ? i : found),
      -1,
    )
    if (widest < 0) break
    wide[widest] = (wide[widest] ?? 0) - 1
  }
  return wide.map((width, i) => (width < (needed[i] ?? 0) ? width : null))
}

const narrowest = 14

const noLines = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((part) => [part, '']),
)

const lengthOf = (cell: string) => [...stripVTControlCharacters(cell)].length
const textOf = (value: string | number | boolean | null | undefined) =>
  value === null || value === undefined ? '' : String(value)

// A name with a tab, a line break or an escape must not break the line, or the terminal. Our own colours are SGR sequences.
function oneLine(cell: string, keepColors = false): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return cell.replace(/(\u001b\[\d*m)|[\u0000-\u001f\u007f-\u009f]/g, (_, color?: string) => (keepColors && color ? color : ' '))
}

/** Facts under one another: `label  value`. For a program: `label<tab>value`. */
export function facts(pairs: readonly (readonly [label: string, value: string | number])[], out: Output): string {
  const wide = Math.max(...pairs.map(([label]) => label.length))
  return pairs
    .map(([label, value]) =>
      out.forPeople
        ? `${out.colors.dim(label.padEnd(wide))}  ${oneLine(String(value), true)}`
        : `${label}\t${oneLine(String(value))}`,
    )
    .join('\n')
}
