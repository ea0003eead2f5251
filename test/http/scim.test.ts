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
      bulk: { supported: true, maxOperations: 1_000, maxPayloadSize: 33_554_432 },
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

test('/Me is 501, an unknown path 404, as SCIM errors', async ({ okta }) => {
  expect(await okta.request('GET', '/Me')).toMatchObject({ status: 501, body: { schemas: [error], status: '501' } })
  expect((await okta.request('PATCH', '/Me', patch())).status).toBe(501)
  expect(await okta.request('GET', '/Nope')).toMatchObject({ status: 404, body: { schemas: [error], status: '404' } })
})

test('a path that is there refuses other methods with 405 and says which it takes', async ({ okta }) => {
  const refused: [string, string, string][] = [
    ['POST', '/ServiceProviderConfig', 'GET, HEAD'],
    ['DELETE', '/Schemas', 'GET, HEAD'],
    ['PUT', '/ResourceTypes/User', 'GET, HEAD'],
    ['PUT', '/Users', 'GET, HEAD, POST'],
    ['GET', '/Groups/.search', 'POST'],
    ['POST', `/Users/${crypto.randomUUID()}`, 'GET, HEAD, PUT, PATCH, DELETE'],
  ]
  for (const [method, path, allow] of refused) {
    const answer = await okta.request(method, path)
    expect(answer, `${method} ${path}`).toMatchObject({ status: 405, body: { schemas: [error], status: '405' } })
    expect(answer.headers.get('allow')).toBe(allow)
  }
})

test('a resource is answered with where it is and its version', async ({ okta }) => {
  const made = await okta.request('POST', '/Users', { userName: 'ada' })
  const { id, meta } = made.body
  await okta.pushes({ group: 'G' })
  const at = `/Groups/${okta.idOf('G')}`
  const answers = [
    made,
    await okta.request('GET', `/Users/${id}`),
    await okta.request('PATCH', `/Users/${id}`, patch({ op: 'add', path: 'userName', value: 'ada' })),
    await okta.request('PUT', `/Users/${id}`, { userName: 'ada' }),
  ]
  for (const { headers } of answers)
    expect(['location', 'content-location', 'etag'].map((name) => headers.get(name))).toEqual([
      meta.location,
      meta.location,
      meta.version,
    ])
  const group = await okta.request('GET', at)
  expect(group.headers.get('location')).toBe(group.body.meta.location)
  expect(group.headers.get('etag')).toBe(group.body.meta.version)
})

test('who reads application/json alone gets that', async ({ okta }) => {
  const type = async (accept: string) =>
    (await okta.request('GET', '/Users?count=0', undefined, { token: okta.directory.token, headers: { accept } })).headers.get(
      'content-type',
    )
  expect(await type('application/json')).toBe('application/json; charset=utf-8')
  expect(await type('application/scim+json, application/json')).toBe('application/scim+json; charset=utf-8')
  expect(await type('application/json, */*')).toBe('application/scim+json; charset=utf-8')
})

test('the root answers users and groups together, page by page; what a kind does not have has no value', async ({ okta }) => {
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'G', members: ['ada'] })
  await okta.pushes({ group: 'H' })
  const search = async (asked: object) => (await okta.request('POST', '/.search', asked)).body
  const names = (body: { Resources: { userName?: string; displayName?: string }[] }) =>
    body.Resources.map((one) => one.userName ?? one.displayName)
  const all = await okta.request('GET', '/')
  expect(all).toMatchObject({ status: 200, body: { totalResults: 5, startIndex: 1, itemsPerPage: 5 } })
  expect(names(all.body)).toEqual(['ada', 'bob', 'cyd', 'G', 'H'])
  expect(names(await search({ startIndex: 3, count: 2 }))).toEqual(['cyd', 'G'])
  expect(names(await search({ startIndex: 5, count: 2 }))).toEqual(['H'])
  expect(await search({ count: 0 })).toMatchObject({ totalResults: 5, Resources: [] })
  expect(names(await search({ filter: 'userName eq "bob" or displayName eq "h"' }))).toEqual(['bob', 'H'])
  expect(names(await search({ filter: 'not (members pr)' }))).toEqual(['ada', 'bob', 'cyd', 'H'])
  expect(names(await search({ filter: 'userName ne "ada" and meta.resourceType eq "Group"' }))).toEqual(['G', 'H'])
  expect((await search({ attributes: ['members.value'], filter: 'displayName eq "G"' })).Resources).toEqual([
    { schemas: expect.any(Array), id: okta.idOf('G'), members: [{ value: okta.idOfPerson('ada') }] },
  ])
  expect(await search({ filter: 'nope pr' })).toMatchObject({ status: '400', scimType: 'invalidFilter' })
  expect(await search({ sortBy: 'displayName' })).toMatchObject({ status: '400', scimType: 'invalidValue' })
})

