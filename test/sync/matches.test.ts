import { expect, test } from '../support/story.ts'
import { syncing } from './syncing.ts'

const smith = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'alice.smith',
  displayName: 'asmith',
  active: true,
  emails: [{ value: 'alice.smith@example.org', primary: true }],
}

test('alice.smith for asmith: probably the same, linked by an admin, and the open review shrinks to nothing', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Engineering', members: ['asmith', 'bob'] })
  await acme.grants('Engineering', 'hq/wiki/user')
  await okta.knows('bob')
  const { id } = (await okta.request('POST', '/Users', smith)).body
  await okta.pushes({ group: 'Engineering', members: ['bob', id] })
  const review = async () => (await api('GET', '/directories/okta/reviews')).body.items[0]
  expect(await review()).toMatchObject({ members: { added: 1, removed: 1 } })
  const { items } = (await api('GET', '/directories/okta/matches?match=probably_same')).body
  expect(items).toMatchObject([{ user: { userName: 'alice.smith', matchedBy: 'created' }, alike: { userName: 'asmith' } }])
  const gone = (await api('GET', '/directories/okta/matches?match=not_in_provider')).body.items
  expect(gone.map((one: { person: { userName: string } }) => one.person.userName)).toEqual(['asmith'])
  const linked = await api('POST', '/directories/okta/matches/alice.smith/link', { person: 'asmith' })
  expect(linked.body).toMatchObject({ match: 'matched', user: { matchedBy: 'person' }, person: { userName: 'asmith' } })
  expect(await review()).toMatchObject({ members: { added: 0, removed: 0 } })
  expect(await acme.person('asmith')).toMatchObject({ email: 'asmith@example.org', ownedBy: { name: 'okta' }, active: true })
  expect(await acme.person('alice.smith')).toMatchObject({ active: false })
  await syncing(api, 'okta').syncs(['Engineering'])
  expect(await acme.membersOf('Engineering')).toEqual(['asmith', 'bob'])
  await okta.request('PATCH', `/Users/${id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', value: { active: false } }],
  })
  expect((await acme.person('asmith')).active).toBe(false)
})

test('after a sync, linking moves who is in force too; separating gives the person an account of their own', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Guests', members: ['asmith'] })
  const { id } = (await okta.request('POST', '/Users', smith)).body
  await okta.pushes({ group: 'Sales', members: [id] })
  expect(await acme.membersOf('Sales')).toEqual(['alice.smith'])
  await api('POST', '/directories/okta/matches/alice.smith/link', { person: 'asmith' })
  expect(await acme.membersOf('Sales')).toEqual(['asmith'])
  expect((await okta.request('GET', `/Groups/${okta.idOf('Sales')}`)).body.members).toMatchObject([{ value: id }])
  const { body } = await api('POST', '/directories/okta/matches/alice.smith/separate')
  expect(body.person.userName).not.toBe('asmith')
  expect(await acme.membersOf('Sales')).toEqual([body.person.userName])
  expect(await acme.person('asmith')).toMatchObject({ active: true, ownedBy: null })
  expect(await acme.membersOf('Guests')).toEqual(['asmith'])
})

test('who was flagged and is somebody else is not flagged again', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Engineering', members: ['asmith'] })
  await okta.request('POST', '/Users', { ...smith, emails: [{ value: 'asmith@example.com', primary: true }] })
  const alike = async () => (await api('GET', '/directories/okta/matches?match=probably_same')).body.total
  expect(await alike()).toBe(1)
  await api('POST', '/directories/okta/matches/alice.smith/separate')
  expect(await alike()).toBe(0)
  expect(await acme.person('alice.smith')).toMatchObject({ active: true, ownedBy: { name: 'okta' } })
})

test('nobody is linked to a person who is another user of the directory, nor a user of another directory: nothing changes', async ({
  acme,
  api,
  okta,
  entra,
}) => {
  await okta.knows('ada', 'bob')
  await entra.knows('cyd')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  const taken = await api('POST', '/directories/okta/matches/ada/link', { person: 'bob' })
  expect(taken.body).toMatchObject({ status: 409, type: 'urn:muster:problem:person_linked' })
  expect((await api('POST', `/directories/okta/matches/${entra.idOfPerson('cyd')}/link`, { person: 'ada' })).status).toBe(404)
  expect((await api('POST', '/directories/okta/matches/ada/link', { person: 'nobody' })).status).toBe(404)
  expect(await acme.membersOf('Sales')).toEqual(['ada'])
  expect((await acme.person('cyd')).ownedBy).toMatchObject({ name: 'entra' })
})
