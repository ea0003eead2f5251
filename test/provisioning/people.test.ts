import { expect, test } from '../support/story.ts'

test('a pushed person is matched by e-mail, then by user name, else an account is created', async ({ acme, api, okta }) => {
  await api('POST', '/people', { userName: 'a.lovelace', email: 'ada@example.org', displayName: 'Ada' })
  await api('POST', '/people', { userName: 'bob', email: 'robert@old.example' })
  await okta.knows('ada', 'bob', 'cyd')
  expect(await acme.person('a.lovelace')).toMatchObject({ email: 'ada@example.org', ownedBy: { name: 'okta' } })
  expect(await acme.person('bob')).toMatchObject({ email: 'robert@old.example', ownedBy: { name: 'okta' } })
  expect(await acme.person('cyd')).toMatchObject({ email: 'cyd@example.org', ownedBy: { name: 'okta' } })
  expect((await api('GET', '/people?limit=0')).body.total).toBe(3)
})

test('switching a person off ends all access at once and keeps the pushed memberships', async ({ acme, okta }) => {
  await acme.has({ group: 'Readers', members: ['ada'] })
  await acme.grants('Readers', 'site/wiki/read')
  await okta.knows('ada')
  await okta.pushes({ group: 'Other', members: ['ada'] })
  expect(await acme.accessOf('ada')).toEqual(['site/wiki/read'])
  await okta.switches('ada', 'off')
  expect(await acme.accessOf('ada')).toEqual([])
  expect(await okta.membersOf('Other')).toEqual(['ada'])
  await okta.switches('ada', 'on')
  expect(await acme.accessOf('ada')).toEqual(['site/wiki/read'])
})

test('only the owner switches an account; another directory’s memberships count all the same', async ({ acme, okta, entra }) => {
  await okta.knows('ada')
  await entra.knows('ada')
  await entra.pushes({ group: 'Entra team', members: ['ada'] })
  await entra.switches('ada', 'off')
  expect(await acme.person('ada')).toMatchObject({ active: true, ownedBy: { name: 'okta' } })
  expect(await acme.membersOf('Entra team')).toEqual(['ada'])
  await okta.switches('ada', 'off')
  expect(await acme.person('ada')).toMatchObject({ active: false })
})

test('a protected account is neither adopted nor switched off by a push', async ({ acme, api, okta }) => {
  await api('POST', '/people', { userName: 'root', email: 'root@example.org', displayName: 'The owner' })
  await api('PATCH', '/people/root', { isProtected: true })
  await okta.knows('root')
  await okta.switches('root', 'off')
  expect(await acme.person('root')).toMatchObject({ active: true, displayName: 'The owner', ownedBy: null })
})

test('deleting a person takes them out of the groups the directory pushed and switches the account off', async ({
  acme,
  okta,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Team', members: ['ada', 'bob'] })
  expect(await okta.deletesPerson('ada')).toBe(204)
  expect(await acme.membersOf('Team')).toEqual(['bob'])
  expect(await acme.person('ada')).toMatchObject({ active: false })
  await okta.knows('ada')
  expect(await acme.person('ada')).toMatchObject({ active: true, ownedBy: { name: 'okta' } })
  expect(await acme.membersOf('Team')).toEqual(['bob'])
})

test('a user name that the directory has is a 409 that says what to do', async ({ okta }) => {
  await okta.knows('ada')
  expect((await okta.request('POST', '/Users', { userName: 'ADA' })).status).toBe(409)
  expect(okta.answer().body).toMatchObject({ status: '409', scimType: 'uniqueness' })
})

test('two people with one e-mail are told apart by their user names', async ({ api, okta }) => {
  const email = [{ value: 'team@example.org', primary: true }]
  expect((await okta.request('POST', '/Users', { userName: 'first', emails: email })).status).toBe(201)
  expect((await okta.request('POST', '/Users', { userName: 'second', emails: email })).status).toBe(201)
  expect((await api('GET', '/people?limit=0')).body.total).toBe(2)
})

test('a directory limited to e-mail domains pushes nobody else', async ({ api, okta }) => {
  await api('PATCH', `/directories/${okta.directory.id}`, { emailDomains: ['example.org'] })
  await okta.knows('ada')
  expect((await okta.request('POST', '/Users', { userName: 'eve', emails: [{ value: 'eve@evil.example' }] })).status).toBe(400)
  expect(okta.answer().body.detail).toContain('example.org')
  expect((await api('GET', '/people?limit=0')).body.total).toBe(1)
})

test('an account that is protected later listens to its owner no more, and again when that is lifted', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada')
  await api('PATCH', '/people/ada', { isProtected: true })
  await okta.switches('ada', 'off')
  expect(await acme.person('ada')).toMatchObject({ active: true })
  expect((await api('GET', '/directories/okta')).body.users).toMatchObject({ received: 1, blocked: 1, synced: 0 })
  await api('PATCH', '/people/ada', { isProtected: false })
  await okta.switches('ada', 'on')
  await okta.switches('ada', 'off')
  expect(await acme.person('ada')).toMatchObject({ active: false })
  expect((await api('GET', '/directories/okta')).body.users).toMatchObject({ received: 1, blocked: 0, synced: 1 })
})

test('a protected account is adopted by the first directory that pushed it when its protection is lifted', async ({
  acme,
  api,
  okta,
}) => {
  await api('POST', '/people', { userName: 'root', email: 'root@example.org' })
  await api('PATCH', '/people/root', { isProtected: true })
  await okta.knows('root')
  await api('PATCH', '/people/root', { isProtected: false })
  expect(await acme.person('root')).toMatchObject({ ownedBy: { name: 'okta' }, displayName: 'root', active: true })
})

