import { expect, test } from '../support/story.ts'

// The examples of RFC 7644 §3.7 as they stand there, but for `"data": {[…]}` of §3.7.3, which is no JSON: the operations have their name.

const bulkRequest = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const bulkResponse = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'
const error = 'urn:ietf:params:scim:api:messages:2.0:Error'
const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const etag = expect.stringMatching(/^W\/"[^"]+"$/)

test('§3.7.1: operations that refer to one another in a circle are refused, 409 each', async ({ okta }) => {
  const { status, body } = await okta.request('POST', '/Bulk', {
    schemas: [bulkRequest],
    Operations: [
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'qwerty',
        data: { schemas: [group], displayName: 'Group A', members: [{ type: 'Group', value: 'bulkId:ytrewq' }] },
      },
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'ytrewq',
        data: { schemas: [group], displayName: 'Group B', members: [{ type: 'Group', value: 'bulkId:qwerty' }] },
      },
    ],
  })
  const response = { schemas: [error], status: '409', detail: expect.stringMatching(/circle/) }
  expect(status).toBe(200)
  expect(body).toEqual({
    schemas: [bulkResponse],
    Operations: [
      { method: 'POST', bulkId: 'qwerty', status: '409', response },
      { method: 'POST', bulkId: 'ytrewq', status: '409', response },
    ],
  })
  expect((await okta.request('GET', '/Groups')).body.totalResults).toBe(0)
})

test('§3.7.2: a new user becomes a member of a new group by its bulkId', async ({ okta, server }) => {
  const answer = await okta.request('POST', '/Bulk', {
    schemas: [bulkRequest],
    Operations: [
      { method: 'POST', path: '/Users', bulkId: 'qwerty', data: { schemas: [user], userName: 'Alice' } },
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'ytrewq',
        data: { schemas: [group], displayName: 'Tour Guides', members: [{ type: 'User', value: 'bulkId:qwerty' }] },
      },
    ],
  })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/scim+json; charset=utf-8')
  expect(answer.body).toEqual({
    schemas: [bulkResponse],
    Operations: [
      { location: expect.any(String), method: 'POST', bulkId: 'qwerty', version: etag, status: '201' },
      { location: expect.any(String), method: 'POST', bulkId: 'ytrewq', version: etag, status: '201' },
    ],
  })
  const [alice, guides] = answer.body.Operations
  expect(alice.location).toMatch(`${server.url}/scim/v2/Users/`)
  const made = await okta.request('GET', guides.location)
  expect(made.headers.get('etag')).toBe(guides.version)
  expect(made.body.members).toEqual([{ value: alice.location.split('/').at(-1), $ref: alice.location, type: 'User' }])
})

test('§3.7.2: an extension refers by bulkId as well', async ({ okta }) => {
  const { body } = await okta.request('POST', '/Bulk', {
    schemas: [bulkRequest],
    Operations: [
      { method: 'POST', path: '/Users', bulkId: 'qwerty', data: { schemas: [user], userName: 'Alice' } },
      {
        method: 'POST',
        path: '/Users',
        bulkId: 'ytrewq',
        data: {
          schemas: [user, enterprise],
          userName: 'Bob',
          [enterprise]: { employeeNumber: '11250', manager: { value: 'bulkId:qwerty' } },
        },
      },
    ],
  })
  const [alice, bob] = body.Operations
  expect((await okta.request('GET', bob.location)).body[enterprise]).toEqual({
    employeeNumber: '11250',
    manager: { value: alice.location.split('/').at(-1), $ref: alice.location },
  })
})

