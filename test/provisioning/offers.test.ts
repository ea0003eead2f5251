import { sql } from 'kysely'
import { type GroupId, newId } from '../../src/database/ids.ts'
import { hasId, offeredGroups } from '../../src/provisioning/offers.ts'
import { expect, type Organization, type Provider, test } from '../support/story.ts'

const sync = 'urn:muster:params:scim:schemas:extension:sync:1.0:Group'
const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const filtered = (filter: string) => `/Groups?filter=${encodeURIComponent(filter)}`

interface Shown {
  id: string
  displayName: string
  members?: { value: string }[]
  [sync]: { state: string; reasons: string[] }
}
const listed = async (provider: Provider, path = '/Groups'): Promise<Shown[]> =>
  (await provider.request('GET', path)).body.Resources
const namesIn = async (provider: Provider, path?: string) => (await listed(provider, path)).map((group) => group.displayName)
const offerOf = async (provider: Provider, name: string) => {
  const [found] = await listed(provider, filtered(`displayName eq "${name}"`))
  expect(found?.[sync].state).toBe('offered')
  return found?.id as string
}
const stateOf = async (provider: Provider, id: string) => {
  const { body } = await provider.request('GET', `/Groups/${id}`)
  return [body[sync]?.state, body[sync]?.reasons]
}

async function severalGroups(acme: Organization): Promise<void> {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await acme.has({ group: 'Sales', members: ['cyd'] })
  await acme.has({ group: 'Owners', members: ['ada'] })
  await acme.protects('Owners')
}

test('unmanaged, unprotected groups that the directory pushed none of the name of are listed, found and read, without members', async ({
  acme,
  okta,
  entra,
}) => {
  await severalGroups(acme)
  await acme.has({ group: 'Support', members: ['ada'] })
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'support' })
  await okta.pushes({ group: 'Okta’s own', members: ['ada'] })
  await entra.pushes({ group: 'Entra’s' })
  expect(await namesIn(okta)).toEqual(['Engineering', 'Sales', 'support', 'Okta’s own'])
  expect(await namesIn(entra)).toEqual(['Engineering', 'Sales', 'Support', 'Entra’s'])
  const [found] = await listed(okta, filtered('displayName eq "engineering "'))
  expect(found).toEqual({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group', sync],
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    displayName: 'Engineering',
    meta: {
      resourceType: 'Group',
      created: expect.any(String),
      lastModified: expect.any(String),
      location: expect.stringContaining(found?.id ?? ''),
      version: expect.stringMatching(/^W\/"0-/),
    },
    [sync]: { state: 'offered', reasons: [] },
  })
  const read = await okta.request('GET', `/Groups/${found?.id}`)
  expect(read).toMatchObject({ status: 200, body: found })
  expect(await namesIn(okta, filtered(`id eq "${found?.id}"`))).toEqual(['Engineering'])
  expect(await namesIn(okta, filtered(`members.value eq "${okta.idOfPerson('ada')}"`))).toEqual(['Okta’s own'])
  expect(await namesIn(okta, filtered('members pr'))).toEqual(['Okta’s own'])
  expect(await namesIn(okta, filtered(`${sync}:state eq "offered"`))).toEqual(['Engineering', 'Sales'])
  expect(await namesIn(okta, filtered(`${sync}:members.added ge 0`))).toEqual(['support', 'Okta’s own'])
  const search = await okta.request('POST', '/Groups/.search', { filter: 'displayName sw "s"', sortBy: 'displayName' })
  expect(search.body.Resources.map((group: Shown) => group.displayName)).toEqual(['Sales', 'support'])
})