const user = (userName: string, more: Record<string, unknown> = {}) => ({
  userName,
  displayName: userName,
  active: true,
  emails: [{ value: `${userName}@example.org`, primary: true }],
  ...more,
})

test('whoever was pushed before the e-mail domains were narrowed can be changed, switched off and deleted', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada', 'bob')
  await api('PATCH', '/directories/okta', { emailDomains: ['elsewhere.example'] })
  const ada = `/Users/${okta.idOfPerson('ada')}`
  expect((await okta.request('PUT', ada, user('ada', { displayName: 'Ada L.' }))).status).toBe(200)
  expect((await okta.request('PUT', ada, user('ada', { emails: [{ value: 'ada@evil.example' }] }))).status).toBe(400)
  expect(await okta.switches('ada', 'off')).toBe(200)
  expect(await acme.person('ada')).toMatchObject({ active: false, displayName: 'Ada L.' })
  expect(await okta.switches('ada', 'on')).toBe(200)
  expect(await okta.deletesPerson('bob')).toBe(204)
  expect(await acme.person('bob')).toMatchObject({ active: false })
})

test('switching off is not refused for an e-mail out of the domains, which the account does not get', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada')
  await api('PATCH', '/directories/okta', { emailDomains: ['example.org'] })
  const ada = `/Users/${okta.idOfPerson('ada')}`
  const emails = [{ value: 'ada@evil.example', primary: true }]
  expect((await okta.request('PUT', ada, user('ada', { active: false, emails }))).status).toBe(200)
  expect(await okta.switches('ada', 'on')).toBe(200)
  expect(await acme.person('ada')).toMatchObject({ active: true, email: 'ada@example.org' })
})

test('a person renamed to a user name that somebody has keeps what was pushed, under a free name', async ({
  acme,
  api,
  okta,
}) => {
  await api('POST', '/people', { userName: 'bob' })
  await okta.knows('ada', 'cyd')
  const rename = (person: string, to: string) => okta.request('PUT', `/Users/${okta.idOfPerson(person)}`, user(to))
  expect((await rename('ada', 'bob')).status).toBe(200)
  expect(okta.answer().body).toMatchObject({ userName: 'bob', displayName: 'bob' })
  expect(await acme.person('bob (okta)')).toMatchObject({ email: 'bob@example.org', displayName: 'bob' })
  expect((await rename('ada', 'bobby')).status).toBe(200)
  expect(await acme.person('bobby')).toMatchObject({ email: 'bobby@example.org' })
  // What stands in its way is the person's own name of before.
  expect((await rename('cyd', 'bob')).status).toBe(200)
  expect((await rename('cyd', 'bob (okta)')).status).toBe(200)
  expect(await acme.person('bob (okta)')).toMatchObject({ email: 'bob (okta)@example.org' })
})

test('a person whose account had to get another name can be deleted and pushed again, however often', async ({
  acme,
  api,
  okta,
}) => {
  await api('POST', '/people', { userName: 'bob' })
  const create = async () => (await okta.request('POST', '/Users', { userName: 'bob', active: true })).body.id
  await okta.request('PUT', `/Users/${await create()}`, { userName: 'robert', active: true })
  for (const name of ['bob (okta)', 'bob (okta 2)', 'bob (okta 3)']) {
    const id = await create()
    expect(await acme.person(name)).toMatchObject({ active: true, ownedBy: { name: 'okta' } })
    expect((await okta.request('DELETE', `/Users/${id}`)).status).toBe(204)
  }
})

test('who is renamed, or given an external id, joins the groups that named the person so', async ({ acme, okta }) => {
  await okta.knows('ada', 'bob')
  expect(await okta.pushes({ group: 'Team', members: ['ada.lovelace', 'x-77', 'nobody'] })).toBe(201)
  expect(await acme.membersOf('Team')).toEqual([])
  await okta.request('PUT', `/Users/${okta.idOfPerson('ada')}`, user('ada.lovelace'))
  await okta.request('PUT', `/Users/${okta.idOfPerson('bob')}`, user('bob', { externalId: 'x-77' }))
  expect(await acme.membersOf('Team')).toEqual(['ada.lovelace', 'bob'])
})

test('an e-mail that several accounts have matches nobody, whichever of them was pushed first', async ({ api, okta }) => {
  for (const userName of ['a1', 'a2']) await api('POST', '/people', { userName, email: 'shared@example.org' })
  const emails = [{ value: 'shared@example.org', primary: true }]
  await okta.request('POST', '/Users', { userName: 'a1', emails })
  await okta.request('POST', '/Users', { userName: 'zz', emails })
  const { items } = (await api('GET', '/people?limit=0')).body
  expect(items.map((person: { userName: string }) => person.userName).sort()).toEqual(['a1', 'a2', 'zz'])
})

test('a person who was deleted can be switched on again, and pushed again: with exactly what the groups say then', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew', members: ['ada'] })
  await okta.pushes({ group: 'Later', members: [] })
  await acme.has({ group: 'Own', members: [] })
  await acme.adds('Own', [])
  await api('PATCH', '/groups/Own/members', { add: ['ada'] })
  await okta.deletesPerson('ada')
  expect(await acme.person('ada')).toMatchObject({ active: false, ownedBy: null })
  expect((await api('PATCH', '/people/ada', { active: true })).status).toBe(200)
  expect((await api('GET', '/people/ada/groups')).body.items).toMatchObject([{ name: 'Own' }])

  await api('PATCH', '/people/ada', { active: false })
  await okta.knows('ada')
  await okta.adds('Later', ['ada'])
  expect(await acme.person('ada')).toMatchObject({ active: true, ownedBy: { name: 'okta' } })
  expect((await api('GET', '/people/ada/groups')).body.items).toMatchObject([{ name: 'Later' }, { name: 'Own' }])
})
