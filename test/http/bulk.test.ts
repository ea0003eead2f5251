import { request as send } from 'node:http'
import type { ProvisionedGroupId } from '../../src/database/ids.ts'
import { buildApp } from '../../src/http/app.ts'
import { findDirectory } from '../../src/provisioning/directories.ts'
import { lockProvisionedGroup } from '../../src/provisioning/groups.ts'
import { expect, type Provider, test } from '../support/story.ts'
import { someoneWaits } from '../support/waiting.ts'

const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
const user = (bulkId: string, userName = bulkId) => ({ method: 'POST', path: '/Users', bulkId, data: { userName } })
const group = (bulkId: string, ...members: string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { displayName: bulkId, members: members.map((value) => ({ value })) },
})
const patch = (path: string, ...Operations: unknown[]) => ({ method: 'PATCH', path, data: { Operations } })

interface Result {
  status: string
  location: string
  response: { detail: string; scimType?: string }
}

/** Sends operations as one request; what became of each. */
async function bulk(provider: Provider, Operations: unknown[], more = {}): Promise<Result[]> {
  const { status, body } = await provider.request('POST', '/Bulk', { schemas, Operations, ...more })
  expect(status, JSON.stringify(body)).toBe(200)
  return body.Operations
}
const statuses = (results: Result[]) => results.map(({ status }) => Number(status))
const idOf = ({ location }: Result) => location.split('/').at(-1) ?? ''
const usersOf = async (provider: Provider): Promise<string[]> =>
  (await provider.request('GET', '/Users')).body.Resources.map(({ userName }: { userName: string }) => userName).sort()

test('/Bulk takes POST alone', async ({ okta }) => {
  const answer = await okta.request('GET', '/Bulk')
  expect(answer.status).toBe(405)
  expect(answer.headers.get('allow')).toBe('POST')
})

test('people and groups with them are made, whichever comes first, and the results are in the given order', async ({
  okta,
  acme,
}) => {
  const results = await bulk(okta, [group('G', 'bulkId:ada', 'bulkId:bob'), user('bob'), { ...user('ada'), method: 'post' }])
  expect(statuses(results)).toEqual([201, 201, 201])
  expect(results).toMatchObject([{ bulkId: 'G' }, { bulkId: 'bob' }, { bulkId: 'ada', method: 'POST' }])
  expect(await acme.membersOf('G')).toEqual(['ada', 'bob'])
})

test('what was made is changed and deleted by its bulkId, in the same request', async ({ okta, acme }) => {
  const results = await bulk(okta, [
    user('ada'),
    user('bob'),
    user('cyd'),
    group('G', 'bulkId:ada'),
    patch('/Groups/bulkId:G', { op: 'add', path: 'members', value: [{ value: 'bulkId:bob' }, { value: 'bulkId:cyd' }] }),
    patch('/Groups/bulkId:G', { op: 'remove', path: 'members[value eq "bulkId:ada"]' }),
    { method: 'PUT', path: '/Users/bulkId:bob', bulkId: 'again', data: { userName: 'bob', displayName: 'Bob' } },
    { method: 'DELETE', path: '/Users/bulkId:cyd' },
  ])
  expect(statuses(results)).toEqual([201, 201, 201, 201, 204, 204, 200, 204])
  expect(results[6]).toMatchObject({ bulkId: 'again', location: results[1]?.location })
  expect(await acme.membersOf('G')).toEqual(['bob'])
  expect(await acme.person('bob')).toMatchObject({ displayName: 'Bob' })
  expect((await okta.request('GET', results[2]?.location ?? '')).status).toBe(404)
})

test('one that fails changes nothing, and the others are done; what refers to it fails with it', async ({ okta, server }) => {
  await okta.knows('ada')
  const ada = `/Users/${okta.idOfPerson('ada')}`
  const results = await bulk(okta, [
    user('twin', 'Ada'),
    patch(ada, { op: 'replace', path: 'displayName', value: 'Lost' }, { op: 'replace', path: 'nope', value: 1 }),
    group('G', 'bulkId:twin'),
    { method: 'DELETE', path: '/Groups/bulkId:G' },
    user('bob'),
    'nonsense',
    { method: 'PATCH', path: '/Me', data: {} },
    patch('/Users/bulkId:bob', { op: 'replace', path: 'nope', value: 1 }),
  ])
  expect(results).toEqual([
    {
      method: 'POST',
      bulkId: 'twin',
      status: '409',
      response: expect.objectContaining({ status: '409', scimType: 'uniqueness' }),
    },
    {
      method: 'PATCH',
      location: `${server.url}/scim/v2${ada}`,
      status: '400',
      response: expect.objectContaining({ scimType: 'invalidPath' }),
    },
    {
      method: 'POST',
      bulkId: 'G',
      status: '409',
      response: expect.objectContaining({ detail: expect.stringMatching(/"twin" failed/) }),
    },
    { method: 'DELETE', status: '409', response: expect.objectContaining({ detail: expect.stringMatching(/"G" failed/) }) },
    expect.objectContaining({ status: '201' }),
    { status: '400', response: expect.objectContaining({ scimType: 'invalidSyntax' }) },
    { method: 'PATCH', status: '400', response: expect.objectContaining({ scimType: 'invalidValue' }) },
    expect.objectContaining({ method: 'PATCH', status: '400', location: results[4]?.location }),
  ])
  expect(await usersOf(okta)).toEqual(['ada', 'bob'])
  expect((await okta.request('GET', ada)).body.displayName).toBe('ada')
})

