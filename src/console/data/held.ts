import { keepPreviousData, queryOptions, useMutation } from '@tanstack/react-query'
import { type Answer, answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Held = Row<'listHeld'>
export type HeldFilter = { kind?: Held['kind']; rejected?: boolean; search?: string; sort?: string }

/** Removals that wait: taken by the provider, still in force here. */
export const held = (directory: string, query: HeldFilter): ListOf<Held> => ({
  key: ['held', directory, query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/directories/{directory}/held', { params: { path: { directory }, query: { ...query, ...part } }, signal }),
    ) as Promise<Answer<'listHeld'>>,
})

/** What allowing some of what waits would take, all of it together; without ids, of all. */
export const heldEffectOf = (directory: string, ids: string[] | undefined) =>
  queryOptions({
    queryKey: ['held', directory, 'effect', ids ?? 'all'],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(
        api.POST('/api/v1/directories/{directory}/held/effect', {
          params: { path: { directory } },
          body: ids === undefined ? {} : { ids },
          signal,
        }),
      ),
  })

/** Applies what waits, or keeps it: as a run. */
export function useDecideHeld(directory: string) {
  return useMutation({
    mutationFn: ({ key, ...body }: { key: string; decision: 'allow' | 'reject'; ids?: string[]; fingerprint: string }) =>
      answer(
        api.POST('/api/v1/directories/{directory}/held/decisions', {
          params: { path: { directory }, header: { 'idempotency-key': key } },
          body,
        }),
      ),
    onSettled: () => cache.invalidateQueries(),
  })
}
