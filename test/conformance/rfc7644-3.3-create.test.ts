import { expect, test } from '../support/story.ts'
import { sample, urn } from './samples.ts'

test('the example: 201, the resource whole, where it is in Location and in meta.location', async ({ client }) => {
  const asked = sample('rfc7644-3.3-user-post_request')
  const { status, headers, body } = await client.request('POST', '/Users', asked)
  const example = sample('rfc7644-3.3-user-post_response')
  expect(status).toBe(201)
  expect(body).toEqual({ ...asked, active: true, id: expect.any(String), meta: expect.any(Object) })
  expect(Object.keys(body.meta).sort()).toEqual(Object.keys(example.meta).sort())
  expect(headers.get('location')).toBe(body.meta.location)
  expect((await client.request('GET', body.meta.location)).body).toEqual(body)
})

test('what is there already is a 409 uniqueness, and not made twice', async ({ client }) => {
  const user = sample('rfc7644-3.3-user-post_request')
  await client.request('POST', '/Users', user)
  expect(await client.request('POST', '/Users', user)).toMatchObject({
    status: 409,
    body: { schemas: [urn.error], scimType: 'uniqueness', status: '409' },
  })
  const group = { schemas: [urn.group], displayName: 'G' }
  await client.request('POST', '/Groups', group)
  expect(await client.request('POST', '/Groups', group)).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } })
  expect([
    (await client.request('GET', '/Users')).body.totalResults,
    (await client.request('GET', '/Groups')).body.totalResults,
  ]).toEqual([1, 1])
})

test('what is readOnly is ignored', async ({ client }) => {
  const { body } = await client.request('POST', '/Users', { ...sample('rfc7643-8.1-user-minimal'), groups: [{ value: 'x' }] })
  expect(body).not.toHaveProperty('groups')
  expect(body.id).not.toBe(sample('rfc7643-8.1-user-minimal').id)
})

test('a body that is no resource is a 400', async ({ client }) => {
  for (const body of ['', '{', '[]', 'null', '"x"', '5']) {
    expect(await client.request('POST', '/Users', body), body).toMatchObject({ status: 400, body: { scimType: 'invalidSyntax' } })
    expect(await client.request('POST', '/Groups', body), body).toMatchObject({
      status: 400,
      body: { scimType: 'invalidSyntax' },
    })
  }
})
