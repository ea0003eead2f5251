import { sql } from 'kysely'
import { newId, type OrgId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { createLink } from '../../src/organization/links.ts'
import { type Browser, browserOf } from '../support/browser.ts'
import { expect, test as story } from '../support/story.ts'

interface SignIn {
  /** Invites somebody and opens their link: a browser in which they are signed in. */
  signedIn: (person: string, role: string, products?: string[]) => Promise<Browser>
  invited: (person: string, role: string, products?: string[]) => Promise<string>
}

const test = story.extend<SignIn>({
  invited: async ({ api }, use) =>
    use(async (person, role, products) => {
      const { status, body } = await api('POST', '/admins', { person, role, ...(products ? { products } : {}) })
      expect(status, JSON.stringify(body)).toBe(201)
      return secretOf(body.link.url)
    }),
  signedIn: async ({ invited, server }, use) =>
    use(async (person, role, products) => {
      const browser = browserOf(server.url)
      const link = await invited(person, role, products)
      expect((await browser('POST', '/sign-in/link', { link })).status).toBe(200)
      return browser
    }),
})

const secretOf = (url: string) => url.split('#')[1] ?? ''
const typeOf = (answer: { status: number; body: { type?: string } }) => [
  answer.status,
  answer.body?.type?.replace('urn:muster:problem:', ''),
]

test('who is invited signs in by a link, once; the log says who they are', async ({ api, invited, server, inOrg }) => {
  const link = await invited('ada@example.org', 'admin')
  const browser = browserOf(server.url)
  expect((await browser('POST', '/sign-in/link/show', { link })).body).toMatchObject({
    kind: 'sign_in',
    who: { person: { userName: 'ada@example.org' }, role: 'admin', can: ['review', 'change'] },
  })
  const answer = await browser('POST', '/sign-in/link', { link })
  expect(answer).toMatchObject({ status: 200, body: { person: { email: 'ada@example.org' }, role: 'admin' } })
  expect(answer.headers.get('set-cookie')).toMatch(
    /^muster_session=muster_session_[\w-]{49}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/,
  )
  expect(typeOf(await browserOf(server.url)('POST', '/sign-in/link', { link }))).toEqual([410, 'link_not_valid'])
  expect((await browser('POST', '/groups', { name: 'Docs' })).status).toBe(201)
  const { body } = await api('GET', '/audit?action=group.created')
  expect(body.items[0]).toMatchObject({ actor: 'person:ada@example.org' })
  const stored = await inOrg(async (trx) => [
    await trx.selectFrom('sessions').selectAll().execute(),
    await trx.selectFrom('links').selectAll().execute(),
    await trx.selectFrom('log_entries').selectAll().execute(),
  ])
  const secret = browser.cookie()?.split('=')[1] ?? ''
  expect(JSON.stringify(stored)).not.toContain(secret.slice(-40))
  expect(JSON.stringify(stored)).not.toContain(link.slice(-40))
})

test('a link is of no use after 10 minutes, and after another was made for the same person', async ({
  api,
  invited,
  inOrg,
  server,
}) => {
  const browser = browserOf(server.url)
  const first = await invited('ada@example.org', 'auditor')
  const again = await api('POST', '/admins/ada@example.org/link')
  expect(again.status).toBe(201)
  expect(typeOf(await browser('POST', '/sign-in/link', { link: first }))).toEqual([410, 'link_not_valid'])
  await inOrg((trx) => sql`update links set expires_at = now() where org_id = ${trx.orgId}`.execute(trx))
  const late = { link: secretOf(again.body.url) }
  expect(typeOf(await browser('POST', '/sign-in/link/show', late))).toEqual([410, 'link_not_valid'])
  expect(typeOf(await browser('POST', '/sign-in/link', late))).toEqual([410, 'link_not_valid'])
  expect(typeOf(await browser('POST', '/sign-in/link', { link: 'muster_link_guessed' }))).toEqual([410, 'link_not_valid'])
})

test('of two who open a link at once, one is signed in', async ({ invited, server }) => {
  const link = await invited('ada@example.org', 'auditor')
  const answers = await Promise.all([1, 2, 3].map(() => browserOf(server.url)('POST', '/sign-in/link', { link })))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410])
})

