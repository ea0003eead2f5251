import { expect, test } from '../support/story.ts'

test('a new name that is taken is listed, with who has it, a free name for that one, and what may be done', async ({
  acme,
  api,
  okta,
  entra,
}) => {
  await acme.has({ group: 'Taken', members: ['bob', 'cyd'] })
  await acme.has({ group: 'Protected', members: [] })
  await acme.protects('Protected')
  await entra.pushes({ group: 'Theirs' })
  const renamed = { 'One of mine': 'Taken', 'Two of mine': 'Protected', 'Three of mine': 'Theirs', 'Four of mine': 'Free' }
  for (const [from, to] of Object.entries(renamed)) {
    await okta.pushes({ group: from })
    await okta.renames(from, to)
  }
  const names = `/directories/${okta.directory.id}/names`
  const { status, body } = await api('GET', names)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    total: 3,
    items: [
      {
        group: { name: 'Protected' },
        existing: { name: 'Two of mine' },
        can: ['keep'],
        cannot: [
          { what: 'rename_existing', why: expect.stringContaining('protected') },
          { what: 'link', why: expect.stringContaining('protected') },
        ],
      },
      {
        group: { name: 'Taken' },
        existing: { name: 'One of mine' },
        takenBy: { name: 'Taken', memberCount: 2, managedBy: null, freeName: 'Taken (2)' },
        can: ['rename_existing', 'keep', 'link'],
        cannot: [],
      },
      { group: { name: 'Theirs' }, takenBy: { managedBy: 'entra' }, can: ['keep'] },
    ],
  })
  expect((await api('GET', `${names}?search=one&limit=1`)).body).toMatchObject({
    total: 1,
    items: [{ group: { name: 'Taken' } }],
  })
  expect((await api('GET', `${names}?sort=-members&limit=1`)).body).toMatchObject({
    total: 3,
    items: [{ group: { name: 'Taken' } }],
  })
  expect((await api('GET', `/directories/${okta.directory.id}`)).body).toMatchObject({ waitingNamesCount: 3, complete: false })
})

test('each choice about a waiting name settles it', async ({ acme, api, okta }) => {
  for (const group of ['A', 'B', 'C']) await acme.has({ group, members: ['bob'] })
  await okta.knows('ada')
  for (const group of ['A', 'B', 'C']) {
    await okta.pushes({ group: `${group} of mine`, members: ['ada'] })
    await okta.renames(`${group} of mine`, group)
  }
  expect((await api('PUT', '/reviews/A/name', { choice: 'rename_existing', newName: 'A of old' })).body).toMatchObject({
    renamed: { before: 'A', after: 'A of old' },
    review: { state: 'synced', reasons: [], existing: { name: 'A' } },
  })
  expect((await api('PUT', '/reviews/B/name', { choice: 'keep' })).body).toMatchObject({
    renamed: null,
    review: { group: { name: 'B' }, state: 'synced', reasons: [], existing: { name: 'B of mine' } },
  })
  expect((await api('GET', '/reviews/C/link?to=C')).body).toMatchObject({
    to: { name: 'C', memberCount: 1 },
    members: { added: 1, removed: 1, unchanged: 0 },
    can: ['link'],
  })
  expect((await api('PUT', '/reviews/C/link', { to: 'C' })).body).toMatchObject({
    state: 'needs_review',
    reasons: ['name_taken'],
    members: { added: 1, removed: 1, unchanged: 0 },
    can: ['sync'],
  })
  expect((await api('GET', `/directories/${okta.directory.id}/names`)).body.total).toBe(0)
  expect(await acme.membersOf('A')).toEqual(['ada'])
  expect(await acme.membersOf('A of old')).toEqual(['bob'])
  expect(await acme.membersOf('B')).toEqual(['bob'])
  expect(await acme.membersOf('B of mine')).toEqual(['ada'])
  expect(await acme.membersOf('C')).toEqual(['bob'])
  expect(await acme.membersOf('C of mine')).toEqual(['ada'])
  expect((await api('GET', '/groups/C%20of%20mine')).body.managedBy).toBeNull()
})

test('what cannot be done is refused in words, and nothing is changed', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Taken', members: ['bob'] })
  await acme.has({ group: 'Other', members: [] })
  await okta.pushes({ group: 'Mine' })
  expect(await api('PUT', '/reviews/Mine/name', { choice: 'keep' })).toMatchObject({
    status: 409,
    body: { type: 'urn:muster:problem:name_not_waiting' },
  })
  await okta.renames('Mine', 'Taken')
  await acme.protects('Taken')
  const refused = await api('PUT', '/reviews/Taken/name', { choice: 'rename_existing' })
  expect(refused).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:protected' } })
  expect(refused.body.detail).toBe('"Taken" is protected. Lift its protection first.')
  expect((await api('GET', '/reviews/Taken/link?to=Taken')).body.cannot).toMatchObject([{ what: 'link' }])
  expect((await api('PUT', '/reviews/Taken/link', { to: 'Taken' })).status).toBe(409)
  await acme.protects('Taken', false)
  expect((await api('PUT', '/reviews/Taken/name', { choice: 'rename_existing', newName: 'other' })).status).toBe(409)
  expect((await api('PUT', '/reviews/Taken/name', { choice: 'merge' })).status).toBe(400)
  expect((await api('PUT', '/reviews/Taken/link', { to: 'Nobody' })).status).toBe(404)
  expect((await api('DELETE', '/reviews/Nobody/link')).status).toBe(404)
  expect(await okta.stateOf('Taken')).toEqual({ state: 'synced', reasons: ['name_taken'] })
})

test('of two pushed groups that are linked to one group at once, one is', async ({ acme, api, okta }) => {
  for (const group of ['A', 'B', 'Design']) await acme.has({ group, members: ['ada'] })
  await okta.knows('ada')
  for (const group of ['A', 'B']) await okta.pushes({ group, members: ['ada'] })
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(['A', 'B'].map((group) => api('PUT', `/reviews/${group}/link`, { to: 'Design' })))
    const pushing = await okta.adds('A', ['ada'])
    expect(pushing).toBe(204)
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    expect(answers.find(({ status }) => status === 409)?.body.type).toBe('urn:muster:problem:paired_with_directory')
    const linked = answers[0]?.status === 200 ? 'A' : 'B'
    expect((await api('DELETE', `/reviews/${linked}/link`)).body.reasons).toEqual(['name_taken'])
  }
})

test('an auditor sees waiting names and previews, and settles none', async ({ acme, api, okta, org }) => {
  await acme.has({ group: 'Taken', members: [] })
  await okta.pushes({ group: 'Mine' })
  await okta.renames('Mine', 'Taken')
  const token = await org.token('auditor')
  expect((await api('GET', `/directories/${okta.directory.id}/names`, undefined, { token })).status).toBe(200)
  expect((await api('GET', '/reviews/Taken/link?to=Taken', undefined, { token })).status).toBe(200)
  expect((await api('PUT', '/reviews/Taken/name', { choice: 'keep' }, { token })).status).toBe(403)
  expect((await api('PUT', '/reviews/Taken/link', { to: 'Taken' }, { token })).status).toBe(403)
  expect((await api('DELETE', '/reviews/Taken/link', undefined, { token })).status).toBe(403)
})
