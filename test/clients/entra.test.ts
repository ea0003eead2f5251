import { expect, test } from '../support/story.ts'

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })

const ada = {
  schemas: [user, enterprise],
  externalId: '58342554-38d6-4ec8-948c-50044d0a33fd',
  userName: 'ada@example.org',
  active: true,
  displayName: 'Ada',
  emails: [{ primary: true, type: 'work', value: 'ada@example.org' }],
  meta: { resourceType: 'User' },
  name: { formatted: 'Ada Lovelace', familyName: 'Lovelace', givenName: 'Ada' },
  roles: [],
}

test('test connection: a random user name is 200 with an empty list', async ({ entra }) => {
  const { status, body } = await entra.request('GET', `/Users?filter=${encodeURIComponent('userName eq "6ee4f1b9-a9d8"')}`)
  expect({ status, body }).toMatchObject({ status: 200, body: { totalResults: 0, itemsPerPage: 0, Resources: [] } })
})

test('matching: by externalId, exactly; by userName, whatever its case', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  const found = async (filter: string) =>
    (await entra.request('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body.Resources.map(
      (one: { id: string }) => one.id,
    )
  expect(await found(`externalId eq "${ada.externalId}"`)).toEqual([created.id])
  expect(await found(`externalId eq "${ada.externalId.toUpperCase()}"`)).toEqual([])
  expect(await found('userName eq "ADA@EXAMPLE.ORG"')).toEqual([created.id])
  expect(await found('emails[type eq "work"].value eq "ada@example.org"')).toEqual([created.id])
})

test('operators in capitals, booleans as text', async ({ entra, acme }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  const off = await entra.request('PATCH', `/Users/${created.id}`, patch({ op: 'Replace', path: 'active', value: 'False' }))
  expect(off).toMatchObject({ status: 200, body: { active: false } })
  expect(await acme.person('ada@example.org')).toMatchObject({ active: false })
  const on = await entra.request('PATCH', `/Users/${created.id}`, patch({ op: 'Add', path: 'active', value: 'True' }))
  expect(on).toMatchObject({ status: 200, body: { active: true } })
})

test('a replace of a filtered value as a whole leaves nothing of it; of one that is not there it makes it', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', { ...ada, emails: [{ ...ada.emails[0], display: 'Ada' }] })
  const { status, body } = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch(
      { op: 'Replace', path: 'emails[type eq "work"]', value: { type: 'work', value: 'ada.l@example.org' } },
      { op: 'Replace', path: 'phoneNumbers[type eq "mobile"]', value: { value: '+44 1' } },
    ),
  )
  expect({ status, body }).toMatchObject({ status: 200, body: { phoneNumbers: [{ type: 'mobile', value: '+44 1' }] } })
  expect(body.emails).toEqual([{ type: 'work', value: 'ada.l@example.org' }])
})

test('filtered paths: what is there is changed, what is not is made', async ({ entra, acme }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  const { status, body } = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch(
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'ada.l@example.org' },
      { op: 'Add', path: 'addresses[type eq "work"].formatted', value: '1 Analytical Road' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+44 1' },
    ),
  )
  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      emails: [{ primary: true, type: 'work', value: 'ada.l@example.org' }],
      addresses: [{ type: 'work', formatted: '1 Analytical Road' }],
      phoneNumbers: [{ type: 'mobile', value: '+44 1' }],
    },
  })
  expect(await acme.person('ada@example.org')).toMatchObject({ email: 'ada.l@example.org' })
})

test('no path, dotted keys and the extension’s URN', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  const { body } = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch({ op: 'Replace', value: { displayName: 'x', 'name.givenName': 'y', [`${enterprise}:department`]: 'z' } }),
  )
  expect(body).toMatchObject({
    schemas: [user, enterprise],
    displayName: 'x',
    name: { formatted: 'Ada Lovelace', familyName: 'Lovelace', givenName: 'y' },
    [enterprise]: { department: 'z' },
  })
})

test('the manager as a bare text; asked for by its value, without quotes and URN', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  const { body } = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch({ op: 'Add', path: `${enterprise}:manager`, value: 'boss-id' }),
  )
  expect(body[enterprise]).toEqual({ manager: { value: 'boss-id' } })
  const is = async (manager: string) =>
    (
      await entra.request(
        'GET',
        `/Users?filter=${encodeURIComponent(`id eq ${created.id} and manager eq ${manager}`)}&attributes=id`,
      )
    ).body
  expect(await is('boss-id')).toMatchObject({ totalResults: 1, Resources: [{ id: created.id }] })
  expect(await is('other')).toMatchObject({ totalResults: 0, Resources: [] })
  const gone = await entra.request('PATCH', `/Users/${created.id}`, patch({ op: 'Remove', path: `${enterprise}:manager` }))
  expect(gone.body[enterprise]).toBeUndefined()
})

