import { newId } from '../../src/database/ids.ts'
import { clientOf } from '../support/clients.ts'
import { startTestServer } from '../support/server.ts'
import { expect, type Provider, test } from '../support/story.ts'

// Rules 1 to 9 of docs/specification/rules.md, as they touch SCIM.

const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchOf = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })

test('rule 1: what is another organization’s or directory’s and what is missing are the same 404, byte for byte', async ({
  okta,
  entra,
  db,
  second,
}) => {
  await entra.knows('ada')
  await entra.pushes({ group: 'G' })
  const theirs = (await db.pool.query(
    `select set_config('muster.org_id', '${second.orgId}', true); select (select id from provisioned_users) as "user", (select id from provisioned_groups) as "group"`,
  )) as unknown as { rows: { user: string; group: string }[] }[]
  const foreign = theirs[1]?.rows[0]
  if (!foreign) throw new Error('The second organization has pushed a user and a group.')
  const bodies: [string, unknown?][] = [
    ['GET'],
    ['PUT', { schemas: [user], userName: 'x', displayName: 'x' }],
    ['PATCH', patchOf({ op: 'replace', path: 'displayName', value: 'x' })],
    ['PATCH', patchOf({ op: 'add', path: 'members', value: [] })],
    ['DELETE'],
  ]
  for (const [method, body] of bodies) {
    const answerTo = async (path: string) => {
      const { status, headers, body: text } = await okta.request(method, path, body)
      return {
        status,
        headers: [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
        body: JSON.stringify(text),
      }
    }
    for (const [kind, here, there] of [
      ['Users', entra.idOfPerson('ada'), foreign.user],
      ['Groups', entra.idOf('G'), foreign.group],
    ] as const) {
      if (kind === 'Users' && JSON.stringify(body)?.includes('members')) continue
      const missing = await answerTo(`/${kind}/${newId()}`)
      expect(missing.status, `${method} ${kind}`).toBe(404)
      for (const id of [here, there, 'nonsense'])
        expect(await answerTo(`/${kind}/${id}`), `${method} ${kind}/${id}`).toEqual(missing)
    }
  }
  for (const [path, id] of [
    ['/Users', foreign.user],
    ['/Groups', foreign.group],
    ['/Users', entra.idOfPerson('ada')],
  ])
    expect((await okta.request('GET', `${path}?filter=${encodeURIComponent(`id eq "${id}"`)}`)).body.totalResults).toBe(0)
})

test('rule 1: a user of another organization or directory as a member is nobody', async ({ okta, entra, acme, db, second }) => {
  await entra.knows('ada')
  const theirs = (await db.pool.query(
    `select set_config('muster.org_id', '${second.orgId}', true); select id from provisioned_users`,
  )) as unknown as { rows: { id: string }[] }[]
  const members = [entra.idOfPerson('ada'), theirs[1]?.rows[0]?.id ?? '']
  expect(await okta.pushes({ group: 'G', members })).toBe(201)
  expect(await okta.adds('G', members)).toBe(204)
  expect(await acme.membersOf('G')).toEqual([])
  expect(await okta.membersOf('G')).toEqual([])
})

test('rule 2: id, meta, groups and what no schema has are dropped from a body, however it is sent', async ({ okta }) => {
  await okta.knows('bob')
  const more = {
    id: okta.idOfPerson('bob'),
    meta: { created: '2000-01-01T00:00:00Z', version: 'x' },
    groups: [{ value: 'x' }],
    nope: { a: 1 },
  }
  const made = await okta.request('POST', '/Users', { schemas: [user], userName: 'ada', ...more })
  expect(made.status).toBe(201)
  const path = `/Users/${made.body.id}`
  const answers = [
    made,
    await okta.request('PUT', path, { schemas: [user], userName: 'ada', ...more }),
    await okta.request('PATCH', path, patchOf({ op: 'replace', value: more })),
    await okta.request('GET', path),
  ]
  for (const { body } of answers) expect(body).toEqual(made.body)
  expect(Object.keys(made.body).sort()).toEqual(['active', 'id', 'meta', 'schemas', 'userName'])
  expect(made.body.id).not.toBe(more.id)
})

test('rule 3: an externalId is exact, one directory’s own, and leads to no account', async ({ okta, entra, acme, inOrg }) => {
  await acme.has({ group: 'G', members: ['ada'] })
  const account = (await acme.person('ada')).id as string
  const post = (provider: Provider, userName: string, externalId: string) =>
    provider.request('POST', '/Users', { schemas: [user], userName, externalId })
  const found = async (provider: Provider, externalId: string) =>
    (await provider.request('GET', `/Users?filter=${encodeURIComponent(`externalId eq "${externalId}"`)}`)).body.totalResults
  for (const externalId of ['ada', 'ada@example.org', account])
    expect((await post(okta, `x-${externalId}`, externalId)).status).toBe(201)
  expect((await post(entra, 'y', 'ada')).status).toBe(201)
  expect([await found(okta, 'ada'), await found(okta, 'ADA'), await found(entra, 'ada')]).toEqual([1, 0, 1])
  const matched = await inOrg((trx) =>
    trx
      .selectFrom('provisioned_users')
      .select('matched_by')
      .where('account_id', '=', account as never)
      .execute(),
  )
  expect(matched).toEqual([])
})

test('rule 4: adopting an account changes no identifier of it; one with console rights or of another directory is not adopted', async ({
  okta,
  entra,
  acme,
  api,
}) => {
  await acme.has({ group: 'G', members: ['ada', 'root'] })
  await api('PATCH', '/people/root', { isProtected: true })
  const push = (provider: Provider, userName: string, email: string, active = true) =>
    provider.request('POST', '/Users', {
      schemas: [user],
      userName,
      active,
      displayName: 'Somebody',
      emails: [{ value: email, primary: true }],
    })
  await push(okta, 'ada.lovelace', 'ADA@example.org')
  expect(await acme.person('ada')).toMatchObject({ userName: 'ada', email: 'ada@example.org', displayName: 'Somebody' })
  await push(entra, 'ada', 'ada@example.org', false)
  await push(okta, 'root', 'root@example.org', false)
  expect(await acme.person('ada')).toMatchObject({ active: true })
  expect(await acme.person('root')).toMatchObject({ active: true, displayName: 'root', email: 'root@example.org' })
})

test('rule 5: what may not be done to a person or a group may not be done through any of a provider’s doors', async ({
  okta,
  acme,
  api,
}) => {
  await acme.has({ group: 'Guarded', members: ['root'] })
  await acme.protects('Guarded')
  await api('PATCH', '/people/root', { isProtected: true })
  await okta.knows('root', 'ada')
  const root = `/Users/${okta.idOfPerson('root')}`
  await okta.request('PATCH', root, patchOf({ op: 'replace', value: { active: false } }))
  await okta.request('PUT', root, { schemas: [user], userName: 'root', active: false })
  await okta.request('DELETE', root)
  expect(await acme.person('root')).toMatchObject({ active: true })
  expect(await okta.pushes({ group: 'guarded', members: ['ada'] })).toBe(201)
  await okta.replaces('guarded', [])
  await okta.request('PUT', `/Groups/${okta.idOf('guarded')}`, { schemas: [group], displayName: 'Guarded', members: [] })
  await okta.renames('guarded', 'Other')
  await okta.deletes('Other')
  expect(await acme.membersOf('Guarded')).toEqual(['root'])
})

test('rule 7: a token shows in no answer, no line of the log and no row but as its hash', async ({ org, database, inOrg }) => {
  const lines: string[] = []
  const server = await startTestServer(database, { stream: { write: (line: string) => void lines.push(line) } })
  try {
    const { token } = await org.directory()
    const scim = clientOf(`${server.url}/scim/v2`, 'application/scim+json', token)
    const answers = [
      await scim('POST', '/Users', { schemas: [user], userName: 'ada' }),
      await scim('GET', `/Users?filter=${encodeURIComponent('userName eq "ada"')}&access_token=${token}`),
      await scim('POST', '/Users', `{"${token}`),
      await scim('GET', '/Nowhere', undefined, { token: `${token.slice(0, -1)}x` }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 400, 401])
    const shown = JSON.stringify(answers.map(({ body, headers }) => [body, [...headers]]))
    expect(shown).not.toContain(token.slice(0, -6))
    await server.stop()
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.join('')).not.toContain(token.slice(0, -6))
    const rows = await inOrg(async (trx) => [
      await trx.selectFrom('log_entries').selectAll().execute(),
      await trx.selectFrom('directories').selectAll().execute(),
      await trx.selectFrom('directory_tokens').selectAll().execute(),
    ])
    expect(JSON.stringify(rows)).not.toContain(token.slice(0, -6))
  } finally {
    await server.stop()
  }
})

