import { expect, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

test('null and the empty array are no value, in a POST, a PUT and a PATCH alike', async ({ client }) => {
  const { schemas, userName } = sample('rfc7643-8.2-user-full')
  const nothing = { schemas, userName, nickName: null, emails: [], phoneNumbers: null, name: { givenName: null }, title: '' }
  const { status, body: user } = await client.request('POST', '/Users', nothing)
  expect(status).toBe(201)
  expect(Object.keys(user).sort()).toEqual(['active', 'id', 'meta', 'schemas', 'userName'])
  const full = {
    schemas,
    userName,
    nickName: 'Babs',
    emails: [{ value: 'b@example.com' }],
    name: { givenName: 'Barbara' },
    title: 'x',
  }
  expect((await client.request('PUT', `/Users/${user.id}`, full)).body).toMatchObject(full)
  const put = await client.request('PUT', `/Users/${user.id}`, nothing)
  expect(Object.keys(put.body).sort()).toEqual(Object.keys(user).sort())
  await client.request('PUT', `/Users/${user.id}`, full)
  const patched = await client.request(
    'PATCH',
    `/Users/${user.id}`,
    patchOf(
      { op: 'replace', path: 'nickName', value: null },
      { op: 'replace', value: { emails: [], title: null } },
      { op: 'replace', path: 'name.givenName', value: null },
    ),
  )
  expect(Object.keys(patched.body).sort()).toEqual(Object.keys(user).sort())
})

test('what has no value is found by what it lacks', async ({ client }) => {
  await client.request('POST', '/Users', { schemas: [urn.user], userName: 'bjensen', emails: [], nickName: null })
  const found = async (filter: string) =>
    (await client.request('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body.totalResults
  expect([await found('emails pr'), await found('not (emails pr)'), await found('nickName eq null')]).toEqual([0, 1, 1])
})
