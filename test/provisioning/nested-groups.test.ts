import { sql } from 'kysely'
import { expect, type Provider, test } from '../support/story.ts'

const sync = 'urn:muster:params:scim:schemas:extension:sync:1.0:Group'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const idsIn = async (provider: Provider, path: string) =>
  (await provider.request('GET', path)).body.Resources.map((one: { id: string }) => one.id).sort()
const filtered = (type: string, filter: string) => `/${type}?filter=${encodeURIComponent(filter)}`

/** `Parent` holds `Child` and, directly, ada; `Child` has bob and cyd. */
async function parentAndChild(okta: Provider) {
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'Child', members: ['bob', 'cyd'] })
  expect(await okta.pushes({ group: 'Parent', members: ['ada', okta.idOf('Child')] })).toBe(201)
}

test('a group that is a member brings its members; the provider is shown what it pushed', async ({ acme, okta, server }) => {
  await parentAndChild(okta)
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob', 'cyd'])
  expect(await acme.membersOf('Child')).toEqual(['bob', 'cyd'])
  const { body } = await okta.request('GET', `/Groups/${okta.idOf('Parent')}`)
  const [ada, child] = [okta.idOfPerson('ada'), okta.idOf('Child')]
  expect(body.members).toEqual([
    { value: child, $ref: `${server.url}/scim/v2/Groups/${child}`, type: 'Group' },
    { value: ada, $ref: `${server.url}/scim/v2/Users/${ada}`, type: 'User' },
  ])
  expect(body[sync].members).toEqual({ added: 0, removed: 0, unchanged: 3 })
  const named = await okta.request('GET', `/Groups/${okta.idOf('Parent')}?attributes=members.display`)
  expect(named.body.members).toEqual([{ display: 'Child' }, { display: 'ada' }])
  expect((await okta.request('GET', '/Groups')).body.Resources.map((one: { members?: [] }) => one.members?.length)).toEqual([
    2, 2,
  ])
})

test('what changes in a group changes in all that hold it, however far above', async ({ acme, okta }) => {
  await parentAndChild(okta)
  await okta.knows('dee')
  await okta.pushes({ group: 'Top', members: [okta.idOf('Parent')] })
  expect(await acme.membersOf('Top')).toEqual(['ada', 'bob', 'cyd'])
  expect(await okta.adds('Child', ['dee'])).toBe(204)
  expect(await okta.removes('Child', ['bob'])).toBe(204)
  for (const [name, members] of [
    ['Top', ['ada', 'cyd', 'dee']],
    ['Parent', ['ada', 'cyd', 'dee']],
    ['Child', ['cyd', 'dee']],
  ] as const)
    expect(await acme.membersOf(name)).toEqual(members)
  expect(await okta.replaces('Child', ['ada'])).toBe(204)
  expect(await acme.membersOf('Top')).toEqual(['ada'])
  expect(await okta.replaces('Child', [])).toBe(204)
  expect(await acme.membersOf('Top')).toEqual(['ada'])
  expect(await okta.membersOf('Child')).toEqual([])
})

test('who is in a group by two ways stays while one of them is left', async ({ acme, okta }) => {
  await parentAndChild(okta)
  await okta.pushes({ group: 'Other', members: ['bob'] })
  await okta.adds('Parent', [okta.idOf('Other'), 'cyd'])
  await okta.removes('Child', ['bob', 'cyd'])
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob', 'cyd'])
  await okta.removes('Other', ['bob'])
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'cyd'])
  await okta.removes('Parent', ['cyd'])
  expect(await acme.membersOf('Parent')).toEqual(['ada'])
})

