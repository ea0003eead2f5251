import { useQuery } from '@tanstack/react-query'
import { cache } from '../../../data/api.ts'
import { pageSize } from '../../../data/list.ts'
import { type Review, reviews } from '../../../data/reviews.ts'
import { filterOf } from './filter.ts'

interface Neighbours {
  previous: string | undefined
  next: string | undefined
  /** Where it is in the list, from 0; unknown where the list was not seen so far down. */
  place: number | undefined
  total: number
}

/** The groups before and after one in the order of the list it was opened from: of its pages that were seen, or of the first. */
export function useNeighbours(directory: string, group: string, search: Record<string, string | undefined>): Neighbours {
  const { q, sort = '-lost,-removed,name', ...parts } = search
  const list = reviews(directory, filterOf(parts, q), sort)
  const first = useQuery({
    queryKey: [...list.key, 'page', 0],
    queryFn: ({ signal }) => list.page({ offset: 0, limit: pageSize }, signal),
    // The order that one goes through stays, whatever is synced on the way.
    staleTime: Number.POSITIVE_INFINITY,
  })
  const seen = new Map<number, string>()
  for (const [key, page] of cache.getQueriesData<{ items: Review[] }>({ queryKey: [...list.key, 'page'] }))
    for (const [at, row] of (page?.items ?? []).entries()) seen.set(Number(key.at(-1)) * pageSize + at, row.group.id)
  const place = [...seen].find(([, id]) => id === group)?.[0]
  return {
    place,
    total: first.data?.total ?? 0,
    previous: place === undefined ? undefined : seen.get(place - 1),
    next: place === undefined ? undefined : seen.get(place + 1),
  }
}
