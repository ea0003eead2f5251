import { queryOptions, useMutation } from '@tanstack/react-query'
import { answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Match = Row<'listMatches'>

const askAgain = () => cache.invalidateQueries()

/** What going live would do, over the whole directory. */
export const observationOf = (directory: string) =>
  queryOptions({
    queryKey: ['directory', directory, 'observation'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/directories/{directory}/observation', { params: { path: { directory } }, signal })),
  })

export function useGoLive(directory: string) {
  return useMutation({
    mutationFn: ({ key, fingerprint }: { key: string; fingerprint: string }) =>
      answer(
        api.POST('/api/v1/directories/{directory}/go-live', {
          params: { path: { directory }, header: { 'idempotency-key': key } },
          body: { fingerprint },
        }),
      ),
    onSettled: askAgain,
  })
}

/** Refuses writes for a while (503, so that the provider tries again later), or takes them again. */
export function usePause(directory: string) {
  return useMutation({
    mutationFn: (isPaused: boolean) =>
      answer(
        isPaused
          ? api.POST('/api/v1/directories/{directory}/pause', { params: { path: { directory } } })
          : api.POST('/api/v1/directories/{directory}/resume', { params: { path: { directory } } }),
      ),
    onSuccess: askAgain,
  })
}

/** Who is whom: pushed users beside the people of the organization. */
export const matches = (directory: string, query: { match?: Match['match']; search?: string }): ListOf<Match> => ({
  key: ['directory', directory, 'matches', query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/directories/{directory}/matches', {
        params: { path: { directory }, query: { ...query, ...part } },
        signal,
      }),
    ),
})

/** Says that a pushed user is this person, whatever their names; or none of those who were here. */
export function useSayWho(directory: string) {
  return useMutation({
    mutationFn: ({ user, person }: { user: string; person?: string }) =>
      answer(
        person === undefined
          ? api.POST('/api/v1/directories/{directory}/matches/{user}/separate', { params: { path: { directory, user } } })
          : api.POST('/api/v1/directories/{directory}/matches/{user}/link', {
              params: { path: { directory, user } },
              body: { person },
            }),
      ),
    onSuccess: askAgain,
  })
}