test('with members, those whom the directory pushed are shown and found; off, nothing is offered', async ({
  acme,
  api,
  okta,
}) => {
  await severalGroups(acme)
  await okta.knows('ada', 'cyd')
  await api('PATCH', `/directories/${okta.directory.id}`, { offerExistingGroups: 'members' })
  expect(await listed(okta)).toMatchObject([
    { displayName: 'Engineering', members: [{ value: okta.idOfPerson('ada') }] },
    { displayName: 'Sales', members: [{ value: okta.idOfPerson('cyd') }] },
  ])
  expect(await namesIn(okta, filtered(`members.value eq "${okta.idOfPerson('ada')}"`))).toEqual(['Engineering'])
  const id = await offerOf(okta, 'Sales')
  expect((await okta.request('GET', `/Users/${okta.idOfPerson('cyd')}`)).body).not.toHaveProperty('groups')
  await api('PATCH', `/directories/${okta.directory.id}`, { offerExistingGroups: 'off' })
  expect(await listed(okta)).toEqual([])
  expect((await okta.request('GET', `/Groups/${id}`)).status).toBe(404)
  expect((await okta.request('PUT', `/Groups/${id}`, { displayName: 'Sales' })).status).toBe(404)
  expect((await okta.request('DELETE', `/Groups/${id}`)).status).toBe(404)
})

