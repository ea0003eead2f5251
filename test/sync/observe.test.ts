import { startGoingLive } from '../../src/sync/go-live.ts'
import { runSync } from '../../src/sync/run-sync.ts'
import type { Client } from '../support/clients.ts'
import { expect, type Organization, type Provider, test } from '../support/story.ts'
import { syncing } from './syncing.ts'

/** An admin looks at the report of a directory and goes live with its fingerprint. */
async function goesLive(api: Client, directory: string) {
  const { fingerprint } = (await api('GET', `/directories/${directory}/observation`)).body
  const { status, body } = await api('POST', `/directories/${directory}/go-live`, { fingerprint })
  expect(status, JSON.stringify(body)).toBe(202)
  return syncing(api, directory).ended(body.id)
}

const listed = async (api: Client, path: string): Promise<string[]> =>
  (await api('GET', `${path}?limit=0`)).body.items.map((item: { name?: string; userName?: string }) => item.name ?? item.userName)

async function observed(acme: Organization, connects: (kind: 'okta', settings: object) => Promise<Provider>) {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await acme.grants('Engineering', 'hq/wiki/user')
  const okta = await connects('okta', { observing: true })
  await okta.knows('ada', 'bob', 'cyd')
  return okta
}

test('an observing directory accepts everything, and nothing becomes effective: not even free names or switch-offs', async ({
  acme,
  api,
  connects,
}) => {
  const okta = await observed(acme, connects)
  expect(await okta.pushes({ group: 'Sales', members: ['ada', 'cyd'] })).toBe(201)
  expect(await okta.pushes({ group: 'engineering', members: ['ada', 'cyd'] })).toBe(201)
  expect(await okta.switches('bob', 'off')).toBe(200)
  expect(await okta.stateOf('Sales')).toEqual({ state: 'ready', reasons: [] })
  expect(await okta.stateOf('engineering')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await okta.membersOf('Sales')).toEqual(['ada', 'cyd'])
  expect(await listed(api, '/groups')).toEqual(['Engineering'])
  expect(await listed(api, '/people')).toEqual(['ada', 'bob'])
  expect(await acme.accessOf('bob')).toEqual(['hq/wiki/user'])
  expect((await acme.person('bob')).ownedBy).toBeNull()
})

test('the report says what is new, conflicting and matched, and what going live does to access', async ({
  acme,
  api,
  connects,
}) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'Sales', members: ['ada', 'cyd'] })
  await okta.pushes({ group: 'engineering', members: ['ada', 'cyd'] })
  await okta.switches('bob', 'off')
  const { body } = await api('GET', '/directories/okta/observation')
  expect(body).toMatchObject({
    observing: true,
    groups: { pushed: 2, new: 1, conflicting: 1, blocked: 0, members: 2 },
    people: { pushed: 3, matched: { total: 2, byEmail: 2 }, new: 1, switchedOff: 1, switchedOn: 0 },
    access: { lost: 1, peopleLosing: 1, leftWithNone: 1, gained: 0 },
    conflicts: { lost: 1, gained: 1 },
  })
})

test('going live is one run: people as they are pushed, free names in force, conflicts for review', async ({
  acme,
  api,
  connects,
}) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'Sales', members: ['ada', 'cyd'] })
  await okta.pushes({ group: 'engineering', members: ['ada', 'cyd'] })
  await okta.switches('bob', 'off')
  const run = await goesLive(api, 'okta')
  expect(run).toMatchObject({ kind: 'go_live', state: 'finished', groups: { total: 1, synced: 1, skipped: 0, failed: 0 } })
  expect(await acme.membersOf('Sales')).toEqual(['ada', 'cyd'])
  expect(await okta.stateOf('Sales')).toEqual({ state: 'synced', reasons: [] })
  expect(await okta.stateOf('engineering')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  expect(await acme.person('bob')).toMatchObject({ active: false, ownedBy: { name: 'okta' } })
  expect(await acme.person('cyd')).toMatchObject({ active: true, email: 'cyd@example.org', ownedBy: { name: 'okta' } })
  expect(await okta.removes('Sales', ['ada'])).toBeLessThan(300)
  expect(await acme.membersOf('Sales')).toEqual(['cyd'])
})