test('rule 34: a write by a session needs its own Origin and JSON; a token needs neither', async ({ api, signedIn, server }) => {
  const browser = await signedIn('ada@example.org', 'admin')
  const cookie = browser.cookie() ?? ''
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'content-type': 'text/plain' }])
    expect(typeOf(await browser('POST', '/groups', { name: 'Docs' }, headers))).toEqual([403, 'not_permitted'])
  const noOrigin = await fetch(`${server.url}/api/v1/groups/Docs`, { method: 'DELETE', headers: { cookie } })
  expect(noOrigin.status).toBe(403)
  expect((await fetch(`${server.url}/api/v1/groups`, { headers: { cookie, origin: 'https://evil.example' } })).status).toBe(200)
  expect((await api('POST', '/groups', { name: 'Docs' })).status).toBe(201)
  // Sign-in too: nobody is signed in from another page as somebody else.
  const foreign = await browserOf(server.url)('POST', '/sign-in/link', { link: 'x' }, { origin: 'https://evil.example' })
  expect(typeOf(foreign)).toEqual([403, 'not_permitted'])
})

test('a session ends by signing out, by its list, after 30 minutes without use and after 12 hours', async ({
  api,
  signedIn,
  inOrg,
  server,
}) => {
  const ada = await signedIn('ada@example.org', 'admin')
  const bob = await signedIn('bob@example.org', 'auditor')
  const own = (await bob('GET', '/sessions')).body
  expect(own).toMatchObject({ total: 1, items: [{ person: { userName: 'bob@example.org' }, signedInBy: 'link', isThis: true }] })
  expect(typeOf(await bob('GET', '/sessions?everybody=true'))).toEqual([403, 'not_permitted'])
  const all = (await api('GET', '/sessions?everybody=true&sort=person')).body
  expect(all).toMatchObject({ total: 2 })
  expect(typeOf(await bob('DELETE', `/sessions/${all.items[0].id}`))).toEqual([404, 'not_found'])
  expect((await api('DELETE', `/sessions/${all.items[0].id}`)).status).toBe(204)
  expect((await ada('GET', '/session')).status).toBe(401)

  const cookie = bob.cookie() ?? ''
  expect((await bob('DELETE', '/session')).status).toBe(204)
  expect(bob.cookie()).toBeUndefined()
  expect((await fetch(`${server.url}/api/v1/session`, { headers: { cookie } })).status).toBe(401)

  for (const over of [sql`last_used_at = now() - interval '30 minutes'`, sql`expires_at = now()`]) {
    const again = browserOf(server.url)
    const { body } = await api('POST', '/admins/ada@example.org/link')
    await again('POST', '/sign-in/link', { link: secretOf(body.url) })
    await inOrg((trx) => sql`update sessions set ${over} where org_id = ${trx.orgId}`.execute(trx))
    expect((await again('GET', '/session')).status).toBe(401)
  }
})

test('rule 9: who is switched off is signed out everywhere, with their own tokens and links; nothing revives it', async ({
  api,
  signedIn,
  server,
}) => {
  const ada = await signedIn('ada@example.org', 'admin')
  const { token } = (await ada('POST', '/api-tokens', { name: 'mine', role: 'admin' })).body
  const { url } = (await api('POST', '/admins/ada@example.org/link')).body
  expect((await api('GET', '/whoami', undefined, { token })).status).toBe(200)
  expect((await api('PATCH', '/people/ada@example.org', { active: false })).status).toBe(200)
  expect((await ada('GET', '/session')).status).toBe(401)
  expect((await api('GET', '/whoami', undefined, { token })).status).toBe(401)
  const link = { link: secretOf(url) }
  expect(typeOf(await browserOf(server.url)('POST', '/sign-in/link', link))).toEqual([410, 'link_not_valid'])
  await api('PATCH', '/people/ada@example.org', { active: true })
  expect((await ada('GET', '/session')).status).toBe(401)
  expect((await api('GET', '/whoami', undefined, { token })).status).toBe(401)
  expect((await browserOf(server.url)('POST', '/sign-in/link', link)).status).toBe(410)
  expect((await api('POST', '/admins/ada@example.org/link')).status).toBe(201)
})

