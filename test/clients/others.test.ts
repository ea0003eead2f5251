import { expect, test } from '../support/story.ts'

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })

test('Google Workspace: PUT and PATCH of users', async ({ okta: google }) => {
  const body = {
    schemas: [user],
    userName: 'ada',
    name: { givenName: 'Ada', familyName: 'L.' },
    emails: [{ value: 'ada@example.org', primary: true }],
  }
  const { body: created } = await google.request('POST', '/Users', body)
  expect(created.active).toBe(true)
  expect((await google.request('PUT', `/Users/${created.id}`, { ...body, title: 'x' })).body).toMatchObject({
    id: created.id,
    title: 'x',
  })
  expect(
    (await google.request('PATCH', `/Users/${created.id}`, patch({ op: 'replace', path: 'active', value: false }))).body.active,
  ).toBe(false)
  expect((await google.request('PUT', `/Users/${created.id}`, body)).body.active).toBe(false)
})

test('JumpCloud: PUT for groups, filter by displayName', async ({ okta: jumpcloud, acme }) => {
  await jumpcloud.knows('ada', 'bob')
  await jumpcloud.pushes({ group: 'Ops', members: ['ada'] })
  const { body } = await jumpcloud.request('GET', `/Groups?filter=${encodeURIComponent('displayName eq "Ops"')}`)
  const [{ id }] = body.Resources
  const members = [{ value: jumpcloud.idOfPerson('ada') }, { value: jumpcloud.idOfPerson('bob') }]
  expect((await jumpcloud.request('PUT', `/Groups/${id}`, { schemas: [group], id, displayName: 'Ops', members })).status).toBe(
    200,
  )
  expect(await acme.membersOf('Ops')).toEqual(['ada', 'bob'])
})

test('OneLogin: adds one by one, and pushes a name that exists again', async ({ okta: onelogin, acme }) => {
  await onelogin.knows('ada', 'bob')
  expect(await onelogin.pushes({ group: 'Ops' })).toBe(201)
  for (const name of ['ada', 'bob']) {
    const value = [{ value: onelogin.idOfPerson(name) }]
    expect(
      (await onelogin.request('PATCH', `/Groups/${onelogin.idOf('Ops')}`, patch({ op: 'add', path: 'members', value }))).status,
    ).toBe(204)
  }
  expect(await onelogin.pushes({ group: 'Ops' })).toBe(409)
  expect(await acme.membersOf('Ops')).toEqual(['ada', 'bob'])
})

test('PingOne: eq and and', async ({ okta: ping }) => {
  await ping.knows('ada', 'bob')
  const find = async (filter: string) =>
    (await ping.request('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body.Resources.map(
      (one: { userName: string }) => one.userName,
    )
  expect(await find('userName eq "ada" and active eq true')).toEqual(['ada'])
  expect(await find('userName eq "ada" and active eq false')).toEqual([])
})

test('SailPoint, Keycloak, AWS: large pages, members replaced in full with type and absolute $ref', async ({
  okta,
  acme,
  server,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Ops', members: ['ada'] })
  const id = okta.idOfPerson('bob')
  const value = [{ value: id, type: 'User', $ref: `${server.url}/scim/v2/Users/${id}` }]
  expect(
    (await okta.request('PATCH', `/Groups/${okta.idOf('Ops')}`, patch({ op: 'replace', path: 'members', value }))).status,
  ).toBe(204)
  expect(await acme.membersOf('Ops')).toEqual(['bob'])
  expect((await okta.request('GET', '/Users?count=1000')).body).toMatchObject({ totalResults: 2, itemsPerPage: 2 })
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
