import { queryOptions, useMutation } from '@tanstack/react-query'
import { answer, api, cache } from './api.ts'

/** The organization with its settings: whose runs need a second person. */
export const organization = () =>
  queryOptions({ queryKey: ['organization'], queryFn: ({ signal }) => answer(api.GET('/api/v1/organization', { signal })) })

export function useChangeOrganization() {
  return useMutation({
    mutationFn: (body: { approval: { peopleLosing: number | null; expiresHours: number } }) =>
      answer(api.PATCH('/api/v1/organization', { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['organization'] }),
  })
}