test('rights are given, changed and taken by owners; the last owner stays', async ({ acme, api, signedIn }) => {
  await acme.has({ group: 'Docs', members: ['bob'] })
  await acme.grants('Docs', 'site/wiki/user')
  const ada = await signedIn('ada@example.org', 'owner')
  const bob = await signedIn('bob', 'admin')
  expect(typeOf(await bob('POST', '/admins', { person: 'eve@example.org', role: 'auditor' }))).toEqual([403, 'not_permitted'])
  expect(typeOf(await bob('PATCH', '/people/ada@example.org', { email: 'bob@example.org' }))).toEqual([403, 'not_permitted'])
  expect(typeOf(await bob('PATCH', '/people/ada@example.org', { active: false }))).toEqual([403, 'not_permitted'])
  expect(typeOf(await ada('PATCH', '/people/bob', { isProtected: false }))).toEqual([409, 'protected'])

  for (const change of [
    ada('DELETE', '/admins/ada@example.org'),
    ada('PATCH', '/admins/ada@example.org', { role: 'admin' }),
    ada('PATCH', '/people/ada@example.org', { active: false }),
  ])
    expect(typeOf(await change)).toEqual([409, 'last_owner'])
  expect((await ada('PATCH', '/admins/bob', { role: 'reviewer', products: ['Site/WIKI'] })).body).toMatchObject({
    role: 'reviewer',
    products: [{ site: 'site', product: 'wiki' }],
  })
  expect((await bob('GET', '/session')).body).toMatchObject({ role: 'reviewer', can: ['review'] })
  expect(typeOf(await ada('PATCH', '/admins/bob', { role: 'reviewer', products: ['site/none'] }))).toEqual([400, 'invalid_value'])
  expect((await ada('PATCH', '/admins/bob', { role: 'owner' })).status).toBe(200)
  // Two who remove each other: one stays.
  const both = await Promise.all([ada('DELETE', '/admins/bob'), bob('DELETE', '/admins/ada@example.org')])
  expect(both.map(({ status }) => status).sort()).not.toEqual([204, 204])
  expect((await api('GET', '/admins?role=owner')).body).toMatchObject({ total: 1 })
})

test('a person who signs in is protected: no push adopts them or switches them off', async ({ api, okta, signedIn }) => {
  await okta.knows('ada')
  const ada = await signedIn('ada', 'owner')
  expect((await api('GET', '/people/ada')).body).toMatchObject({ isProtected: true, active: true })
  await okta.switches('ada', 'off')
  expect((await api('GET', '/people/ada')).body).toMatchObject({ active: true })
  expect((await ada('GET', '/session')).status).toBe(200)
})

test('a link that sets up makes one organization and its owner, on an empty server alone', async ({ db, server }) => {
  const scope = { orgId: newId<OrgId>(), actor: 'system' }
  const { secret } = await inTransaction(db, scope, (trx) => createLink(trx, null))
  const asked = { link: secret, organization: 'Acme', email: 'ada@example.org' }
  expect((await browserOf(server.url)('GET', '/sign-in')).body).toMatchObject({ needsSetup: false })
  expect((await browserOf(server.url)('POST', '/sign-in/link/show', { link: secret })).body).toEqual({ kind: 'setup', who: null })
  expect(typeOf(await browserOf(server.url)('POST', '/sign-in/setup', asked))).toEqual([410, 'link_not_valid'])
  expect(typeOf(await browserOf(server.url)('POST', '/sign-in/link', { link: secret }))).toEqual([410, 'link_not_valid'])
})
