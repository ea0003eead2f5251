import { expect, test } from '../support/story.ts'

test('a person whom a provider deleted is restorable: shown first, switched on, and in the groups again', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Sales', members: ['ada', 'bob'] })
  await acme.grants('Sales', 'hq/wiki/user')
  await acme.has({ group: 'Guests', members: [] })
  await api('PATCH', '/groups/Guests/members', { add: ['ada'] })
  await okta.deletesPerson('ada')
  expect(await acme.person('ada')).toMatchObject({ active: false, ownedBy: null })
  const { items } = (await api('GET', '/deleted-people')).body
  expect(items).toMatchObject([{ userName: 'ada', directory: { name: 'okta' } }])
  const shown = (await api('GET', '/deleted-people/ada')).body
  expect(shown).toMatchObject({ groups: [{ name: 'Sales', isManaged: true }], gains: 1 })
  const refused = await api('POST', '/deleted-people/ada/restore', { fingerprint: 'another' })
  expect(refused.body).toMatchObject({ status: 409, type: 'urn:muster:problem:review_changed' })
  expect((await acme.person('ada')).active).toBe(false)
  expect((await api('POST', '/deleted-people/ada/restore', { fingerprint: shown.fingerprint })).status).toBe(200)
  expect(await acme.accessOf('ada')).toEqual(['hq/wiki/user'])
  expect(await acme.membersOf('Sales')).toEqual(['ada', 'bob'])
  expect(await acme.membersOf('Guests')).toEqual(['ada'])
  // The provider does not have her: the next push of the same group does not take her unseen.
  expect((await okta.stateOf('Sales')).state).toBe('held')
  await okta.replaces('Sales', ['bob'])
  expect(await acme.membersOf('Sales')).toEqual(['ada', 'bob'])
  expect((await api('GET', '/deleted-people')).body.total).toBe(0)
  expect((await api('GET', '/deleted-people/bob')).status).toBe(404)
})

test('somebody pushed again after a deletion is the same person, with what the provider says today', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  const { id } = await acme.person('ada')
  await okta.deletesPerson('ada')
  await okta.knows('ada')
  expect(await acme.person('ada')).toMatchObject({ id, active: true, ownedBy: { name: 'okta' } })
  expect(await acme.membersOf('Sales')).toEqual([])
  expect((await api('GET', '/deleted-people')).body.total).toBe(0)
})

test('reactivation gives exactly what the provider’s groups say today, no stale groups', async ({ acme, okta }) => {
  await okta.knows('ada')
  for (const group of ['Sales', 'Support']) await okta.pushes({ group, members: ['ada'] })
  await acme.grants('Sales', 'hq/wiki/user')
  await acme.grants('Support', 'hq/desk/user')
  await okta.switches('ada', 'off')
  await okta.removes('Sales', ['ada'])
  expect(await acme.accessOf('ada')).toEqual([])
  await okta.switches('ada', 'on')
  expect(await acme.accessOf('ada')).toEqual(['hq/desk/user'])
})

/** Who pushes first owns; only the owner's word counts, until the owner lets go. */
const words = ['on', 'off'] as const
const table = (['okta', 'entra'] as const).flatMap((first) =>
  words.flatMap((owners) => words.map((others) => ({ first, owners, others }))),
)

test('the owner of an account: both orders of arrival, every combination of active', async ({ acme, okta, entra }) => {
  for (const [at, { first, owners, others }] of table.entries()) {
    const name = `person${at}`
    const [owner, other] = first === 'okta' ? [okta, entra] : [entra, okta]
    const row = JSON.stringify({ first, owners, others })
    await owner.knows(name)
    await other.knows(name)
    await other.pushes({ group: `Group ${at}`, members: [name] })
    await owner.switches(name, owners)
    await other.switches(name, others)
    expect(await acme.person(name), row).toMatchObject({ active: owners === 'on', ownedBy: { name: first } })
    // Memberships count whosever they are; the other's profile does not.
    expect(await acme.membersOf(`Group ${at}`), row).toEqual([name])
    await other.request('PATCH', `/Users/${other.idOfPerson(name)}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', value: { displayName: 'Somebody else' } }],
    })
    expect((await acme.person(name)).displayName, row).toBe(name)
    // The owner lets go: the other's word counts from now on.
    await owner.deletesPerson(name)
    expect(await acme.person(name), row).toMatchObject({ active: others === 'on', ownedBy: { name: other.directory.name } })
    expect((await acme.person(name)).displayName, row).toBe('Somebody else')
    await other.deletesPerson(name)
    expect(await acme.person(name), row).toMatchObject({ active: false, ownedBy: null })
  }
})