for (const [way, remove] of [
  ['by its id', (okta: Provider) => ({ op: 'remove', path: `members[value eq "${okta.idOf('Child')}"]` })],
  ['by value', (okta: Provider) => ({ op: 'Remove', path: 'members', value: [{ $ref: null, value: okta.idOf('Child') }] })],
  ['by its type', () => ({ op: 'remove', path: 'members[type eq "Group"]' })],
  ['by its name', () => ({ op: 'remove', path: 'members[display eq "child"]' })],
  ['by a list without it', (okta: Provider) => ({ op: 'replace', path: 'members', value: [{ value: okta.idOfPerson('ada') }] })],
] as const)
  test(`a group that is taken out ${way} takes its members with it`, async ({ acme, okta, inOrg }) => {
    await parentAndChild(okta)
    const { version } = (await okta.request('GET', `/Groups/${okta.idOf('Parent')}`)).body.meta
    expect((await okta.request('PATCH', `/Groups/${okta.idOf('Parent')}`, patch(remove(okta)))).status).toBe(204)
    expect(await okta.membersOf('Parent')).toEqual(['ada'])
    expect((await okta.request('GET', `/Groups/${okta.idOf('Parent')}`)).body.meta.version).not.toBe(version)
    expect(await acme.membersOf('Parent')).toEqual(['ada'])
    expect(await acme.membersOf('Child')).toEqual(['bob', 'cyd'])
    expect(await inOrg((trx) => trx.selectFrom('direct_members').selectAll().execute())).toEqual([])
    await okta.removes('Child', ['bob'])
    expect(await acme.membersOf('Parent')).toEqual(['ada'])
  })

test('a group that is deleted is no member any more, and takes its members with it', async ({ acme, okta }) => {
  await parentAndChild(okta)
  await okta.pushes({ group: 'Top', members: [okta.idOf('Parent')] })
  expect(await okta.deletes('Child')).toBe(204)
  expect(await okta.membersOf('Parent')).toEqual(['ada'])
  expect(await acme.membersOf('Top')).toEqual(['ada'])
  expect(await okta.deletes('Parent')).toBe(204)
  expect(await okta.membersOf('Top')).toEqual([])
  expect(await acme.membersOf('Top')).toEqual([])
  expect(await acme.membersOf('Parent')).toEqual(['ada'])
})

test('a circle is cut: each group of it has who is in any of them', async ({ acme, okta }) => {
  await parentAndChild(okta)
  expect(await okta.adds('Child', [okta.idOf('Parent'), okta.idOf('Child')])).toBe(204)
  expect(await acme.membersOf('Child')).toEqual(['ada', 'bob', 'cyd'])
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob', 'cyd'])
  await okta.removes('Parent', ['ada'])
  await okta.removes('Child', ['bob'])
  expect(await acme.membersOf('Child')).toEqual(['cyd'])
  expect(await acme.membersOf('Parent')).toEqual(['cyd'])
  expect(await okta.deletes('Parent')).toBe(204)
  expect(await okta.membersOf('Child')).toEqual(['cyd', okta.idOf('Child')].sort())
  expect(await acme.membersOf('Child')).toEqual(['cyd'])
})

test('a directory may refuse groups as members: nothing is applied, and they are named', async ({ acme, api, okta }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Child', members: ['bob'] })
  await okta.pushes({ group: 'Parent' })
  await api('PATCH', `/directories/${okta.directory.id}`, { nestedGroups: 'refuse' })
  const add = (member: object) =>
    okta.request(
      'PATCH',
      `/Groups/${okta.idOf('Parent')}`,
      patch({ op: 'add', path: 'members', value: [{ value: okta.idOfPerson('ada') }, member] }),
    )
  for (const member of [
    { value: okta.idOf('Child'), display: 'Child' },
    { value: 'somewhere', display: 'Child', type: 'group' },
    { value: 'somewhere', display: 'Child', $ref: 'https://idp.example.org/Groups/somewhere' },
  ])
    expect(await add(member)).toMatchObject({
      status: 400,
      body: { scimType: 'invalidValue', detail: expect.stringMatching(/^1 of the members are groups: Child\. ./) },
    })
  const members = Array.from({ length: 12 }, (_, at) => ({ value: `g${at}`, type: 'Group' }))
  const whole = await okta.request('POST', '/Groups', { schemas: [group], displayName: 'All', members })
  expect(whole.body.detail).toContain('12 of the members are groups: g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, ….')
  expect(await okta.membersOf('Parent')).toEqual([])
  expect(await acme.membersOf('Parent')).toEqual([])
})

