import { expect, type Provider, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

const { id: _id, meta: _meta, groups: _groups, password: _password, ...babs } = sample('rfc7643-8.3-enterprise_user')

const created = async (client: Provider) => (await client.request('POST', '/Users', babs)).body
const patched = (client: Provider, id: string, ...operations: unknown[]) =>
  client.request('PATCH', `/Users/${id}`, patchOf(...operations))

test('a user is answered whole with 200, a group with 204 and no body; both with 200 where attributes are asked for', async ({
  client,
}) => {
  const user = await created(client)
  const answer = await patched(client, user.id, { op: 'replace', path: 'title', value: 'Guide' })
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual({
    ...user,
    title: 'Guide',
    meta: { ...user.meta, lastModified: expect.any(String), version: 'W/"2"' },
  })
  await client.pushes({ group: 'G' })
  const path = `/Groups/${client.idOf('G')}`
  const operation = patchOf({ op: 'replace', path: 'displayName', value: 'H' })
  expect(await client.request('PATCH', path, operation)).toMatchObject({ status: 204, body: undefined })
  expect(await client.request('PATCH', `${path}?attributes=displayName`, operation)).toMatchObject({
    status: 200,
    body: { displayName: 'H' },
  })
  expect((await client.request('PATCH', `/Users/${user.id}?attributes=userName`, operation)).body).toEqual({
    schemas: [urn.user, urn.enterprise],
    id: user.id,
    userName: babs.userName,
  })
})

test('operations follow one another: each sees what those before it did', async ({ client }) => {
  const user = await created(client)
  const { body } = await patched(
    client,
    user.id,
    { op: 'remove', path: 'emails' },
    { op: 'add', path: 'emails', value: [{ value: 'a@example.com', type: 'work' }] },
    { op: 'replace', path: 'emails[type eq "work"].value', value: 'b@example.com' },
    { op: 'add', path: 'emails[type eq "home"].value', value: 'c@example.com' },
    { op: 'remove', path: 'emails[value sw "b"]' },
  )
  expect(body.emails).toEqual([{ type: 'home', value: 'c@example.com' }])
})

test('all or nothing: one wrong operation, and nothing of the others is applied', async ({ client, acme }) => {
  const user = await created(client)
  await client.knows('ada')
  await client.pushes({ group: 'G' })
  const right = { op: 'replace', path: 'title', value: 'applied' }
  for (const wrong of [
    { op: 'remove', path: 'userName' },
    { op: 'add', path: 'nope', value: 1 },
    { op: 'move' },
    { op: 'remove' },
  ])
    expect((await patched(client, user.id, right, wrong)).status).toBe(400)
  expect((await client.request('GET', `/Users/${user.id}`)).body).toEqual(user)
  const group = `/Groups/${client.idOf('G')}`
  const member = { op: 'add', path: 'members', value: [{ value: client.idOfPerson('ada') }] }
  for (const wrong of [
    { op: 'replace', path: 'meta.version', value: 'x' },
    { op: 'add', path: 'members[value eq "x"]', value: {} },
  ])
    expect((await client.request('PATCH', group, patchOf(member, wrong))).status).toBe(400)
  expect(await acme.membersOf('G')).toEqual([])
})

test('1,000 operations are taken, one more is a 413', async ({ client }) => {
  const user = await created(client)
  const operations = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ op: 'replace', path: 'nickName', value: `n${at}` }))
  expect((await patched(client, user.id, ...operations(1_000))).body.nickName).toBe('n999')
  expect((await patched(client, user.id, ...operations(1_001))).status).toBe(413)
})

test('a PATCH without operations, or of another shape, is invalidSyntax', async ({ client }) => {
  const user = await created(client)
  const operation = { op: 'replace', path: 'title', value: 'x' }
  for (const body of [
    {},
    patchOf(),
    { Operations: 'x' },
    { Operations: operation },
    patchOf('x'),
    patchOf({ path: 'title' }),
    [],
  ])
    expect(await client.request('PATCH', `/Users/${user.id}`, body), JSON.stringify(body)).toMatchObject({
      status: 400,
      body: { scimType: 'invalidSyntax' },
    })
  expect((await client.request('PATCH', `/Users/${user.id}`, { Operations: [operation] })).body.title).toBe('x')
})

