import { sql } from 'kysely'
import { type Browser, browserOf } from '../support/browser.ts'
import type { Client } from '../support/clients.ts'
import { startOpenIdProvider, type TestProvider, throughProvider } from '../support/openid-provider.ts'
import { expect, test as story } from '../support/story.ts'

interface Providers {
  provider: TestProvider
  /** The provider as the organization knows it. */
  known: { id: string }
  /** Goes to the provider and comes back, as somebody in a browser would. @returns where the browser ends */
  signsIn: (browser: Browser, changed?: (cameBackTo: URL) => void) => Promise<string>
}

const test = story.extend<Providers>({
  provider: async ({ server }, use) => {
    const provider = await startOpenIdProvider(`${server.url}/api/v1/sign-in/callback`)
    provider.person = { sub: 'ada-1', email: 'ada@example.org', email_verified: true }
    await use(provider)
    await provider.stop()
  },
  known: async ({ api, provider }, use) => {
    const { issuer, clientId, clientSecret } = provider
    const { status, body } = await api('POST', '/sign-in-providers', { name: 'Okta', issuer, clientId, clientSecret })
    expect([status, body.hasClientSecret]).toEqual([201, true])
    await use(body)
  },
  signsIn: async ({ known, org, server }, use) =>
    use(async (browser, changed = () => {}) => {
      const begun = await browser('POST', `/sign-in/providers/${known.id}`, { organization: org.slug, returnTo: '/o/here?x=1' })
      expect(begun.status, JSON.stringify(begun.body)).toBe(200)
      const cameBackTo = new URL(await throughProvider(begun.body.url, server.url))
      changed(cameBackTo)
      const answer = await browser('GET', cameBackTo.href)
      expect(answer.status, JSON.stringify(answer.body)).toBe(303)
      return answer.headers.get('location') ?? ''
    }),
})

const invites = (api: Client) => api('POST', '/admins', { person: 'ada@example.org', role: 'admin' })

test('who is invited signs in by a provider that verified the e-mail; from then on issuer and subject are the person', async ({
  api,
  inOrg,
  known,
  org,
  provider,
  server,
  signsIn,
}) => {
  const browser = browserOf(server.url)
  expect((await browser('GET', `/sign-in?organization=${org.slug}`)).body.providers).toEqual([{ id: known.id, name: 'Okta' }])
  expect(await signsIn(browser)).toBe('/sign-in?problem=not_invited')
  await invites(api)
  expect(await signsIn(browser)).toBe('/o/here?x=1')
  expect((await browser('GET', '/session')).body).toMatchObject({ person: { userName: 'ada@example.org' }, role: 'admin' })
  // The e-mail at the provider is another's by now: the person is the same.
  provider.person = { sub: 'ada-1', email: 'other@example.org', email_verified: false }
  const again = browserOf(server.url)
  expect(await signsIn(again)).toBe('/o/here?x=1')
  expect((await again('GET', '/session')).body).toMatchObject({ person: { userName: 'ada@example.org' } })
  // Somebody else has the e-mail now: they are not the person.
  provider.person = { sub: 'eve-2', email: 'ada@example.org', email_verified: true }
  expect(await signsIn(browserOf(server.url))).toBe('/sign-in?problem=not_invited')
  expect((await api('GET', '/sessions?everybody=true')).body.items[0]).toMatchObject({ signedInBy: 'provider' })
  const rows = await inOrg((trx) => sql`select * from sign_in_providers`.execute(trx))
  expect(JSON.stringify(rows)).not.toContain(Buffer.from(provider.clientSecret).toString('hex'))
  expect(JSON.stringify((await api('GET', '/audit')).body)).not.toContain(provider.clientSecret)
})

test('an e-mail that is not verified signs nobody in; signed in by a link, the provider is connected', async ({
  api,
  known,
  provider,
  server,
  signsIn,
}) => {
  const { link } = (await invites(api)).body
  provider.person = { sub: 'ada-1', email: 'ada@example.org' }
  expect(await signsIn(browserOf(server.url))).toBe('/sign-in?problem=not_invited')
  const browser = browserOf(server.url)
  await browser('POST', '/sign-in/link', { link: link.url.split('#')[1] })
  const { body } = await browser('POST', `/session/providers/${known.id}`, { returnTo: '/settings' })
  const back = await browser('GET', await throughProvider(body.url, server.url))
  expect(back.headers.get('location')).toBe('/settings')
  expect(await signsIn(browserOf(server.url))).toBe('/o/here?x=1')
})

