import type { ReviewFilter } from '../../../data/reviews.ts'

/** The URL's words as the API's filter. */
export function filterOf(parts: Record<string, string | undefined>, q: string | undefined): ReviewFilter {
  const { viewed, ...rest } = parts
  return { ...rest, ...(viewed === undefined ? {} : { viewed: viewed === 'true' }), ...(q ? { search: q } : {}) } as ReviewFilter
}
