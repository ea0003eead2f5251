import { expect, test } from '../support/story.ts'

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const sync = 'urn:muster:params:scim:schemas:extension:sync:1.0:Group'
const patch = (...Operations: unknown[]) => ({ schemas: [patchOp], Operations })

const ada = {
  schemas: [user],
  userName: 'ada@example.org',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [{ primary: true, value: 'ada@example.org', type: 'work' }],
  displayName: 'Ada Lovelace',
  locale: 'en-US',
  externalId: '00ujl29u0le5T6Aj10h7',
  groups: [],
  password: '1mz050nq',
  active: true,
}

test('test connection: an empty directory answers with empty lists', async ({ okta }) => {
  const users = await okta.request('GET', '/Users?startIndex=1&count=2')
  expect(users.status).toBe(200)
  expect(users.headers.get('content-type')).toBe('application/scim+json; charset=utf-8')
  expect(users.body).toEqual({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: 0,
    startIndex: 1,
    itemsPerPage: 0,
    Resources: [],
  })
  expect((await okta.request('GET', '/Groups?startIndex=1&count=100')).body).toMatchObject({ totalResults: 0, Resources: [] })
})

test('find user: not there, created, found whatever the case', async ({ okta }) => {
  const find = (name: string) =>
    okta.request('GET', `/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}&startIndex=1&count=100`)
  expect((await find('ada@example.org')).body).toMatchObject({ totalResults: 0, Resources: [] })
  const created = await okta.request('POST', '/Users', ada)
  expect(created.status).toBe(201)
  expect(created.headers.get('location')).toBe(created.body.meta.location)
  expect(created.headers.get('etag')).toBe('W/"1"')
  const { groups: _groups, password: _password, ...kept } = ada
  expect(created.body).toEqual({
    ...kept,
    id: expect.any(String),
    meta: {
      resourceType: 'User',
      created: expect.any(String),
      lastModified: expect.any(String),
      location: expect.any(String),
      version: 'W/"1"',
    },
  })
  expect((await find('ADA@example.org')).body).toMatchObject({ totalResults: 1, Resources: [{ id: created.body.id }] })
  const location = await okta.request('GET', created.body.meta.location)
  expect(location.body).toEqual(created.body)
})

test('create: the account is there, the password nowhere', async ({ okta, acme, inOrg }) => {
  await okta.request('POST', '/Users', ada)
  expect(await acme.person('ada@example.org')).toMatchObject({
    email: 'ada@example.org',
    displayName: 'Ada Lovelace',
    active: true,
  })
  const stored = await inOrg((trx) => trx.selectFrom('provisioned_users').selectAll().execute())
  const logged = await inOrg((trx) => trx.selectFrom('log_entries').selectAll().execute())
  expect(JSON.stringify([stored, logged])).not.toMatch(/password|1mz050nq/)
  const again = await okta.request('POST', '/Users', { ...ada, userName: 'ADA@example.org' })
  expect(again).toMatchObject({ status: 409, body: { status: '409', scimType: 'uniqueness' } })
})

test('profile change: PUT whole, with unknown and read-only attributes', async ({ okta, acme }) => {
  const { body: created } = await okta.request('POST', '/Users', ada)
  const put = await okta.request('PUT', `/Users/${created.id}`, {
    ...ada,
    id: created.id,
    meta: { resourceType: 'User', version: 'x' },
    groups: [{ value: 'x' }],
    nope: { a: 1 },
    displayName: 'Countess',
    name: { givenName: 'Ada', familyName: 'King' },
  })
  expect(put).toMatchObject({
    status: 200,
    body: { id: created.id, displayName: 'Countess', name: { familyName: 'King' }, meta: { version: 'W/"2"' } },
  })
  expect(put.body).not.toHaveProperty('nope')
  expect(put.body).not.toHaveProperty('groups')
  expect(await acme.person('ada@example.org')).toMatchObject({ displayName: 'Countess' })
})

test('a PUT that changes nothing leaves version and time as they were', async ({ okta }) => {
  const { body: created } = await okta.request('POST', '/Users', ada)
  expect((await okta.request('PUT', `/Users/${created.id}`, ada)).body).toEqual(created)
})

test('the id is the URL’s: another one in the body moves nothing', async ({ okta }) => {
  await okta.knows('bob')
  const { body: created } = await okta.request('POST', '/Users', ada)
  const put = await okta.request('PUT', `/Users/${created.id}`, { ...ada, id: okta.idOfPerson('bob'), title: 'x' })
  expect(put.body).toMatchObject({ id: created.id, title: 'x' })
  expect((await okta.request('GET', `/Users/${okta.idOfPerson('bob')}`)).body).toMatchObject({ userName: 'bob' })
})