test('another directory’s group, and one that is none, are unknown members', async ({ acme, api, okta, entra }) => {
  await okta.knows('ada')
  await entra.knows('bob')
  await entra.pushes({ group: 'Theirs', members: ['bob'] })
  const members = ['ada', entra.idOf('Theirs'), '01900000-0000-7000-8000-000000000000']
  expect(await okta.pushes({ group: 'Ours', members })).toBe(201)
  expect(await acme.membersOf('Ours')).toEqual(['ada'])
  expect((await api('GET', `/directories/${okta.directory.id}`)).body.unknownMembersCount).toBe(2)
})

test('a group that needs review has who is nested as pushed only, and goes on filling as they come', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Parent', members: ['zoe'] })
  await parentAndChild(okta)
  expect(await okta.stateOf('Parent')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Parent')).toEqual(['zoe'])
  const counts = async () => (await okta.request('GET', `/Groups/${okta.idOf('Parent')}`)).body[sync].members
  expect(await counts()).toEqual({ added: 3, removed: 1, unchanged: 0 })
  await api('PATCH', `/directories/${okta.directory.id}`, { quietSeconds: 3_600 })
  const review = async () => (await api('GET', `/directories/${okta.directory.id}/reviews`)).body.items[0]
  const before = await review()
  await okta.removes('Child', ['bob'])
  expect(await counts()).toEqual({ added: 2, removed: 1, unchanged: 0 })
  const after = await review()
  expect([after.filling, after.pushedAt > before.pushedAt]).toEqual([true, true])
})

test('a person’s groups are direct or indirect', async ({ okta }) => {
  await parentAndChild(okta)
  const groupsOf = async (person: string) =>
    (await okta.request('GET', `/Users/${okta.idOfPerson(person)}`)).body.groups.map((one: { display: string; type: string }) => [
      one.display,
      one.type,
    ])
  expect(await groupsOf('ada')).toEqual([['Parent', 'direct']])
  expect(await groupsOf('bob')).toEqual([
    ['Child', 'direct'],
    ['Parent', 'indirect'],
  ])
  await okta.adds('Parent', ['bob'])
  expect(await groupsOf('bob')).toEqual([
    ['Child', 'direct'],
    ['Parent', 'direct'],
  ])
  const people = (filter: string) => idsIn(okta, filtered('Users', filter))
  expect(await people('groups[type eq "indirect"]')).toEqual([okta.idOfPerson('cyd')])
  expect(await people(`groups.value eq "${okta.idOf('Parent')}"`)).toHaveLength(3)
})

test('groups are found by the groups and people in them', async ({ okta }) => {
  await parentAndChild(okta)
  await okta.pushes({ group: 'Empty' })
  const [parent, child] = [okta.idOf('Parent'), okta.idOf('Child')]
  const groups = (filter: string) => idsIn(okta, filtered('Groups', filter))
  expect(await groups(`members.value eq "${child}"`)).toEqual([parent])
  expect(await groups(`members[value eq "${child}" and type eq "Group"]`)).toEqual([parent])
  expect(await groups(`members[value eq "${child}" and type eq "User"]`)).toEqual([])
  expect(await groups('members.display eq "CHILD"')).toEqual([parent])
  expect(await groups(`members.value eq "${okta.idOfPerson('bob')}"`)).toEqual([child])
  expect(await groups('members pr')).toEqual([parent, child].sort())
  expect(await groups('not (members.type eq "Group")')).toEqual([child, okta.idOf('Empty')].sort())
})

