import { queryOptions, useMutation } from '@tanstack/react-query'
import { type Answer, answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Findings = NonNullable<Answer<'showReconciliation'>['found']>
export type ComparedGroup = Row<'listComparedGroups'>
export type Finding = ComparedGroup['finding']

/** What the last comparison with the provider's own list found; asked again while one is under way. */
export const reconciliationOf = (directory: string) =>
  queryOptions({
    queryKey: ['reconciliation', directory],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/directories/{directory}/reconciliation', { params: { path: { directory } }, signal })),
    refetchInterval: ({ state: { data } }) => (data?.underWay ? 1_000 : false),
  })

export const comparedGroups = (
  directory: string,
  query: { finding?: Finding; search?: string; sort?: string },
): ListOf<ComparedGroup> => ({
  key: ['reconciliation', directory, 'groups', query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/directories/{directory}/reconciliation/groups', {
        params: { path: { directory }, query: { ...query, ...part } },
        signal,
      }),
    ) as Promise<Answer<'listComparedGroups'>>,
})

/** Gives the provider's own list, CSV or JSON; it is compared in the background. */
export function useCompare(directory: string) {
  return useMutation({
    mutationFn: async (file: File) => {
      const text = await file.text()
      const body = file.name.endsWith('.json')
        ? { groups: JSON.parse(text) as { name: string; members: string[] }[] }
        : { csv: text }
      return answer(api.POST('/api/v1/directories/{directory}/lists', { params: { path: { directory } }, body }))
    },
    onSettled: () => cache.invalidateQueries({ queryKey: ['reconciliation', directory] }),
  })
}
