import { useMutation } from '@tanstack/react-query'
import { answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Suggestion = Row<'listSuggestions'>

/** Pushed groups that may be existing ones of other names. */
export const suggestions = (directory: string, query: { search?: string; sort?: string }): ListOf<Suggestion> => ({
  key: ['suggestions', directory, query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/directories/{directory}/suggestions', {
        params: { path: { directory }, query: { ...query, ...part } },
        signal,
      }),
    ),
})

/** Links for review, which writes nothing through, or remembers that they are not the same. */
export const useDecide = (directory: string) =>
  useMutation({
    mutationFn: async ({
      suggestion: { group, existing },
      isSame,
    }: {
      suggestion: Suggestion
      isSame: boolean
    }): Promise<void> => {
      const params = { path: { group: group.id, existing: existing.id }, query: { directory } }
      if (isSame) await answer(api.PUT('/api/v1/reviews/{group}/link', { params, body: { to: existing.id } }))
      else await answer(api.PUT('/api/v1/reviews/{group}/not-the-same/{existing}', { params }))
    },
    onSuccess: () => cache.invalidateQueries(),
  })
