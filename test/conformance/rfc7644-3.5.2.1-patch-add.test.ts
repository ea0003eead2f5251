import { expect, type Provider, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

const { id: _id, meta: _meta, groups: _groups, password: _password, ...babs } = sample('rfc7643-8.2-user-full')

async function patching(client: Provider, user: object = babs) {
  const { body } = await client.request('POST', '/Users', user)
  return async (...operations: unknown[]) => (await client.request('PATCH', `/Users/${body.id}`, patchOf(...operations))).body
}

test('the example: without a path, several attributes', async ({ client }) => {
  const { body } = await client.request('POST', '/Users', { ...babs, emails: [babs.emails[0]], nickName: 'x' })
  const answer = await client.request('PATCH', `/Users/${body.id}`, sample('rfc7644-3.5.2.1-patch_op-add_emails'))
  expect(answer).toMatchObject({ status: 200, body: { nickName: 'Babs', emails: babs.emails } })
})

test('the example: a member', async ({ client, acme }) => {
  await client.knows('babs', 'james')
  await client.pushes({ group: 'Tour Guides', members: ['james'] })
  const example = JSON.stringify(sample('rfc7644-3.5.2.1-patch_op-add_members')).replaceAll(
    '2819c223-7f76-453a-919d-413861904646',
    client.idOfPerson('babs'),
  )
  expect((await client.request('PATCH', `/Groups/${client.idOf('Tour Guides')}`, example)).status).toBe(204)
  expect(await acme.membersOf('Tour Guides')).toEqual(['babs', 'james'])
})

test('a target that does not exist is added, with what leads to it', async ({ client }) => {
  const patch = await patching(client, { schemas: [urn.user], userName: 'b' })
  expect(
    await patch(
      { op: 'add', path: 'nickName', value: 'B' },
      { op: 'add', path: 'name.givenName', value: 'Barbara' },
      { op: 'add', path: 'emails', value: [{ value: 'b@example.com' }] },
      { op: 'add', path: 'addresses[type eq "work"].locality', value: 'Hollywood' },
      { op: 'add', path: `${urn.enterprise}:manager`, value: { value: 'boss' } },
    ),
  ).toMatchObject({
    schemas: [urn.user, urn.enterprise],
    nickName: 'B',
    name: { givenName: 'Barbara' },
    emails: [{ value: 'b@example.com' }],
    addresses: [{ type: 'work', locality: 'Hollywood' }],
    [urn.enterprise]: { manager: { value: 'boss' } },
  })
})

test('a complex attribute takes the parts that are given, and keeps the others', async ({ client }) => {
  const patch = await patching(client)
  expect((await patch({ op: 'add', path: 'name', value: { familyName: 'Smith' } })).name).toEqual({
    ...babs.name,
    familyName: 'Smith',
  })
  expect((await patch({ op: 'add', value: { name: { givenName: 'B' } } })).name).toEqual({
    ...babs.name,
    familyName: 'Smith',
    givenName: 'B',
  })
})

test('a multi-valued attribute takes a new value, once; one value without its list too', async ({ client }) => {
  const patch = await patching(client)
  const more = { value: 'b3@example.com', type: 'other' }
  const all = [...babs.emails, more]
  expect((await patch({ op: 'add', path: 'emails', value: [more] })).emails).toEqual(all)
  expect((await patch({ op: 'add', path: 'emails', value: [more, babs.emails[1]] })).emails).toEqual(all)
  expect((await patch({ op: 'add', path: 'emails', value: more })).emails).toEqual(all)
  const last = { value: 'b4@example.com' }
  expect((await patch({ op: 'add', path: 'emails', value: last })).emails).toEqual([...all, last])
})

test('a single value that is there is replaced', async ({ client }) => {
  const patch = await patching(client)
  expect(await patch({ op: 'add', path: 'title', value: 'x' }, { op: 'add', value: { displayName: 'y' } })).toMatchObject({
    title: 'x',
    displayName: 'y',
  })
})

test('a value path changes every value that matches', async ({ client }) => {
  const patch = await patching(client)
  const { addresses } = await patch({ op: 'add', path: 'addresses[region eq "CA"].country', value: 'US' })
  expect(addresses.map((one: { country: string }) => one.country)).toEqual(['US', 'US'])
})

test('without a value it is invalidValue', async ({ client }) => {
  const patch = await patching(client)
  expect(await patch({ op: 'add', path: 'title' })).toMatchObject({ status: '400', scimType: 'invalidValue' })
  expect(await patch({ op: 'add', value: 'x' })).toMatchObject({ status: '400', scimType: 'invalidValue' })
})