test('§3.7.3: add, update and remove in one request', async ({ okta, server }) => {
  await okta.knows('bob', 'carol', 'eve')
  const path = (name: string) => `/Users/${okta.idOfPerson(name)}`
  const versionOf = async (name: string) => (await okta.request('GET', path(name))).body.meta.version
  const answer = await okta.request('POST', '/Bulk', {
    schemas: [bulkRequest],
    failOnErrors: 1,
    Operations: [
      {
        method: 'POST',
        path: '/Users',
        bulkId: 'qwerty',
        data: { schemas: ['urn:ietf:params:scim:api:messages:2.0:User'], userName: 'Alice' },
      },
      {
        method: 'PUT',
        path: path('bob'),
        version: await versionOf('bob'),
        data: { schemas: [user], id: okta.idOfPerson('bob'), userName: 'Bob' },
      },
      {
        method: 'PATCH',
        path: path('carol'),
        version: await versionOf('carol'),
        data: {
          Operations: [
            { op: 'remove', path: 'nickName' },
            { op: 'add', path: 'userName', value: 'Dave' },
          ],
        },
      },
      { method: 'DELETE', path: path('eve'), version: await versionOf('eve') },
    ],
  })
  expect(answer.status).toBe(200)
  const at = (name: string) => `${server.url}/scim/v2${path(name)}`
  expect(answer.body.Operations).toEqual([
    { location: expect.any(String), method: 'POST', bulkId: 'qwerty', version: etag, status: '201' },
    { location: at('bob'), method: 'PUT', version: etag, status: '200' },
    { location: at('carol'), method: 'PATCH', version: etag, status: '200' },
    { location: at('eve'), method: 'DELETE', status: '204' },
  ])
  expect((await okta.request('GET', path('carol'))).body.userName).toBe('Dave')
  expect((await okta.request('GET', path('eve'))).status).toBe(404)
})

test('§3.7.3: with failOnErrors the answer ends with the error; without, every operation has its own', async ({
  okta,
  server,
}) => {
  await okta.knows('bob', 'carol')
  const [bob, carol, gone] = [okta.idOfPerson('bob'), okta.idOfPerson('carol'), crypto.randomUUID()]
  const Operations = [
    { method: 'POST', path: '/Users', bulkId: 'qwerty', data: { schemas: [user] } },
    { method: 'PUT', path: `/Users/${bob}`, version: 'W/"3694e05e9dff591"', data: { schemas: [user], userName: 'Bob' } },
    {
      method: 'PATCH',
      path: `/Users/${carol}`,
      version: 'W/"edac3253e2c0ef2"',
      data: { Operations: [{ op: 'remove', path: 'nickName' }] },
    },
    { method: 'DELETE', path: `/Users/${gone}`, version: 'W/"0ee8add0a938e1a"' },
  ]
  const refused = {
    method: 'POST',
    bulkId: 'qwerty',
    status: '400',
    response: { schemas: [error], scimType: 'invalidValue', status: '400', detail: expect.any(String) },
  }
  const failed = (method: string, id: string, status: string) => ({
    location: `${server.url}/scim/v2/Users/${id}`,
    method,
    status,
    response: { schemas: [error], status, detail: expect.any(String) },
  })
  const stopped = await okta.request('POST', '/Bulk', { schemas: [bulkRequest], failOnErrors: 1, Operations })
  expect(stopped).toMatchObject({ status: 200, body: { schemas: [bulkResponse] } })
  expect(stopped.body.Operations).toEqual([refused])
  const all = await okta.request('POST', '/Bulk', { schemas: [bulkRequest], Operations })
  expect(all.status).toBe(200)
  expect(all.body.Operations).toEqual([
    refused,
    failed('PUT', bob, '412'),
    failed('PATCH', carol, '412'),
    failed('DELETE', gone, '404'),
  ])
})

test('§3.7.4: past the advertised limits the answer is a 413 that names the limit', async ({ okta }) => {
  const { maxOperations, maxPayloadSize } = (await okta.request('GET', '/ServiceProviderConfig')).body.bulk
  const operation = { method: 'DELETE', path: '/Users/x' }
  const many = await okta.request('POST', '/Bulk', {
    schemas: [bulkRequest],
    Operations: Array.from({ length: maxOperations + 1 }, () => operation),
  })
  expect(many).toMatchObject({ status: 413, body: { schemas: [error], status: '413' } })
  expect(many.body.detail).toContain(`maxOperations (${maxOperations})`)
  const large = await okta.request('POST', '/Bulk', ' '.repeat(maxPayloadSize + 1))
  expect(large.status).toBe(413)
  expect(large.body).toEqual({
    schemas: [error],
    status: '413',
    detail: `The size of the bulk operation exceeds the maxPayloadSize (${maxPayloadSize}).`,
  })
})