test('rule 8: one 401 for all causes, with WWW-Authenticate, and nothing told of a path', async ({ org, scim, api }) => {
  const { token } = await org.directory()
  const { body: made } = await api('POST', '/directories/okta/tokens')
  const { body: listed } = await api('GET', '/directories/okta/tokens')
  await api(
    'DELETE',
    `/directories/okta/tokens/${listed.items.find((one: { hint: string }) => made.token.endsWith(one.hint)).id}`,
  )
  const given = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer  ',
    `Basic ${btoa(`x:${token}`)}`,
    `Bearer ${token}x`,
    `Bearer ${made.token}`,
    `Bearer ${org.adminToken}`,
    token,
  ]
  const answers = new Set<string>()
  for (const path of ['/Users', '/Nowhere'])
    for (const authorization of given) {
      const { status, headers, body } = await scim('GET', path, undefined, { headers: { authorization } })
      expect(status, authorization).toBe(401)
      answers.add(JSON.stringify([headers.get('www-authenticate'), headers.get('content-type'), body]))
    }
  expect([...answers].map((text) => JSON.parse(text)[0])).toEqual(['Bearer'])
})

test('rule 9: who is switched off has no access from that request on, through each door, and no omission revives', async ({
  okta,
  acme,
}) => {
  const off: Record<string, (path: string) => Promise<unknown>> = {
    patch: (path) => okta.request('PATCH', path, patchOf({ op: 'replace', path: 'active', value: false })),
    put: (path) => okta.request('PUT', path, { schemas: [user], userName: 'put', active: false }),
    delete: (path) => okta.request('DELETE', path),
  }
  for (const [name, switchOff] of Object.entries(off)) {
    await okta.knows(name)
    await okta.pushes({ group: `G ${name}`, members: [name] })
    await acme.grants(`G ${name}`, 'site/wiki/user')
    expect(await acme.accessOf(name)).toEqual(['site/wiki/user'])
    const path = `/Users/${okta.idOfPerson(name)}`
    await switchOff(path)
    expect(await acme.accessOf(name), name).toEqual([])
    if (name === 'delete') continue
    await okta.request('PUT', path, { schemas: [user], userName: name, title: 'x' })
    await okta.request('PATCH', path, patchOf({ op: 'remove', path: 'active' }))
    await okta.adds(`G ${name}`, [name])
    expect(await acme.accessOf(name), name).toEqual([])
    await okta.switches(name, 'on')
    expect(await acme.accessOf(name), name).toEqual(['site/wiki/user'])
  }
})