test('deactivate and reactivate: PATCH without path', async ({ okta, acme }) => {
  const { body: created } = await okta.request('POST', '/Users', ada)
  const off = await okta.request('PATCH', `/Users/${created.id}`, patch({ op: 'replace', value: { active: false } }))
  expect(off).toMatchObject({ status: 200, body: { active: false } })
  expect(await acme.person('ada@example.org')).toMatchObject({ active: false })
  const on = await okta.request('PATCH', `/Users/${created.id}`, patch({ op: 'replace', value: { active: true } }))
  expect(on).toMatchObject({ status: 200, body: { active: true } })
  expect(await acme.person('ada@example.org')).toMatchObject({ active: true })
})

test('import groups: page after page while totalResults says so', async ({ okta }) => {
  await okta.knows('ada', 'bob')
  const people = [okta.idOfPerson('ada'), okta.idOfPerson('bob')].sort()
  const names = Array.from({ length: 7 }, (_, at) => `Group ${at}`)
  for (const name of names) await okta.pushes({ group: name, members: ['ada', 'bob'] })
  const seen: string[] = []
  for (let startIndex = 1, total = 1; startIndex <= total; startIndex += 3) {
    const { body } = await okta.request('GET', `/Groups?startIndex=${startIndex}&count=3`)
    expect(body).toMatchObject({ startIndex, itemsPerPage: body.Resources.length })
    for (const { displayName, members } of body.Resources) {
      seen.push(displayName)
      expect(members.map((member: { value: string }) => member.value).sort()).toEqual(people)
    }
    total = body.totalResults
  }
  expect(seen).toEqual(names)
})

test('link group: found by import and by refresh, linked by its id, then pushed whole', async ({ acme, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd')
  const imported = async () => (await okta.request('GET', '/Groups?startIndex=1&count=100')).body
  expect(await imported()).toMatchObject({ totalResults: 1, Resources: [{ displayName: 'Engineering' }] })
  const { id } = (await imported()).Resources[0]
  const all = [okta.idOfPerson('ada'), okta.idOfPerson('cyd')].map((value) => ({ value }))
  const push = await okta.request('PATCH', `/Groups/${id}`, patch({ op: 'replace', path: 'members', value: all }))
  expect(push).toMatchObject({ status: 204, body: undefined })
  expect(await imported()).toMatchObject({
    totalResults: 1,
    Resources: [
      { id, displayName: 'Engineering', members: all, [sync]: { state: 'needs_review', members: { added: 1, removed: 1 } } },
    ],
  })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  expect((await okta.request('POST', '/Groups', { schemas: [group], displayName: 'Engineering' })).status).toBe(409)
})

test('link group in a custom app: PUT whole to the id that was imported', async ({ acme, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  await okta.knows('ada')
  const { id } = (await okta.request('GET', '/Groups?startIndex=1&count=100')).body.Resources[0]
  const members = [{ value: okta.idOfPerson('ada'), display: 'ada' }]
  const put = await okta.request('PUT', `/Groups/${id}`, { schemas: [group], displayName: 'Engineering', members })
  expect(put).toMatchObject({ status: 200, body: { id, members: [{ value: okta.idOfPerson('ada') }] } })
  expect(put.body[sync]).toEqual({
    state: 'needs_review',
    reasons: ['name_taken'],
    members: { added: 0, removed: 0, unchanged: 1 },
  })
})

test('unlink and delete of a group that was only linked leaves it alone', async ({ acme, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  const { id } = (await okta.request('GET', '/Groups?startIndex=1&count=100')).body.Resources[0]
  expect((await okta.request('DELETE', `/Groups/${id}`)).status).toBe(204)
  expect((await okta.request('GET', `/Groups/${id}`)).status).toBe(404)
  expect(await acme.membersOf('Engineering')).toEqual(['ada'])
})

test('push group: with members and without, never an externalId', async ({ okta, acme, server }) => {
  await okta.knows('ada')
  const id = okta.idOfPerson('ada')
  const pushed = await okta.request('POST', '/Groups', {
    schemas: [group],
    displayName: 'Engineering',
    members: [{ value: id, display: 'ada' }],
  })
  expect(pushed.status).toBe(201)
  expect(pushed.headers.get('location')).toBe(pushed.body.meta.location)
  expect(pushed.body).toEqual({
    schemas: [group, sync],
    id: expect.any(String),
    displayName: 'Engineering',
    members: [{ value: id, $ref: `${server.url}/scim/v2/Users/${id}`, type: 'User' }],
    meta: {
      resourceType: 'Group',
      created: expect.any(String),
      lastModified: expect.any(String),
      location: expect.any(String),
      version: pushed.headers.get('etag'),
    },
    [sync]: { state: 'synced', reasons: [], members: { added: 0, removed: 0, unchanged: 1 } },
  })
  expect(await acme.membersOf('Engineering')).toEqual(['ada'])
  const alone = await okta.request('POST', '/Groups', { schemas: [group], displayName: 'Alone' })
  expect(alone).toMatchObject({ status: 201, body: { displayName: 'Alone' } })
  expect(alone.body).not.toHaveProperty('members')
  expect((await okta.request('GET', `/Users/${id}`)).body.groups).toEqual([
    { value: pushed.body.id, $ref: pushed.body.meta.location, display: 'Engineering', type: 'direct' },
  ])
})

test('push group: the 409 names the group and what to do', async ({ okta }) => {
  await okta.pushes({ group: 'Engineering' })
  expect(await okta.pushes({ group: 'engineering ' })).toBe(409)
  expect(okta.answer().headers.get('content-type')).toBe('application/scim+json; charset=utf-8')
  expect(okta.answer().body).toEqual({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: '409',
    scimType: 'uniqueness',
    detail: expect.stringMatching(/^Resource \[GROUP\] with displayName "engineering ?" already exists\. ./),
  })
})

test('push group: onto a taken name it is kept apart until it is reviewed', async ({ okta, acme }) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd')
  expect(await okta.pushes({ group: 'engineering', members: ['ada', 'cyd'] })).toBe(201)
  expect(okta.answer().body[sync]).toEqual({
    state: 'needs_review',
    reasons: ['name_taken'],
    members: { added: 1, removed: 1, unchanged: 1 },
  })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  expect(await okta.membersOf('engineering')).toEqual(['ada', 'cyd'])
})

test('membership change: several operations in one PATCH, 204', async ({ okta, acme }) => {
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'G', members: ['ada', 'bob'] })
  const changed = await okta.request(
    'PATCH',
    `/Groups/${okta.idOf('G')}`,
    patch(
      { op: 'remove', path: `members[value eq "${okta.idOfPerson('ada')}"]` },
      { op: 'add', path: 'members', value: [{ value: okta.idOfPerson('cyd'), display: 'cyd@example.org' }] },
    ),
  )
  expect(changed).toMatchObject({ status: 204, body: undefined })
  expect(await okta.membersOf('G')).toEqual(['bob', 'cyd'])
  expect(await acme.membersOf('G')).toEqual(['bob', 'cyd'])
})

