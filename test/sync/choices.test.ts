import { expect, test as story } from '../support/story.ts'
import { selectionOf, syncing } from './syncing.ts'

const test = story.extend<{ admin: ReturnType<typeof syncing>; kept: () => Promise<string[]> }>({
  admin: async ({ api, okta }, use) => use(syncing(api, okta.directory.id)),
  // `GROUP: PERSON` of everybody who is kept.
  kept: async ({ api, okta }, use) =>
    use(async () =>
      (await api('GET', `/directories/${okta.directory.id}/kept`)).body.items.map(
        ({ group, person }: { group: { name: string }; person: { userName: string } }) => `${group.name}: ${person.userName}`,
      ),
    ),
})

test('merge applies additions; members whom the provider does not have are kept, and dropped by a run of their own', async ({
  acme,
  okta,
  admin,
  kept,
  api,
}) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob', 'cyd'] })
  await acme.grants('Engineering', 'site/wiki/user')
  await okta.knows('ada', 'bob', 'cyd', 'dan')
  await okta.pushes({ group: 'Engineering', members: ['ada', 'dan'] })
  const merged = await admin.effectOf(['Engineering'], { defaultChoice: 'merge' })
  expect(merged).toMatchObject({ members: { added: 1, removed: 0 }, access: { lost: 0, gained: 1 } })
  const run = await admin.syncs(['Engineering'], { defaultChoice: 'merge' })
  expect(run).toMatchObject({ kind: 'sync', choice: 'merge', groups: { synced: 1 }, members: { added: 1, removed: 0 } })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob', 'cyd', 'dan'])
  expect(await okta.stateOf('Engineering')).toEqual({ state: 'synced', reasons: [] })
  expect(await kept()).toEqual(['Engineering: bob', 'Engineering: cyd'])
  // The provider comes to have one of them: nobody keeps whom it has.
  await okta.adds('Engineering', ['bob'])
  expect(await kept()).toEqual(['Engineering: cyd'])
  await okta.removes('Engineering', ['bob'])
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'cyd', 'dan'])
  const dropping = { kind: 'drop_kept' } as const
  const effect = await admin.effectOf(['Engineering'], dropping)
  expect(effect).toMatchObject({ groups: 1, members: { added: 0, removed: 1 }, access: { lost: 1, gained: 0 } })
  const { body: people } = await api('POST', `/directories/${okta.directory.id}/reviews/effect/people`, {
    selection: selectionOf('all'),
    ...dropping,
  })
  expect(people.items.map(({ person }: { person: { userName: string } }) => person.userName)).toEqual(['cyd'])
  expect(await admin.syncs('all', dropping)).toMatchObject({
    kind: 'drop_kept',
    choice: 'drop_kept',
    groups: { total: 1, synced: 1 },
    members: { added: 0, removed: 1 },
    access: { lost: 1, gained: 0 },
  })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'dan'])
  expect(await kept()).toEqual([])
  expect(await admin.asks(['Engineering'], { ...dropping, fingerprint: effect.fingerprint })).toMatchObject({
    status: 409,
    body: { detail: 'No member of "Engineering" is kept: there is nobody to drop.' },
  })
})

test('kept members are dropped one by one, and a stale fingerprint drops nobody', async ({ acme, okta, admin, kept }) => {
  await acme.has({ group: 'A', members: ['ada', 'bob'] })
  await acme.has({ group: 'B', members: ['ada', 'cyd'] })
  await okta.knows('ada', 'bob', 'cyd')
  for (const group of ['A', 'B']) await okta.pushes({ group, members: [] })
  await admin.syncs('all', { defaultChoice: 'merge' })
  expect(await kept()).toEqual(['A: ada', 'A: bob', 'B: ada', 'B: cyd'])
  const adaOnly = { kind: 'drop_kept', people: ['ada'] } as const
  const { fingerprint } = await admin.effectOf('all', adaOnly)
  expect(await admin.asks('all', { kind: 'drop_kept', fingerprint })).toMatchObject({ status: 409 })
  expect((await admin.syncs('all', adaOnly)).members).toEqual({ added: 0, removed: 2 })
  expect(await kept()).toEqual(['A: bob', 'B: cyd'])
  expect(await admin.asks('all', { kind: 'drop_kept', people: ['nobody'], fingerprint })).toMatchObject({ status: 400 })
})

