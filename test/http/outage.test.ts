import { afterEach, expect, test } from 'vitest'
import { connect } from '../../src/database/connection.ts'
import { buildApp } from '../../src/http/app.ts'
import { newSecret } from '../../src/organization/token-format.ts'

const jobs = { send: () => Promise.reject(new Error('no jobs here')) }
const secret = 'a-given-token-of-more-than-32-characters'
const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

async function appWithoutDatabase(publicUrl = 'http://localhost') {
  const db = connect({ host: '/nowhere/at/all', user: 'muster', database: 'muster' })
  const app = await buildApp({ db, jobs, publicUrl, version: '1.2.3' })
  open.push(
    () => app.close(),
    () => db.close(),
  )
  return app
}

test('without the database the server is live, not ready, and answers 503 with Retry-After', async () => {
  const app = await appWithoutDatabase()
  expect((await app.inject('/livez')).statusCode).toBe(200)
  expect((await app.inject('/readyz')).statusCode).toBe(503)
  const answer = await app.inject({ url: '/api/v1/whoami', headers: { authorization: `Bearer ${secret}` } })
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('5')
  expect(answer.json()).toMatchObject({ type: 'urn:muster:problem:unavailable' })
  expect(answer.body).not.toContain('nowhere')
})

test('while the server drains it is not ready', async () => {
  const app = await appWithoutDatabase()
  app.drain()
  const answer = await app.inject('/readyz')
  expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'draining' }])
})

test('on https browsers are told to stay there', async () => {
  const app = await appWithoutDatabase('https://muster.example.org')
  expect((await app.inject('/livez')).headers['strict-transport-security']).toMatch(/^max-age=\d+/)
})

test('headers come within 15 s, a whole request within 60 s', async () => {
  const { server } = await appWithoutDatabase()
  expect(server).toMatchObject({ headersTimeout: 15_000, requestTimeout: 60_000 })
})

test('an address that fails 20 times in a minute waits for the next', async () => {
  const app = await appWithoutDatabase()
  const attempt = async (remoteAddress: string) =>
    app.inject({ url: '/api/v1/whoami', remoteAddress, headers: { authorization: 'Bearer wrong' } })
  for (let count = 1; count <= 20; count++) expect((await attempt('192.0.2.1')).statusCode).toBe(401)
  const refused = await attempt('192.0.2.1')
  expect(refused.statusCode).toBe(429)
  expect(refused.headers['retry-after']).toMatch(/^\d+$/)
  expect((await attempt('192.0.2.2')).statusCode).toBe(401)
  // A token of our making is no guess: it is looked for, and there is no database here.
  const other = await app.inject({
    url: '/api/v1/whoami',
    remoteAddress: '192.0.2.1',
    headers: { authorization: `Bearer ${newSecret('api')}` },
  })
  expect(other.statusCode).toBe(503)
})