test('push now: the whole list replaced', async ({ okta, acme }) => {
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'G', members: ['ada', 'bob'] })
  expect(await okta.replaces('G', ['bob', 'cyd'])).toBe(204)
  expect(await okta.membersOf('G')).toEqual(['bob', 'cyd'])
  expect(await acme.membersOf('G')).toEqual(['bob', 'cyd'])
  expect(await okta.replaces('G', [])).toBe(204)
  expect(await okta.membersOf('G')).toEqual([])
})

test('rename: no path, the id inside', async ({ okta, acme }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Old', members: ['ada'] })
  const id = okta.idOf('Old')
  expect((await okta.request('PATCH', `/Groups/${id}`, patch({ op: 'replace', value: { id, displayName: 'New' } }))).status).toBe(
    204,
  )
  expect((await okta.request('GET', `/Groups/${id}`)).body).toMatchObject({ id, displayName: 'New' })
  expect(await acme.membersOf('New')).toEqual(['ada'])
})

test('custom apps: PUT whole, with and without id', async ({ okta, acme }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'G', members: ['ada'] })
  const id = okta.idOf('G')
  const put = await okta.request('PUT', `/Groups/${id}`, {
    schemas: [group],
    displayName: 'G',
    members: [{ value: okta.idOfPerson('bob'), display: 'bob' }],
  })
  expect(put).toMatchObject({ status: 200, body: { id, displayName: 'G', members: [{ value: okta.idOfPerson('bob') }] } })
  expect(await acme.membersOf('G')).toEqual(['bob'])
  const renamed = await okta.request('PUT', `/Groups/${id}`, { schemas: [group], id, displayName: 'H', members: [] })
  expect(renamed).toMatchObject({ status: 200, body: { id, displayName: 'H' } })
  expect(renamed.body).not.toHaveProperty('members')
  expect(await acme.membersOf('H')).toEqual([])
})

test('unlink and delete', async ({ okta }) => {
  await okta.pushes({ group: 'G' })
  const id = okta.idOf('G')
  expect(await okta.request('DELETE', `/Groups/${id}`)).toMatchObject({ status: 204, body: undefined })
  expect((await okta.request('GET', `/Groups/${id}`)).status).toBe(404)
  expect((await okta.request('DELETE', `/Groups/${id}`)).status).toBe(404)
})

