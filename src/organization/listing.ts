import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { inHashes } from '../database/in-hashes.ts'
import { nameKey } from './name-key.ts'
import { Refusal } from './refusal.ts'

/** What part of a list is asked for. `limit` 0 or none: all of it. `sort` is a field's name, with `-` before it for descending. */
export interface Listing {
  search?: string | undefined
  sort?: string | undefined
  offset?: number | undefined
  limit?: number | undefined
}

/** A page of a list, and how many rows there are on all its pages. */
export interface Listed<T> {
  total: number
  items: T[]
}

/** What a list is made of, as SQL. */
export interface ListOf {
  columns: RawBuilder<unknown>
  /** What stands after `from`: joins, conditions, grouping. */
  from: RawBuilder<unknown>
  /** What may be sorted by, and the column of each. */
  sorts: Record<string, string>
  /** The sort if none is asked for. */
  usual: string
  /** What decides between equals, so that pages do not overlap. */
  last: string
  /** Its expressions meet in hashes (in-hashes.ts). */
  inHashes?: true
}

/** Reads a page of a list, and counts all of it. @throws Refusal `invalid_value` where it cannot be sorted by what is asked */
export async function list<T>(
  reader: Reader,
  listing: Listing,
  { columns, from, sorts, usual, last, inHashes: meetsInHashes }: ListOf,
): Promise<Listed<T>> {
  const items = sql<T>`select ${columns} from ${from} ${orderBy(listing.sort, sorts, usual, last)} ${page(listing)}`
  const counted = sql<{ total: number }>`select count(*)::integer as total from (select from ${from}) as each`
  const [rows, counts] = meetsInHashes
    ? await Promise.all([inHashes(reader, items), inHashes(reader, counted)])
    : (await Promise.all([items.execute(reader), counted.execute(reader)])).map((answer) => answer.rows)
  return { total: (counts as { total: number }[])[0]?.total ?? 0, items: rows as T[] }
}

/**
 * `order by`, by one of the named columns and then by `last`, so that pages do not overlap. The columns are ours, never a caller's text.
 * @throws Refusal `invalid_value` where the list cannot be sorted by that
 */
export function orderBy(
  sort: string | undefined,
  columns: Record<string, string>,
  usual: string,
  last: string,
): RawBuilder<unknown> {
  const asked = sort ?? usual
  const descending = asked.startsWith('-')
  const name = descending ? asked.slice(1) : asked
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (column === undefined) {
    throw new Refusal('invalid_value', `This list cannot be sorted by "${name}". Sort by ${Object.keys(columns).join(', ')}.`, {
      sort: asked,
    })
  }
  return sql.raw(`order by ${column} ${descending ? 'desc' : 'asc'} nulls last, ${last}`)
}

/** `limit … offset …` of a list. */
export function page(listing: Listing): RawBuilder<unknown> {
  return sql`limit ${listing.limit || null}::bigint offset ${listing.offset ?? 0}::bigint`
}

/** The form in which a search is compared with name keys, by `strpos`: `%` and `_` mean themselves. Empty: finds all. */
export function searchKey(listing: Listing): string {
  return nameKey(listing.search ?? '')
}

/** A condition: what is searched for is in one of these columns, which hold name keys. */
export function found(listing: Listing, ...keys: string[]): RawBuilder<boolean> {
  const key = searchKey(listing)
  const any = keys.map((column) => sql`strpos(coalesce(${sql.raw(column)}, ''), ${key}) > 0`)
  return sql`(${key} = '' or ${sql.join(any, sql` or `)})`
}
