import { queryOptions, useMutation } from '@tanstack/react-query'
import { answer, api, cache, type Row } from './api.ts'

export type Session = Row<'listSessions'>

/** The browsers in which one is signed in; for owners, everybody's. */
export const sessions = (everybody: boolean) =>
  queryOptions({
    queryKey: ['sessions', everybody],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/sessions', { params: { query: { limit: 0, ...(everybody ? { everybody } : {}) } }, signal })),
  })

export const useEndSession = () =>
  useMutation({
    mutationFn: (session: string) => answer(api.DELETE('/api/v1/sessions/{session}', { params: { path: { session } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['sessions'] }),
  })

/** One's own passkeys. */
export const passkeys = () =>
  queryOptions({
    queryKey: ['passkeys'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/session/passkeys', { params: { query: { limit: 0 } }, signal })),
  })

const askAgain = () => cache.invalidateQueries({ queryKey: ['passkeys'] })

/** Has the browser make a passkey, and the server know it. */
export const useAddPasskey = () =>
  useMutation({
    mutationFn: async (name: string) => {
      const options = await answer(api.POST('/api/v1/session/passkeys/options'))
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
        options as unknown as PublicKeyCredentialCreationOptionsJSON,
      )
      const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential
      return answer(api.POST('/api/v1/session/passkeys', { body: { name, response: { ...made.toJSON() } } }))
    },
    onSuccess: askAgain,
  })

export const useRemovePasskey = () =>
  useMutation({
    mutationFn: (passkey: string) => answer(api.DELETE('/api/v1/session/passkeys/{passkey}', { params: { path: { passkey } } })),
    onSuccess: askAgain,
  })

/** Goes to a provider, to sign in by it from then on. */
export const useConnectProvider = () =>
  useMutation({
    mutationFn: async ({ provider, returnTo }: { provider: string; returnTo: string }) => {
      const path = { provider }
      const { url } = await answer(api.POST('/api/v1/session/providers/{provider}', { params: { path }, body: { returnTo } }))
      location.assign(url)
    },
  })

/** What program shows a code, and asks for a token. */
export const deviceOf = (code: string) =>
  queryOptions({
    queryKey: ['device', code],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/session/devices/{code}', { params: { path: { code } }, signal })),
    enabled: code !== '',
    retry: false,
  })

export const useConfirmDevice = () =>
  useMutation({
    mutationFn: (code: string) => answer(api.POST('/api/v1/session/devices/{code}', { params: { path: { code } } })),
  })
