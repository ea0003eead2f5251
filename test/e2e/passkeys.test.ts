import sparticuz from '@sparticuz/chromium'
import { chromium, type Page } from 'playwright-core'
import { startJobs } from '../../src/database/jobs.ts'
import { newSecretKey, readSecretKeys } from '../../src/database/secrets.ts'
import { buildApp } from '../../src/http/app.ts'
import type {} from '../support/database.ts'
import { freePort } from '../support/server.ts'
import { expect, test as world } from '../support/world.ts'

interface Passkeys {
  /** Where the server is reached by a name: an address has no passkeys. */
  url: string
  /** A browser with an authenticator whose owner it knows. */
  page: Page
  /** Calls the API from the page, as our own pages do. */
  call: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: Record<string, unknown> }>
}

const test = world.extend<Passkeys>({
  url: async ({ database }, use) => {
    const jobs = await startJobs(database.connection, () => {})
    const port = await freePort()
    const publicUrl = `http://localhost:${port}`
    const app = await buildApp({
      db: database.db,
      jobs,
      publicUrl,
      version: '0',
      secrets: readSecretKeys(newSecretKey()),
      checkAnswers: true,
    })
    await app.listen({ host: '127.0.0.1', port })
    await use(publicUrl)
    await app.close()
    await jobs.stop()
  },
  page: async ({ url }, use) => {
    const browser = await chromium.launch({ executablePath: await sparticuz.executablePath(), args: ['--no-sandbox'] })
    const page = await browser.newPage()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
      },
    })
    await page.goto(`${url}/livez`)
    await use(page)
    await browser.close()
  },
  call: async ({ page }, use) =>
    use((method, path, body) =>
      page.evaluate(
        async ([asked, to, given]) => {
          const init = given === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(given) }
          const answer = await fetch(`/api/v1${to}`, { method: asked as string, ...init })
          const text = await answer.text()
          return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
        },
        [method, path, body] as const,
      ),
    ),
})

const made = (page: Page, options: unknown) =>
  page.evaluate(async (given) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(given as PublicKeyCredentialCreationOptionsJSON)
    return ((await navigator.credentials.create({ publicKey })) as PublicKeyCredential).toJSON()
  }, options)

const answered = (page: Page, options: unknown) =>
  page.evaluate(async (given) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(given as PublicKeyCredentialRequestOptionsJSON)
    return ((await navigator.credentials.get({ publicKey })) as PublicKeyCredential).toJSON()
  }, options)

test('a passkey is made signed in, and signs in from then on; it answers once, and not for who was switched off', async ({
  api,
  call,
  org,
  page,
}) => {
  expect(await call('GET', `/sign-in?organization=${org.slug}`)).toMatchObject({ body: { passkeys: true } })
  const { body: invited } = await api('POST', '/admins', { person: 'ada@example.org', role: 'admin' })
  await call('POST', '/sign-in/link', { link: invited.link.url.split('#')[1] })
  const response = await made(page, (await call('POST', '/session/passkeys/options')).body)
  expect(await call('POST', '/session/passkeys', { name: 'Laptop', response })).toMatchObject({ status: 201 })
  expect((await call('POST', '/session/passkeys', { name: 'Again', response })).status).toBe(410)
  expect(await call('GET', '/session/passkeys')).toMatchObject({
    body: { total: 1, items: [{ name: 'Laptop', lastUsedAt: null }] },
  })
  expect((await call('DELETE', '/session')).status).toBe(204)

  const organization = org.slug
  const answer = await answered(page, (await call('POST', '/sign-in/passkey/options', { organization })).body)
  expect(await call('POST', '/sign-in/passkey', { response: answer })).toMatchObject({
    status: 200,
    body: { person: { userName: 'ada@example.org' } },
  })
  expect((await call('GET', '/session')).status).toBe(200)
  expect(await call('GET', '/sessions')).toMatchObject({
    body: { items: [{ signedInBy: 'passkey' }, { signedInBy: 'link' }].slice(0, 1) },
  })
  // The same answer again, to another question.
  await call('POST', '/sign-in/passkey/options', { organization })
  expect((await call('POST', '/sign-in/passkey', { response: answer })).status).toBe(403)

  const forged = await answered(page, (await call('POST', '/sign-in/passkey/options', { organization })).body)
  const inner = forged.response as unknown as { signature: string }
  inner.signature = inner.signature.replace(/^.{8}/, 'MEUCIQDx')
  expect((await call('POST', '/sign-in/passkey', { response: forged })).status).toBe(403)

  const late = await answered(page, (await call('POST', '/sign-in/passkey/options', { organization })).body)
  await api('PATCH', '/people/ada@example.org', { active: false })
  expect(await call('POST', '/sign-in/passkey', { response: late })).toMatchObject({
    status: 403,
    body: { type: 'urn:muster:problem:passkey_not_valid' },
  })
})