test('nobody goes live with another report than the one that holds, nor twice', async ({ acme, api, connects }) => {
  const okta = await observed(acme, connects)
  const before = (await api('GET', '/directories/okta/observation')).body.fingerprint
  await okta.switches('bob', 'off')
  const refused = await api('POST', '/directories/okta/go-live', { fingerprint: before })
  expect(refused.body).toMatchObject({ status: 409, type: 'urn:muster:problem:review_changed' })
  expect((await acme.person('bob')).active).toBe(true)
  await goesLive(api, 'okta')
  expect((await acme.person('bob')).active).toBe(false)
  const again = await api('POST', '/directories/okta/go-live', { fingerprint: before })
  expect(again.body).toMatchObject({ status: 409, type: 'urn:muster:problem:not_observing' })
})

test('what an observing directory pushed cannot be synced before it is live', async ({ acme, api, connects }) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'engineering', members: ['ada'] })
  const review = (await api('GET', `/reviews/${okta.idOf('engineering')}`)).body
  expect(review).toMatchObject({ can: [], cannot: [{ what: 'sync', why: expect.stringContaining('Go live first') }] })
  const { body } = await syncing(api, 'okta').asks(['engineering'])
  expect(body).toMatchObject({ status: 409, type: 'urn:muster:problem:directory_observing' })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
})

test('somebody who came here while a directory observed is met as it goes live, with the groups it pushed', async ({
  acme,
  api,
  connects,
}) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'Sales', members: ['cyd'] })
  await acme.has({ group: 'Guests', members: ['cyd'] })
  expect(await listed(api, '/people')).toEqual(['ada', 'bob', 'cyd'])
  await goesLive(api, 'okta')
  expect(await listed(api, '/people')).toEqual(['ada', 'bob', 'cyd'])
  expect(await acme.membersOf('Sales')).toEqual(['cyd'])
  expect(await acme.membersOf('Guests')).toEqual(['cyd'])
})

test('who is pushed and deleted again while a directory observes was never here', async ({ acme, api, connects }) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'Sales', members: ['ada', 'cyd'] })
  expect(await okta.deletesPerson('cyd')).toBe(204)
  expect(await okta.deletes('Sales')).toBe(204)
  await goesLive(api, 'okta')
  expect(await listed(api, '/people')).toEqual(['ada', 'bob'])
  expect(await listed(api, '/groups')).toEqual(['Engineering'])
})

test('a paused directory reads on; its writes are answered 503 with Retry-After, and nothing changes', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Sales', members: [] })
  expect((await api('POST', '/directories/okta/pause')).body.pausedAt).not.toBeNull()
  expect(await okta.adds('Sales', ['ada'])).toBe(503)
  expect(okta.answer().headers.get('retry-after')).toBe('60')
  expect(okta.answer().body).toMatchObject({ status: '503' })
  expect((await okta.request('GET', '/Users')).status).toBe(200)
  expect(
    (await okta.request('POST', '/Groups/.search', { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] })).status,
  ).toBe(200)
  expect(await acme.membersOf('Sales')).toEqual([])
  expect((await api('POST', '/directories/okta/resume')).body.pausedAt).toBeNull()
  expect(await okta.adds('Sales', ['ada'])).toBeLessThan(300)
  expect(await acme.membersOf('Sales')).toEqual(['ada'])
})

