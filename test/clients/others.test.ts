import { expect, test } from '../support/story.ts'

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })

test('Google Workspace: users by POST, PUT and PATCH; no groups', async ({ connects, acme }) => {
  const google = await connects('google')
  const find = async (filter: string) => (await google.request('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body
  const body = {
    schemas: [user],
    userName: 'ada@example.org',
    name: { givenName: 'Ada', familyName: 'L.' },
    emails: [{ value: 'ada@example.org', primary: true }],
  }
  expect((await find('userName eq "ada@example.org"')).totalResults).toBe(0)
  const { body: created } = await google.request('POST', '/Users', body)
  expect(created.active).toBe(true)
  expect((await find('userName eq "ada@example.org"')).Resources[0].id).toBe(created.id)
  expect((await google.request('PUT', `/Users/${created.id}`, { ...body, title: 'x' })).body).toMatchObject({
    id: created.id,
    title: 'x',
  })
  const off = await google.request('PATCH', `/Users/${created.id}`, patch({ op: 'replace', path: 'active', value: false }))
  expect(off.body.active).toBe(false)
  expect(await acme.person('ada@example.org')).toMatchObject({ active: false })
  expect((await google.request('PUT', `/Users/${created.id}`, body)).body.active).toBe(false)
  expect((await google.request('PUT', `/Users/${created.id}`, { ...body, active: true })).body.active).toBe(true)
  expect(await acme.person('ada@example.org')).toMatchObject({ active: true })
  expect((await google.request('DELETE', `/Users/${created.id}`)).status).toBe(204)
  expect((await find('userName eq "ada@example.org"')).totalResults).toBe(0)
})

test('JumpCloud: PUT for groups, filter by displayName', async ({ connects, acme }) => {
  const jumpcloud = await connects('jumpcloud')
  const find = async () => (await jumpcloud.request('GET', `/Groups?filter=${encodeURIComponent('displayName eq "Ops"')}`)).body
  await jumpcloud.knows('ada', 'bob')
  expect((await find()).totalResults).toBe(0)
  await jumpcloud.pushes({ group: 'Ops', members: ['ada'] })
  const [{ id }] = (await find()).Resources
  const put = async (change: object) =>
    (await jumpcloud.request('PUT', `/Groups/${id}`, { schemas: [group], id, displayName: 'Ops', ...change })).status
  const [ada, bob] = ['ada', 'bob'].map((name) => ({ value: jumpcloud.idOfPerson(name) }))
  expect(await put({ members: [ada, bob] })).toBe(200)
  expect(await acme.membersOf('Ops')).toEqual(['ada', 'bob'])
  expect(await put({ members: [bob] })).toBe(200)
  expect(await acme.membersOf('Ops')).toEqual(['bob'])
  expect(await put({ displayName: 'Operations', members: [bob] })).toBe(200)
  expect(await acme.membersOf('Operations')).toEqual(['bob'])
  expect((await jumpcloud.request('DELETE', `/Groups/${id}`)).status).toBe(204)
})

test('OneLogin: adds one by one, and pushes a name that exists again', async ({ connects, acme }) => {
  const onelogin = await connects('onelogin')
  await onelogin.knows('ada', 'bob')
  expect(await onelogin.pushes({ group: 'Ops' })).toBe(201)
  const seen: string[] = []
  for (const name of ['ada', 'bob']) {
    const value = [{ value: onelogin.idOfPerson(name) }]
    const { status } = await onelogin.request(
      'PATCH',
      `/Groups/${onelogin.idOf('Ops')}`,
      patch({ op: 'add', path: 'members', value }),
    )
    expect(status).toBe(204)
    expect(await acme.membersOf('Ops')).toEqual([...seen, name])
    seen.push(name)
  }
  expect(await onelogin.pushes({ group: 'Ops' })).toBe(409)
  expect(onelogin.answer().body).toMatchObject({ scimType: 'uniqueness', detail: expect.stringContaining('"Ops"') })
  expect(await acme.membersOf('Ops')).toEqual(['ada', 'bob'])
})

test('PingOne: PUT of users, filters of eq and and', async ({ connects, acme }) => {
  const ping = await connects('ping')
  await ping.knows('ada', 'bob')
  const find = async (filter: string) =>
    (await ping.request('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body.Resources.map(
      (one: { userName: string }) => one.userName,
    )
  expect(await find('userName eq "ada" and active eq true')).toEqual(['ada'])
  expect(await find('userName eq "ada" and active eq false')).toEqual([])
  const put = (body: object) =>
    ping.request('PUT', `/Users/${ping.idOfPerson('ada')}`, { schemas: [user], userName: 'ada', ...body })
  expect((await put({ displayName: 'Ada L.', active: true })).status).toBe(200)
  expect(await acme.person('ada')).toMatchObject({ displayName: 'Ada L.' })
  expect((await put({ displayName: 'Ada L.', active: false })).status).toBe(200)
  expect(await find('userName eq "ada" and active eq false')).toEqual(['ada'])
  expect(await acme.person('ada')).toMatchObject({ active: false })
})

for (const [kind, count] of [
  ['sailpoint', 50],
  ['keycloak', 100],
  ['aws', 1_000],
] as const)
  test(`${kind}: pages of ${count}, members replaced in full with type and absolute $ref`, async ({ connects, acme, server }) => {
    const client = await connects(kind)
    const names = ['ada', 'bob', 'cyd']
    await client.knows(...names)
    await client.pushes({ group: 'Ops', members: ['ada'] })
    const read = async (path: string) => {
      const found: unknown[] = []
      for (let startIndex = 1, total = 1; startIndex <= total; startIndex += count) {
        const { body } = await client.request('GET', `${path}?startIndex=${startIndex}&count=${count}`)
        total = body.totalResults
        found.push(...body.Resources)
      }
      return found
    }
    expect([await read('/Users'), await read('/Groups')]).toEqual([
      expect.objectContaining({ length: 3 }),
      expect.objectContaining({ length: 1 }),
    ])
    const listed = (...people: string[]) =>
      people.map((name) => ({
        value: client.idOfPerson(name),
        type: 'User',
        display: name,
        $ref: `${server.url}/scim/v2/Users/${client.idOfPerson(name)}`,
      }))
    for (const members of [names, ['bob'], [], ['cyd', 'ada']]) {
      const operation = { op: 'replace', path: 'members', value: listed(...members) }
      expect((await client.request('PATCH', `/Groups/${client.idOf('Ops')}`, patch(operation))).status).toBe(204)
      expect(await acme.membersOf('Ops')).toEqual([...members].sort())
    }
    const off = await client.request(
      'PATCH',
      `/Users/${client.idOfPerson('ada')}`,
      patch({ op: 'add', value: { active: false } }),
    )
    expect(off.body.active).toBe(false)
    expect(await acme.person('ada')).toMatchObject({ active: false })
  })

test('attribute names, URNs and operators in any case', async ({ okta }) => {
  const { body: created } = await okta.request('POST', '/Users', {
    SCHEMAS: [user.toUpperCase()],
    USERNAME: 'ada',
    Emails: [{ VALUE: 'ada@example.org' }],
  })
  expect(created).toMatchObject({ userName: 'ada', emails: [{ value: 'ada@example.org' }] })
  const filter = encodeURIComponent(`${user.toUpperCase()}:USERNAME EQ "ADA"`)
  expect((await okta.request('GET', `/Users?filter=${filter}&ATTRIBUTES=USERNAME`)).body.Resources).toEqual([
    { schemas: [user], id: created.id, userName: 'ada' },
  ])
  expect(
    (await okta.request('PATCH', `/Users/${created.id}`, { OPERATIONS: [{ OP: 'REPLACE', PATH: 'TITLE', VALUE: 't' }] })).body
      .title,
  ).toBe('t')
})

test('startIndex 0 is 1, count 0 the total only, a negative count 0, a larger page is cut', async ({ okta }) => {
  await okta.knows('ada', 'bob', 'cyd')
  const list = async (query: string) => (await okta.request('GET', `/Users?${query}`)).body
  expect(await list('startIndex=0&count=2')).toMatchObject({ startIndex: 1, itemsPerPage: 2, totalResults: 3 })
  expect(await list('count=0')).toMatchObject({ totalResults: 3, itemsPerPage: 0, Resources: [] })
  expect(await list('count=-1')).toMatchObject({ totalResults: 3, itemsPerPage: 0, Resources: [] })
  expect(await list('count=5000')).toMatchObject({ totalResults: 3, itemsPerPage: 3 })
  expect(await list('startIndex=4')).toMatchObject({ totalResults: 3, startIndex: 4, itemsPerPage: 0 })
})

test('members and groups in filters', async ({ okta }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'A', members: ['ada'] })
  await okta.pushes({ group: 'B', members: ['ada', 'bob'] })
  const find = async (path: string, filter: string) =>
    (await okta.request('GET', `${path}?filter=${encodeURIComponent(filter)}`)).body.Resources.map(
      (one: { displayName: string }) => one.displayName,
    )
  expect(await find('/Groups', `members.value eq "${okta.idOfPerson('bob')}"`)).toEqual(['B'])
  expect(await find('/Groups', `members[value eq "${okta.idOfPerson('ada')}"] and displayName sw "a"`)).toEqual(['A'])
  expect(await find('/Groups', `not (members.value eq "${okta.idOfPerson('bob')}")`)).toEqual(['A'])
  expect(await find('/Groups', 'members.display eq "BOB" and meta.lastModified gt "2026-01-01T00:00:00Z"')).toEqual(['B'])
  expect(await find('/Users', `groups.value eq "${okta.idOf('B')}" and not (groups.display eq "A")`)).toEqual(['bob'])
  expect(await find('/Groups', 'urn:muster:params:scim:schemas:extension:sync:1.0:Group:state eq "synced"')).toEqual(['A', 'B'])
})

test('plain JSON is read, with and without charset', async ({ okta }) => {
  for (const [name, type] of [
    ['a', 'application/json'],
    ['b', 'application/json; charset=utf-8'],
    ['c', 'application/scim+json;charset=UTF-8'],
  ]) {
    expect((await okta.request('POST', '/Users', { userName: name }, { headers: { 'content-type': String(type) } })).status).toBe(
      201,
    )
  }
})
