import { expect, test } from '../support/story.ts'
import { sample, urn } from './samples.ts'

const replacement = sample('rfc7644-3.5.1-user-put_request')

test('the example: 200 with the resource, what is not named is cleared, id and roles as they are', async ({ client }) => {
  const { body: user } = await client.request('POST', '/Users', { ...sample('rfc7644-3.3-user-post_request'), title: 'gone' })
  const { status, body } = await client.request('PUT', `/Users/${user.id}`, { ...replacement, id: user.id })
  expect(status).toBe(200)
  const { roles: _roles, ...kept } = replacement
  expect(body).toEqual({
    ...kept,
    id: user.id,
    active: true,
    meta: { ...user.meta, lastModified: expect.any(String), version: 'W/"2"' },
  })
  expect(Date.parse(body.meta.lastModified)).toBeGreaterThanOrEqual(Date.parse(user.meta.lastModified))
})

test('with and without id; the id is the URL’s, whatever the body says (rule 2)', async ({ client }) => {
  const [one, two] = await Promise.all(
    ['one', 'two'].map(async (userName) => (await client.request('POST', '/Users', { schemas: [urn.user], userName })).body),
  )
  const { id: _id, ...withoutId } = replacement
  for (const body of [withoutId, { ...withoutId, id: one.id }, { ...withoutId, id: two.id }, { ...withoutId, id: 5 }])
    expect(await client.request('PUT', `/Users/${one.id}`, body)).toMatchObject({
      status: 200,
      body: { id: one.id, userName: 'bjensen' },
    })
  expect((await client.request('GET', `/Users/${two.id}`)).body).toEqual(two)
})

test('PUT makes nothing: where there is no resource it is a 404', async ({ client }) => {
  for (const path of [
    '/Users/2819c223-7f76-453a-919d-413861904646',
    '/Users/bjensen',
    '/Groups/2819c223-7f76-453a-919d-413861904646',
  ])
    expect((await client.request('PUT', path, { ...replacement, displayName: 'x' })).status, path).toBe(404)
  expect((await client.request('GET', '/Users')).body.totalResults).toBe(0)
})

test('what is readOnly is passed over, what is required must be there', async ({ client }) => {
  const { body: user } = await client.request('POST', '/Users', sample('rfc7644-3.3-user-post_request'))
  const path = `/Users/${user.id}`
  const put = await client.request('PUT', path, {
    ...replacement,
    groups: [{ value: 'x' }],
    meta: { created: '2000-01-01T00:00:00Z', location: 'x', version: 'y', resourceType: 'Group' },
  })
  expect(put).toMatchObject({ status: 200, body: { meta: { created: user.meta.created, location: user.meta.location } } })
  expect(put.body).not.toHaveProperty('groups')
  const { userName: _userName, ...nameless } = replacement
  expect(await client.request('PUT', path, nameless)).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
})

test('a userName that another user has is a 409, whatever its case', async ({ client }) => {
  await client.knows('ada', 'bob')
  const put = await client.request('PUT', `/Users/${client.idOfPerson('ada')}`, { schemas: [urn.user], userName: 'BOB' })
  expect(put).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } })
})

test('a group: the members are those of the list; none named at all leaves them', async ({ client, acme }) => {
  await client.knows('ada', 'bob')
  await client.pushes({ group: 'G', members: ['ada'] })
  const path = `/Groups/${client.idOf('G')}`
  const put = (body: object) => client.request('PUT', path, { schemas: [urn.group], displayName: 'G', ...body })
  expect(await put({ members: [{ value: client.idOfPerson('bob') }] })).toMatchObject({
    status: 200,
    body: { id: client.idOf('G'), members: [{ value: client.idOfPerson('bob') }] },
  })
  expect((await put({ externalId: 'x' })).body).toMatchObject({ externalId: 'x', members: [{ value: client.idOfPerson('bob') }] })
  expect(await put({})).not.toHaveProperty('body.externalId')
  expect(await acme.membersOf('G')).toEqual(['bob'])
  expect((await put({ members: [] })).body).not.toHaveProperty('members')
  expect(await acme.membersOf('G')).toEqual([])
  expect(await client.request('PUT', path, { schemas: [urn.group] })).toMatchObject({
    status: 400,
    body: { scimType: 'invalidValue' },
  })
})
