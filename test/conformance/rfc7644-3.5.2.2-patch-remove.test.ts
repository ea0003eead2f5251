import { expect, type Provider, test } from '../support/story.ts'
import { patchOf, sample } from './samples.ts'

const { id: _id, meta: _meta, groups: _groups, password: _password, ...babs } = sample('rfc7643-8.2-user-full')

async function patching(client: Provider) {
  const { body } = await client.request('POST', '/Users', babs)
  return async (...operations: unknown[]) => (await client.request('PATCH', `/Users/${body.id}`, patchOf(...operations))).body
}

test('without a path it is noTarget', async ({ client }) => {
  const patch = await patching(client)
  expect(await patch({ op: 'remove' })).toMatchObject({ status: '400', scimType: 'noTarget' })
  expect(await patch({ op: 'remove', value: { title: 'x' } })).toMatchObject({ status: '400', scimType: 'noTarget' })
})

test('a single value, a part, a list, and a whole complex attribute are unassigned', async ({ client }) => {
  const patch = await patching(client)
  const body = await patch(
    { op: 'remove', path: 'title' },
    { op: 'remove', path: 'name.middleName' },
    { op: 'remove', path: 'phoneNumbers' },
    { op: 'remove', path: 'externalId' },
  )
  for (const gone of ['title', 'phoneNumbers', 'externalId', 'name.middleName']) expect(body).not.toHaveProperty(gone)
  expect(await patch({ op: 'remove', path: 'name' })).not.toHaveProperty('name')
})

test('what is required or readOnly cannot be taken away: mutability', async ({ client }) => {
  const patch = await patching(client)
  await client.pushes({ group: 'G' })
  for (const path of ['userName', 'id', 'meta.location', 'groups'])
    expect(await patch({ op: 'remove', path }), path).toMatchObject({ status: '400', scimType: 'mutability' })
  expect(
    (await client.request('PATCH', `/Groups/${client.idOf('G')}`, patchOf({ op: 'remove', path: 'displayName' }))).body,
  ).toMatchObject({ status: '400', scimType: 'mutability' })
})

test('the example: values behind a filter; where none is left the list is unassigned', async ({ client }) => {
  const { body } = await client.request('POST', '/Users', babs)
  const example = sample('rfc7644-3.5.2.2-patch_op-remove_multi_complex_value')
  const { emails } = (await client.request('PATCH', `/Users/${body.id}`, example)).body
  expect(emails).toEqual([babs.emails[1]])
  const none = await client.request('PATCH', `/Users/${body.id}`, patchOf({ op: 'remove', path: 'emails[type pr]' }))
  expect(none.body).not.toHaveProperty('emails')
})

test('a part behind a filter goes from every value that matches', async ({ client }) => {
  const patch = await patching(client)
  const { addresses } = await patch({ op: 'remove', path: 'addresses[region eq "CA"].country' })
  expect(addresses.map((one: object) => 'country' in one)).toEqual([false, false])
})

test('the examples: one member, one for another, all members', async ({ client, acme }) => {
  await client.knows('babs', 'james', 'mandy')
  await client.pushes({ group: 'Tour Guides', members: ['babs', 'mandy'] })
  const send = async (name: string) => {
    const text = JSON.stringify(sample(name))
      .replaceAll(/2819c223[-.\w]*/g, client.idOfPerson('babs'))
      .replaceAll(/08e1d05d[-.\w]*/g, client.idOfPerson('james'))
    const { status } = await client.request('PATCH', `/Groups/${client.idOf('Tour Guides')}`, text)
    expect(status).toBe(204)
    return acme.membersOf('Tour Guides')
  }
  expect(await send('rfc7644-3.5.2.2-patch_op-remove_one_member')).toEqual(['mandy'])
  await client.adds('Tour Guides', ['babs'])
  expect(await send('rfc7644-3.5.2.2-patch_op-remove_and_add_one_member')).toEqual(['james', 'mandy'])
  expect(await send('rfc7644-3.5.2.2-patch_op-remove_all_members')).toEqual([])
})

test('members behind any filter: by name, by type, by what they are not', async ({ client, acme }) => {
  await client.knows('ada', 'bob', 'cyd', 'dan')
  await client.pushes({ group: 'G', members: ['ada', 'bob', 'cyd', 'dan'] })
  const send = async (...operations: unknown[]) => {
    const { status, body } = await client.request('PATCH', `/Groups/${client.idOf('G')}`, patchOf(...operations))
    return status === 204 ? acme.membersOf('G') : body.scimType
  }
  const remove = (filter: string) => ({ op: 'remove', path: `members[${filter}]` })
  expect(await send(remove(`value eq "${client.idOfPerson('ada')}" or value eq "${client.idOfPerson('nobody')}"`))).toEqual([
    'bob',
    'cyd',
    'dan',
  ])
  expect(await send(remove('type eq "Group"'))).toEqual(['bob', 'cyd', 'dan'])
  expect(await send(remove('display eq "BOB"'))).toEqual(['cyd', 'dan'])
  expect(
    await send(
      { op: 'add', path: 'members', value: [{ value: client.idOfPerson('ada') }] },
      remove(`not (value eq "${client.idOfPerson('cyd')}") and type eq "User"`),
      { op: 'add', path: 'members', value: [{ value: client.idOfPerson('bob') }] },
    ),
  ).toEqual(['bob', 'cyd'])
  expect(await send(remove('nope eq "x"'))).toBe('invalidFilter')
  expect(await send({ op: 'remove', path: 'members.value' })).toBe('mutability')
  expect(await send(remove('type eq "user"'))).toEqual([])
})
