import { queryOptions } from '@tanstack/react-query'
import { answer, api, cache, pastedToken } from './api.ts'
import { session } from './session.ts'

/** How one can sign in at this server. */
export const waysToSignIn = () =>
  queryOptions({
    queryKey: ['sign-in'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/sign-in', { signal })),
    staleTime: 60_000,
  })

/** What a link would do: a person's, or one that sets up the server. It is not used up by being looked at. */
export const linkOf = (link: string) =>
  queryOptions({
    queryKey: ['sign-in', 'link', link],
    queryFn: () => answer(api.POST('/api/v1/sign-in/link/show', { body: { link } })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })

let taken: string | undefined

/** The secret behind the # of the address, taken out of it at once: neither the history nor a bookmark keeps it. */
export function linkInAddress(): string | undefined {
  const found = /^#(muster_link_[\w-]+)$/.exec(location.hash)?.[1]
  if (found === undefined) return taken
  taken = found
  history.replaceState(history.state, '', location.pathname + location.search)
  return found
}

/** Signs in by a link, which is used up by it. */
export async function signInByLink(link: string): Promise<void> {
  await answer(api.POST('/api/v1/sign-in/link', { body: { link } }))
  await begin()
}

/** Has the browser answer with a passkey of the person's. */
export async function signInByPasskey(): Promise<void> {
  const options = await answer(api.POST('/api/v1/sign-in/passkey/options', { body: {} }))
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as unknown as PublicKeyCredentialRequestOptionsJSON)
  const answered = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential
  await answer(api.POST('/api/v1/sign-in/passkey', { body: { response: { ...answered.toJSON() } } }))
  await begin()
}

/** Makes the organization and its first owner, who is signed in by it. */
export async function setUp(body: { link: string; organization: string; email: string }): Promise<void> {
  await answer(api.POST('/api/v1/sign-in/setup', { body }))
  await begin()
}

/** Signs in by an API token, for as long as this tab is open. */
export async function signInByToken(token: string): Promise<void> {
  pastedToken.set(token.trim())
  cache.clear()
  await cache.fetchQuery(session()).catch((error) => {
    pastedToken.forget()
    throw error
  })
}

/** Goes to a provider, which sends the browser back to a path of ours. */
export async function goToProvider(provider: string, returnTo: string): Promise<void> {
  const { url } = await answer(
    api.POST('/api/v1/sign-in/providers/{provider}', { params: { path: { provider } }, body: { returnTo } }),
  )
  location.assign(url)
}

// What was answered to somebody else, or to nobody, is of no use.
async function begin(): Promise<void> {
  taken = undefined
  pastedToken.forget()
  // But for the link, which the page still shows and which opens nothing any more.
  cache.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'sign-in' })
  await cache.fetchQuery(session())
}
