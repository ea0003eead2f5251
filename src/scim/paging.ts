import { ScimError } from './error.ts'

export const defaultPageSize = 100
export const maxPageSize = 1_000
/** For how many seconds a cursor can be gone on with. */
export const cursorTimeout = 3_600

/** What part of a list is asked for: `count` resources at most; 0 asks for the total only. */
export type Paging = IndexPaging | CursorPaging

export interface IndexPaging {
  count: number
  /** The first resource of the page, from 1. */
  startIndex: number
}

export interface CursorPaging {
  count: number
  /** Where the page begins; null: at the first resource. */
  from: Position | null
}

/** A place in a sorted list: behind a resource, or, going back, before it. */
export interface Position {
  isBackward: boolean
  /** What the list is sorted by, of that resource, as text; null where it has nothing, or where there is no sort. */
  key: string | null
  id: string
}

/** Paging as it is asked for; `cursor` is still sealed, and empty for the first page. */
export type AskedPaging = IndexPaging | { count: number; cursor: string }

/**
 * Reads `startIndex` and `count` (RFC 7644 §3.4.2.4): below 1 is 1, negative is 0, a larger page is cut to the maximum; or `cursor` and
 * `count` (RFC 9865 §2). Without either the list is paged by index.
 * @throws ScimError 400 `invalidValue`, `invalidCursor`, `invalidCount`
 */
export function readPaging(given: { startIndex?: unknown; count?: unknown; cursor?: unknown }): AskedPaging {
  const { cursor } = given
  const count = (fault: 'invalidValue' | 'invalidCount') =>
    Math.min(Math.max(wholeNumber('count', given.count, fault) ?? defaultPageSize, 0), maxPageSize)
  if (cursor === undefined || cursor === null) {
    const startIndex = wholeNumber('startIndex', given.startIndex, 'invalidValue') ?? 1
    return { startIndex: Math.min(Math.max(startIndex, 1), 2 ** 31 - 1), count: count('invalidValue') }
  }
  if (typeof cursor !== 'string') throw invalidCursor('The cursor must be given once, as text.')
  if (given.startIndex !== undefined && given.startIndex !== null)
    throw new ScimError(400, 'invalidValue', 'Ask for a page with startIndex or with cursor, not with both.')
  return { cursor, count: count('invalidCount') }
}

/** RFC 9865 §2.1. What is wrong with it is not told apart: an invalid one may be another directory's. */
export const invalidCursor = (
  detail = 'The cursor is not one of this query. Ask for the first page with an empty cursor, then with each nextCursor, all else unchanged.',
): ScimError => new ScimError(400, 'invalidCursor', detail)

function wholeNumber(name: string, value: unknown, fault: 'invalidValue' | 'invalidCount'): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number' && Number.isInteger(value)) return value
  if (typeof value === 'string' && /^[+-]?\d{1,18}$/.test(value.trim())) return Number(value)
  throw new ScimError(400, fault, `${name} must be a whole number.`)
}
