import { queryOptions, useQuery } from '@tanstack/react-query'
import { answer, api, cache, pastedToken } from './api.ts'

/** Who asks, of which organization, and what they may do (`can`); a 401 where nobody is signed in. */
export const session = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/session', { signal })),
    staleTime: 60_000,
  })

/** Why whoever asks may not decide about groups; undefined where they may. */
export function useMayNotReview(): string | undefined {
  const { data } = useQuery(session())
  return data === undefined || data.can.includes('review')
    ? undefined
    : `Your role (${data.role}) reads only. An owner can give you another.`
}

/** Ends the session, or forgets a pasted token; and with it all that was answered. */
export async function signOut(): Promise<void> {
  if (pastedToken.get() === null) await answer(api.DELETE('/api/v1/session'))
  pastedToken.forget()
  cache.clear()
}