test('active is taken away as any attribute: nothing is shown, and nobody is switched on or off by it', async ({
  okta,
  acme,
}) => {
  await okta.knows('ada')
  const at = `/Users/${okta.idOfPerson('ada')}`
  await okta.switches('ada', 'off')
  const gone = await okta.request('PATCH', at, patch({ op: 'remove', path: 'active' }))
  expect(gone.status).toBe(200)
  expect(gone.body).not.toHaveProperty('active')
  expect(await acme.person('ada')).toMatchObject({ active: false })
  const renamed = await okta.request('PATCH', at, patch({ op: 'add', path: 'title', value: 'Dr' }))
  expect(renamed.body).not.toHaveProperty('active')
  const found = async (filter: string) =>
    (await okta.request('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body.totalResults
  expect([await found('active pr'), await found('active eq false'), await found('not (active pr)')]).toEqual([0, 0, 1])
  expect((await okta.request('PATCH', at, patch({ op: 'add', path: 'active', value: true }))).body.active).toBe(true)
  expect(await acme.person('ada')).toMatchObject({ active: true })
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
  expect((await okta.request('GET', '/Users?sortBy=name')).status).toBe(400)
  expect((await okta.request('GET', '/Users?sortBy=meta.version')).body.scimType).toBe('invalidPath')
  expect((await okta.request('GET', '/Users?sortBy=password')).body.scimType).toBe('invalidPath')
  await okta.pushes({ group: 'Z', members: ['ada'] })
  await okta.pushes({ group: 'Y', members: ['bob', 'cyd'] })
  expect(await names('sortBy=groups.display')).toEqual(['bob', 'cyd', 'ada'])
  const groups = async (sortBy: string) =>
    (await okta.request('GET', `/Groups?sortBy=${sortBy}`)).body.Resources.map((one: { displayName: string }) => one.displayName)
  expect(await groups('members.display')).toEqual(['Z', 'Y'])
  expect(await groups('members')).toEqual(['Y', 'Z'])
  expect(await groups('urn:muster:params:scim:schemas:extension:sync:1.0:Group:reasons')).toEqual(['Z', 'Y'])
})

test('what has several values is sorted by the primary one, else the first; what has none comes last', async ({ okta }) => {
  const people = {
    first: [{ value: 'm@x.y' }, { value: 'a@x.y' }],
    primary: [{ value: 'z@x.y' }, { value: 'B@x.y', primary: true }],
    only: [{ value: 'c@x.y' }],
  }
  for (const [userName, emails] of Object.entries(people)) await okta.request('POST', '/Users', { userName, emails })
  await okta.request('POST', '/Users', { userName: 'none' })
  const names = async (query: string) =>
    (await okta.request('GET', `/Users?${query}`)).body.Resources.map((one: { userName: string }) => one.userName)
  expect(await names('sortBy=emails.value')).toEqual(['primary', 'only', 'first', 'none'])
  expect(await names('sortBy=emails&sortOrder=descending')).toEqual(['none', 'first', 'only', 'primary'])
})

test('attributes and excludedAttributes, on reads and writes', async ({ okta, server }) => {
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
  const $ref = `${server.url}/scim/v2/Users/${person}`
  expect((await get(`/Groups/${id}`)).members).toEqual([{ value: person, $ref, type: 'User' }])
  expect((await get(`/Groups/${id}?excludedAttributes=members.$ref,members.type`)).members).toEqual([{ value: person }])
  expect((await get(`/Groups/${id}?attributes=members`)).members).toEqual([{ value: person, $ref, type: 'User' }])
  expect((await get(`/Groups/${id}?attributes=members.display,members.$ref`)).members).toEqual([{ $ref, display: 'ada' }])
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
    Resources: [{ displayName: 'Everybody' }, { displayName: 'Small' }],
  })
  expect(list.Resources[1]).not.toHaveProperty('members')
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
