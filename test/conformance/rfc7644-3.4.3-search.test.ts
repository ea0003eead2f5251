import { expect, test } from '../support/story.ts'
import { sample, urn } from './samples.ts'

test('the example: a search of the root by POST, as a list with the attributes that are asked for', async ({ client }) => {
  await client.request('POST', '/Users', { schemas: [urn.user], userName: 'jsmith', displayName: 'Smith, James', title: 'x' })
  await client.request('POST', '/Users', { schemas: [urn.user], userName: 'bjensen', displayName: 'Babs' })
  await client.pushes({ group: 'Smith Family' })
  const { status, body } = await client.request('POST', '/.search', sample('rfc7644-3.4.3-search_request'))
  const example = sample('rfc7644-3.4.3-list_response-post_query')
  expect(status).toBe(200)
  expect(body).toMatchObject({ schemas: example.schemas, totalResults: 2, startIndex: 1, itemsPerPage: 2 })
  expect(body.Resources).toEqual([
    { schemas: [urn.user], id: expect.any(String), userName: 'jsmith', displayName: 'Smith, James' },
    { schemas: [urn.group, urn.sync], id: expect.any(String), displayName: 'Smith Family' },
  ])
})

test('a search of one kind says what the same GET says, sorting and paging too', async ({ client }) => {
  for (const userName of ['c', 'a', 'b']) await client.request('POST', '/Users', { schemas: [urn.user], userName })
  const asked = {
    filter: 'userName pr',
    sortBy: 'userName',
    sortOrder: 'descending',
    startIndex: 2,
    count: 1,
    attributes: ['userName'],
  }
  const { body } = await client.request('POST', '/Users/.search', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
    ...asked,
  })
  const query = new URLSearchParams(Object.entries(asked).map(([name, value]) => [name, String(value)]))
  expect(body).toEqual((await client.request('GET', `/Users?${query}`)).body)
  expect(body.Resources.map((one: { userName: string }) => one.userName)).toEqual(['b'])
  const without = await client.request('POST', '/Users/.search', { excludedAttributes: ['userName', 'meta'] })
  expect(Object.keys(without.body.Resources[0]).sort()).toEqual(['active', 'id', 'schemas'])
})
