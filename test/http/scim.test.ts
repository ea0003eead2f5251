import { sql } from 'kysely'
import type { ProvisionedUserId } from '../../src/database/ids.ts'
import { expect, test } from '../support/story.ts'

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const error = 'urn:ietf:params:scim:api:messages:2.0:Error'
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })

test('discovery: each list, each resource by its id', async ({ okta, server }) => {
  const config = await okta.request('GET', '/ServiceProviderConfig')
  expect(config).toMatchObject({
    status: 200,
    body: {
      patch: { supported: true },
      filter: { supported: true, maxResults: 1_000 },
      meta: { location: `${server.url}/scim/v2/ServiceProviderConfig` },
    },
  })
  for (const path of ['/ResourceTypes', '/Schemas']) {
    const { body } = await okta.request('GET', path)
    expect(body.totalResults).toBe(body.Resources.length)
    for (const resource of body.Resources) {
      const one = await okta.request('GET', resource.meta.location)
      expect(one.headers.get('content-type')).toBe('application/scim+json; charset=utf-8')
      expect(one.body).toEqual(resource)
    }
    expect(await okta.request('GET', `${path}/nope`)).toMatchObject({ status: 404, body: { schemas: [error], status: '404' } })
    expect((await okta.request('GET', `${path}?filter=${encodeURIComponent('id pr')}`)).status).toBe(403)
  }
})

test('discovery needs a token, too', async ({ scim }) => {
  for (const path of ['/ServiceProviderConfig', '/Schemas', '/ResourceTypes/User', '/nope']) {
    const answer = await scim('GET', path)
    expect(answer).toMatchObject({ status: 401, body: { schemas: [error], status: '401' } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  }
})

test('/Me and /Bulk are 501, an unknown path 404, as SCIM errors', async ({ okta }) => {
  expect(await okta.request('GET', '/Me')).toMatchObject({ status: 501, body: { schemas: [error], status: '501' } })
  expect((await okta.request('PATCH', '/Me', patch())).status).toBe(501)
  expect((await okta.request('POST', '/Bulk', {})).status).toBe(501)
  expect(await okta.request('GET', '/Nope')).toMatchObject({ status: 404, body: { schemas: [error], status: '404' } })
})

test('.search says what GET says', async ({ okta }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'G', members: ['ada'] })
  const search = await okta.request('POST', '/Users/.search', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
    filter: 'userName sw "a"',
    attributes: ['userName'],
    startIndex: 1,
    count: 10,
  })
  expect(search.status).toBe(200)
  expect(search.body).toEqual(
    (
      await okta.request(
        'GET',
        `/Users?filter=${encodeURIComponent('userName sw "a"')}&attributes=userName&startIndex=1&count=10`,
      )
    ).body,
  )
  expect((await okta.request('POST', '/Groups/.search', {})).body.Resources).toHaveLength(1)
})

test('sorting, both ways', async ({ okta }) => {
  await okta.knows('bob', 'ada', 'cyd')
  const names = async (query: string) =>
    (await okta.request('GET', `/Users?${query}`)).body.Resources.map((one: { userName: string }) => one.userName)
  expect(await names('')).toEqual(['bob', 'ada', 'cyd'])
  expect(await names('sortBy=userName')).toEqual(['ada', 'bob', 'cyd'])
  expect(await names('sortBy=userName&sortOrder=descending&count=2')).toEqual(['cyd', 'bob'])
  expect(await names('sortBy=meta.created')).toEqual(['bob', 'ada', 'cyd'])
  expect(await okta.request('GET', '/Users?sortBy=nope')).toMatchObject({ status: 400, body: { scimType: 'invalidPath' } })
  expect((await okta.request('GET', '/Users?sortBy=emails.value')).status).toBe(400)
})

test('attributes and excludedAttributes, on reads and writes', async ({ okta }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'G', members: ['ada'] })
  const [id, person] = [okta.idOf('G'), okta.idOfPerson('ada')]
  const get = async (path: string) => (await okta.request('GET', path)).body
  expect(await get(`/Groups/${id}?attributes=displayName`)).toEqual({ schemas: expect.any(Array), id, displayName: 'G' })
  expect(await get(`/Groups/${id}?attributes=members.value`)).toEqual({
    schemas: expect.any(Array),
    id,
    members: [{ value: person }],
  })
  expect((await get(`/Groups/${id}?excludedAttributes=members.display,members.type`)).members).toEqual([{ value: person }])
  expect(await get(`/Groups/${id}?excludedAttributes=members`)).not.toHaveProperty('members')
  expect(await get(`/Users/${person}?attributes=userName,groups.value`)).toEqual({
    schemas: [user],
    id: person,
    userName: 'ada',
    groups: [{ value: id }],
  })
  expect(await okta.request('GET', '/Users?attributes=userName&excludedAttributes=name')).toMatchObject({
    status: 400,
    body: { scimType: 'invalidValue' },
  })
  const patched = await okta.request(
    'PATCH',
    `/Groups/${id}?attributes=displayName`,
    patch({ op: 'replace', path: 'displayName', value: 'H' }),
  )
  expect(patched).toMatchObject({ status: 200, body: { id, displayName: 'H' } })
})