test('what is readOnly is a mutability error in a path, and passed over without one', async ({ client }) => {
  const user = await created(client)
  for (const path of ['id', 'meta', 'meta.created', 'groups', 'schemas', `${urn.enterprise}:manager.displayName`])
    for (const op of ['add', 'replace', 'remove'])
      expect(await patched(client, user.id, { op, path, value: 'x' }), `${op} ${path}`).toMatchObject({
        status: 400,
        body: { scimType: 'mutability' },
      })
  const passed = await patched(client, user.id, {
    op: 'replace',
    value: { id: 'x', meta: {}, groups: [], schemas: [], title: 't' },
  })
  expect(passed.body).toMatchObject({ id: user.id, title: 't' })
})

test('names, URNs and operators in any case; the URN of the core schema before a name', async ({ client }) => {
  const user = await created(client)
  const { body } = await patched(
    client,
    user.id,
    { op: 'REPLACE', path: `${urn.user.toUpperCase()}:NAME.FamilyName`, value: 'a' },
    { op: 'Add', path: `${urn.enterprise.toUpperCase()}:DEPARTMENT`, value: 'b' },
    { op: 'rePlace', value: { TITLE: 'c', [urn.enterprise.toLowerCase()]: { CostCenter: 'd' } } },
  )
  expect(body).toMatchObject({ name: { familyName: 'a' }, title: 'c', [urn.enterprise]: { department: 'b', costCenter: 'd' } })
})

test('what changes nothing writes nothing: no version, no time, no log entry', async ({ client, inOrg }) => {
  const user = await created(client)
  await client.knows('ada')
  await client.pushes({ group: 'G', members: ['ada'] })
  const logged = () => inOrg(async (trx) => (await trx.selectFrom('log_entries').select('id').execute()).length)
  const group = `/Groups/${client.idOf('G')}`
  const before = { entries: await logged(), group: (await client.request('GET', group)).body }
  const ada = client.idOfPerson('ada')
  for (const operation of [
    { op: 'add', path: 'displayName', value: babs.displayName },
    { op: 'add', path: 'emails', value: [babs.emails[0]] },
    { op: 'add', path: 'emails', value: [{ value: babs.emails[0].value }] },
    { op: 'replace', path: 'emails', value: babs.emails },
    { op: 'replace', value: { name: babs.name, active: true } },
    { op: 'replace', path: 'addresses[type eq "work"].locality', value: 'Hollywood' },
    { op: 'remove', path: 'roles' },
    { op: 'remove', path: 'emails[type eq "other"]' },
    { op: 'replace', path: 'password', value: 'n3w' },
  ])
    expect(await patched(client, user.id, operation), JSON.stringify(operation)).toMatchObject({ status: 200, body: user })
  for (const operation of [
    { op: 'add', path: 'members', value: [{ value: ada, display: 'x', type: 'User' }] },
    { op: 'replace', path: 'members', value: [{ value: ada }] },
    { op: 'remove', path: 'members[value eq "nobody"]' },
    { op: 'remove', path: 'members[type eq "Group"]' },
    { op: 'replace', value: { displayName: 'G' } },
  ])
    expect((await client.request('PATCH', group, patchOf(operation))).status, JSON.stringify(operation)).toBe(204)
  expect({ entries: await logged(), group: (await client.request('GET', group)).body }).toEqual(before)
})

test('an unknown attribute in a path is invalidPath; of an extension that is not there it is passed over', async ({ client }) => {
  const user = await created(client)
  for (const path of [
    'nope',
    'name.nope',
    'emails.nope',
    'emails[type eq "work"].nope',
    `${urn.user}:nope`,
    'name[',
    '[',
    '"x"',
    'a b',
  ])
    expect((await patched(client, user.id, { op: 'add', path, value: 'x' })).body.scimType, path).toMatch(
      /^invalid(Path|Filter)$/,
    )
  expect((await patched(client, user.id, { op: 'add', path: 'urn:example:2.0:User:x', value: 'x' })).body).toEqual(user)
})