test('a group is made without members, found without its members, and filled in pieces', async ({ entra, acme }) => {
  await entra.knows('ada', 'bob', 'cyd')
  const { status, body: made } = await entra.request('POST', '/Groups', {
    schemas: [group],
    externalId: 'g-1',
    displayName: 'Team',
    meta: { resourceType: 'Group' },
  })
  expect(status).toBe(201)
  const found = await entra.request(
    'GET',
    `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "TEAM"')}`,
  )
  expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id: made.id, externalId: 'g-1' }] })
  expect(found.body.Resources[0]).not.toHaveProperty('members')
  const add = (...names: string[]) =>
    entra.request(
      'PATCH',
      `/Groups/${made.id}`,
      patch({ op: 'Add', path: 'members', value: names.map((name) => ({ $ref: null, value: entra.idOfPerson(name) })) }),
    )
  expect(await add('ada')).toMatchObject({ status: 204, body: undefined })
  expect((await add('bob', 'cyd', 'ada')).status).toBe(204)
  expect(await acme.membersOf('Team')).toEqual(['ada', 'bob', 'cyd'])
})

test('matching: an existing group is found by name, then filled member by member under the id that was found', async ({
  acme,
  entra,
}) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await entra.knows('ada', 'cyd')
  const match = async () =>
    (
      await entra.request(
        'GET',
        `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "Engineering"')}`,
      )
    ).body
  const { totalResults, Resources } = await match()
  expect(totalResults).toBe(1)
  const [{ id }] = Resources
  const about = await entra.request('PATCH', `/Groups/${id}`, patch({ op: 'Add', path: 'externalId', value: '8f6c-11' }))
  expect(about.status).toBe(204)
  for (const person of ['ada', 'cyd']) {
    const add = patch({ op: 'Add', path: 'members', value: [{ $ref: null, value: entra.idOfPerson(person) }] })
    expect((await entra.request('PATCH', `/Groups/${id}`, add)).status).toBe(204)
  }
  expect(await match()).toMatchObject({ totalResults: 1, Resources: [{ id, externalId: '8f6c-11', displayName: 'Engineering' }] })
  expect(await entra.membersOf(id)).toEqual(['ada', 'cyd'])
  expect(await entra.stateOf(id)).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
})

test('members are removed by value', async ({ entra, acme }) => {
  await entra.knows('ada', 'bob')
  await entra.pushes({ group: 'Team', members: ['ada', 'bob'] })
  const gone = await entra.request(
    'PATCH',
    `/Groups/${entra.idOf('Team')}`,
    patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: entra.idOfPerson('ada') }] }),
  )
  expect(gone.status).toBe(204)
  expect(await entra.membersOf('Team')).toEqual(['bob'])
  expect(await acme.membersOf('Team')).toEqual(['bob'])
})

test('a group of two hundred, member by member', async ({ entra, acme }) => {
  const names = Array.from({ length: 200 }, (_, at) => `p${at}`)
  await entra.knows(...names)
  await entra.pushes({ group: 'Large' })
  for (const name of names) expect(await entra.adds('Large', [name])).toBe(204)
  expect(await entra.membersOf('Large')).toEqual([...names].sort())
  expect(await acme.membersOf('Large')).toEqual([...names].sort())
})

test('soft delete, then hard', async ({ entra, acme }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  await entra.request('PATCH', `/Users/${created.id}`, patch({ op: 'Replace', path: 'active', value: 'False' }))
  expect(await entra.request('DELETE', `/Users/${created.id}`)).toMatchObject({ status: 204, body: undefined })
  expect((await entra.request('GET', `/Users/${created.id}`)).status).toBe(404)
  expect(await acme.person('ada@example.org')).toMatchObject({ active: false })
})

test('validator: POST twice, several attributes at once, GET after DELETE', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  expect(await entra.request('POST', '/Users', ada)).toMatchObject({
    status: 409,
    body: { scimType: 'uniqueness', status: '409' },
  })
  expect(await entra.pushes({ group: 'Team' })).toBe(201)
  expect(await entra.pushes({ group: 'Team' })).toBe(409)
  const several = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch(
      { op: 'replace', path: 'title', value: 't' },
      { op: 'add', path: 'nickName', value: 'n' },
      { op: 'replace', path: 'name.familyName', value: 'f' },
    ),
  )
  expect(several.body).toMatchObject({ title: 't', nickName: 'n', name: { familyName: 'f' } })
  const renamed = await entra.request(
    'PATCH',
    `/Groups/${entra.idOf('Team')}`,
    patch({ op: 'Replace', path: 'displayName', value: 'Crew' }),
  )
  expect(renamed.status).toBe(204)
  expect((await entra.request('GET', `/Groups/${entra.idOf('Team')}?excludedAttributes=members`)).body).toMatchObject({
    displayName: 'Crew',
  })
  await entra.deletes('Team')
  expect((await entra.request('GET', `/Groups/${entra.idOf('Team')}`)).status).toBe(404)
})

test('a PATCH with one wrong operation changes nothing', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  const wrong = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch({ op: 'Replace', path: 'title', value: 't' }, { op: 'Replace', path: 'active', value: 'maybe' }),
  )
  expect(wrong).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
  expect((await entra.request('GET', `/Users/${created.id}`)).body).toEqual(created)
})

