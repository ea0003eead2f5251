import type { FastifyInstance } from 'fastify'
import { reading } from '../../src/database/transaction.ts'
import { buildApp } from '../../src/http/app.ts'
import { test as base, expect } from '../support/world.ts'

/** A second node on the same database, with a clock that is turned by hand. */
const test = base.extend<{ node: { app: FastifyInstance; clock: { now: number } } }>({
  node: async ({ db }, use) => {
    const clock = { now: 0 }
    const jobs = { send: () => Promise.reject(new Error('no jobs here')) }
    const app = await buildApp({
      db,
      jobs,
      publicUrl: 'http://localhost',
      version: '0',
      clock: () => clock.now,
      checkAnswers: true,
    })
    await use({ app, clock })
    await app.close()
  },
})

test('a directory may send 500 requests at once and 50 a second; so many wait for their turn, and more are refused', async ({
  node,
  org,
}) => {
  const okta = await org.directory()
  const entra = await org.directory({ name: 'entra', provider: 'entra' })
  const ask = ({ token }: { token: string }) =>
    node.app.inject({ url: '/scim/v2/Nowhere', headers: { authorization: `Bearer ${token}` } })
  const statusesOf = async (count: number) =>
    (await Promise.all(Array.from({ length: count }, () => ask(okta)))).map(({ statusCode }) => statusCode)
  const many = async (count: number) =>
    Object.fromEntries(
      Map.groupBy(await statusesOf(count), String)
        .entries()
        .map(([status, of]) => [status, of.length]),
    )
  expect(await many(500)).toEqual({ 404: 500 })
  expect(await many(60)).toEqual({ 404: 50, 429: 10 })
  const refused = await ask(okta)
  expect(refused.headers['retry-after']).toBe('2')
  expect(refused.json()).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '429' })
  expect((await ask(entra)).statusCode).toBe(404)
  node.clock.now += 1_000
  expect(await many(60)).toEqual({ 404: 50, 429: 10 })
})

test('ten operations of a bulk count as a request; it is done, and what comes after it waits', async ({ node, org }) => {
  const okta = await org.directory()
  const headers = { authorization: `Bearer ${okta.token}`, 'content-type': 'application/scim+json' }
  const ask = (operations: number) =>
    node.app.inject({
      method: 'POST',
      url: '/scim/v2/Bulk',
      headers,
      payload: { Operations: Array.from({ length: operations }, () => ({ method: 'DELETE', path: '/Users/x' })) },
    })
  // As 499 requests, and then as a hundred where one may come.
  for (const operations of [1_000, 1_000, 1_000, 1_000, 981, 1_000]) expect((await ask(operations)).statusCode).toBe(200)
  const refused = await ask(1)
  expect(refused.statusCode).toBe(429)
  expect(refused.headers['retry-after']).toBe('2')
  node.clock.now += 980
  expect((await ask(1)).statusCode).toBe(429)
  node.clock.now += 20
  expect((await ask(1)).statusCode).toBe(200)
})

test('a token that another node revoked is refused within 5 s', async ({ api, node, org }) => {
  const { token } = await org.directory()
  const status = async () =>
    (await node.app.inject({ url: '/scim/v2/Nowhere', headers: { authorization: `Bearer ${token}` } })).statusCode
  expect(await status()).toBe(404)
  const { body } = await api('GET', '/directories/okta/tokens')
  await api('DELETE', `/directories/okta/tokens/${body.items[0].id}`)
  node.clock.now += 4_999
  expect(await status()).toBe(401)
})

test('when a token was last used is written in batches, once a minute', async ({ db, node, org }) => {
  const { token } = await org.directory()
  const use = () => node.app.inject({ url: '/scim/v2/Nowhere', headers: { authorization: `Bearer ${token}` } })
  const lastUsedAt = () =>
    reading(db, org.scope, async (reader) => {
      const row = await reader.selectFrom('directory_tokens').select('last_used_at').executeTakeFirstOrThrow()
      return row.last_used_at
    })
  await use()
  expect(await lastUsedAt()).toBeNull()
  await node.app.close()
  expect(await lastUsedAt()).toBeInstanceOf(Date)
})

test('why a request of a directory failed is kept with the directory', async ({ api, org, scim }) => {
  const { token } = await org.directory()
  await scim('GET', '/Nowhere', undefined, { token })
  expect((await scim('POST', '/Users', '{', { token })).status).toBe(400)
  await expect
    .poll(async () => (await api('GET', '/directories/okta')).body.lastError)
    .toMatchObject({
      detail: 'POST /scim/v2/Users: 400 The body is not valid JSON.',
      at: expect.any(String),
    })
})

test('at most four bodies over 1 MiB are read at once for an organization', async ({ org, server }) => {
  const { token } = await org.directory()
  const open: AbortController[] = []
  const send = () => {
    const abort = new AbortController()
    open.push(abort)
    const body = new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from('{')) })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' }
    return fetch(`${server.url}/scim/v2/Groups`, {
      method: 'POST',
      headers,
      body,
      signal: abort.signal,
      duplex: 'half',
    } as RequestInit).then(
      (answer) => answer.status,
      () => 'aborted',
    )
  }
  const all = Array.from({ length: 5 }, send)
  try {
    // The fifth is answered while the four are still open: which of them it is, is the network's choice.
    expect(await Promise.race(all)).toBe(429)
  } finally {
    for (const abort of open) abort.abort()
  }
  expect((await Promise.all(all)).filter((status) => status === 'aborted')).toHaveLength(4)
})
