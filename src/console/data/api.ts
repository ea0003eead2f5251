import { QueryClient } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { type Api, ApiError, answerOf, openApi } from '../../client/client.ts'

const tokenKey = 'muster.token'

/** A token that somebody pasted instead of signing in, for as long as this tab is open. */
export const pastedToken = {
  get: (): string | null => sessionStorage.getItem(tokenKey),
  set: (token: string): void => sessionStorage.setItem(tokenKey, token),
  forget: (): void => sessionStorage.removeItem(tokenKey),
}

/** The API of the server that this page came from, as whoever is signed in. */
export const api: Api = openApi({
  server: location.origin,
  fetch: (request) => {
    const token = pastedToken.get()
    if (token !== null) request.headers.set('authorization', `Bearer ${token}`)
    return fetch(request)
  },
})

export { ApiError, answerOf as answer }

/** What an operation answers: `Answer<'listReviews'>`. */
export type Answer<Name extends keyof operations> = operations[Name] extends {
  responses: { 200: { content: { 'application/json': infer Body } } }
}
  ? Body
  : never

/** A row of what an operation lists. */
export type Row<Name extends keyof operations> = Answer<Name> extends { items: (infer Item)[] } ? Item : never

/** One cache for all that the server answered. What a person must decide (4xx) is not asked again by itself. */
export const cache = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // Rows never move by themselves.
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
    },
  },
})
