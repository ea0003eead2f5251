import type { QueryKey } from '@tanstack/react-query'

/** A list that the server pages: what it is cached under, and one page of it. */
export interface ListOf<Row> {
  key: QueryKey
  page: (part: { offset: number; limit: number }, signal: AbortSignal) => Promise<{ total: number; items: Row[] }>
}

/** Rows of one request. At 44 px a row it is four screens; the first page of 667 reviews takes as long as 20 of them. */
export const pageSize = 200