test('rename existing: the existing group keeps members and access under another name, the pushed one starts with none', async ({
  acme,
  okta,
  admin,
  api,
}) => {
  await acme.has({ group: 'Crew', members: ['ada', 'bob'] })
  await acme.grants('Crew', 'site/wiki/user')
  await acme.has({ group: 'Taken', members: [] })
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'Crew', members: ['ada', 'cyd'] })
  const choice = { choices: { Crew: 'rename_existing' }, newNames: { Crew: 'Old crew' } } as const
  expect(await admin.effectOf(['Crew'], choice)).toMatchObject({
    members: { added: 2, removed: 0 },
    access: { lost: 0, gained: 0 },
  })
  const taken = { ...choice, newNames: { Crew: 'taken' } }
  expect(
    await api('POST', `/directories/${okta.directory.id}/reviews/effect`, { selection: selectionOf(['Crew']), ...taken }),
  ).toMatchObject({ status: 409 })
  expect(await admin.syncs(['Crew'], choice)).toMatchObject({ groups: { synced: 1 }, members: { added: 2, removed: 0 } })
  expect(await acme.membersOf('Old crew')).toEqual(['ada', 'bob'])
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'cyd'])
  expect((await api('GET', '/groups/Old%20crew')).body).toMatchObject({ managedBy: null })
  expect((await api('GET', '/groups/Crew')).body.managedBy).toMatchObject({ name: 'okta' })
  expect((await api('GET', '/people/bob/access')).body.items).toHaveLength(1)
  expect((await api('GET', '/people/cyd/access')).body.items).toHaveLength(0)
})