test('one stale member id does not lose the push', async ({ okta, acme }) => {
  await okta.knows('ada')
  const members = [
    { value: okta.idOfPerson('ada') },
    { value: '00000000-0000-7000-8000-000000000000', display: 'gone@example.org' },
    { value: 'not an id' },
  ]
  expect((await okta.request('POST', '/Groups', { schemas: [group], displayName: 'G', members })).status).toBe(201)
  expect(await acme.membersOf('G')).toEqual(['ada'])
})

test('another directory’s resource and none at all are the same 404', async ({ okta, entra }) => {
  await entra.knows('ada')
  await entra.pushes({ group: 'G' })
  for (const [foreign, missing] of [
    [`/Users/${entra.idOfPerson('ada')}`, '/Users/00000000-0000-7000-8000-000000000000'],
    [`/Groups/${entra.idOf('G')}`, '/Groups/nonsense'],
  ] as const) {
    for (const [method, body] of [
      ['GET'],
      ['DELETE'],
      ['PATCH', patch({ op: 'replace', value: { displayName: 'x' } })],
      ['PUT', { userName: 'x', displayName: 'x' }],
    ] as const) {
      const one = await okta.request(method, foreign, body)
      expect(one.status).toBe(404)
      expect(one.body).toEqual((await okta.request(method, missing, body)).body)
    }
  }
})

test('a session from the connection test to the last deletion, what is so read after each step', async ({ okta, acme }) => {
  const find = async (name: string) =>
    (await okta.request('GET', `/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}&startIndex=1&count=100`)).body
  const put = (id: string, change: object) => okta.request('PUT', `/Users/${id}`, { ...ada, id, ...change })
  const toGroup = (id: string, ...operations: unknown[]) => okta.request('PATCH', `/Groups/${id}`, patch(...operations))
  const groupsNow = async () =>
    (await okta.request('GET', '/Groups?startIndex=1&count=100')).body.Resources.map(
      (one: { displayName: string }) => one.displayName,
    )

  expect((await okta.request('GET', '/Users?startIndex=1&count=2')).status).toBe(200)
  expect(await groupsNow()).toEqual([])

  expect((await find('ada@example.org')).totalResults).toBe(0)
  const id = (await okta.request('POST', '/Users', ada)).body.id as string
  expect(await find('ada@example.org')).toMatchObject({ totalResults: 1, Resources: [{ id, active: true }] })
  expect(await acme.person('ada@example.org')).toMatchObject({ active: true, displayName: 'Ada Lovelace' })

  expect((await put(id, { displayName: 'Countess', nope: 1 })).status).toBe(200)
  expect(await acme.person('ada@example.org')).toMatchObject({ displayName: 'Countess' })

  const members = [{ value: id, display: 'ada@example.org' }]
  const group1 = { schemas: [group], displayName: 'Engineering', members }
  const groupId = (await okta.request('POST', '/Groups', group1)).body.id as string
  expect(await groupsNow()).toEqual(['Engineering'])
  expect(await acme.membersOf('Engineering')).toEqual(['ada@example.org'])

  await okta.knows('bob')
  const bob = { value: okta.idOfPerson('bob'), display: 'bob@example.org' }
  expect((await toGroup(groupId, { op: 'add', path: 'members', value: [bob] })).status).toBe(204)
  expect(await acme.membersOf('Engineering')).toEqual(['ada@example.org', 'bob'])
  expect((await toGroup(groupId, { op: 'remove', path: `members[value eq "${id}"]` })).status).toBe(204)
  expect(await acme.membersOf('Engineering')).toEqual(['bob'])
  expect((await toGroup(groupId, { op: 'replace', path: 'members', value: [...members, bob] })).status).toBe(204)
  expect(await acme.membersOf('Engineering')).toEqual(['ada@example.org', 'bob'])

  expect((await toGroup(groupId, { op: 'replace', value: { id: groupId, displayName: 'R&D' } })).status).toBe(204)
  expect(await groupsNow()).toEqual(['R&D'])
  expect(await acme.membersOf('R&D')).toEqual(['ada@example.org', 'bob'])

  expect((await okta.request('PATCH', `/Users/${id}`, patch({ op: 'replace', value: { active: false } }))).body.active).toBe(
    false,
  )
  expect(await acme.person('ada@example.org')).toMatchObject({ active: false })
  expect((await put(id, { active: true })).body.active).toBe(true)
  expect(await acme.person('ada@example.org')).toMatchObject({ active: true })

  expect((await okta.request('DELETE', `/Groups/${groupId}`)).status).toBe(204)
  expect((await okta.request('GET', `/Groups/${groupId}`)).status).toBe(404)
  // Unmanaged from now on, with its members, and nowhere for who deleted it.
  expect(await groupsNow()).toEqual([])
  expect(await acme.membersOf('R&D')).toEqual(['ada@example.org', 'bob'])
})
