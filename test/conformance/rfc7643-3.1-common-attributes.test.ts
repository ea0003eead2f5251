import { expect, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

test('the server gives an id that is unique, never changes and is never used again', async ({ client }) => {
  const minimal = sample('rfc7643-8.1-user-minimal')
  const { body: one } = await client.request('POST', '/Users', minimal)
  expect(one.id).not.toBe(minimal.id)
  await client.request('PUT', `/Users/${one.id}`, { ...minimal, userName: 'renamed' })
  expect((await client.request('GET', `/Users/${one.id}`)).body).toMatchObject({ id: one.id, userName: 'renamed' })
  await client.request('DELETE', `/Users/${one.id}`)
  const { body: again } = await client.request('POST', '/Users', { ...minimal, userName: 'renamed' })
  expect(again.id).not.toBe(one.id)
  expect((await client.request('GET', `/Users/${one.id}`)).status).toBe(404)
})

test('externalId is the client’s, exact in its case, and may be had by several', async ({ client }) => {
  for (const [userName, externalId] of [
    ['a', 'X1'],
    ['b', 'x1'],
    ['c', 'X1'],
  ])
    expect((await client.request('POST', '/Users', { schemas: [urn.user], userName, externalId })).body).toMatchObject({
      externalId,
    })
  const found = await client.request('GET', `/Users?filter=${encodeURIComponent('externalId eq "X1"')}`)
  expect(found.body.Resources.map((one: { userName: string }) => one.userName).sort()).toEqual(['a', 'c'])
})

test('meta is the server’s: type, location, version, created, and lastModified that moves with a change only', async ({
  client,
}) => {
  const { body: made, headers } = await client.request('POST', '/Users', {
    schemas: [urn.user],
    userName: 'a',
    meta: { created: 'x' },
  })
  const { meta } = made
  expect(meta).toEqual({
    resourceType: 'User',
    created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/),
    lastModified: meta.created,
    location: expect.stringMatching(new RegExp(`/scim/v2/Users/${made.id}$`)),
    version: headers.get('etag'),
  })
  expect([headers.get('location'), headers.get('content-location')]).toEqual([meta.location, meta.location])
  const change = async (title: string) =>
    (await client.request('PATCH', `/Users/${made.id}`, patchOf({ op: 'replace', path: 'title', value: title }))).body.meta
  const changed = await change('x')
  expect(changed).toEqual({ ...meta, version: expect.not.stringMatching(meta.version), lastModified: expect.any(String) })
  expect(Date.parse(changed.lastModified)).toBeGreaterThan(Date.parse(meta.created))
  expect(await change('x')).toEqual(changed)
})

test('schemas names the core schema and the extensions that the resource has', async ({ client }) => {
  const post = async (body: object) => (await client.request('POST', '/Users', body)).body.schemas
  expect(await post({ userName: 'a', schemas: [urn.user, urn.enterprise] })).toEqual([urn.user])
  expect(await post({ userName: 'b', schemas: [urn.user], [urn.enterprise]: { division: 'x' } })).toEqual([
    urn.user,
    urn.enterprise,
  ])
})