test('after failOnErrors errors nothing more is done', async ({ okta }) => {
  const operations = [user('ada'), user('twin', 'ada'), user('bob'), user('other', 'ada'), user('cyd')]
  expect(statuses(await bulk(okta, operations, { failOnErrors: 2 }))).toEqual([201, 409, 201, 409])
  expect(await usersOf(okta)).toEqual(['ada', 'bob'])
  expect(statuses(await bulk(okta, [user('cyd'), user('twin', 'ada'), user('dee')], { failOnErrors: 2 }))).toEqual([
    201, 409, 201,
  ])
})

test('what is no bulk request is refused whole', async ({ okta }) => {
  for (const body of [[], {}, { schemas, Operations: [] }, { schemas: ['urn:x'], Operations: [user('ada')] }])
    expect(await okta.request('POST', '/Bulk', body)).toMatchObject({
      status: 400,
      body: { status: '400', scimType: 'invalidSyntax' },
    })
  expect(await usersOf(okta)).toEqual([])
})

test('nobody is reached who could not be reached by a request of its own', async ({ okta, entra, acme, api }) => {
  await acme.has({ group: 'Admins', members: ['root'] })
  await api('PATCH', '/people/root', { isProtected: true })
  await acme.grants('Admins', 'site/product/user', { isDefault: true })
  await entra.knows('theirs')
  const [off, blocked, foreign] = await bulk(okta, [
    { ...user('root'), data: { userName: 'root', active: false } },
    group('Admins'),
    { method: 'DELETE', path: `/Users/${entra.idOfPerson('theirs')}` },
  ])
  expect([off?.status, blocked?.status, foreign?.status]).toEqual(['201', '201', '404'])
  expect(await acme.person('root')).toMatchObject({ active: true })
  expect(await okta.request('GET', blocked?.location ?? '')).toMatchObject({
    body: { 'urn:muster:params:scim:schemas:extension:sync:1.0:Group': { state: 'blocked', reasons: ['default_access_group'] } },
  })
  const missing = await okta.request('DELETE', `/Users/${crypto.randomUUID()}`)
  expect(foreign?.response).toEqual(missing.body)
})

test('a provider’s departures are read as in a request of its own', async ({ entra, acme }) => {
  const [, , made] = await bulk(entra, [user('ada'), user('bob'), group('G', 'bulkId:ada', 'bulkId:bob')])
  const results = await bulk(entra, [
    patch(`/Groups/${idOf(made as Result)}`, { op: 'Remove', path: 'members', value: [{ $ref: null, value: 'x' }] }),
    { ...user('cyd'), data: { userName: 'cyd', active: 'False', manager: null } },
    patch('/Users/bulkId:cyd', { op: 'Replace', path: 'emails[type eq "work"].value', value: 'cyd@example.org' }),
  ])
  expect(statuses(results)).toEqual([204, 201, 200])
  expect(await acme.membersOf('G')).toEqual(['ada', 'bob'])
  expect(await acme.person('cyd')).toMatchObject({ active: false, email: 'cyd@example.org' })
})

test('people of whom some are known here are made as one by one', async ({ okta, acme }) => {
  await acme.has({ group: 'Here', members: ['ada', 'bob'] })
  // The directory has a user of this name; the account, found by the e-mail, has another.
  await okta.request('POST', '/Users', { userName: 'alias', emails: [{ value: 'bob@example.org' }] })
  await okta.pushes({ group: 'G', members: ['dee'] })
  const results = await bulk(okta, [
    user('cyd'),
    user('ada'),
    { ...user('nameless'), data: {} },
    user('dee'),
    user('alias'),
    user('twin', 'CYD'),
    user('eve'),
  ])
  expect(statuses(results)).toEqual([201, 201, 400, 201, 409, 409, 201])
  expect(await usersOf(okta)).toEqual(['ada', 'alias', 'cyd', 'dee', 'eve'])
  expect(await okta.membersOf('G')).toEqual([idOf(results[3] as Result)])
  expect(await acme.person('ada')).toMatchObject({ ownedBy: { name: 'okta' } })
})