test('wrong requests are SCIM errors with their keyword', async ({ okta }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'G' })
  const person = `/Users/${okta.idOfPerson('ada')}`
  const cases: [string, string, unknown, number, string | undefined][] = [
    ['GET', `/Users?filter=${encodeURIComponent('nope eq "x"')}`, undefined, 400, 'invalidFilter'],
    ['GET', '/Users?filter=userName', undefined, 400, 'invalidFilter'],
    ['GET', `/Users?filter=${'('.repeat(5_000)}`, undefined, 400, 'invalidFilter'],
    ['GET', `/Users?filter=${encodeURIComponent('userName eq "\u0000"')}`, undefined, 400, 'invalidFilter'],
    ['GET', `/Users?filter=a&filter=b`, undefined, 400, 'invalidFilter'],
    ['GET', `/Users?filter=${encodeURIComponent('password eq "x"')}`, undefined, 403, 'sensitive'],
    ['GET', '/Users?startIndex=x', undefined, 400, 'invalidValue'],
    ['POST', '/Users', '{', 400, 'invalidSyntax'],
    ['POST', '/Users', '[]', 400, 'invalidSyntax'],
    ['POST', '/Users', undefined, 400, 'invalidSyntax'],
    ['POST', '/Users', {}, 400, 'invalidValue'],
    ['POST', '/Users', { userName: 'x'.repeat(256) }, 400, 'invalidValue'],
    ['POST', '/Groups', { members: [] }, 400, 'invalidValue'],
    ['POST', '/Groups', { displayName: 'a\u202eb' }, 400, 'invalidValue'],
    ['PATCH', person, patch({ op: 'remove', path: 'userName' }), 400, 'mutability'],
    ['PATCH', person, patch({ op: 'replace', path: 'nope', value: 1 }), 400, 'invalidPath'],
    ['PATCH', person, patch({ op: 'replace', path: 'emails[type co "x"].value', value: 'x' }), 400, 'noTarget'],
    ['PATCH', person, {}, 400, 'invalidSyntax'],
    ['PATCH', `/Groups/${okta.idOf('G')}`, patch({ op: 'move' }), 400, 'invalidSyntax'],
    ['PUT', person, { userName: '' }, 400, 'invalidValue'],
    ['PUT', '/Users/nonsense', { userName: 'x' }, 404, undefined],
  ]
  for (const [method, path, body, status, scimType] of cases) {
    const answer = await okta.request(method, path, body)
    expect(answer, `${method} ${path}`).toMatchObject({
      status,
      body: { schemas: [error], status: String(status), ...(scimType ? { scimType } : {}) },
    })
    expect(answer.headers.get('content-type')).toBe('application/scim+json; charset=utf-8')
  }
})

test('a rename onto another user’s name is a 409, and nothing is changed', async ({ okta }) => {
  await okta.knows('ada', 'bob')
  const answer = await okta.request(
    'PATCH',
    `/Users/${okta.idOfPerson('ada')}`,
    patch({ op: 'replace', value: { userName: 'BOB', title: 'x' } }),
  )
  expect(answer).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } })
  expect((await okta.request('GET', `/Users/${okta.idOfPerson('ada')}`)).body).not.toHaveProperty('title')
})

test('a group of 12,000 is pushed at once, streamed whole, and each member is in it once', async ({ okta, org, inOrg }) => {
  const ids = await inOrg(async (trx) => {
    const { rows } = await sql<{ id: ProvisionedUserId }>`
      with made as (
        insert into accounts (org_id, id, user_name, user_name_key, owned_by)
        select ${org.id}::uuid, gen_random_uuid(), 'u' || n, 'u' || n, ${okta.directory.id}::uuid from generate_series(1, 12000) n returning id, user_name
      )
      insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, attributes, account_id, matched_by, state)
      select ${org.id}::uuid, gen_random_uuid(), ${okta.directory.id}::uuid, user_name, user_name, '{}', id, 'created', 'synced' from made returning id`.execute(
      trx,
    )
    return rows.map((row) => row.id).sort()
  })
  const pushed = await okta.request('POST', '/Groups', {
    schemas: [group],
    displayName: 'Everybody',
    members: ids.map((value) => ({ value, display: 'somebody@example.org', type: 'User' })),
  })
  expect(pushed.status).toBe(201)
  // Past a thousand members a write does not repeat them.
  expect(pushed.body).not.toHaveProperty('members')
  await okta.pushes({ group: 'Small' })
  const values = (members: { value: string }[]) => members.map((member) => member.value).sort()
  expect(values((await okta.request('GET', `/Groups/${pushed.body.id}`)).body.members)).toEqual(ids)
  const { body: list } = await okta.request('GET', '/Groups?sortBy=displayName')
  expect(list).toMatchObject({
    totalResults: 2,
    itemsPerPage: 2,
    Resources: [{ displayName: 'Everybody' }, { displayName: 'Small', members: [] }],
  })
  expect(values(list.Resources[0].members)).toEqual(ids)
  expect((await okta.request('GET', `/Groups/${pushed.body.id}?attributes=members.value`)).body.members[0]).toEqual({
    value: expect.any(String),
  })
  const most = ids.slice(6_000)
  const { status } = await okta.request(
    'PATCH',
    `/Groups/${pushed.body.id}`,
    patch({ op: 'remove', path: 'members', value: ids.slice(0, 6_000).map((value) => ({ value })) }),
  )
  expect(status).toBe(204)
  expect(values((await okta.request('GET', `/Groups/${pushed.body.id}`)).body.members)).toEqual(most)
})
