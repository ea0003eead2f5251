import { ApiError, answerOf, openApi, request } from '../../src/client/client.ts'
import { expect, test } from '../support/world.ts'

test('a call answers what the API says, typed', async ({ org, server }) => {
  const api = openApi({ server: server.url, token: org.adminToken })
  const made = await answerOf(api.POST('/api/v1/directories', { body: { name: 'okta', provider: 'okta' } }))
  expect(made.token).toMatch(/^muster_scim_/)
  const { items } = await answerOf(api.GET('/api/v1/directories', { params: { query: { limit: 0 } } }))
  expect(items.map((item) => item.name)).toEqual(['okta'])
  const shown = await answerOf(api.GET('/api/v1/directories/{directory}', { params: { path: { directory: made.id } } }))
  expect(shown.complete).toBe(false)
})

test('a refusal is an ApiError with the problem and the request id', async ({ org, server }) => {
  const api = openApi({ server: server.url, token: org.adminToken })
  const refused = answerOf(api.GET('/api/v1/directories/{directory}', { params: { path: { directory: 'a/b' } } }))
  await expect(refused).rejects.toMatchObject({
    name: 'ApiError',
    status: 404,
    problem: { type: 'urn:muster:problem:not_found', status: 404 },
    requestId: expect.any(String),
  })
  await expect(refused).rejects.toBeInstanceOf(ApiError)
})

test('any path can be called', async ({ org, server }) => {
  const options = { server: server.url, token: org.adminToken }
  expect(await request(options, 'GET', '/api/v1/directories', { query: { limit: '1' } })).toEqual({ total: 0, items: [] })
  await expect(request(options, 'POST', '/api/v1/directories', { body: {} })).rejects.toMatchObject({ status: 400 })
  await expect(request({ ...options, token: 'x' }, 'GET', '/api/v1/whoami')).rejects.toMatchObject({ status: 401 })
})

test('a name is never a step in the path', async ({ org, server }) => {
  const api = openApi({ server: server.url, token: org.adminToken })
  const shown = (group: string) => answerOf(api.GET('/api/v1/groups/{group}', { params: { path: { group } } }))
  for (const name of ['.', '..', 'a/../b']) {
    await expect(shown(name)).rejects.toMatchObject({ problem: { type: 'urn:muster:problem:not_found' } })
    await answerOf(api.POST('/api/v1/groups', { body: { name } }))
    expect((await shown(name)).name).toBe(name)
  }
  await expect(shown('')).rejects.toMatchObject({ status: 404 })
})
