import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

/** What the provider says of somebody. */
export interface Claims {
  sub: string
  email?: string
  email_verified?: boolean
}

/** A real OpenID provider on loopback, at which whoever comes is signed in as `person` at once. */
export interface TestProvider {
  issuer: string
  clientId: string
  clientSecret: string
  person: Claims
  /** Answers to these paths are changed before they are sent: a provider that misbehaves. */
  misbehaves: Map<string, (body: Record<string, unknown>) => Record<string, unknown>>
  /** How often it was asked what it is. */
  discoveries: number
  stop(): Promise<void>
  start(): Promise<void>
}

export async function startOpenIdProvider(redirectUri: string): Promise<TestProvider> {
  const server = createServer()
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const world: TestProvider = {
    issuer,
    clientId: 'muster',
    clientSecret: 'a-secret-of-the-client-of-40-characters-x',
    person: { sub: 'ada' },
    misbehaves: new Map(),
    discoveries: 0,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    start: () => listen(port),
  }
  const provider = new Provider(issuer, {
    clients: [{ client_id: world.clientId, client_secret: world.clientSecret, redirect_uris: [redirectUri] }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ ...world.person, sub: id }) }),
    cookies: { keys: ['test'] },
    ttl: { Session: 1, Grant: 60, AccessToken: 60, IdToken: 60, Interaction: 60 },
  })
  const answer = provider.callback()
  server.on('request', async (request, response) => {
    const path = request.url?.split('?')[0] ?? ''
    if (path === '/.well-known/openid-configuration') world.discoveries++
    if (path.startsWith('/interaction/')) {
      const { prompt, params, grantId } = await provider.interactionDetails(request, response)
      const accountId = world.person.sub
      const grant =
        (grantId && (await provider.Grant.find(grantId))) || new provider.Grant({ accountId, clientId: String(params.client_id) })
      grant.addOIDCScope('openid email profile')
      const result = prompt.name === 'login' ? { login: { accountId } } : { consent: { grantId: await grant.save() } }
      return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })
    }
    const change = world.misbehaves.get(path)
    if (change) {
      const send = response.end.bind(response)
      response.end = ((body: unknown) => {
        const text = JSON.stringify(change(JSON.parse(String(body))))
        response.setHeader('content-length', Buffer.byteLength(text))
        return send(text)
      }) as typeof response.end
    }
    return answer(request, response)
  })
  return world
}

/** A browser at the provider: goes where it is sent until it is sent to `until`. @returns that address */
export async function throughProvider(url: string, until: string): Promise<string> {
  const cookies = new Map<string, string>()
  for (let at = url, steps = 0; steps < 10; steps++) {
    if (at.startsWith(until)) return at
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(at, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } })
    for (const given of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(given) ?? []
      cookies.set(name, value)
    }
    const to = response.headers.get('location')
    if (to === null) throw new Error(`${at} answers ${response.status}: ${(await response.text()).slice(0, 500)}`)
    at = new URL(to, at).href
  }
  throw new Error('It goes round and round.')
}