test('rename existing gives the pushed group a group of its own, whoever else had or pushes the name', async ({
  acme,
  okta,
  entra,
  admin,
  api,
}) => {
  await acme.has({ group: 'Crew', members: ['ada'] })
  await acme.grants('Crew', 'site/wiki/user')
  await acme.deletes('Crew')
  for (const group of ['Crew', 'Gang', 'Former']) await acme.has({ group, members: ['bob'] })
  for (const provider of [okta, entra]) await provider.knows('ada', 'cyd')
  // Pushed first by another directory, linked to another group while that one is judged, and back.
  await entra.pushes({ group: 'Gang', members: ['cyd'] })
  const link = `/reviews/${entra.idOf('Gang')}/link`
  expect((await api('PUT', link, { to: 'Former' })).status).toBeLessThan(300)
  for (const group of ['Crew', 'Gang']) await okta.pushes({ group, members: ['ada'] })
  expect((await api('DELETE', link)).status).toBeLessThan(300)
  expect(await entra.stateOf('Gang')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  const choice = { defaultChoice: 'rename_existing' } as const
  const run = await admin.syncs(['Crew', 'Gang'], choice)
  expect(run).toMatchObject({ groups: { synced: 2 }, members: { added: 2, removed: 0 }, access: { lost: 0, gained: 0 } })
  for (const group of ['Crew', 'Gang']) {
    expect(await okta.stateOf(group)).toEqual({ state: 'synced', reasons: [] })
    expect(await acme.membersOf(group)).toEqual(['ada'])
    expect(await acme.membersOf(`${group} (2)`)).toEqual(['bob'])
  }
  expect(await entra.stateOf('Gang')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  expect(await acme.accessOf('ada')).toEqual([])
  expect((await api('GET', '/deleted-groups')).body.items).toMatchObject([{ name: 'Crew', memberCount: 1, grantCount: 1 }])
})

test('rename existing proposes a free name; without a group of its name there is none to rename', async ({
  acme,
  okta,
  admin,
  api,
}) => {
  await acme.has({ group: 'Crew', members: ['ada'] })
  await acme.has({ group: 'Team', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew', members: [] })
  await admin.syncs(['Crew'], { defaultChoice: 'rename_existing', acceptEmpty: true })
  expect(await acme.membersOf('Crew (2)')).toEqual(['ada'])
  await okta.pushes({ group: 'Squad', members: ['ada'] })
  expect((await api('PUT', '/reviews/Squad/link', { to: 'Team' })).status).toBeLessThan(300)
  const choice = { defaultChoice: 'rename_existing' } as const
  const { fingerprint } = await admin.effectOf(['Squad'], choice)
  expect(await admin.asks(['Squad'], { ...choice, fingerprint })).toMatchObject({
    status: 409,
    body: { type: 'urn:muster:problem:choice_not_possible' },
  })
})

test('link to: a pushed group is overwritten or merged into another group, seen with the members and access of that one before', async ({
  acme,
  okta,
  admin,
  kept,
  api,
}) => {
  for (const group of ['Crew', 'Gang', 'Team', 'Band']) await acme.has({ group, members: ['ada', 'bob'] })
  await acme.grants('Team', 'site/wiki/user')
  await acme.grants('Band', 'site/wiki/user')
  await acme.grants('Crew', 'site/code/write')
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'Crew', members: ['ada', 'cyd'] })
  await okta.pushes({ group: 'Gang', members: ['ada', 'cyd'] })
  const chosen = { choices: { Gang: 'merge' }, links: { crew: 'Team', Gang: 'band' } } as const
  const effect = await admin.effectOf('all', chosen)
  // bob goes from Team, and Band keeps him.
  expect(effect).toMatchObject({ groups: 2, members: { added: 2, removed: 1 }, access: { lost: 0, gained: 1 } })
  expect(await admin.effectOf(['Crew'], { links: { Crew: 'Team' } })).toMatchObject({ members: { added: 1, removed: 1 } })
  const people = await api('POST', `/directories/${okta.directory.id}/reviews/effect/people`, {
    selection: selectionOf('all'),
    who: 'keeping',
    ...chosen,
  })
  expect(people.body.items).toMatchObject([
    { person: { userName: 'bob' }, groups: [{ name: 'Crew', change: 'removed' }], kept: [{ through: [{ name: 'Band' }] }] },
  ])
  expect(await admin.asks('all', { fingerprint: effect.fingerprint })).toMatchObject({ status: 409 })
  expect((await admin.asks('all', { ...chosen, dryRun: true })).body).toMatchObject({ groups: { synced: 2 } })
  const run = await admin.syncs('all', chosen)
  expect(run).toMatchObject({
    groups: { synced: 2 },
    members: { added: 2, removed: 1 },
    access: { lost: 0, gained: 1 },
    foreseen: { access: { lost: 0, gained: 1 } },
  })
  expect((await api('GET', `/runs/${run.id}/groups`)).body.items).toMatchObject([
    { group: { name: 'Crew' }, choice: 'overwrite', linkTo: { name: 'Team' } },
    { group: { name: 'Gang' }, choice: 'merge', linkTo: { name: 'Band' } },
  ])
  expect(await acme.membersOf('Team')).toEqual(['ada', 'cyd'])
  expect(await acme.membersOf('Band')).toEqual(['ada', 'bob', 'cyd'])
  expect(await kept()).toEqual(['Gang: bob'])
  // What it left is as it was, and has its name still: the pushed one waits for that.
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'bob'])
  expect(await okta.stateOf('Crew')).toEqual({ state: 'synced', reasons: ['name_taken'] })
})