test('the first write adopts the group under that same id: it needs review, nothing is written through', async ({
  acme,
  okta,
}) => {
  await severalGroups(acme)
  await okta.knows('ada', 'cyd')
  const id = await offerOf(okta, 'Engineering')
  const place = (await listed(okta)).findIndex((group) => group.id === id)
  const add = patch({ op: 'add', path: 'members', value: [{ value: okta.idOfPerson('cyd') }] })
  expect((await okta.request('PATCH', `/Groups/${id}`, add)).status).toBe(204)
  expect((await okta.request('GET', `/Groups/${id}`)).body).toMatchObject({
    id,
    displayName: 'Engineering',
    members: [{ value: okta.idOfPerson('cyd') }],
    meta: { version: expect.stringMatching(/^W\/"1-/) },
    [sync]: { state: 'needs_review', reasons: ['name_taken'], members: { added: 1, removed: 2, unchanged: 0 } },
  })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  expect((await listed(okta)).findIndex((group) => group.id === id)).toBe(place)
  expect(await namesIn(okta)).toEqual(['Engineering', 'Sales'])
})

for (const [write, request] of [
  ['a PUT', { method: 'PUT', body: { displayName: 'Engineering' } }],
  ['a rename', { method: 'PATCH', body: patch({ op: 'replace', value: { displayName: 'Engineering' } }) }],
  ['an external id', { method: 'PATCH', body: patch({ op: 'add', path: 'externalId', value: 'x' }) }],
  ['a removal of nobody', { method: 'PATCH', body: patch({ op: 'remove', path: 'members[value eq "x"]' }) }],
] as const) {
  test(`${write} is a first write: the pushed set starts empty, the group is filling`, async ({ acme, api, okta }) => {
    await severalGroups(acme)
    await api('PATCH', `/directories/${okta.directory.id}`, { quietSeconds: 120 })
    const id = await offerOf(okta, 'Engineering')
    const answer = await okta.request(request.method, `/Groups/${id}`, request.body)
    expect(answer.status).toBe(request.method === 'PUT' ? 200 : 204)
    const read = await okta.request('GET', `/Groups/${id}`)
    expect(read.body).toMatchObject({ id, [sync]: { state: 'needs_review', members: { added: 0, removed: 2, unchanged: 0 } } })
    expect(read.body).not.toHaveProperty('members')
    const { items } = (await api('GET', `/directories/${okta.directory.id}/reviews`)).body
    expect(items).toMatchObject([{ group: { id, name: 'Engineering' }, filling: true }])
    expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  })
}

test('a first write may give another name: the group is paired with who has that one, and offered again', async ({
  acme,
  okta,
}) => {
  await severalGroups(acme)
  const [one, other] = [await offerOf(okta, 'Engineering'), await offerOf(okta, 'Sales')]
  const rename = (id: string, displayName: string) =>
    okta.request('PATCH', `/Groups/${id}`, patch({ op: 'replace', value: { id, displayName } }))
  expect((await rename(one, 'Engineers')).status).toBe(204)
  expect(await stateOf(okta, one)).toEqual(['synced', []])
  expect((await rename(other, 'engineering')).status).toBe(204)
  expect(await stateOf(okta, other)).toEqual(['needs_review', ['name_taken']])
  const again = await offerOf(okta, 'Sales')
  expect([one, other]).not.toContain(again)
  expect((await rename(again, 'Engineers')).status).toBe(409)
  expect(await offerOf(okta, 'Sales')).toBe(again)
})

test('what cannot be synced is adopted as blocked, with its reasons; a policy that refuses conflicts refuses no link', async ({
  acme,
  api,
  okta,
  entra,
}) => {
  await severalGroups(acme)
  await acme.grants('Sales', 'site/crm/user', { isDefault: true })
  await api('PATCH', `/directories/${okta.directory.id}`, { conflictPolicy: 'refuse' })
  const id = await offerOf(okta, 'Sales')
  await okta.request('PUT', `/Groups/${id}`, { displayName: 'Sales' })
  expect(await stateOf(okta, id)).toEqual(['blocked', ['default_access_group']])
  const offers = [await offerOf(okta, 'Engineering'), await offerOf(entra, 'Engineering')] as const
  expect(offers[0]).not.toBe(offers[1])
  for (const [at, provider] of [okta, entra].entries())
    await provider.request('PUT', `/Groups/${offers[at]}`, { displayName: 'Engineering' })
  expect(await stateOf(okta, offers[0])).toEqual(['needs_review', ['name_taken']])
  expect(await stateOf(entra, offers[1])).toEqual(['blocked', ['managed_elsewhere']])
  expect((await okta.request('GET', `/Groups/${offers[1]}`)).status).toBe(404)
})

test('a POST of an offered name is a push like any other, and ends the offer', async ({ acme, okta }) => {
  await severalGroups(acme)
  const id = await offerOf(okta, 'Engineering')
  expect(await okta.pushes({ group: 'Engineering' })).toBe(201)
  expect(okta.idOf('Engineering')).not.toBe(id)
  expect((await okta.request('GET', `/Groups/${id}`)).status).toBe(404)
  expect(await okta.request('PUT', `/Groups/${id}`, { displayName: 'x' })).toMatchObject({ status: 404 })
  expect(await namesIn(okta)).toEqual(['Sales', 'Engineering'])
})

test('a deletion of what is only offered deletes nothing, and it is not offered to who deleted it again', async ({
  acme,
  okta,
  entra,
  inOrg,
}) => {
  await severalGroups(acme)
  for (const [name, isAdopted] of [
    ['Engineering', false],
    ['Sales', true],
  ] as const) {
    const id = await offerOf(okta, name)
    if (isAdopted) await okta.request('PUT', `/Groups/${id}`, { displayName: name })
    expect((await okta.request('DELETE', `/Groups/${id}`)).status).toBe(204)
    expect((await okta.request('GET', `/Groups/${id}`)).status).toBe(404)
    expect((await okta.request('DELETE', `/Groups/${id}`)).status).toBe(404)
    expect(await namesIn(okta)).not.toContain(name)
    expect(await namesIn(entra)).toContain(name)
  }
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  const { rows } = await inOrg((trx) =>
    sql`select facts ->> 'name' as name from log_entries where action = 'group.offer_declined'`.execute(trx),
  )
  expect(rows).toEqual([{ name: 'Engineering' }])
  expect(await okta.pushes({ group: 'Engineering' })).toBe(201)
  expect(await okta.stateOf('Engineering')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('a group that a directory deletes is in no list of its any more, though it stays with its members', async ({
  acme,
  okta,
}) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Engineering', members: ['ada'] })
  expect(await okta.deletes('Engineering')).toBe(204)
  expect(await namesIn(okta)).toEqual([])
  const found = await okta.request('GET', `/Groups?filter=${encodeURIComponent('displayName eq "Engineering"')}`)
  expect(found.body).toMatchObject({ totalResults: 0, Resources: [] })
  expect(await acme.membersOf('Engineering')).toEqual(['ada'])
})

test('a first write that is refused adopts nothing', async ({ acme, api, okta }) => {
  await severalGroups(acme)
  await api('PATCH', `/directories/${okta.directory.id}`, { unknownMembers: 'refuse' })
  const id = await offerOf(okta, 'Engineering')
  const add = patch({ op: 'add', path: 'members', value: [{ value: 'nobody' }] })
  expect((await okta.request('PATCH', `/Groups/${id}`, add)).status).toBe(400)
  expect(await offerOf(okta, 'Engineering')).toBe(id)
})

test('of parallel first writes one adopts and all are applied', async ({ acme, okta }) => {
  const people = Array.from({ length: 20 }, (_, at) => `p${at}`)
  await severalGroups(acme)
  await okta.knows(...people)
  const id = await offerOf(okta, 'Engineering')
  const answers = await Promise.all(
    people.map((name) =>
      okta.request('PATCH', `/Groups/${id}`, patch({ op: 'add', path: 'members', value: [{ value: okta.idOfPerson(name) }] })),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual(people.map(() => 204))
  const { body } = await okta.request('GET', `/Groups/${id}`)
  expect(body.members.map(({ value }: { value: string }) => value).sort()).toEqual(people.map(okta.idOfPerson).sort())
})

test('a deletion and first writes at once end as some order of them does', async ({ acme, okta }) => {
  for (let round = 0; round < 5; round++) {
    const name = `Sales ${round}`
    await acme.has({ group: name, members: [] })
    const id = await offerOf(okta, name)
    const [gone, ...written] = await Promise.all([
      okta.request('DELETE', `/Groups/${id}`),
      okta.request('PUT', `/Groups/${id}`, { displayName: name }),
      okta.request('PUT', `/Groups/${id}`, { displayName: name }),
    ])
    expect(gone?.status).toBe(204)
    for (const { status } of written) expect([200, 404]).toContain(status)
    expect((await okta.request('GET', `/Groups/${id}`)).status).toBe(404)
  }
})

test('pages hold every group once, in one order, and count them all, offers taken meanwhile included', async ({ acme, okta }) => {
  const names = Array.from({ length: 12 }, (_, at) => `Group ${String.fromCharCode(97 + ((at * 5) % 12))}`)
  for (const [at, name] of names.entries())
    if (at % 3 === 0) await okta.pushes({ group: name })
    else await acme.has({ group: name, members: [] })
  for (const [query, expected] of [
    ['', names],
    ['&sortBy=displayName', names.toSorted()],
    ['&sortBy=displayName&sortOrder=descending', names.toSorted().reverse()],
    [`&filter=${encodeURIComponent('displayName ne "group c"')}`, names.filter((name) => name !== 'Group c')],
  ] as const) {
    const seen: string[] = []
    for (let startIndex = 1, total = 1; startIndex <= total; startIndex += 5) {
      const { body } = await okta.request('GET', `/Groups?startIndex=${startIndex}&count=5${query}`)
      seen.push(...body.Resources.map((group: Shown) => group.displayName))
      total = body.totalResults
      const offered = body.Resources.find((group: Shown) => group[sync].state === 'offered')
      if (offered) await okta.request('PUT', `/Groups/${offered.id}`, { displayName: offered.displayName })
    }
    expect(seen).toEqual(expected)
    expect((await okta.request('GET', `/Groups?count=0${query}`)).body.totalResults).toBe(expected.length)
    expect((await okta.request('GET', `/?count=0`)).body.totalResults).toBe(names.length)
  }
})

test('counts of what was received leave out what is only offered', async ({ acme, api, okta }) => {
  await severalGroups(acme)
  await okta.pushes({ group: 'Free' })
  expect((await api('GET', `/directories/${okta.directory.id}`)).body).toMatchObject({
    offerExistingGroups: 'names',
    groups: { received: 1, synced: 1 },
    complete: true,
  })
})

test('an offered id and an offered name are looked up by index, however many groups there are', async ({ org, inOrg }) => {
  const { id } = await org.directory()
  await inOrg(async (trx) => {
    await sql`
      insert into groups (org_id, id, name, name_key)
      select ${trx.orgId}::uuid, gen_random_uuid(), 'g' || n, 'g' || n from generate_series(1, 5000) n`.execute(trx)
    await sql`analyze groups`.execute(trx)
    const offered = offeredGroups(trx, { id, offerExistingGroups: 'names' })
    for (const condition of [hasId(newId<GroupId>()), sql`g.name_key = 'g17'`]) {
      const { rows } = await sql<{ 'QUERY PLAN': string }>`explain select g.* from ${offered} where ${condition}`.execute(trx)
      expect(rows[0]?.['QUERY PLAN']).toMatch(/cost=.*\.\.\d\d?\.\d\d /)
    }
  })
})
