import type { FastifyReply } from 'fastify'
import { type TSchema, Type } from 'typebox'
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

/** Answers CSV as a file to be saved under this name. */
export function sendCsv(reply: FastifyReply, name: string, csv: string): FastifyReply {
  return reply
    .header('content-type', 'text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .send(csv)
}
