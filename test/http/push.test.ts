import { sql } from 'kysely'
import { onTestFinished } from 'vitest'
import type { PushPlanId } from '../../src/database/ids.ts'
import { readAllowList } from '../../src/outgoing/address.ts'
import { runPush } from '../../src/push/run-push.ts'
import { queuePlan } from '../../src/push/stored/plans.ts'
import { startTinyScimService, type TinyScimService, token } from '../push/tiny-scim-service.ts'
import type { Client } from '../support/clients.ts'
import { someoneWaits } from '../support/waiting.ts'
import { expect, test } from '../support/world.ts'

const all = (value: string) => ({ include: [{ field: 'name', is: 'starts_with', value }] })

async function services() {
  const [source, target] = [await startTinyScimService(), await startTinyScimService()]
  onTestFinished(source.stop)
  onTestFinished(target.stop)
  for (const name of ['ada', 'bob', 'cyd', 'dan'])
    source.users.push({
      id: `s-${name}`,
      userName: name,
      displayName: name,
      active: true,
      emails: [{ value: `${name}@example.org` }],
    })
  return { source, target }
}
const group = (service: TinyScimService, name: string, ...members: string[]) => {
  const there = service.groups.find(({ displayName }) => displayName === name)
  const shown = members.map((member) => ({ value: `s-${member}` }))
  if (there) there.members = shown
  else service.groups.push({ id: `s-${name}`, displayName: name, members: shown })
}

/** A source and a target, stored. */
async function stored(api: Client, { source, target }: { source: TinyScimService; target: TinyScimService }) {
  const said = await api('PUT', '/push/sources/hr', { settings: { kind: 'scim', url: source.url }, secret: token })
  expect(said.status).toBe(200)
  expect(JSON.stringify(said.body)).not.toContain(token)
  const into = await api('PUT', '/push/targets/wiki', { source: 'hr', url: target.url, secret: token })
  expect(into.status).toBe(200)
  expect(JSON.stringify(into.body)).not.toContain(token)
}