test('an answer fits the browser that asked, once, and comes back to a page of ours alone', async ({
  api,
  known,
  org,
  server,
  signsIn,
}) => {
  await invites(api)
  const browser = browserOf(server.url)
  expect(await signsIn(browser, (url) => url.searchParams.set('state', 'guessed'))).toBe('/sign-in?problem=attempt_not_valid')
  const answers: string[] = []
  expect(await signsIn(browser, (url) => void answers.push(url.href))).toBe('/o/here?x=1')
  const [used = ''] = answers
  for (const other of [browser, browserOf(server.url)])
    expect((await other('GET', used)).headers.get('location')).toBe('/sign-in?problem=attempt_not_valid')
  // An answer to somebody else's browser signs nobody in here.
  const victim = browserOf(server.url)
  await victim('POST', `/sign-in/providers/${known.id}`, { organization: org.slug })
  expect((await victim('GET', used)).headers.get('location')).toBe('/sign-in?problem=attempt_not_valid')
  for (const returnTo of ['//evil.example', '/\\evil.example', 'https://evil.example', '/%0a x', 'x']) {
    const one = browserOf(server.url)
    const { body } = await one('POST', `/sign-in/providers/${known.id}`, { organization: org.slug, returnTo })
    const answer = await one('GET', await throughProvider(body.url, server.url))
    expect(new URL(answer.headers.get('location') ?? '', server.url).origin, returnTo).toBe(server.url)
  }
})

test('a provider that is down is said, and asked again when it is back; what it says of itself is asked once', async ({
  api,
  known,
  org,
  provider,
  server,
  signsIn,
}) => {
  await invites(api)
  await provider.stop()
  const answer = await browserOf(server.url)('POST', `/sign-in/providers/${known.id}`, { organization: org.slug })
  expect(answer).toMatchObject({ status: 502, body: { type: 'urn:muster:problem:provider_failed' } })
  expect(answer.body.detail).toMatch(/Okta did not sign anybody in.*ECONNREFUSED.*muster admin link/)
  await provider.start()
  const before = provider.discoveries
  expect(await signsIn(browserOf(server.url))).toBe('/o/here?x=1')
  expect(await signsIn(browserOf(server.url))).toBe('/o/here?x=1')
  expect(provider.discoveries).toBe(before + 1)
  // Down while somebody is there: they come back, and it is said.
  const browser = browserOf(server.url)
  const begun = await browser('POST', `/sign-in/providers/${known.id}`, { organization: org.slug })
  const cameBackTo = await throughProvider(begun.body.url, server.url)
  await provider.stop()
  expect((await browser('GET', cameBackTo)).headers.get('location')).toBe('/sign-in?problem=provider_failed')
  await provider.start()
})

const tokenWith = (change: (claims: Record<string, unknown>) => Record<string, unknown>) => (body: Record<string, unknown>) => {
  const [head, claims = '', signature] = String(body.id_token).split('.')
  const changed = change(JSON.parse(Buffer.from(claims, 'base64url').toString()))
  return { ...body, id_token: [head, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.') }
}

test('rule 35: a provider that misbehaves signs nobody in', async ({ api, provider, server, signsIn }) => {
  await invites(api)
  const faults: Record<string, Parameters<typeof tokenWith>[0]> = {
    issuer: (claims) => ({ ...claims, iss: 'https://evil.example' }),
    'issuer but for a slash': (claims) => ({ ...claims, iss: `${claims.iss}/` }),
    audience: (claims) => ({ ...claims, aud: 'another' }),
    'several audiences': (claims) => ({ ...claims, aud: ['muster', 'another'], azp: 'muster' }),
    nonce: (claims) => ({ ...claims, nonce: 'another' }),
    'no nonce': ({ nonce: _, ...claims }) => claims,
    expired: (claims) => ({ ...claims, exp: 1 }),
  }
  for (const [fault, change] of Object.entries(faults)) {
    provider.misbehaves.set('/token', tokenWith(change))
    expect(await signsIn(browserOf(server.url)), fault).toBe('/sign-in?problem=provider_failed')
  }
  provider.misbehaves.set('/token', ({ id_token: _, ...body }) => body)
  expect(await signsIn(browserOf(server.url)), 'no ID token').toBe('/sign-in?problem=provider_failed')
  provider.misbehaves.clear()
  provider.misbehaves.set('/me', (body) => ({ ...body, sub: 'another' }))
  expect(await signsIn(browserOf(server.url)), 'about somebody else').toBe('/sign-in?problem=provider_failed')
  provider.misbehaves.clear()
  expect(await signsIn(browserOf(server.url))).toBe('/o/here?x=1')
  expect(await signsIn(browserOf(server.url), (url) => url.searchParams.set('iss', 'https://evil.example'))).toBe(
    '/sign-in?problem=provider_failed',
  )
})

test('a provider of another organization, a disabled one, and one whose person was switched off sign nobody in', async ({
  api,
  known,
  org,
  server,
  signsIn,
}) => {
  await invites(api)
  expect(await signsIn(browserOf(server.url))).toBe('/o/here?x=1')
  await api('PATCH', '/people/ada@example.org', { active: false })
  expect(await signsIn(browserOf(server.url))).toBe('/sign-in?problem=attempt_not_valid')
  const path = `/sign-in/providers/${known.id}`
  expect((await browserOf(server.url)('POST', path, { organization: 'another' })).status).toBe(404)
  expect((await api('PATCH', `/sign-in-providers/${known.id}`, { enabled: false })).body.enabled).toBe(false)
  expect((await browserOf(server.url)('POST', path, { organization: org.slug })).status).toBe(404)
  expect((await api('PATCH', `/sign-in-providers/${known.id}`, { issuer: 'https://evil.example' })).status).toBe(400)
  expect((await api('DELETE', `/sign-in-providers/${known.id}`)).status).toBe(204)
})
