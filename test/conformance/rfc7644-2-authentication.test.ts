import { expect, test } from '../support/story.ts'

test('without a valid token every path is a 401 that names the scheme; with one it is not', async ({ client, scim }) => {
  for (const path of ['/Users', '/Groups', '/ServiceProviderConfig', '/Schemas', '/Me']) {
    const { status, headers } = await scim('GET', path)
    expect([status, headers.get('www-authenticate')], path).toEqual([401, 'Bearer'])
    expect((await client.request('GET', path)).status, path).not.toBe(401)
  }
})

test('a token in the URL is none (§7.4)', async ({ client, scim }) => {
  expect((await scim('GET', `/Users?access_token=${client.directory.token}`)).status).toBe(401)
})
