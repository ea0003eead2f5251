import { infiniteQueryOptions } from '@tanstack/react-query'
import { answer, api, type Row } from './api.ts'

type Happening = Row<'listGroupHistory'>

type Page = Promise<{ items: Happening[]; next: string | null }>

/** The history of a group, a person, a directory, to be shown by `History`. */
export type HistoryOf = ReturnType<typeof history>

const limit = 50
const history = (kind: string, of: string, page: (before: string | undefined, signal: AbortSignal) => Page) =>
  infiniteQueryOptions({
    queryKey: ['history', kind, of],
    queryFn: ({ pageParam, signal }) => page(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  })

/** What was done to a group, and to what is pushed as it; the newest first. */
export const groupHistory = (group: string) =>
  history('group', group, (before, signal) =>
    answer(
      api.GET('/api/v1/groups/{group}/history', {
        params: { path: { group }, query: { limit, ...(before ? { before } : {}) } },
        signal,
      }),
    ),
  )

/** What was done to a person, and to their memberships. */
export const personHistory = (person: string) =>
  history('person', person, (before, signal) =>
    answer(
      api.GET('/api/v1/people/{person}/history', {
        params: { path: { person }, query: { limit, ...(before ? { before } : {}) } },
        signal,
      }),
    ),
  )
