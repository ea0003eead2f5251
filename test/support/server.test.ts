import { expect, test } from './world.ts'

test('the server of a file answers the admin API as the test’s owner, and SCIM with a directory’s token', async ({
  org,
  api,
  scim,
  server,
}) => {
  const directory = await org.directory({ name: 'entra', provider: 'entra' })
  expect(await api('GET', '/whoami')).toMatchObject({ status: 200, body: { organization: { slug: org.slug } } })
  expect(await api('GET', '/directories/entra')).toMatchObject({
    status: 200,
    body: { id: directory.id, scimUrl: expect.stringContaining(server.url) },
  })
  expect(await api('GET', '/whoami', undefined, { token: directory.token })).toMatchObject({ status: 401 })
  expect(await scim('GET', '/ServiceProviderConfig', undefined, { token: directory.token })).toMatchObject({ status: 200 })
  expect(await scim('GET', '/Users')).toMatchObject({ status: 401 })
})
