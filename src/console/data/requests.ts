import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { answer, api } from './api.ts'

export type RequestFilter = Omit<NonNullable<operations['listRequests']['parameters']['query']>, 'before' | 'limit'>

const atOnce = 50

/** What a provider asked, the newest first; older ones on demand. */
export const requests = (directory: string, filter: RequestFilter, refetchInterval: number | false = false) =>
  infiniteQueryOptions({
    queryKey: ['requests', directory, filter],
    initialPageParam: undefined as string | undefined,
    refetchInterval,
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/api/v1/directories/{directory}/requests', {
          params: { path: { directory }, query: { ...filter, limit: atOnce, ...(pageParam ? { before: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  })

/** One of them, told in five steps. */
export const requestOf = (directory: string, request: string) =>
  queryOptions({
    queryKey: ['requests', directory, 'one', request],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/directories/{directory}/requests/{request}', { params: { path: { directory, request } }, signal })),
  })
