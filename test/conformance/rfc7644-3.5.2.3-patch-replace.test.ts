import { expect, type Provider, test } from '../support/story.ts'
import { patchOf, sample } from './samples.ts'

const { id: _id, meta: _meta, groups: _groups, password: _password, ...babs } = sample('rfc7643-8.2-user-full')

async function patching(client: Provider) {
  const { body } = await client.request('POST', '/Users', babs)
  return async (...operations: unknown[]) => (await client.request('PATCH', `/Users/${body.id}`, patchOf(...operations))).body
}

test('the examples: all e-mails, one address, one street, all members', async ({ client, acme }) => {
  const { body: user } = await client.request('POST', '/Users', {
    ...babs,
    emails: [{ value: 'old@example.com' }],
    nickName: 'x',
  })
  const send = async (name: string) => (await client.request('PATCH', `/Users/${user.id}`, sample(name))).body
  expect(await send('rfc7644-3.5.2.3-patch_op-replace_all_email_values')).toMatchObject({ nickName: 'Babs', emails: babs.emails })
  const address = sample('rfc7644-3.5.2.3-patch_op-replace_user_work_address').Operations[0].value
  const replaced = await send('rfc7644-3.5.2.3-patch_op-replace_user_work_address')
  expect(replaced.addresses).toEqual([address, babs.addresses[1]])
  expect((await send('rfc7644-3.5.2.3-patch_op-replace_street_address')).addresses).toEqual([
    { ...address, streetAddress: '1010 Broadway Ave' },
    babs.addresses[1],
  ])
  await client.knows('babs', 'james', 'mandy')
  await client.pushes({ group: 'Tour Guides', members: ['mandy'] })
  const members = JSON.stringify(sample('rfc7644-3.5.2.3-patch_op-replace_all_members'))
    .replaceAll(/2819c223[-.\w]*/g, client.idOfPerson('babs'))
    .replaceAll(/08e1d05d[-.\w]*/g, client.idOfPerson('james'))
  expect((await client.request('PATCH', `/Groups/${client.idOf('Tour Guides')}`, members)).status).toBe(204)
  expect(await acme.membersOf('Tour Guides')).toEqual(['babs', 'james'])
})

test('without a path, what is named is replaced and the rest is left', async ({ client }) => {
  const patch = await patching(client)
  const body = await patch({ op: 'replace', value: { title: 'x', phoneNumbers: [{ value: '1' }], name: { givenName: 'B' } } })
  expect(body).toMatchObject({ ...babs, title: 'x', phoneNumbers: [{ value: '1' }], name: { ...babs.name, givenName: 'B' } })
})

test('a single value, and one that is not there yet', async ({ client }) => {
  const patch = await patching(client)
  expect(await patch({ op: 'replace', path: 'title', value: 'x' })).toMatchObject({ title: 'x' })
  expect(await patch({ op: 'remove', path: 'title' }, { op: 'replace', path: 'title', value: 'y' })).toMatchObject({ title: 'y' })
  expect(await patch({ op: 'replace', path: 'roles', value: [{ value: 'r' }] })).toMatchObject({ roles: [{ value: 'r' }] })
})

test('a complex attribute: the parts that are not named are left', async ({ client }) => {
  const patch = await patching(client)
  expect((await patch({ op: 'replace', path: 'name', value: { familyName: 'Smith' } })).name).toEqual({
    ...babs.name,
    familyName: 'Smith',
  })
})

test('values behind a filter: all that match are replaced whole, or in one part', async ({ client }) => {
  const patch = await patching(client)
  expect((await patch({ op: 'replace', path: 'emails[type eq "work"]', value: { value: 'new@example.com' } })).emails).toEqual([
    { value: 'new@example.com' },
    babs.emails[1],
  ])
  const { addresses } = await patch({ op: 'replace', path: 'addresses[country eq "USA"].country', value: 'US' })
  expect(addresses.map((one: { country: string }) => one.country)).toEqual(['US', 'US'])
})

test('a filter that matches nothing is noTarget', async ({ client }) => {
  const patch = await patching(client)
  for (const path of ['emails[type eq "other"]', 'emails[type eq "other"].value', 'roles[value eq "x"].display'])
    expect(await patch({ op: 'replace', path, value: path.endsWith(']') ? { value: 'x' } : 'x' }), path).toMatchObject({
      status: '400',
      scimType: 'noTarget',
    })
})

test('a part of a list without a filter is a part of each', async ({ client }) => {
  const patch = await patching(client)
  const { phoneNumbers } = await patch({ op: 'replace', path: 'phoneNumbers.type', value: 'other' })
  expect(phoneNumbers.map((one: { type: string }) => one.type)).toEqual(['other', 'other'])
})
