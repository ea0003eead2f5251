import { sql } from 'kysely'
import { expect, test } from '../support/world.ts'

test('two tokens of a directory live at once; a third waits until one is revoked', async ({ api, org, scim }) => {
  const directory = await org.directory()
  const second = await api('POST', '/directories/okta/tokens')
  expect(second.status).toBe(201)
  for (const token of [directory.token, second.body.token])
    expect((await scim('GET', '/Nowhere', undefined, { token })).status).toBe(404)

  expect(await api('POST', '/directories/okta/tokens', {})).toMatchObject({
    status: 409,
    body: { type: 'urn:muster:problem:too_many_tokens' },
  })
  const { body: listed } = await api('GET', '/directories/okta/tokens')
  expect(listed.total).toBe(2)
  expect(listed.items[0]).toMatchObject({
    id: second.body.id,
    hint: second.body.token.slice(-4),
    revokedAt: null,
    createdBy: 'token:tests owner',
  })

  expect((await api('DELETE', `/directories/okta/tokens/${listed.items[1].id}`)).status).toBe(204)
  expect((await api('POST', '/directories/okta/tokens', { expiresInDays: 30 })).status).toBe(201)
})

test('a revoked token is refused at once by the node that revoked it', async ({ api, org, scim }) => {
  const { token } = await org.directory()
  expect((await scim('GET', '/Nowhere', undefined, { token })).status).toBe(404)
  const { body } = await api('GET', '/directories/okta/tokens')
  await api('DELETE', `/directories/okta/tokens/${body.items[0].id}`)
  expect((await scim('GET', '/Nowhere', undefined, { token })).status).toBe(401)
})

test('an expired token is refused', async ({ api, inOrg, org }) => {
  const token = await org.token('admin')
  await inOrg((trx) =>
    sql`update api_tokens set expires_at = now() where org_id = ${org.id} and name = 'tests admin'`.execute(trx),
  )
  expect((await api('GET', '/whoami', undefined, { token })).status).toBe(401)
})

test('a token is stored as its hash alone', async ({ inOrg, org }) => {
  const { token } = await org.directory()
  const rows = await inOrg((trx) => trx.selectFrom('directory_tokens').selectAll().execute())
  const log = await inOrg((trx) => trx.selectFrom('log_entries').selectAll().execute())
  for (const secret of [token, org.adminToken]) expect(JSON.stringify([rows, log])).not.toContain(secret.slice(0, 40))
  expect(rows[0]?.token_hash).toHaveLength(32)
  expect(rows[0] && rows[0].expires_at.getTime() - rows[0].created_at.getTime()).toBeGreaterThan(364 * 86_400_000)
})

test('whoami says which token of which organization this is', async ({ api, org }) => {
  expect((await api('GET', '/whoami', undefined, { token: await org.token('auditor') })).body).toMatchObject({
    organization: { id: org.id, slug: org.slug },
    token: { name: 'tests auditor', role: 'auditor' },
  })
})

test("only an owner makes and revokes owners' tokens", async ({ api, org }) => {
  const admin = await org.token('admin')
  const made = await api('POST', '/api-tokens', { name: 'ci', role: 'admin' }, { token: admin })
  expect(made).toMatchObject({ status: 201, body: { role: 'admin', token: expect.stringMatching(/^muster_api_/) } })
  const refused = { status: 403, body: { type: 'urn:muster:problem:not_permitted' } }
  expect(await api('POST', '/api-tokens', { name: 'boss', role: 'owner' }, { token: admin })).toMatchObject(refused)

  const { body: boss } = await api('POST', '/api-tokens', { name: 'boss', role: 'owner', expiresInDays: 1 })
  expect(await api('DELETE', `/api-tokens/${boss.id}`, undefined, { token: admin })).toMatchObject(refused)
  expect((await api('GET', '/whoami', undefined, { token: boss.token })).status).toBe(200)
  expect((await api('DELETE', `/api-tokens/${boss.id}`)).status).toBe(204)
  expect((await api('GET', '/whoami', undefined, { token: boss.token })).status).toBe(401)
})

test('an auditor reads all and writes nothing', async ({ api, org, server }) => {
  const token = await org.token('auditor')
  const { id } = await org.directory()
  const document = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>
  }
  // What is about oneself is open to anybody who is somebody; a token has no sessions, no passkeys.
  const ofOnesOwn = new Set([
    '/api/v1/sessions/{session}',
    '/api/v1/session/providers/{provider}',
    '/api/v1/session/passkeys',
    '/api/v1/session/passkeys/options',
    '/api/v1/session/passkeys/{passkey}',
    '/api/v1/session/devices/{code}',
    '/api/v1/sign-in/device',
    '/api/v1/sign-in/device/token',
  ])
  const readingPosts = new Set([
    '/api/v1/directories/{directory}/held/effect',
    '/api/v1/directories/{directory}/reviews/effect',
    '/api/v1/directories/{directory}/reviews/effect/people',
    '/api/v1/directories/{directory}/reviews/selections',
  ])
  for (const [path, operations] of Object.entries(document.paths)) {
    // Its answer does not end.
    if (path === '/api/v1/events') continue
    for (const method of Object.keys(operations)) {
      const url = path
        .replace('/api/v1', '')
        .replace('{directory}', id)
        .replaceAll(/\{\w+\}/g, 'x')
      const { status } = await api(method.toUpperCase(), url, method === 'get' ? undefined : {}, { token })
      if (ofOnesOwn.has(path)) expect([200, 400, 404, 410], path).toContain(status)
      else if (method === 'get' || readingPosts.has(path)) expect(status, `${method} ${path}`).not.toBe(403)
      else expect(status, `${method} ${path}`).toBe(403)
    }
  }
})