test('pushes that arrive while a directory goes live are in force at the end, whichever came first', async ({
  acme,
  api,
  connects,
}) => {
  const okta = await connects('okta', { observing: true })
  const people = Array.from({ length: 8 }, (_, n) => `person${n}`)
  await okta.knows(...people)
  for (let n = 0; n < 12; n++) await okta.pushes({ group: `Group ${n}`, members: people.slice(0, 2) })
  const { fingerprint } = (await api('GET', '/directories/okta/observation')).body
  const pushing = [
    ...Array.from({ length: 12 }, (_, n) => okta.adds(`Group ${n}`, people.slice(2, 4))),
    ...Array.from({ length: 12 }, (_, n) => okta.pushes({ group: `Late ${n}`, members: people })),
    ...Array.from({ length: 6 }, (_, n) => okta.renames(`Group ${n}`, `Renamed ${n}`)),
    okta.switches('person7', 'off'),
    okta.knows('late'),
  ]
  const started = await api('POST', '/directories/okta/go-live', { fingerprint })
  expect(started.status, JSON.stringify(started.body)).toBe(202)
  for (const status of await Promise.all(pushing)) expect(status ?? 200).toBeLessThan(300)
  const run = await syncing(api, 'okta').ended(started.body.id)
  expect(run.groups).toMatchObject({ failed: 0 })
  const { groups, users } = (await api('GET', '/directories/okta')).body
  expect(groups).toMatchObject({ received: 24, synced: 24, ready: 0 })
  expect(users).toMatchObject({ received: 9, synced: 9, ready: 0 })
  for (let n = 0; n < 12; n++) {
    expect(await acme.membersOf(`Late ${n}`)).toEqual(people)
    expect(await acme.membersOf(n < 6 ? `Renamed ${n}` : `Group ${n}`)).toEqual(people.slice(0, 4))
  }
  expect((await acme.person('person7')).active).toBe(false)
  expect((await acme.person('late')).active).toBe(true)
})

test('going live waits for a second person where it takes access from more people than one may decide', async ({
  acme,
  api,
  org,
  connects,
}) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'Sales', members: ['cyd'] })
  await okta.switches('bob', 'off')
  await api('PATCH', '/organization', { approval: { peopleLosing: 0 } })
  const { fingerprint } = (await api('GET', '/directories/okta/observation')).body
  const asked = (await api('POST', '/directories/okta/go-live', { fingerprint })).body
  expect(asked).toMatchObject({ state: 'awaiting_approval', foreseen: { access: { peopleLosing: 1 } } })
  expect((await acme.person('bob')).active).toBe(true)
  const again = await api('POST', '/directories/okta/go-live', { fingerprint })
  expect(again.body).toMatchObject({ status: 409, type: 'urn:muster:problem:run_under_way' })
  expect((await api('POST', `/runs/${asked.id}/approve`, {}, { token: await org.token('admin') })).status).toBeLessThan(300)
  expect(await syncing(api, 'okta').ended(asked.id)).toMatchObject({ state: 'finished', groups: { synced: 1 } })
  expect((await acme.person('bob')).active).toBe(false)
  expect(await acme.membersOf('Sales')).toEqual(['cyd'])
})

test('an observing directory that is disconnected leaves nobody and nothing behind', async ({ acme, api, connects }) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'Sales', members: ['ada', 'cyd'] })
  const { fingerprint } = (await api('GET', '/directories/okta/disconnection')).body
  expect((await api('POST', '/directories/okta/disconnect', { fingerprint })).status).toBe(202)
  await expect
    .poll(async () => (await api('GET', '/disconnected-directories')).body.items[0].left, { timeout: 20_000 })
    .toEqual({ groups: 0, people: 0 })
  expect(await listed(api, '/people')).toEqual(['ada', 'bob'])
  expect(await listed(api, '/groups')).toEqual(['Engineering'])
  // The name is free still, for whoever comes next.
  await acme.has({ group: 'Guests', members: ['cyd'] })
  expect(await listed(api, '/people')).toEqual(['ada', 'bob', 'cyd'])
})

test('what changes between the asking and the doing stops the run: the directory goes on observing', async ({
  acme,
  api,
  connects,
  db,
  inOrg,
  org,
}) => {
  const okta = await observed(acme, connects)
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  const { fingerprint } = (await api('GET', '/directories/okta/observation')).body
  const nobody = { send: async () => {} }
  const runId = await inOrg((trx) => startGoingLive(trx, nobody, { directory: okta.directory as never, fingerprint, note: null }))
  await okta.switches('bob', 'off')
  await runSync(db, { orgId: org.id, runId })
  expect((await api('GET', `/runs/${runId}`)).body).toMatchObject({
    state: 'stopped',
    groups: { total: 1, synced: 0, skipped: 1 },
  })
  expect((await api('GET', '/directories/okta')).body.observing).toBe(true)
  expect((await acme.person('bob')).active).toBe(true)
  expect(await listed(api, '/groups')).toEqual(['Engineering'])
  expect((await goesLive(api, 'okta')).groups).toMatchObject({ synced: 1 })
  expect((await acme.person('bob')).active).toBe(false)
})
