import { ScimError } from './error.ts'

export const defaultPageSize = 100
export const maxPageSize = 1_000

export interface Paging {
  /** The first resource of the page, from 1. */
  startIndex: number
  /** How many at most; 0 asks for the total only. */
  count: number
}

/** Reads `startIndex` and `count` (RFC 7644 §3.4.2.4): below 1 is 1, negative is 0, a larger page is cut to the maximum. */
export function readPaging(given: { startIndex?: unknown; count?: unknown }): Paging {
  const startIndex = wholeNumber('startIndex', given.startIndex) ?? 1
  const count = wholeNumber('count', given.count) ?? defaultPageSize
  return { startIndex: Math.min(Math.max(startIndex, 1), 2 ** 31 - 1), count: Math.min(Math.max(count, 0), maxPageSize) }
}

function wholeNumber(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number' && Number.isInteger(value)) return value
  if (typeof value === 'string' && /^[+-]?\d{1,18}$/.test(value.trim())) return Number(value)
  throw new ScimError(400, 'invalidValue', `${name} must be a whole number.`)
}
