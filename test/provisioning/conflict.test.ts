import { expect, test } from '../support/story.ts'

const sync = 'urn:muster:params:scim:schemas:extension:sync:1.0:Group'

test('a pushed group whose name is free is created, linked and synced, and later changes apply at once', async ({
  acme,
  okta,
}) => {
  await okta.knows('ada', 'bob', 'cyd')
  expect(await okta.pushes({ group: 'Engineering', members: ['ada', 'bob'] })).toBe(201)
  expect(await okta.stateOf('Engineering')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  expect(await okta.adds('Engineering', ['cyd'])).toBe(204)
  expect(await okta.removes('Engineering', ['ada'])).toBe(204)
  expect(await acme.membersOf('Engineering')).toEqual(['bob', 'cyd'])
})

test('a pushed group whose name is taken is kept apart until it is reviewed', async ({ acme, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd')
  expect(await okta.pushes({ group: 'engineering ', members: ['ada', 'cyd'] })).toBe(201)
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  expect(await okta.membersOf('engineering ')).toEqual(['ada', 'cyd'])
  expect(await okta.stateOf('engineering ')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await okta.adds('engineering ', ['bob'])).not.toBe(500)
  expect(await okta.removes('engineering ', ['ada'])).toBe(204)
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
})

test('a name that the directory has pushed already is refused with 409 and what to do', async ({ acme, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  expect(await okta.pushes({ group: 'Engineering' })).toBe(201)
  expect(await okta.pushes({ group: 'ENGINEERING' })).toBe(409)
  expect(okta.answer().body).toMatchObject({ status: '409', scimType: 'uniqueness' })
  expect(okta.answer().body.detail).toMatch(/^Resource \[GROUP\] with displayName "ENGINEERING" already exists\. ./)
})

test('with the conflict policy refuse a taken name is a 409, and nothing is stored', async ({ acme, api, okta }) => {
  await api('PATCH', `/directories/${okta.directory.id}`, { conflictPolicy: 'refuse' })
  await acme.has({ group: 'Engineering', members: ['ada'] })
  expect(await okta.pushes({ group: 'Engineering' })).toBe(409)
  expect(okta.answer().body.detail).toContain('Resource [GROUP] with displayName "Engineering" already exists')
  expect((await okta.request('GET', '/Groups')).body.Resources).toMatchObject([
    { displayName: 'Engineering', [sync]: { state: 'offered' } },
  ])
  expect(await okta.pushes({ group: 'Free' })).toBe(201)
})

test('a default access group, a protected group and another directory’s group block the push, with every reason that holds', async ({
  acme,
  okta,
  entra,
}) => {
  await acme.has({ group: 'Default', members: ['ada'] })
  await acme.grants('Default', 'site/wiki/user', { isDefault: true })
  await acme.protects('Default')
  expect(await okta.pushes({ group: 'Default' })).toBe(201)
  expect(await okta.stateOf('Default')).toEqual({ state: 'blocked', reasons: ['default_access_group', 'protected'] })
  expect(await entra.pushes({ group: 'Theirs' })).toBe(201)
  expect(await okta.pushes({ group: 'Theirs' })).toBe(201)
  expect(await okta.stateOf('Theirs')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  expect(await acme.membersOf('Default')).toEqual(['ada'])
})

test('a blocked group becomes reviewable by itself when the last reason is gone', async ({ acme, okta }) => {
  await acme.has({ group: 'Default', members: ['ada'] })
  await acme.grants('Default', 'site/wiki/user', { isDefault: true })
  await okta.pushes({ group: 'Default' })
  await acme.protects('Default')
  expect(await okta.stateOf('Default')).toEqual({ state: 'blocked', reasons: ['default_access_group', 'protected'] })
  await acme.stopsDefault('Default', 'site/wiki/user')
  expect(await okta.stateOf('Default')).toEqual({ state: 'blocked', reasons: ['protected'] })
  await acme.protects('Default', false)
  expect(await okta.stateOf('Default')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('a group waits behind another directory and becomes reviewable when that one lets go', async ({ acme, okta, entra }) => {
  await okta.knows('ada', 'bob')
  await entra.knows('ada', 'cyd')
  await okta.pushes({ group: 'Shared', members: ['ada', 'bob'] })
  await entra.pushes({ group: 'Shared', members: ['ada', 'cyd'] })
  expect(await entra.stateOf('Shared')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  expect(await entra.membersOf('Shared')).toEqual(['ada', 'cyd'])
  expect(await okta.deletes('Shared')).toBe(204)
  expect(await entra.stateOf('Shared')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await entra.membersOf('Shared')).toEqual(['ada', 'cyd'])
  expect(await acme.membersOf('Shared')).toEqual(['ada', 'bob'])
})

test('a group that is synced or paired cannot be made default access, and the error says why', async ({ acme, okta }) => {
  await acme.has({ group: 'Paired', members: ['ada'] })
  await acme.grants('Paired', 'site/wiki/user')
  await okta.pushes({ group: 'Paired' })
  const refused = await acme.makesDefault('Paired', 'site/wiki/user')
  expect(refused).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:paired_with_directory' } })
  expect(refused.body.detail).toContain('pushed by okta')
})

test('a linked group is read-only for the admin API', async ({ acme, okta }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Linked', members: ['ada'] })
  for (const answer of [await acme.adds('Linked', ['bob']), await acme.renames('Linked', 'Mine'), await acme.deletes('Linked')]) {
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:managed_by_directory' } })
  }
  expect(await acme.membersOf('Linked')).toEqual(['ada'])
})

test('a rename of a group that is not synced is judged afresh, and the old name too', async ({ acme, okta, entra }) => {
  await acme.has({ group: 'Old', members: ['ada'] })
  await acme.has({ group: 'New', members: ['bob'] })
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'Old', members: ['ada', 'cyd'] })
  await entra.pushes({ group: 'Old' })
  expect(await entra.stateOf('Old')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  expect(await okta.renames('Old', 'New')).toBe(204)
  expect(await okta.stateOf('New')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await okta.membersOf('New')).toEqual(['ada', 'cyd'])
  expect(await entra.stateOf('Old')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await okta.renames('New', 'Quite new')).toBe(204)
  expect(await okta.stateOf('Quite new')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Quite new')).toEqual(['ada', 'cyd'])
  expect(await acme.membersOf('Old')).toEqual(['ada'])
  expect(await acme.membersOf('New')).toEqual(['bob'])
})

test('a synced group takes a free name at once; a taken one waits, and membership goes on', async ({ acme, okta }) => {
  await acme.has({ group: 'Taken', members: ['bob'] })
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'One', members: ['ada'] })
  await okta.renames('One', 'Two')
  expect(await acme.membersOf('Two')).toEqual(['ada'])
  expect(await okta.renames('Two', 'Taken')).toBe(204)
  expect(await okta.stateOf('Taken')).toEqual({ state: 'synced', reasons: ['name_taken'] })
  await okta.adds('Taken', ['cyd'])
  expect(await acme.membersOf('Two')).toEqual(['ada', 'cyd'])
  expect(await acme.membersOf('Taken')).toEqual(['bob'])
  await acme.renames('Taken', 'Given up')
  expect(await okta.stateOf('Taken')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Taken')).toEqual(['ada', 'cyd'])
})

test('deleting a group that is not synced leaves the existing one as if nothing had been', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Kept', members: ['ada', 'bob'] })
  const before = (await api('GET', '/groups/Kept/members?limit=0')).body
  await okta.knows('bob', 'cyd')
  await okta.pushes({ group: 'Kept', members: ['bob', 'cyd'] })
  expect(await okta.deletes('Kept')).toBe(204)
  expect((await api('GET', '/groups/Kept/members?limit=0')).body).toEqual(before)
  expect((await okta.request('GET', `/Groups/${okta.idOf('Kept')}`)).status).toBe(404)
  expect(await okta.pushes({ group: 'Kept' })).toBe(201)
})

test('deleting a synced group leaves it unmanaged, with its members, and anybody may change it again', async ({ acme, okta }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Mine', members: ['ada'] })
  expect(await okta.deletes('Mine')).toBe(204)
  expect(await acme.membersOf('Mine')).toEqual(['ada'])
  expect((await acme.adds('Mine', ['bob'])).status).toBeLessThan(300)
  expect(await acme.membersOf('Mine')).toEqual(['ada', 'bob'])
})

test('an admin who renames the existing group gives the pushed one its name; of one that is deleted it is offered what that had', async ({
  acme,
  okta,
}) => {
  await acme.has({ group: 'A', members: ['ada'] })
  await acme.has({ group: 'B', members: ['ada'] })
  await okta.knows('bob')
  await okta.pushes({ group: 'A', members: ['bob'] })
  await okta.pushes({ group: 'B', members: ['bob'] })
  expect((await acme.deletes('A')).status).toBeLessThan(300)
  expect((await acme.renames('B', 'B of old')).status).toBeLessThan(300)
  expect(await okta.stateOf('A')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })
  expect(await okta.stateOf('B')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('B')).toEqual(['bob'])
  expect(await acme.membersOf('B of old')).toEqual(['ada'])
})

test('a member that is no user of the directory does not fail the push; it joins when it appears', async ({ acme, okta }) => {
  await okta.knows('ada')
  expect(await okta.pushes({ group: 'Crew', members: ['ada', 'later', '00u1stale'] })).toBe(201)
  expect(await acme.membersOf('Crew')).toEqual(['ada'])
  await okta.knows('later')
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'later'])
})

test('with unknown members refused, the push says which and nothing of it is applied', async ({ acme, api, okta }) => {
  await api('PATCH', `/directories/${okta.directory.id}`, { unknownMembers: 'refuse' })
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew', members: [] })
  expect(await okta.adds('Crew', ['ada', 'nobody'])).toBe(400)
  expect(okta.answer().body).toMatchObject({ scimType: 'invalidValue' })
  expect(okta.answer().body.detail).toContain('nobody')
  expect(await acme.membersOf('Crew')).toEqual([])
})

test('a push that changes nothing writes nothing: no log entry, no version', async ({ okta, inOrg }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Still', members: ['ada'] })
  const count = () =>
    inOrg((trx) =>
      trx
        .selectFrom('log_entries')
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .executeTakeFirstOrThrow(),
    )
  const entries = await count()
  const before = (await okta.request('GET', `/Groups/${okta.idOf('Still')}`)).body.meta
  expect(await okta.adds('Still', ['ada'])).toBe(204)
  expect(await okta.replaces('Still', ['ada'])).toBe(204)
  expect(await okta.renames('Still', 'Still')).toBe(204)
  expect(await okta.switches('ada', 'on')).toBeLessThan(300)
  expect((await okta.request('GET', `/Groups/${okta.idOf('Still')}`)).body.meta).toEqual(before)
  expect(await count()).toEqual(entries)
})

test('with the conflict policy refuse, what is blocked anyway is kept, not refused', async ({ api, okta, entra }) => {
  await entra.pushes({ group: 'Theirs' })
  await api('PATCH', `/directories/${okta.directory.id}`, { conflictPolicy: 'refuse' })
  expect(await okta.pushes({ group: 'Theirs' })).toBe(201)
  expect(await okta.stateOf('Theirs')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
})

test('the name that a synced group kept is judged afresh when the group is deleted, or takes another', async ({
  acme,
  okta,
  entra,
}) => {
  await acme.has({ group: 'Taken', members: [] })
  await okta.pushes({ group: 'Old' })
  await okta.renames('Old', 'Taken')
  await entra.pushes({ group: 'Old' })
  expect(await entra.stateOf('Old')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  await okta.renames('Taken', 'Free')
  expect(await entra.stateOf('Old')).toEqual({ state: 'synced', reasons: [] })
  await okta.renames('Free', 'Taken')
  await entra.pushes({ group: 'Free' })
  await okta.deletes('Taken')
  expect(await entra.stateOf('Free')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('an admin and a provider who change the same members at once lose nothing of each other', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Both', members: ['ada', 'bob', 'cyd', 'dee'] })
  await okta.knows('ada', 'bob', 'cyd', 'dee')
  await okta.pushes({ group: 'Both', members: [] })
  for (let round = 0; round < 20; round++) {
    const [add, take] = round % 2 === 0 ? ['remove', 'removes'] : ['add', 'adds']
    const admin = api('PATCH', '/groups/Both/members', { [add as string]: ['ada', 'bob', 'cyd', 'dee'] })
    const provider = Promise.all(
      ['ada', 'bob', 'cyd', 'dee'].map((one) => (take === 'adds' ? okta.removes('Both', [one]) : okta.adds('Both', [one]))),
    )
    expect((await admin).status).toBeLessThan(300)
    expect(await provider).toEqual([204, 204, 204, 204])
    const present = round % 2 === 1 ? ['ada', 'bob', 'cyd', 'dee'] : []
    expect(await acme.membersOf('Both')).toEqual(present)
    expect(await okta.membersOf('Both')).toEqual(present.length > 0 ? [] : ['ada', 'bob', 'cyd', 'dee'])
    const { memberCount } = (await api('GET', '/groups/Both')).body
    expect(memberCount).toBe(present.length)
  }
})
