import { sourceFiles } from '../support/source-files.ts'
import { expect, test } from '../support/story.ts'

// Rules 10, 11 and 18 of docs/specification/rules.md, as they touch SCIM.

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchOf = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const times = <T>(count: number, work: (at: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, at) => work(at)))

test('rule 10: parallel changes of one group, in Okta’s and in Entra’s form, lose no member', async ({ okta, entra, acme }) => {
  const names = Array.from({ length: 40 }, (_, at) => `p${at}`)
  for (const provider of [okta, entra]) {
    await provider.knows(...names)
    const name = `Group of ${provider.directory.name}`
    await provider.pushes({ group: name })
    const change = (operation: object) => provider.request('PATCH', `/Groups/${provider.idOf(name)}`, patchOf(operation))
    const forms: [add: (id: string) => object, remove: (id: string) => object] =
      provider === okta
        ? [
            (id) => ({ op: 'add', path: 'members', value: [{ value: id, display: 'x' }] }),
            (id) => ({ op: 'remove', path: `members[value eq "${id}"]` }),
          ]
        : [
            (id) => ({ op: 'Add', path: 'members', value: [{ $ref: null, value: id }] }),
            (id) => ({ op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] }),
          ]
    const [add, remove] = forms
    const ids = names.map((one) => provider.idOfPerson(one))
    const added = await Promise.all(ids.map((id) => change(add(id))))
    expect(new Set(added.map(({ status }) => status))).toEqual(new Set([204]))
    expect(await acme.membersOf(name)).toEqual([...names].sort())
    const mixed = await Promise.all([
      ...ids.slice(0, 20).map((id) => change(remove(id))),
      ...ids.slice(20).map((id) => change(add(id))),
      change({ op: 'replace', value: { displayName: name, externalId: 'x' } }),
    ])
    expect(new Set(mixed.map(({ status }) => status))).toEqual(new Set([204]))
    expect(await acme.membersOf(name)).toEqual(names.slice(20).sort())
  }
})

test('rule 10: a PATCH with an unknown member, where these are refused, applies nothing', async ({ connects, acme }) => {
  const strict = await connects('okta', { unknownMembers: 'refuse' })
  await strict.knows('ada')
  await strict.pushes({ group: 'G' })
  const refused = await strict.request(
    'PATCH',
    `/Groups/${strict.idOf('G')}`,
    patchOf(
      { op: 'add', path: 'members', value: [{ value: strict.idOfPerson('ada') }, { value: 'nobody' }] },
      { op: 'replace', path: 'displayName', value: 'H' },
    ),
  )
  expect(refused).toMatchObject({ status: 400, body: { scimType: 'invalidValue' } })
  expect(await acme.membersOf('G')).toEqual([])
  expect((await strict.request('GET', `/Groups/${strict.idOf('G')}`)).body.displayName).toBe('G')
})

test('rule 10: what changes nothing writes nothing, whichever door it comes through', async ({ client, inOrg }) => {
  const body = { schemas: [user], userName: 'ada', title: 'x', emails: [{ value: 'a@b.c', primary: true }] }
  const made = await client.request('POST', '/Users', body)
  const people = [{ value: made.body.id, type: 'User' }]
  const { body: pushed } = await client.request('POST', '/Groups', {
    schemas: [group],
    displayName: 'G',
    externalId: 'g',
    members: people,
  })
  const state = async () => ({
    log: await inOrg((trx) => trx.selectFrom('log_entries').selectAll().execute()),
    user: (await client.request('GET', `/Users/${made.body.id}`)).body,
    group: (await client.request('GET', `/Groups/${pushed.id}`)).body,
  })
  const before = await state()
  await client.request('PUT', `/Users/${made.body.id}`, body)
  await client.request('PATCH', `/Users/${made.body.id}`, patchOf({ op: 'replace', value: { title: 'x', active: true } }))
  await client.request('PUT', `/Groups/${pushed.id}`, { schemas: [group], displayName: 'G', externalId: 'g', members: people })
  await client.request('PATCH', `/Groups/${pushed.id}`, patchOf({ op: 'add', path: 'members', value: people }))
  await client.request('PATCH', `/Groups/${pushed.id}`, patchOf({ op: 'remove', path: 'members', value: [{ value: 'nobody' }] }))
  expect(await state()).toEqual(before)
})

