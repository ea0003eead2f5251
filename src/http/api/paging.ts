import { type TSchema, Type } from 'typebox'
import type { Listing } from '../../organization/listing.ts'

const page = {
  offset: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100_000_000, default: 0, description: 'How many to leave out at the beginning' }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1_000, default: 30, description: 'How many to answer; 0 is all of them' }),
  ),
  search: Type.Optional(Type.String({ maxLength: 255, description: 'Part of a name; case and blanks do not matter' })),
  sort: Type.Optional(Type.String({ maxLength: 64, description: 'What to sort by; with a minus in front, downwards: `-name`' })),
}

/** The query of a plain list: offset, limit, search, sort. */
export const Page = Type.Object(page, { additionalProperties: false })

/** The query of a list with filters of its own beside offset, limit, search and sort. */
export const pageWith = <T extends Record<string, TSchema>>(filters: T) =>
  Type.Object({ ...page, ...filters }, { additionalProperties: false })

/** A page of a list: how many there are in all, and those of this page. */
export const Listed = <T extends TSchema>(item: T) => Type.Object({ total: Type.Integer(), items: Type.Array(item) })

/** Reads the query of a list. */
export function listingOf(query: { offset?: number; limit?: number; search?: string; sort?: string }): Listing {
  const { offset = 0, limit = 30, search, sort } = query
  return { offset, limit, search, sort }
}