test('a thousand operations are done', async ({ okta }) => {
  const people = Array.from({ length: 999 }, (_, at) => user(`p${at}`))
  const results = await bulk(okta, [...people, group('All', ...people.map(({ bulkId }) => `bulkId:${bulkId}`))])
  expect(new Set(statuses(results))).toEqual(new Set([201]))
  const { body } = await okta.request('GET', results.at(-1)?.location ?? '')
  expect(body.members.map(({ value }: { value: string }) => value).sort()).toEqual(results.slice(0, -1).map(idOf).sort())
})

test('operations that a slow request does not come to are told so, and not done', async ({ db, okta }) => {
  let now = 0
  const app = await buildApp({
    db,
    jobs: { send: () => Promise.reject(new Error('no jobs here')) },
    publicUrl: 'http://localhost',
    version: '0',
    clock: () => now++ * 1_000,
  })
  const answer = await app.inject({
    method: 'POST',
    url: '/scim/v2/Bulk',
    headers: { authorization: `Bearer ${okta.directory.token}`, 'content-type': 'application/scim+json' },
    payload: { schemas, Operations: Array.from({ length: 60 }, (_, at) => patch(`/Users/${at}`)) },
  })
  await app.close()
  expect(answer.statusCode).toBe(200)
  const { Operations } = answer.json() as { Operations: Result[] }
  expect(Operations).toHaveLength(60)
  expect(Operations[0]?.status).toBe('404')
  const late = Operations.filter(({ status }) => status === '503')
  expect(late.length).toBeGreaterThan(10)
  expect(late.at(-1)?.response.detail).toMatch(/was not begun/)
  expect(Operations.slice(-late.length)).toEqual(late)
})

test('once the client has gone away, nothing more is begun', async ({ okta, inOrg, db, server }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'G' })
  const id = okta.idOf('G') as ProvisionedGroupId
  const gone = send(`${server.url}/scim/v2/Bulk`, {
    method: 'POST',
    headers: { authorization: `Bearer ${okta.directory.token}`, 'content-type': 'application/scim+json' },
  })
  gone.on('error', () => {})
  await inOrg(async (trx) => {
    await lockProvisionedGroup(trx, (await findDirectory(trx, okta.directory.name)).id, id)
    const members = patch(`/Groups/${id}`, { op: 'add', path: 'members', value: [{ value: okta.idOfPerson('ada') }] })
    gone.end(JSON.stringify({ schemas, Operations: [members, ...Array.from({ length: 99 }, (_, at) => user(`p${at}`))] }))
    await someoneWaits(db)
    gone.destroy()
    // Another request of the same server: by its answer, the server has seen the first one's end.
    await okta.request('GET', '/Users')
  })
  while ((await okta.membersOf('G')).length === 0);
  // Where more was begun, some of the 99 would be there by one of these answers.
  for (let count = 0; count < 20; count++) expect(await usersOf(okta)).toEqual(['ada'])
})

test('four bulks of a directory are worked on at once; further ones wait their turn, and hold no connection', async ({
  okta,
  inOrg,
  db,
}) => {
  await okta.pushes({ group: 'G' })
  const id = okta.idOf('G') as ProvisionedGroupId
  const bulks: ReturnType<typeof okta.request>[] = []
  await inOrg(async (trx) => {
    await lockProvisionedGroup(trx, (await findDirectory(trx, okta.directory.name)).id, id)
    const rename = (at: number) => patch(`/Groups/${id}`, { op: 'replace', path: 'externalId', value: `x${at}` })
    for (let at = 0; at < 7; at++) bulks.push(okta.request('POST', '/Bulk', { schemas, Operations: [rename(at)] }))
    await someoneWaits(db, { many: 4 })
    // By these answers, the server has seen the others too.
    for (let count = 0; count < 10; count++) expect((await okta.request('GET', '/Users')).status).toBe(200)
    const { rows } = await db.pool.query(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    expect(rows).toEqual([{ n: 4 }])
  })
  for (const { status, body } of await Promise.all(bulks)) expect([status, body.Operations[0].status]).toEqual([200, '204'])
})