test('rule 11: of many who create one name at one moment one is created, and the others are told that it is taken', async ({
  client,
}) => {
  const answers = async (path: string, body: (at: number) => object) =>
    (await times(12, (at) => client.request('POST', path, body(at)))).map(({ status, body: { scimType } }) => [status, scimType])
  const expected = [[201, undefined], ...Array(11).fill([409, 'uniqueness'])]
  const sorted = (list: unknown[][]) => list.sort((one, other) => Number(one[0]) - Number(other[0]))
  expect(sorted(await answers('/Users', (at) => ({ schemas: [user], userName: at % 2 ? 'ADA' : 'ada' })))).toEqual(expected)
  expect(sorted(await answers('/Groups', (at) => ({ schemas: [group], displayName: at % 2 ? 'G' : 'g ' })))).toEqual(expected)
})

test('rule 11: two who take one name by a rename at one moment', async ({ client }) => {
  const names = ['a', 'b', 'c', 'd']
  await client.knows(...names)
  const renamed = await Promise.all(
    names.map((name) =>
      client.request('PATCH', `/Users/${client.idOfPerson(name)}`, patchOf({ op: 'replace', path: 'userName', value: 'new' })),
    ),
  )
  expect(renamed.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
})

test('rules 10 and 12: changes, renames and deletions of the same groups and people at once: no 5xx, and nothing is left half', async ({
  client,
  acme,
}) => {
  const names = Array.from({ length: 12 }, (_, at) => `p${at}`)
  await client.knows(...names)
  for (const name of ['A', 'B', 'C']) await client.pushes({ group: name, members: names.slice(0, 6) })
  const id = (name: string) => `/Groups/${client.idOf(name)}`
  const member = (name: string) => [{ value: client.idOfPerson(name) }]
  const requests = names.flatMap((name, at): Promise<{ status: number }>[] => [
    client.request('PATCH', id('A'), patchOf({ op: 'add', path: 'members', value: member(name) })),
    client.request('PATCH', id('B'), patchOf({ op: 'remove', path: 'members', value: member(name) })),
    client.request('PATCH', id('A'), patchOf({ op: 'replace', value: { displayName: `A${at % 3}` } })),
    client.request('PUT', id('B'), { schemas: [group], displayName: `B${at % 2}`, members: names.slice(at).flatMap(member) }),
    client.request('PATCH', `/Users/${client.idOfPerson(name)}`, patchOf({ op: 'replace', value: { active: at % 2 === 0 } })),
    ...(at < 3 ? [client.request('DELETE', `/Users/${client.idOfPerson(name)}`)] : []),
    ...(at === 5 ? [client.request('DELETE', id('C'))] : []),
  ])
  const statuses = (await Promise.all(requests)).map(({ status }) => status)
  expect(statuses.filter((status) => status >= 500)).toEqual([])
  const { displayName, members } = (await client.request('GET', id('A'))).body
  expect((await acme.membersOf(displayName)).length).toBe(members.filter((one: { value: string }) => isThere(one.value)).length)

  function isThere(value: string): boolean {
    const at = names.findIndex((name) => client.idOfPerson(name) === value)
    return at >= 3
  }
})

test('rule 18: no time of this machine decides: expiry, windows and order are the database’s', () => {
  const rooms = ['organization', 'provisioning', 'review', 'sync', 'scim', 'http/scim']
  const clocks = /\bDate\.now\(\)|new Date\(\)/
  const found = [...sourceFiles()].filter(
    ([path, text]) => rooms.some((room) => path.startsWith(`${room}/`)) && clocks.test(text),
  )
  expect(found.map(([path]) => path)).toEqual([])
})