test('roles as JSON in their value; what a filtered path does not find is made by Replace too', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  const role = (value: string) => ({ value: JSON.stringify({ id: '06b07648', value, displayName: `The ${value}` }) })
  const { body } = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch(
      { op: 'Add', path: 'roles', value: [role('Admin'), role('User')] },
      { op: 'Replace', path: 'phoneNumbers[type eq "work"].value', value: '+44 1' },
      { op: 'Replace', path: 'addresses[type eq "work"].formatted', value: '1 Analytical Road' },
    ),
  )
  expect(body).toMatchObject({
    roles: [
      { value: 'Admin', display: 'The Admin' },
      { value: 'User', display: 'The User' },
    ],
    phoneNumbers: [{ type: 'work', value: '+44 1' }],
    addresses: [{ type: 'work', formatted: '1 Analytical Road' }],
  })
  const one = await entra.request(
    'PATCH',
    `/Users/${created.id}`,
    patch({ op: 'Replace', path: 'roles[primary eq "True"].value', value: 'X' }),
  )
  expect(one.body.roles[2]).toEqual({ primary: true, value: 'X' })
})

test('the validator’s PATCH without operations changes nothing', async ({ entra }) => {
  const { body: created } = await entra.request('POST', '/Users', ada)
  expect(await entra.request('PATCH', `/Users/${created.id}`, patch())).toMatchObject({ status: 200, body: created })
  await entra.pushes({ group: 'Team' })
  expect((await entra.request('PATCH', `/Groups/${entra.idOf('Team')}`, patch())).status).toBe(204)
})

test('a session from the connection test to the hard deletion, what is so read after each step', async ({ entra, acme }) => {
  const list = async (path: string, filter: string) =>
    (await entra.request('GET', `${path}filter=${encodeURIComponent(filter)}`)).body
  const toUser = (id: string, ...operations: unknown[]) => entra.request('PATCH', `/Users/${id}`, patch(...operations))
  const toGroup = (id: string, ...operations: unknown[]) => entra.request('PATCH', `/Groups/${id}`, patch(...operations))

  expect(await list('/Users?', 'userName eq "6ee4f1b9-a9d8"')).toMatchObject({ totalResults: 0, Resources: [] })
  expect((await list('/Users?', `externalId eq "${ada.externalId}"`)).totalResults).toBe(0)
  const { id } = (await entra.request('POST', '/Users', ada)).body
  expect(await list('/Users?', `externalId eq "${ada.externalId}"`)).toMatchObject({ totalResults: 1, Resources: [{ id }] })
  expect(await acme.person('ada@example.org')).toMatchObject({ active: true, displayName: 'Ada' })

  const changed = await toUser(
    id,
    { op: 'Replace', path: 'displayName', value: 'Ada L.' },
    { op: 'Add', path: `${enterprise}:department`, value: 'Engines' },
    { op: 'Add', path: `${enterprise}:manager`, value: id },
  )
  expect(changed.body).toMatchObject({
    displayName: 'Ada L.',
    [enterprise]: { department: 'Engines', manager: { value: id, displayName: 'Ada L.' } },
  })
  expect(await acme.person('ada@example.org')).toMatchObject({ displayName: 'Ada L.' })

  expect((await list('/Groups?excludedAttributes=members&', 'displayName eq "Team"')).totalResults).toBe(0)
  const made = await entra.request('POST', '/Groups', {
    schemas: [group, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
    externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
    displayName: 'Team',
    meta: { resourceType: 'Group' },
  })
  expect(made.status).toBe(201)
  const team = made.body.id as string
  expect(await acme.membersOf('Team')).toEqual([])
  expect(await list('/Groups?excludedAttributes=members&', 'displayName eq "Team"')).toMatchObject({ Resources: [{ id: team }] })

  expect((await toGroup(team, { op: 'Add', path: 'members', value: [{ $ref: null, value: id }] })).status).toBe(204)
  expect(await acme.membersOf('Team')).toEqual(['ada@example.org'])
  const asked = `id eq "${team}" and members eq "${id}"`
  expect(await list('/Groups?excludedAttributes=members&', asked)).toMatchObject({ totalResults: 1, Resources: [{ id: team }] })
  expect((await toGroup(team, { op: 'Replace', path: 'displayName', value: 'Crew' })).status).toBe(204)
  expect(await acme.membersOf('Crew')).toEqual(['ada@example.org'])
  expect((await toGroup(team, { op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] })).status).toBe(204)
  expect(await acme.membersOf('Crew')).toEqual([])

  expect((await toUser(id, { op: 'Replace', path: 'active', value: 'False' })).body.active).toBe(false)
  expect(await acme.person('ada@example.org')).toMatchObject({ active: false })
  expect((await entra.request('GET', `/Users/${id}`)).body).toMatchObject({ id, active: false })
  expect((await entra.request('DELETE', `/Users/${id}`)).status).toBe(204)
  expect((await entra.request('GET', `/Users/${id}`)).status).toBe(404)
  expect((await entra.request('DELETE', `/Groups/${team}`)).status).toBe(204)
})
