import type { FastifyReply } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { type CsvValue, writeCsv } from '../../organization/csv.ts'
import type { Listing } from '../../organization/listing.ts'
import { Listed, listingOf } from './paging.ts'
import { OneOf } from './shapes.ts'

/** The filter of a list that can be had as a file: `?format=csv` answers all that match, whatever the page. */
export const csvFormat = { format: Type.Optional(OneOf(['json', 'csv'], '`csv` answers all that match, as a file')) }

/** What a list answers that can be had as a file. */
export const ListedOrCsv = <T extends TSchema>(item: T) => ({
  description: 'The list',
  content: { 'application/json': { schema: Listed(item) }, 'text/csv': { schema: Type.String() } },
})

/** Reads the query of such a list. */
export function listingOrAll(query: {
  format?: string
  offset?: number
  limit?: number
  search?: string
  sort?: string
}): Listing {
  return query.format === 'csv' ? { ...listingOf(query), offset: 0, limit: 0 } : listingOf(query)
}

/** Answers rows as a CSV file to be saved under this name. */
export function sendCsv<Row>(
  reply: FastifyReply,
  name: string,
  columns: Record<string, (row: Row) => CsvValue>,
  rows: readonly Row[],
): FastifyReply {
  return reply
    .header('content-type', 'text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .send(writeCsv(columns, rows))
}