/** Plans, applies, and waits for the end. */
async function pushed(api: Client, allowRemovals = 0) {
  const plan = await api('POST', '/push/plans', { target: 'wiki', allowRemovals })
  expect(plan.status, JSON.stringify(plan.body)).toBe(201)
  const { id, fingerprint } = plan.body as { id: string; fingerprint: string }
  const applied = await api('POST', `/push/plans/${id}/apply`, { fingerprint })
  expect(applied.status, JSON.stringify(applied.body)).toBe(202)
  for (;;) {
    const { body } = await api('GET', `/push/plans/${id}`)
    if (!['queued', 'running'].includes((body as { state: string }).state)) return body as Record<string, unknown>
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('groups are mapped by rule and by name, planned, pushed, and counted on both sides', async ({ api }) => {
  const { source, target } = await services()
  group(source, 'sig-docs', 'ada', 'bob')
  group(source, 'sig-node', 'cyd')
  group(source, 'secret', 'dan')
  await stored(api, { source, target })
  const tested = await api('POST', '/push/sources/hr/test', {})
  expect(tested.body).toMatchObject({ counts: { people: 4, groups: 3, memberships: 4 }, groups: [{ name: 'sig-docs' }, {}, {}] })
  expect((await api('POST', '/push/targets/wiki/test', {})).body).toMatchObject({ people: 0, groups: 0 })

  const rule = { target: 'wiki', condition: { ...all('sig-'), template: 'k8s {name}' } }
  expect((await api('POST', '/push/rules/sigs/preview', rule)).body).toMatchObject({
    matches: 2,
    gained: ['sig-docs', 'sig-node'],
    lost: [],
  })
  expect((await api('PUT', '/push/rules/sigs', rule)).status).toBe(200)
  expect((await api('POST', '/push/mappings', { target: 'wiki', groups: ['Secret'] })).body).toEqual({ added: 1 })

  expect(await pushed(api)).toMatchObject({
    state: 'done',
    result: { counted: { source: { groups: 3, people: 4 }, target: { groups: 3, people: 4 }, differences: 0 } },
  })
  expect(target.members()).toEqual({ 'k8s sig-docs': ['ada', 'bob'], 'k8s sig-node': ['cyd'], secret: ['dan'] })

  // New matches are mapped by themselves; a rename is followed by the source's id.
  group(source, 'sig-cli', 'dan')
  const docs = source.groups.find(({ displayName }) => displayName === 'secret')
  if (docs) docs.displayName = 'hidden'
  expect(await pushed(api)).toMatchObject({ state: 'done' })
  expect(Object.keys(target.members()).sort()).toEqual(['hidden', 'k8s sig-cli', 'k8s sig-docs', 'k8s sig-node'])
  expect((await api('GET', '/push/mappings?state=active')).body).toMatchObject({ total: 4 })
})

test('a source that is gone, empty or lost too much takes nothing away; a group that is gone is deleted after three days', async ({
  api,
  inOrg,
}) => {
  const { source, target } = await services()
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']) group(source, name, 'ada')
  await stored(api, { source, target })
  await api('PUT', '/push/rules/all', {
    target: 'wiki',
    condition: { include: [{ field: 'name', is: 'matches', value: '^[a-z]$' }] },
  })
  await pushed(api)
  const before = target.members()

  source.faultOf = () => ({ status: 400, body: '{"detail":"Away."}' })
  expect(await api('POST', '/push/plans', { target: 'wiki' })).toMatchObject({
    status: 502,
    body: { type: expect.stringContaining('push_failed') },
  })
  expect((await api('GET', '/push/sources/hr')).body).toMatchObject({ error: expect.stringContaining('Away.') })
  source.faultOf = () => undefined
  const kept = source.groups.splice(0)
  const empty = (await api('POST', '/push/plans', { target: 'wiki' })).body as {
    id: string
    fingerprint: string
    stops: string[]
  }
  expect(empty.stops.join()).toContain('0 groups')
  expect((await api('POST', `/push/plans/${empty.id}/apply`, { fingerprint: empty.fingerprint })).status).toBe(409)
  source.groups.push(...kept.slice(2))
  expect((await api('POST', '/push/plans', { target: 'wiki' })).body).toMatchObject({
    stops: [expect.stringContaining('lost 2 of 12 groups')],
  })
  source.groups.unshift(...kept.slice(1, 2))
  expect(await pushed(api)).toMatchObject({ state: 'done' })
  expect(target.members()).toEqual(before)
  await inOrg((trx) =>
    sql`update push_mappings set gone_since = gone_since - interval '4 days' where gone_since is not null`.execute(trx),
  )
  expect(await pushed(api, 1)).toMatchObject({ state: 'done' })
  expect(Object.keys(target.members())).toEqual(Object.keys(before).filter((name) => name !== 'a'))
  expect((await api('GET', '/push/mappings')).body).toMatchObject({ total: 11 })
})

test('what is seen is what is sent: another fingerprint, a changed target, a second time', async ({ api }) => {
  const { source, target } = await services()
  group(source, 'sig-docs', 'ada')
  await stored(api, { source, target })
  await api('PUT', '/push/rules/sigs', { target: 'wiki', condition: all('sig-') })
  const plan = (await api('POST', '/push/plans', { target: 'wiki' })).body as { id: string; fingerprint: string }
  expect(await api('POST', `/push/plans/${plan.id}/apply`, { fingerprint: 'another' })).toMatchObject({ status: 409 })
  target.groups.push({ id: 'theirs', displayName: 'sig-docs', members: [] })
  await api('POST', `/push/plans/${plan.id}/apply`, { fingerprint: plan.fingerprint })
  await expect
    .poll(async () => (await api('GET', `/push/plans/${plan.id}`)).body, { timeout: 10_000, interval: 20 })
    .toMatchObject({
      state: 'failed',
      error: expect.stringContaining('The target has changed since the plan was made: sig-docs'),
    })
  expect(target.members()).toEqual({ 'sig-docs': [] })
  expect((await api('POST', `/push/plans/${plan.id}/apply`, { fingerprint: plan.fingerprint })).status).toBe(409)
})

test('drift is found and put right; a mapping is paused, and unlinked with its group', async ({ api }) => {
  const { source, target } = await services()
  group(source, 'sig-docs', 'ada', 'bob')
  await stored(api, { source, target })
  await api('POST', '/push/mappings', { target: 'wiki', groups: ['sig-docs'] })
  await pushed(api)
  const [there] = target.groups
  if (there) Object.assign(there, { displayName: 'docs', members: [(there.members as object[])[0]] })
  const drift = (await api('GET', '/push/targets/wiki/drift')).body as { items: { mapping: string }[] }
  expect(drift.items).toMatchObject([
    { name: 'sig-docs', renamedTo: 'docs', isGone: false, onlyInTarget: [], missingInTarget: ['bob'] },
  ])
  expect(await pushed(api)).toMatchObject({ state: 'done' })
  expect(target.members()).toEqual({ 'sig-docs': ['ada', 'bob'] })
  expect((await api('GET', '/push/targets/wiki/drift')).body).toMatchObject({ total: 0 })
  const mapping = `/push/mappings/${drift.items[0]?.mapping}`
  expect((await api('DELETE', `${mapping}?group=delete`)).status).toBe(409)
  expect((await api('PATCH', mapping, { state: 'inactive' })).body).toMatchObject({ state: 'inactive' })
  expect((await api('DELETE', `${mapping}?group=delete`)).status).toBe(204)
  expect(target.groups).toEqual([])
})

test('one file holds all of it, without secrets; patterns are linear or refused; a folder is none of the server’s', async ({
  api,
}) => {
  const { source, target } = await services()
  group(source, 'sig-docs', 'ada')
  await stored(api, { source, target })
  await api('PUT', '/push/rules/sigs', { target: 'wiki', condition: all('sig-') })
  const { body } = await api('GET', '/push/configuration')
  expect(JSON.stringify(body)).not.toContain(token)
  expect(body).toMatchObject({
    version: 1,
    sources: [{ name: 'hr' }],
    targets: [{ name: 'wiki', source: 'hr' }],
    rules: [{ name: 'sigs' }],
  })
  expect((await api('PUT', '/push/configuration', body)).status).toBe(204)
  expect((await api('GET', '/push/configuration')).body).toEqual(body)
  const rule = (value: string) => ({ target: 'wiki', condition: { include: [{ field: 'name', is: 'matches', value }] } })
  for (const pattern of ['(?=look)', '(a)\\1', '(', 'x'.repeat(513)])
    expect((await api('PUT', '/push/rules/bad', rule(pattern))).status, pattern.slice(0, 20)).toBe(400)
  group(source, `${'a'.repeat(200)}!`, 'ada')
  const began = performance.now()
  expect((await api('POST', '/push/rules/slow/preview', rule('(a+)+$'))).status).toBe(200)
  expect(performance.now() - began).toBeLessThan(2_000)
  expect((await api('PUT', '/push/sources/etc', { settings: { kind: 'folder', path: '/etc' } })).status).toBe(400)
  // A secret goes where it was given for, and nowhere else.
  expect((await api('PUT', '/push/targets/wiki', { source: 'hr', url: 'https://other.example/scim' })).status).toBe(400)
  const elsewhere = await api('PUT', '/push/sources/cloud', {
    settings: { kind: 'scim', url: 'http://169.254.169.254/' },
    secret: 'x',
  })
  expect(elsewhere.status).toBe(200)
  expect((await api('POST', '/push/sources/cloud/test', {})).body).toMatchObject({
    detail: expect.stringContaining('169.254.169.254'),
  })
})

test('a push that ends in between is gone on with by its journal, and makes nothing twice', async ({
  api,
  db,
  inOrg,
  org,
  server,
}) => {
  const { source, target } = await services()
  for (let i = 0; i < 12; i++) group(source, `sig-${i}`, 'ada', 'bob')
  await stored(api, { source, target })
  await api('PUT', '/push/rules/sigs', { target: 'wiki', condition: all('sig-') })
  const plan = (await api('POST', '/push/plans', { target: 'wiki' })).body as { id: PushPlanId; fingerprint: string }
  await inOrg((trx) => queuePlan(trx, plan.id, plan.fingerprint))
  const world = { db, scope: org.scope, keys: server.secrets, reach: readAllowList('127.0.0.1') }
  const node = new AbortController()
  // The node dies while the sixth group is answered: it was made, and nobody heard of it.
  target.faultOf = (method) => {
    if (method === 'POST' && target.groups.length === 5) node.abort(new Error('The node stops.'))
    return method === 'POST' && target.groups.length === 5 ? 'cut after' : undefined
  }
  await expect(runPush(world, plan.id, node.signal)).rejects.toThrow('The node stops.')
  expect(target.groups.length).toBeLessThan(12)
  target.faultOf = () => undefined
  await runPush(world, plan.id, new AbortController().signal)
  expect((await api('GET', `/push/plans/${plan.id}`)).body).toMatchObject({
    state: 'done',
    result: { counted: { differences: 0 } },
  })
  expect(target.groups).toHaveLength(12)
  expect(Object.values(target.members())).toEqual(Array(12).fill(['ada', 'bob']))
})

test('of two plans of a target that are applied at once, one is sent', async ({ api, db, inOrg }) => {
  const { source, target } = await services()
  group(source, 'sig-docs', 'ada')
  await stored(api, { source, target })
  await api('PUT', '/push/rules/sigs', { target: 'wiki', condition: all('sig-') })
  const plan = async () => (await api('POST', '/push/plans', { target: 'wiki' })).body as { id: string; fingerprint: string }
  const [one, other] = [await plan(), await plan()]
  let second: Promise<string> | undefined
  await inOrg(async (trx) => {
    await queuePlan(trx, one.id, one.fingerprint)
    let isOver = false
    second = inOrg((another) => queuePlan(another, other.id, other.fingerprint))
      .then(
        () => 'queued',
        (error) => error.code as string,
      )
      .finally(() => {
        isOver = true
      })
    await someoneWaits(db, { isOver: () => isOver })
  })
  expect(await second).toBe('push_in_use')
})