test('what a group cannot be linked to is refused, with why, and nothing is changed', async ({ acme, okta, admin, api }) => {
  for (const group of ['Crew', 'Gang', 'Team', 'Protected']) await acme.has({ group, members: ['ada'] })
  await api('PATCH', '/groups/Protected', { isProtected: true })
  await okta.knows('ada', 'bob')
  for (const group of ['Crew', 'Gang']) await okta.pushes({ group, members: ['bob'] })
  await okta.pushes({ group: 'Managed', members: ['bob'] })
  const { fingerprint } = await admin.effectOf('all')
  const refused = async (links: Record<string, string>, choices = {}) => {
    const { status, body } = await admin.asks('all', { links, choices, fingerprint })
    return `${status} ${body.detail}`
  }
  expect(await refused({ Crew: 'Nowhere' })).toBe('404 "Nowhere" is no group of the organization: nothing can be linked to it.')
  expect(await refused({ Nobody: 'Team' })).toMatch(/^404 "Nobody" is no pushed group/)
  expect(await refused({ Crew: 'Managed' })).toBe('409 "Managed" is managed by a directory. Link to a group that none manages.')
  expect(await refused({ Crew: 'Gang' })).toMatch(/^409 "Gang" is what another pushed group awaits review against/)
  expect(await refused({ Crew: 'Protected' })).toBe('409 "Protected" is protected. Lift its protection first.')
  expect(await refused({ Crew: 'Team', Gang: 'Team' })).toBe('409 Two groups cannot be linked to "Team". Choose one of them.')
  expect(await refused({ Crew: 'Team' }, { Crew: 'ignore' })).toMatch(/^409 What is linked to "Team" is overwritten or merged/)
  expect(await refused({ Crew: 'Team' })).toMatch(/changed while you were looking/)
  // The group of its own name is no other one.
  expect((await admin.effectOf('all', { links: { Crew: 'crew' } })).fingerprint).toBe(fingerprint)
  expect(await okta.stateOf('Crew')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('ignore keeps a group apart; its pushes are recorded, and it is reviewed again when reopened', async ({
  acme,
  okta,
  admin,
  api,
}) => {
  await acme.has({ group: 'Crew', members: ['ada'] })
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Crew', members: ['bob'] })
  await admin.syncs(['Crew'], { defaultChoice: 'ignore' })
  expect(await okta.stateOf('Crew')).toMatchObject({ state: 'ignored' })
  await okta.adds('Crew', ['ada'])
  expect(await acme.membersOf('Crew')).toEqual(['ada'])
  expect((await api('POST', '/reviews/Crew/reopen')).body).toMatchObject({
    state: 'needs_review',
    members: { added: 1, removed: 0, unchanged: 1 },
  })
  expect((await api('POST', '/reviews/Crew/reopen')).status).toBe(409)
})

test('a choice a group within one selection, reviewed and done together', async ({ acme, okta, admin, kept }) => {
  for (const group of ['A', 'B', 'C', 'D']) {
    await acme.has({ group, members: ['ada', 'bob'] })
    await acme.grants(group, `site/${group}/user`)
  }
  await okta.knows('ada', 'bob', 'cyd')
  for (const group of ['A', 'B', 'C', 'D']) await okta.pushes({ group, members: ['ada', 'cyd'] })
  const choices = { choices: { B: 'merge', C: 'rename_existing', d: 'ignore' } } as const
  const effect = await admin.effectOf('all', choices)
  expect(effect).toMatchObject({ groups: 4, members: { added: 4, removed: 1 }, access: { lost: 1, gained: 2 } })
  expect(await admin.asks('all', { fingerprint: effect.fingerprint })).toMatchObject({ status: 409 })
  const run = await admin.syncs('all', choices)
  expect(run).toMatchObject({ groups: { synced: 4 }, members: { added: 4, removed: 1 }, access: { lost: 1, gained: 2 } })
  expect(await acme.membersOf('A')).toEqual(['ada', 'cyd'])
  expect(await acme.membersOf('B')).toEqual(['ada', 'bob', 'cyd'])
  expect(await acme.membersOf('C (2)')).toEqual(['ada', 'bob'])
  expect(await acme.membersOf('D')).toEqual(['ada', 'bob'])
  expect(await kept()).toEqual(['B: bob'])
})

test('a choice for a group that is not there changes nothing and says so', async ({ acme, okta, admin }) => {
  await acme.has({ group: 'A', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'A', members: [] })
  const { fingerprint } = await admin.effectOf('all')
  expect(await admin.asks('all', { choices: { Nowhere: 'merge' }, fingerprint })).toMatchObject({
    status: 404,
    body: { detail: '"Nowhere" is no pushed group of this directory. List its reviews to see their names.' },
  })
  expect(await admin.asks('all', { choices: { A: 'drop_kept' as never }, fingerprint })).toMatchObject({ status: 400 })
  expect(await okta.stateOf('A')).toMatchObject({ state: 'needs_review' })
})
