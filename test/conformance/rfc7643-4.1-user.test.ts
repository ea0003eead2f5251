import { expect, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

const full = sample('rfc7643-8.2-user-full')
const { id: _id, meta: _meta, groups: _groups, password: _password, ...written } = full

test('every attribute of the whole user (§8.2) is kept as it was given; id, meta and groups are the server’s', async ({
  client,
}) => {
  const { status, body } = await client.request('POST', '/Users', full)
  expect(status).toBe(201)
  const { id, meta, ...rest } = body
  expect(rest).toEqual(written)
  expect(id).not.toBe(full.id)
  expect(meta).toMatchObject({ resourceType: 'User', location: expect.stringContaining(id) })
  expect((await client.request('GET', `/Users/${id}`)).body).toEqual(body)
})

test('each attribute alone is set, read, found and taken away', async ({ client }) => {
  const { body: user } = await client.request('POST', '/Users', { schemas: [urn.user], userName: 'bjensen' })
  const change = async (operation: object) => {
    const { status, body } = await client.request('PATCH', `/Users/${user.id}`, patchOf(operation))
    expect(status, JSON.stringify(body)).toBe(200)
    return body
  }
  const { schemas: _schemas, userName: _userName, active: _active, ...attributes } = written
  for (const [path, value] of Object.entries(attributes)) {
    expect((await change({ op: 'add', path, value }))[path], path).toEqual(value)
    const found = await client.request('GET', `/Users?filter=${encodeURIComponent(`${path} pr`)}`)
    expect(found.body.totalResults, path).toBe(1)
    expect(await change({ op: 'remove', path }), path).not.toHaveProperty(path)
  }
})

test('entitlements, roles and x509Certificates have value, display, type and primary', async ({ client }) => {
  const lists = {
    entitlements: [{ value: 'a', display: 'A', type: 't', primary: true }],
    roles: [{ value: 'b', display: 'B', type: 't', primary: true }],
    x509Certificates: [{ value: 'MIID', display: 'C', type: 't', primary: true }],
  }
  expect((await client.request('POST', '/Users', { schemas: [urn.user], userName: 'b', ...lists })).body).toMatchObject(lists)
})

test('userName is required and unique whatever its case; without one there is no user', async ({ client }) => {
  const post = (body: object) => client.request('POST', '/Users', { schemas: [urn.user], ...body })
  expect(await post({ displayName: 'x' })).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
  expect((await post({ userName: 'BJensen' })).status).toBe(201)
  expect(await post({ userName: 'bjensen' })).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } })
})

test('the password is taken and never shown, found or described', async ({ client, inOrg }) => {
  const { body } = await client.request('POST', '/Users', full)
  const patched = await client.request('PATCH', `/Users/${body.id}`, patchOf({ op: 'replace', path: 'password', value: 'n3w' }))
  expect(patched).toMatchObject({ status: 200, body: { meta: { version: body.meta.version } } })
  const asked = await client.request('GET', `/Users/${body.id}?attributes=userName,password`)
  expect(JSON.stringify([body, patched.body, asked.body])).not.toMatch(/password|t1meMa|n3w/)
  expect(await client.request('GET', '/Users?filter=password%20eq%20%22n3w%22')).toMatchObject({
    status: 403,
    body: { scimType: 'sensitive' },
  })
  expect(await client.request('GET', '/Users?filter=password%20pr')).toMatchObject({
    status: 403,
    body: { scimType: 'sensitive' },
  })
  expect(JSON.stringify((await client.request('GET', '/Schemas')).body)).not.toContain('password')
  const stored = await inOrg(async (trx) => [
    await trx.selectFrom('provisioned_users').selectAll().execute(),
    await trx.selectFrom('log_entries').selectAll().execute(),
  ])
  expect(JSON.stringify(stored)).not.toMatch(/password|t1meMa|n3w/)
})

test('groups is read-only, and in step with what the directory has pushed', async ({ client, acme }) => {
  await acme.has({ group: 'Taken', members: [] })
  await client.knows('bjensen')
  const id = client.idOfPerson('bjensen')
  const groups = async () => (await client.request('GET', `/Users/${id}`)).body.groups
  expect(await groups()).toBeUndefined()
  await client.pushes({ group: 'Tour Guides', members: ['bjensen'] })
  await client.pushes({ group: 'taken', members: ['bjensen'] })
  const listed = (name: string) => ({
    value: client.idOf(name),
    $ref: expect.stringMatching(new RegExp(`/scim/v2/Groups/${client.idOf(name)}$`)),
    display: name,
    type: 'direct',
  })
  expect(await groups()).toEqual([listed('Tour Guides'), listed('taken')])
  expect(await acme.membersOf('Taken')).toEqual([])
  await client.renames('Tour Guides', 'Guides')
  await client.removes('taken', ['bjensen'])
  expect(await groups()).toEqual([listed('Guides')])
  const put = await client.request('PUT', `/Users/${id}`, { schemas: [urn.user], userName: 'bjensen', groups: [] })
  expect(put.body.groups).toEqual([listed('Guides')])
  expect(await client.request('PATCH', `/Users/${id}`, patchOf({ op: 'remove', path: 'groups' }))).toMatchObject({
    status: 400,
    body: { scimType: 'mutability' },
  })
  await client.deletes('Guides')
  expect(await groups()).toBeUndefined()
})

test('names have 255 characters at most, other texts 1,024, and nothing hidden', async ({ client }) => {
  const post = async (body: object) => {
    const answer = await client.request('POST', '/Users', { schemas: [urn.user], userName: 'b', ...body })
    return answer.status === 201 ? 201 : answer.body.scimType
  }
  expect(await post({ displayName: 'x'.repeat(256) })).toBe('invalidValue')
  expect(await post({ name: { familyName: 'x'.repeat(256) } })).toBe('invalidValue')
  expect(await post({ name: { givenName: 'a\u200bb' } })).toBe('invalidValue')
  expect(await post({ name: { formatted: 'a\u202eb' } })).toBe('invalidValue')
  expect(await post({ title: 'x'.repeat(1_025) })).toBe('invalidValue')
  expect(await post({ title: 'x'.repeat(1_024), name: { familyName: 'x'.repeat(255) }, nickName: 'a\u200bb' })).toBe(201)
})

test('what is no value of its type is a 400, and nothing of it is kept', async ({ client }) => {
  for (const wrong of [
    { active: 'yes' },
    { emails: [{ value: 5 }] },
    { name: 'Barbara' },
    { profileUrl: 'https://a b' },
    { photos: [{ value: 'a"b' }] },
    { x509Certificates: [{ value: 'no certificate' }] },
    { addresses: 'Hollywood' },
    { roles: [{ primary: 'sometimes', value: 'x' }] },
  ]) {
    const answer = await client.request('POST', '/Users', { schemas: [urn.user], userName: 'bjensen', ...wrong })
    expect(answer, JSON.stringify(wrong)).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
  }
  expect((await client.request('GET', '/Users')).body.totalResults).toBe(0)
})
