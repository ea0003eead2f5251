import { inTransaction } from '../../src/database/transaction.ts'
import { findDirectory } from '../../src/provisioning/directories.ts'
import { expect, test } from '../support/world.ts'

test('a directory is created with its first token, shown once', async ({ api, scim, server }) => {
  const made = await api('POST', '/directories', { name: 'Okta', provider: 'okta' })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({
    name: 'Okta',
    provider: 'okta',
    conflictPolicy: 'review',
    unknownMembers: 'record',
    strict: false,
    quietSeconds: 120,
    emailDomains: [],
    scimUrl: `${server.url}/scim/v2`,
    token: expect.stringMatching(/^muster_scim_/),
    tokenExpiresAt: expect.any(String),
  })
  const shown = await api('GET', '/directories/okta')
  expect(shown.status).toBe(200)
  expect(JSON.stringify(shown.body)).not.toContain(made.body.token)
  expect((await scim('GET', '/Nowhere', undefined, { token: made.body.token })).status).toBe(404)
})

test('a directory is found by its id and by its name in any case, percent-encoded', async ({ api }) => {
  const { body: made } = await api('POST', '/directories', { name: 'Entra / Nord', provider: 'entra' })
  expect(made.quietSeconds).toBe(3600)
  for (const path of [made.id, 'entra%20%2F%20nord', encodeURIComponent('ENTRA  / NORD')]) {
    expect((await api('GET', `/directories/${path}`)).body.id, path).toBe(made.id)
  }
})

test('an empty directory has received nothing and is not complete', async ({ api, org }) => {
  await org.directory()
  const { body } = await api('GET', '/directories/okta')
  const none = { received: 0, synced: 0, needsReview: 0, blocked: 0, held: 0, ignored: 0 }
  expect(body).toMatchObject({
    groups: none,
    users: none,
    unknownMembersCount: 0,
    complete: false,
    lastPush: null,
    lastError: null,
  })
})

test('settings are changed one by one, and what changes nothing writes nothing', async ({ api, inOrg, org }) => {
  const { id } = await org.directory()
  const changed = await api('PATCH', `/directories/${id}`, {
    conflictPolicy: 'refuse',
    emailDomains: ['Example.org', '@example.org'],
  })
  expect(changed.body).toMatchObject({
    name: 'okta',
    conflictPolicy: 'refuse',
    unknownMembers: 'record',
    emailDomains: ['example.org'],
  })
  await api('PATCH', `/directories/${id}`, { conflictPolicy: 'refuse' })
  const entries = await inOrg((trx) =>
    trx
      .selectFrom('log_entries')
      .select(['actor', 'facts'])
      .where('action', '=', 'directory.updated')
      .where('org_id', '=', org.id)
      .execute(),
  )
  expect(entries).toEqual([
    {
      actor: 'token:tests owner',
      facts: {
        name: 'okta',
        before: { conflictPolicy: 'review', emailDomains: [] },
        after: { conflictPolicy: 'refuse', emailDomains: ['example.org'] },
      },
    },
  ])
})

test('a strict directory refuses what no schema has, applies nothing of it, and says why', async ({ api, org, scim }) => {
  const { token } = await org.directory()
  const push = (userName: string) => scim('POST', '/Users', { userName, dispalyName: 'x' }, { token })
  expect((await push('ada')).status).toBe(201)
  expect((await api('PATCH', '/directories/okta', { strict: true })).body.strict).toBe(true)
  const refused = await push('bob')
  expect(refused).toMatchObject({
    status: 400,
    body: { scimType: 'invalidSyntax', detail: expect.stringContaining('"dispalyName"') },
  })
  expect((await scim('GET', '/Users', undefined, { token })).body.totalResults).toBe(1)
  expect((await api('PATCH', '/directories/okta', { strict: false })).body.strict).toBe(false)
  expect((await push('bob')).status).toBe(201)
})

test('a name is taken in every case of it', async ({ api }) => {
  await api('POST', '/directories', { name: 'Straße', provider: 'other' })
  const again = await api('POST', '/directories', { name: 'STRASSE', provider: 'other' })
  expect(again).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:name_taken', status: 409 } })
  await api('POST', '/directories', { name: 'two', provider: 'other' })
  expect((await api('PATCH', '/directories/two', { name: 'strasse' })).status).toBe(409)
})

test('wrong settings are refused with a sentence', async ({ api }) => {
  const wrong: [object, RegExp][] = [
    [{ name: ' ', provider: 'okta' }, /name/],
    [{ name: 'a'.repeat(256), provider: 'okta' }, /255/],
    [{ name: 'ok\u202eta', provider: 'okta' }, /U\+202E/],
    [{ name: 'x', provider: 'oktopus' }, /provider/],
    [{ provider: 'okta' }, /name/],
    [{ name: 'x', provider: 'okta', quietSeconds: -1 }, /quietSeconds/],
    [{ name: 'x', provider: 'okta', quietSeconds: '5' }, /quietSeconds/],
    [{ name: 'x', provider: 'okta', conflictPolicy: 'merge' }, /conflictPolicy/],
    [{ name: 'x', provider: 'okta', emailDomains: ['nodot'] }, /nodot/],
    [{ name: 'x', provider: 'okta', surprise: 1 }, /surprise|additional/],
  ]
  for (const [body, sentence] of wrong) {
    const answer = await api('POST', '/directories', body)
    expect(answer.status, JSON.stringify(body)).toBe(400)
    expect(`${answer.body.detail} ${JSON.stringify(answer.body.errors)}`).toMatch(sentence)
  }
})

test('the list is paged, searched and sorted by the server', async ({ api, org }) => {
  for (const name of ['Alpha', 'beta', 'Gamma']) await org.directory({ name })
  const names = async (query: string) => {
    const { status, body } = await api('GET', `/directories${query}`)
    return status === 200 ? [body.total, ...body.items.map((item: { name: string }) => item.name)] : [status, body.type]
  }
  expect(await names('')).toEqual([3, 'Alpha', 'beta', 'Gamma'])
  expect(await names('?sort=-name&limit=2')).toEqual([3, 'Gamma', 'beta'])
  expect(await names('?offset=2&limit=0')).toEqual([3, 'Gamma'])
  expect(await names('?offset=9')).toEqual([3])
  expect(await names('?search=ET')).toEqual([1, 'beta'])
  expect(await names('?search=%25')).toEqual([0])
  expect(await names('?sort=colour')).toEqual([400, 'urn:muster:problem:invalid_value'])
  expect(await names('?limit=1001')).toEqual([400, 'urn:muster:problem:invalid_request'])
  expect(await names('?limt=1')).toEqual([400, 'urn:muster:problem:invalid_request'])
})

test('an id goes before a directory that is named like one', async ({ db, org }) => {
  const first = await org.directory({ name: 'first' })
  await org.directory({ name: first.id })
  const found = await inTransaction(db, org.scope, (trx) => findDirectory(trx, first.id))
  expect(found.name).toBe('first')
})
