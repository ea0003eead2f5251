import { type RawBuilder, sql } from 'kysely'
import type { CursorPaging, IndexPaging, Paging, Position } from '../scim/paging.ts'
import type { SortKey } from './order-sql.ts'

/** In which order rows are read: by a key, where there is one, then by place; backward where a page is gone back to. */
export interface Order {
  key: SortKey | undefined
  isDescending: boolean
}

/** A row that is read for a page: the key it is sorted by, as text, and its place. */
export interface Placed {
  sortKey: string | null
  place: string
}

/** A page of a list, and how many there are in all. */
export interface Page<T> {
  total: number
  items: T[]
  /** Of a page by cursor: where the next and the previous page begin, if there are any, and seconds since 1970, by the database's clock. */
  next?: Position | undefined
  previous?: Position | undefined
  at?: number
}

/** The order in which the rows of a page are read. */
export function orderOf(key: SortKey | undefined, isDescending: boolean, paging: Paging): Order {
  return { key, isDescending: isDescending !== (fromOf(paging)?.isBackward ?? false) }
}

/** `order by` the columns that hold key and place. What has no key comes last going up, first going down (RFC 7644 §3.4.2.3). */
export function orderBy(
  { key, isDescending }: Order,
  keyColumn: RawBuilder<unknown>,
  place: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const direction = isDescending ? sql`desc` : sql`asc`
  return sql`order by ${key === undefined ? sql`` : sql`${keyColumn} ${direction},`} ${place} ${direction}`
}

/**
 * That a row comes behind where the page begins. By key, so that its cost is the page's, and what is written meanwhile moves nothing.
 * @param edgeOf where the places begin and end that one resource may have
 */
export function behind(
  { key, isDescending }: Order,
  place: RawBuilder<unknown>,
  paging: Paging,
  edgeOf: (place: string, edge: 'start' | 'end') => string = (at) => at,
): RawBuilder<boolean> {
  const from = fromOf(paging)
  if (from === null) return sql<boolean>`true`
  const [beyond, id] = isDescending ? [sql`<`, edgeOf(from.id, 'start')] : [sql`>`, edgeOf(from.id, 'end')]
  const byPlace = sql<boolean>`${place} ${beyond} ${id}::uuid`
  if (key === undefined) return byPlace
  if (from.key === null)
    return isDescending ? sql<boolean>`(${key.sql} is not null or ${byPlace})` : sql<boolean>`(${key.sql} is null and ${byPlace})`
  const byKey = sql<boolean>`(${key.sql}, ${place}) ${beyond} (${from.key}::text::${key.type}, ${id}::uuid)`
  return isDescending || key.isAlways ? byKey : sql<boolean>`(${byKey} or ${key.sql} is null)`
}

/** What is read for a page: one row more than it holds, which tells whether it is the last. */
export const limited = (paging: Paging): RawBuilder<unknown> => sql`limit ${paging.count + 1} offset ${skipped(paging)}`

/** What may be read of each of several lists for a page of all of them. */
export const limitedOfEach = (paging: Paging): RawBuilder<unknown> => sql`limit ${skipped(paging) + paging.count + 1}`

const skipped = (paging: Paging): number => ('startIndex' in paging ? paging.startIndex - 1 : 0)

/** Makes the page of the rows that were read. By index the rest is counted only where there is a rest: a provider's look-up by name is one statement. */
export async function pageOf<T extends Placed>(
  found: T[],
  paging: Paging,
  counted: () => Promise<{ total: number; at: number }>,
): Promise<Page<Omit<T, keyof Placed>>> {
  return 'startIndex' in paging ? byIndex(found, paging, counted) : byCursor(found, paging, counted)
}

async function byIndex<T extends Placed>(
  found: T[],
  { startIndex, count }: IndexPaging,
  counted: () => Promise<{ total: number }>,
) {
  const isEnd = count > 0 && found.length <= count && (found.length > 0 || startIndex === 1)
  return { total: isEnd ? startIndex - 1 + found.length : (await counted()).total, items: found.slice(0, count) }
}

async function byCursor<T extends Placed>(
  found: T[],
  { count, from }: CursorPaging,
  counted: () => Promise<{ total: number; at: number }>,
) {
  const items = found.slice(0, count)
  const isBackward = from?.isBackward === true
  if (isBackward) items.reverse()
  const isMore = found.length > count
  const [first, last] = [items[0], items.at(-1)]
  return {
    ...(await counted()),
    items,
    next: last && (isBackward || isMore) ? positionOf(last, false) : undefined,
    previous: first && (isBackward ? isMore : from !== null) ? positionOf(first, true) : undefined,
  }
}

const positionOf = ({ sortKey, place }: Placed, isBackward: boolean): Position => ({ isBackward, key: sortKey, id: place })

const fromOf = (paging: Paging): Position | null => ('startIndex' in paging ? null : paging.from)
