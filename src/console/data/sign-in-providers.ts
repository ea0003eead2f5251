import { queryOptions, useMutation } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { answer, api, cache, type Row } from './api.ts'

export type SignInProvider = Row<'listSignInProviders'>
type NewProvider = NonNullable<operations['addSignInProvider']['requestBody']>['content']['application/json']

/** The identity providers that people sign in by. */
export const signInProviders = () =>
  queryOptions({
    queryKey: ['sign-in-providers'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/sign-in-providers', { params: { query: { limit: 0 } }, signal })),
  })

const askAgain = () => cache.invalidateQueries({ queryKey: ['sign-in-providers'] })

export const useAddProvider = () =>
  useMutation({
    mutationFn: (body: NewProvider) => answer(api.POST('/api/v1/sign-in-providers', { body })),
    onSuccess: askAgain,
  })

export const useEnableProvider = () =>
  useMutation({
    mutationFn: ({ provider, enabled }: { provider: string; enabled: boolean }) =>
      answer(api.PATCH('/api/v1/sign-in-providers/{provider}', { params: { path: { provider } }, body: { enabled } })),
    onSuccess: askAgain,
  })

export const useRemoveProvider = () =>
  useMutation({
    mutationFn: (provider: string) =>
      answer(api.DELETE('/api/v1/sign-in-providers/{provider}', { params: { path: { provider } } })),
    onSuccess: askAgain,
  })
