import { queryOptions, useMutation } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { answer, api, cache, type Row } from './api.ts'

export type ApiToken = Row<'listApiTokens'>
type NewApiToken = operations['createApiToken']['requestBody']['content']['application/json']

export const apiTokens = () =>
  queryOptions({
    queryKey: ['api-tokens'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/api-tokens', { params: { query: { limit: 0 } }, signal })),
  })

const askAgain = () => cache.invalidateQueries({ queryKey: ['api-tokens'] })

/** Makes a token of the API; it is in the answer, and nowhere else ever again. */
export function useCreateApiToken() {
  return useMutation({
    mutationFn: (body: NewApiToken) => answer(api.POST('/api/v1/api-tokens', { body })),
    onSuccess: askAgain,
  })
}

export function useRevokeApiToken() {
  return useMutation({
    mutationFn: (token: string) => answer(api.DELETE('/api/v1/api-tokens/{token}', { params: { path: { token } } })),
    onSuccess: askAgain,
  })
}
