import { isUtf8 } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type CsvError, parse } from 'csv-parse'
import { stringify } from 'csv-stringify/sync'

/** What is wrong with a line of a CSV file; the first line is 1. */
export interface CsvProblem {
  line: number
  message: string
}

// Large enough that a turn of the event loop costs nothing beside it, small enough that others are served in between.
const piece = 256 * 1024

/**
 * Reads a CSV file (RFC 4180, UTF-8, with or without BOM, any line ends) whose first line names its columns, in any order;
 * columns not asked for are passed over, empty lines too. Bytes come from a file, text from a JSON body.
 * @param onRow gets the line on which a row begins, and its fields in the order of `columns`
 * @returns what is wrong; rows in which nothing is were given to `onRow`
 */
export async function readCsv(
  source: string | Uint8Array,
  columns: readonly string[],
  onRow: (line: number, fields: string[]) => void,
): Promise<CsvProblem[]> {
  if (typeof source !== 'string' && !isUtf8(source)) {
    return [{ line: lineOfInvalidUtf8(source), message: 'is not UTF-8. Save the file as UTF-8' }]
  }
  if (typeof source === 'string' && !source.isWellFormed()) {
    return [{ line: lineOfHalfCharacter(source), message: 'holds half a character (a lone surrogate)' }]
  }
  const problems: CsvProblem[] = []
  let header: Header | undefined
  let lastLine = 0
  let surplus = 0
  const onRecord = (record: string[], { lines }: { lines: number }): null => {
    // csv-parse counts the two characters of a Windows line end inside a field as two lines.
    surplus += breaksIn(record, /\r\n/g)
    lastLine = lines - surplus
    const line = lastLine - breaksIn(record, /\r\n|\n|\r/g)
    if (header === undefined) {
      header = readHeader(record, columns)
      problems.push(...header.missing.map((message) => ({ line, message })))
    } else if (header.missing.length === 0) {
      if (record.length === header.width)
        onRow(
          line,
          header.at.map((at) => unescapeFormula(record[at] ?? '')),
        )
      else
        problems.push({
          line,
          message: `has ${counted(record.length, 'field')}, but the first line names ${counted(header.width, 'column')}. Is the line cut?`,
        })
    }
    return null
  }
  const error = await parsePieces(typeof source === 'string' ? Buffer.from(source) : source, onRecord)
  if (error)
    problems.push({
      line: error.code === 'CSV_QUOTE_NOT_CLOSED' ? lastLine + 1 : lineOf(error, surplus, lastLine),
      message: wordsOf(error),
    })
  else if (header === undefined)
    problems.push({ line: 1, message: `is empty. The first line must name the columns: ${columns.join(',')}` })
  return problems
}

async function parsePieces(
  source: Uint8Array,
  onRecord: (record: string[], info: { lines: number }) => null,
): Promise<CsvError | undefined> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    on_record: onRecord,
  })
  let failed: CsvError | undefined
  const ended = new Promise<void>((resolve) => {
    parser.once('end', resolve)
    parser.once('error', (error: CsvError) => {
      failed = error
      resolve()
    })
  })
  parser.resume()
  for (let from = 0; from < source.length && failed === undefined; from += piece) {
    parser.write(source.subarray(from, from + piece))
    await nextTurn()
  }
  if (failed === undefined) parser.end()
  await ended
  return failed
}

interface Header {
  /** Where in a record each asked column is. */
  at: number[]
  width: number
  missing: string[]
}

function readHeader(record: string[], columns: readonly string[]): Header {
  const names = record.map((name) => name.trim().toLowerCase())
  const at = columns.map((column) => names.indexOf(column))
  const missing = columns.flatMap((column, index) => {
    if (at[index] === -1) return [`has no column "${column}". The first line must name the columns: ${columns.join(',')}`]
    return names.lastIndexOf(column) === at[index] ? [] : [`has the column "${column}" twice`]
  })
  return { at, width: record.length, missing }
}

function wordsOf(error: CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'has a quoted field that does not end. Is the file cut, or a quote not doubled?'
    case 'INVALID_OPENING_QUOTE':
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'has a quote where none may be. Put the field in quotes, and double each quote inside'
    default:
      return 'cannot be read as CSV'
  }
}

const lineOf = (error: CsvError, surplus: number, lastLine: number): number =>
  typeof error.lines === 'number' ? error.lines - surplus : lastLine + 1

const breaksIn = (record: string[], lineEnd: RegExp): number =>
  record.reduce((sum, field) => sum + (/[\r\n]/.test(field) ? (field.match(lineEnd)?.length ?? 0) : 0), 0)

function lineOfInvalidUtf8(bytes: Uint8Array): number {
  for (let line = 1, from = 0; ; line++) {
    const end = bytes.indexOf(0x0a, from)
    if (!isUtf8(bytes.subarray(from, end === -1 ? undefined : end))) return line
    if (end === -1) return line
    from = end + 1
  }
}

const lineOfHalfCharacter = (text: string): number => text.split('\n').findIndex((line) => !line.isWellFormed()) + 1

const counted = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`

// Rule 28. What already begins with quotes before such a character gets one more, so that reading takes off what writing put on.
const formula = /^'*[=+\-@\t\r\0]/
const escapedFormula = /^'+[=+\-@\t\r\0]/

/** A field as it is written: a spreadsheet must not take it for a formula. */
export const escapeFormula = (field: string): string => (formula.test(field) ? `'${field}` : field)

/** A field as it was before `escapeFormula`. */
export const unescapeFormula = (field: string): string => (escapedFormula.test(field) ? field.slice(1) : field)

/** What a CSV file can say of a row. */
export type CsvValue = string | number | boolean | Date | null | undefined

/** Writes CSV (RFC 4180): the columns' names, then a line a row. Formulas are escaped, times are RFC 3339. */
export function writeCsv<Row>(columns: Record<string, (row: Row) => CsvValue>, rows: readonly Row[]): string {
  const values = Object.values(columns)
  return stringify([Object.keys(columns), ...rows.map((row) => values.map((value) => textOf(value(row))))], {
    record_delimiter: 'windows',
  })
}

function textOf(value: CsvValue): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' ? escapeFormula(value) : String(value)
}
