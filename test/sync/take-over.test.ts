import type { Client } from '../support/clients.ts'
import { expect, type Provider, test } from '../support/story.ts'
import { createTestOrganization } from '../support/world.ts'
import { syncing } from './syncing.ts'

async function takesOver(api: Client, directory: string, from: string) {
  const { status, body: shown } = await api('GET', `/directories/${directory}/take-over?from=${from}`)
  expect(status, JSON.stringify(shown)).toBe(200)
  const started = await api('POST', `/directories/${directory}/take-over`, { from, fingerprint: shown.fingerprint })
  expect(started.status, JSON.stringify(started.body)).toBe(202)
  return { shown, run: await syncing(api, directory).ended(started.body.id) }
}

async function pushesAll(provider: Provider) {
  await provider.knows('ada', 'bob', 'cyd')
  await provider.pushes({ group: 'Sales', members: ['ada', 'bob'] })
  await provider.pushes({ group: 'Support', members: ['bob', 'cyd'] })
}

test('a new directory takes over an old one’s groups: equal ones without a review, others after one, and no ghost is left', async ({
  acme,
  api,
  okta,
  connects,
}) => {
  await pushesAll(okta)
  await okta.pushes({ group: 'Old only', members: ['ada'] })
  await acme.grants('Sales', 'hq/wiki/user')
  const entra = await connects('entra')
  await pushesAll(entra)
  await entra.removes('Support', ['cyd'])
  expect(await entra.stateOf('Sales')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  const { shown, run } = await takesOver(api, 'entra', 'okta')
  expect(shown).toMatchObject({
    from: { name: 'okta', isDisconnected: false },
    groups: { byExternalId: 0, byName: 2, equal: 1, differing: 1, left: 1 },
    people: { handedOver: 3, released: 0 },
  })
  expect(run).toMatchObject({ kind: 'take_over', state: 'finished', groups: { total: 2, synced: 1, skipped: 1, failed: 0 } })
  expect(await entra.stateOf('Sales')).toEqual({ state: 'synced', reasons: [] })
  expect(await entra.stateOf('Support')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Support')).toEqual(['bob', 'cyd'])
  expect(await acme.accessOf('ada')).toEqual(['hq/wiki/user'])
  expect((await okta.request('GET', '/Groups')).status).toBe(401)
  await expect
    .poll(async () => (await api('GET', '/disconnected-directories')).body.items[0].left, { timeout: 20_000 })
    .toEqual({ groups: 0, people: 0 })
  expect((await acme.person('ada')).ownedBy).toMatchObject({ name: 'entra' })
  expect(await acme.membersOf('Old only')).toEqual(['ada'])
  await entra.adds('Sales', ['cyd'])
  expect(await acme.membersOf('Sales')).toEqual(['ada', 'bob', 'cyd'])
})

test('a directory that was deleted by mistake and made again makes no storm of reviews', async ({ acme, api, okta, org }) => {
  await okta.knows('ada', 'bob')
  for (const n of [1, 2, 3])
    await okta.request('POST', '/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: `Team ${n}`,
      externalId: `id-${n}`,
      members: [{ value: okta.idOfPerson('ada') }, { value: okta.idOfPerson('bob') }],
    })
  const { fingerprint } = (await api('GET', '/directories/okta/disconnection')).body
  await api('POST', '/directories/okta/disconnect', { fingerprint })
  await expect
    .poll(async () => (await api('GET', '/disconnected-directories')).body.items[0].left, { timeout: 20_000 })
    .toEqual({ groups: 0, people: 0 })
  const again = await org.directory({ name: 'okta' })
  const scim = (path: string, body: object) => okta.request('POST', path, body, { token: again.token })
  const ids: string[] = []
  for (const name of ['ada', 'bob'])
    ids.push((await scim('/Users', { userName: name, emails: [{ value: `${name}@example.org` }], active: true })).body.id)
  // One was renamed at the provider meanwhile: it is known by its id.
  for (const [n, displayName] of ['Team 1', 'Team 2', 'Third team'].entries())
    await scim('/Groups', { displayName, externalId: `id-${n + 1}`, members: ids.map((value) => ({ value })) })
  expect((await api('GET', '/directories/okta/reviews')).body.total).toBe(2)
  const { shown, run } = await takesOver(api, 'okta', 'okta')
  expect(shown).toMatchObject({ from: { isDisconnected: true }, groups: { byExternalId: 2, byName: 0, equal: 2, left: 1 } })
  expect(run.groups).toMatchObject({ synced: 2, skipped: 0, failed: 0 })
  expect((await api('GET', '/directories/okta/reviews')).body.total).toBe(0)
  expect(await acme.membersOf('Team 1')).toEqual(['ada', 'bob'])
})

test('nothing is taken over from another organization, from oneself, or as it was not shown', async ({
  acme,
  api,
  db,
  okta,
  connects,
}) => {
  const other = await createTestOrganization(db)
  const foreign = await other.directory({ name: 'theirs' })
  await pushesAll(okta)
  const entra = await connects('entra')
  await pushesAll(entra)
  for (const from of [foreign.id, 'theirs', 'entra']) {
    expect((await api('GET', `/directories/entra/take-over?from=${from}`)).status).toBe(404)
    expect((await api('POST', '/directories/entra/take-over', { from, fingerprint: 'x' })).status).toBe(404)
  }
  const { fingerprint } = (await api('GET', '/directories/entra/take-over?from=okta')).body
  await entra.removes('Sales', ['bob'])
  const refused = await api('POST', '/directories/entra/take-over', { from: 'okta', fingerprint })
  expect(refused.body).toMatchObject({ status: 409, type: 'urn:muster:problem:review_changed' })
  expect(await okta.stateOf('Sales')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Sales')).toEqual(['ada', 'bob'])
})

test('a resync judges afresh from what is stored, says what became other, and again changes nothing', async ({
  acme,
  api,
  inOrg,
  okta,
}) => {
  await acme.has({ group: 'Sales', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  // As a crash of an older version, or a hand in the database, may have left it.
  await inOrg((trx) =>
    trx.updateTable('accounts').set({ active: false }).where('user_name', '=', 'ada').where('org_id', '=', trx.orgId).execute(),
  )
  await inOrg((trx) =>
    trx
      .updateTable('provisioned_groups')
      .set({ state: 'blocked', reasons: ['protected'] })
      .where('name', '=', 'Sales')
      .where('org_id', '=', trx.orgId)
      .execute(),
  )
  const first = (await api('POST', '/directories/okta/resync', {})).body
  expect(first).toMatchObject({ groups: 1, people: 1, next: null })
  expect(first.changes.map((change: { action: string }) => change.action).sort()).toEqual([
    'account.switched_on',
    'group.state_changed',
  ])
  expect(await okta.stateOf('Sales')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect((await acme.person('ada')).active).toBe(true)
  for (const body of [{}, { group: 'sales' }, { user: 'ada' }])
    expect((await api('POST', '/directories/okta/resync', body)).body.changes).toEqual([])
  expect((await api('POST', '/directories/okta/resync', { group: 'nothing' })).status).toBe(404)
})

test('an observing directory can begin again; a live one cannot', async ({ acme, api, okta, connects }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  const entra = await connects('entra', { observing: true })
  await entra.knows('ada', 'cyd')
  await entra.pushes({ group: 'engineering', members: ['cyd'] })
  await entra.pushes({ group: 'Sales', members: ['ada', 'cyd'] })
  expect((await api('POST', '/directories/entra/reset')).status).toBe(202)
  await expect
    .poll(async () => (await api('GET', '/directories/entra')).body, { timeout: 20_000 })
    .toMatchObject({ pausedAt: null, observing: true, groups: { received: 0 }, users: { received: 0 } })
  expect(await acme.membersOf('Engineering')).toEqual(['ada'])
  await entra.knows('cyd')
  expect(await entra.pushes({ group: 'Sales', members: ['cyd'] })).toBe(201)
  expect(await entra.stateOf('Sales')).toEqual({ state: 'ready', reasons: [] })
  await okta.knows('bob')
  const refused = await api('POST', '/directories/okta/reset')
  expect(refused.body).toMatchObject({ status: 409, type: 'urn:muster:problem:not_observing' })
  expect((await acme.person('bob')).active).toBe(true)
})