test('who was unknown to a group in a nest is in all that hold it once pushed, and in none once deleted', async ({
  acme,
  okta,
  inOrg,
}) => {
  await parentAndChild(okta)
  await okta.adds('Child', ['dee'])
  await okta.knows('dee')
  expect(await acme.membersOf('Child')).toEqual(['bob', 'cyd', 'dee'])
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob', 'cyd', 'dee'])
  expect(await okta.membersOf('Child')).toEqual(['bob', 'cyd', 'dee'])
  await okta.deletesPerson('dee')
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob', 'cyd'])
  expect(await okta.membersOf('Child')).toEqual(['bob', 'cyd'])
  const { rows } = await inOrg((trx) =>
    sql<{ n: number }>`select count(*)::int as n from direct_members where org_id = ${trx.orgId}`.execute(trx),
  )
  expect(rows).toEqual([{ n: 3 }])
})

test('a group that was only offered as it was named is held once it is pushed', async ({ acme, okta }) => {
  await acme.has({ group: 'Child', members: ['zoe'] })
  await okta.knows('ada', 'bob')
  const { id } = (await okta.request('GET', '/Groups')).body.Resources[0]
  await okta.pushes({ group: 'Parent', members: ['ada', id] })
  expect(await okta.membersOf('Parent')).toEqual(['ada'])
  const add = patch({ op: 'add', path: 'members', value: [{ value: okta.idOfPerson('bob') }] })
  expect((await okta.request('PATCH', `/Groups/${id}`, add)).status).toBe(204)
  expect(await okta.membersOf('Parent')).toEqual(['ada', id].sort())
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob'])
  expect(await acme.membersOf('Child')).toEqual(['zoe'])
})

test('groups of one Bulk hold one another', async ({ acme, okta }) => {
  await okta.knows('ada')
  const post = (bulkId: string, displayName: string, value: string, type: string) => ({
    method: 'POST',
    path: '/Groups',
    bulkId,
    data: { schemas: [group], displayName, members: [{ value, type }] },
  })
  const { body } = await okta.request('POST', '/Bulk', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: [post('a', 'Employees', okta.idOfPerson('ada'), 'User'), post('b', 'Everybody', 'bulkId:a', 'Group')],
  })
  expect(body.Operations.map((one: { status: string }) => one.status)).toEqual(['201', '201'])
  expect(await acme.membersOf('Everybody')).toEqual(['ada'])
})

test('a change that changes nothing writes nothing', async ({ okta, inOrg }) => {
  await parentAndChild(okta)
  const rows = () =>
    inOrg((trx) =>
      sql`
        select (select count(*) from log_entries where org_id = ${trx.orgId}) as entries,
          (select jsonb_agg(to_jsonb(p) order by id) from provisioned_groups p where org_id = ${trx.orgId}) as groups`.execute(
        trx,
      ),
    )
  const before = (await rows()).rows
  for (const member of ['ada', okta.idOf('Child')]) expect(await okta.adds('Parent', [member])).toBe(204)
  expect(await okta.removes('Child', ['ada'])).toBe(204)
  expect(await okta.replaces('Parent', ['ada', okta.idOf('Child')])).toBe(204)
  expect((await rows()).rows).toEqual(before)
})

test('parallel changes in a nest lose nobody', async ({ acme, okta }) => {
  const people = Array.from({ length: 12 }, (_, at) => `p${String(at).padStart(2, '0')}`)
  await okta.knows(...people)
  for (const name of ['A', 'B', 'C']) await okta.pushes({ group: name })
  const add = (name: string, value: string) =>
    okta.request('PATCH', `/Groups/${okta.idOf(name)}`, patch({ op: 'add', path: 'members', value: [{ value }] }))
  const answers = await Promise.all([
    ...people.map((person, at) => add(['A', 'B', 'C'][at % 3] as string, okta.idOfPerson(person))),
    add('A', okta.idOf('B')),
    add('B', okta.idOf('C')),
    add('C', okta.idOf('A')),
  ])
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204))
  for (const name of ['A', 'B', 'C']) expect(await acme.membersOf(name)).toEqual(people)
})
