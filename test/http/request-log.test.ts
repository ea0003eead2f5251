import { sql } from 'kysely'
import { connect } from '../../src/database/connection.ts'
import { newId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { buildApp } from '../../src/http/app.ts'
import { mostWaiting } from '../../src/http/scim/request-log.ts'
import { findDirectory } from '../../src/provisioning/directories.ts'
import { listRequests } from '../../src/provisioning/request-list.ts'
import { forgetRequests } from '../../src/provisioning/requests.ts'
import { everywhere } from '../../src/server/workers.ts'
import type { Client } from '../support/clients.ts'
import { expect, test as story } from '../support/story.ts'

interface Line {
  id: string
  at: string
  method: string
  path: string
  status: number
  times: number
  outcome: string
  asked: string | null
  resource: { kind: string; name: string | null } | null
  token: { hint: string } | null
}
type Steps = [what: string, holds: boolean | null, text: string][]

/** The request log of the directory okta, and the five steps of its newest request. */
interface Log {
  lines(query?: string): Promise<Line[]>
  steps(query?: string): Promise<Steps>
}

const test = story.extend<{ log: Log }>({
  log: async ({ api }, use) => use(logOf(api)),
})

const jobs = { send: () => Promise.reject(new Error('no jobs here')) }

function logOf(api: Client): Log {
  const lines = async (query = '') => (await api('GET', `/directories/okta/requests${query}`)).body.items as Line[]
  return {
    lines,
    steps: async (query) => {
      const [newest] = await lines(query)
      const { body } = await api('GET', `/directories/okta/requests/${newest?.id}`)
      return body.steps.map(({ what, holds, text }: { what: string; holds: boolean | null; text: string }) => [what, holds, text])
    },
  }
}

const accepted = ['token', true, expect.stringMatching(/^The token that ends in .{4} was accepted\.$/)]

test('a search says what was asked and how many were found', async ({ okta, log }) => {
  await okta.knows('ada')
  await okta.request('GET', '/Users?filter=userName eq "ADA"&startIndex=1&count=100', undefined, {
    headers: { 'user-agent': 'Okta SCIM Client 1.0.0' },
  })
  expect((await log.lines())[0]).toMatchObject({
    method: 'GET',
    path: '/scim/v2/Users',
    status: 200,
    userAgent: 'Okta SCIM Client 1.0.0',
    times: 1,
    asked: 'filter userName eq "ADA"',
    outcome: '1 found.',
    token: { hint: okta.directory.token.slice(-4) },
  })
  expect(await log.steps()).toEqual([
    accepted,
    ['parsed', true, 'It asks to filter userName eq "ADA".'],
    ['matched', true, '1 found.'],
    ['decided', true, 'It only reads.'],
    ['applied', true, 'It changes nothing.'],
  ])
})

test('a new person says who was matched, and by what', async ({ acme, okta, log }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  await okta.knows('ada')
  expect(await log.steps()).toEqual([
    accepted,
    ['parsed', true, 'It asks to create the user "ada".'],
    ['matched', true, 'The person is here: found by e-mail.'],
    ['decided', true, 'The directory owns the account; what is pushed follows at once.'],
    ['applied', true, 'The pushed user "ada" was made; the account changed: owner.'],
  ])
  await okta.knows('new')
  expect((await log.steps()).slice(2)).toEqual([
    ['matched', true, 'Nobody here fits: a new person.'],
    ['decided', true, 'The directory owns the account.'],
    ['applied', true, 'The account "new" was made; the pushed user "new" was made.'],
  ])
})

test('a group whose name is taken says that it waits, and who', async ({ acme, okta, log }) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'engineering', members: ['ada', 'cyd'] })
  expect((await log.lines())[0]).toMatchObject({ status: 201, resource: { kind: 'group', name: 'engineering' } })
  expect(await log.steps()).toEqual([
    accepted,
    ['parsed', true, 'It asks to create the group "engineering" with 2 members.'],
    ['matched', true, 'A group of that name is here.'],
    ['decided', true, 'It needs review, because its name was taken; what is pushed waits, and nothing in force changes.'],
    ['applied', true, 'The pushed group "engineering" was made; pushed, not in force: cyd; not pushed, still in force: bob.'],
  ])
})

test('a change of members says who was added and removed, at once or not, and who is unknown', async ({ okta, log }) => {
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  await okta.request('PATCH', `/Groups/${okta.idOf('Sales')}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [
      { op: 'add', path: 'members', value: [{ value: okta.idOfPerson('bob') }, { value: 'stranger' }] },
      { op: 'remove', path: `members[value eq "${okta.idOfPerson('ada')}"]` },
    ],
  })
  expect(await log.steps()).toEqual([
    accepted,
    ['parsed', true, 'It asks to add 2 members, remove 1 member.'],
    ['matched', true, 'The pushed group "Sales".'],
    ['decided', true, 'What is pushed follows at once; 1 member that no user of the directory is: recorded.'],
    ['applied', true, 'Added bob; removed ada; recorded as unknown: stranger.'],
  ])
})

test('what changes nothing says so', async ({ okta, log }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  await okta.adds('Sales', ['ada'])
  expect((await log.steps()).slice(1)).toEqual([
    ['parsed', true, 'It asks to add 1 member.'],
    ['matched', true, 'The pushed group "Sales".'],
    ['decided', true, 'Nothing differs from what was pushed before.'],
    ['applied', true, 'Nothing changed.'],
  ])
})

test('renaming, switching off, deleting: what was asked and what was done', async ({ okta, log }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  const last = async () =>
    (await log.steps()).flatMap(([what, , text]) => (what === 'parsed' || what === 'applied' ? [text] : []))
  await okta.renames('Sales', 'Selling')
  expect(await last()).toEqual([
    'It asks to name it "Selling".',
    'Its pushed name is "Selling"; the group "Sales" is called "Selling".',
  ])
  await okta.switches('ada', 'off')
  expect(await last()).toEqual([
    'It asks to replace active false.',
    'What is pushed of the user changed: active; the account was switched off.',
  ])
  await okta.deletes('Selling')
  expect(await last()).toEqual(['It asks to delete.', 'The pushed group "Selling" is gone.'])
  await okta.deletesPerson('ada')
  expect(await last()).toEqual(['It asks to delete.', 'The pushed user "ada" is gone; the account changed: owner.'])
  expect((await log.lines('?limit=2')).map(({ resource }) => resource?.name)).toEqual(['ada', 'Selling'])
})

test('what is refused says at which step, and why', async ({ okta, log }) => {
  await okta.pushes({ group: 'Sales' })
  await okta.pushes({ group: 'SALES' })
  expect((await log.steps()).slice(1)).toEqual([
    ['parsed', true, 'It asks to create the group "SALES".'],
    ['matched', true, 'Nothing had to be matched.'],
    ['decided', false, expect.stringMatching(/^Resource \[GROUP\] with displayName "SALES" already exists\./)],
    ['applied', null, 'Not reached.'],
  ])
  await okta.request('POST', '/Users', '{')
  expect((await log.steps()).slice(1, 3)).toEqual([
    ['parsed', false, 'The body is not valid JSON.'],
    ['matched', null, 'Not reached.'],
  ])
  await okta.adds(newId(), [])
  await okta.request('GET', `/Groups/${newId()}`)
  expect((await log.steps()).slice(1, 4)).toEqual([
    ['parsed', true, 'It asks to read.'],
    ['matched', false, 'There is no such group in this directory.'],
    ['decided', null, 'Not reached.'],
  ])
  const statuses = async (query: string) => (await log.lines(query)).map(({ status }) => status)
  expect(await statuses('?status=failed')).toEqual([404, 404, 400, 409])
  expect(await statuses('?status=4xx&search=Already')).toEqual([409])
  expect(await statuses('?status=2xx&method=POST')).toEqual([201])
})

test('what is refused before it is read is there too: its size, its type, its path', async ({ okta, log }) => {
  await okta.request('POST', '/Users', 'x'.repeat(1024 * 1024 + 1))
  await okta.request('POST', '/Users', 'x', { headers: { 'content-type': 'text/plain' } })
  await okta.request('POST', '/Users', '{}', { headers: { 'content-encoding': 'gzip' } })
  await okta.request('GET', '/Nowhere')
  await okta.request('PATCH', '/Users', {})
  await okta.request('GET', '/Me')
  expect((await log.lines()).map(({ status, outcome }) => [status, outcome])).toEqual([
    [501, expect.any(String)],
    [405, 'This path takes GET, HEAD, POST.'],
    [404, 'There is no such resource.'],
    [415, expect.stringContaining('not compressed')],
    [415, expect.stringContaining('application/scim+json')],
    [413, expect.stringContaining('larger than this path accepts')],
  ])
})

test('a token that is revoked or expired is told of in the log of its directory, and in its answer not', async ({
  api,
  inOrg,
  okta,
  org,
  scim,
  log,
}) => {
  const second = (await api('POST', '/directories/okta/tokens', {})).body
  await api('DELETE', `/directories/okta/tokens/${second.id}`)
  const revoked = await scim('GET', '/Users', undefined, { token: second.token })
  for (let count = 0; count < 3; count++) await scim('GET', '/Users', undefined, { token: second.token })
  expect(await log.lines()).toMatchObject([{ status: 401, times: 4, outcome: expect.stringContaining('is revoked') }])
  expect(await log.steps()).toEqual([
    ['token', false, `The token that ends in ${second.token.slice(-4)} is revoked.`],
    ...['parsed', 'matched', 'decided', 'applied'].map((what) => [what, null, 'Not reached.']),
  ])
  await inOrg((trx) =>
    sql`update directory_tokens set expires_at = now() where org_id = ${org.id} and revoked_at is null`.execute(trx),
  )
  const expired = await okta.request('GET', '/Users')
  expect((await log.steps())[0]).toEqual(['token', false, expect.stringMatching(/ has expired\.$/)])
  const unknown = await scim('GET', '/Users', undefined, { token: 'wrong' })
  for (const { status, body } of [revoked, expired]) expect({ status, body }).toEqual({ status: 401, body: unknown.body })
})

test('no secret is in it: no password, no token, no filter on a password, no query', async ({ api, okta, inOrg }) => {
  const { token } = okta.directory
  await okta.request('POST', '/Users', { userName: 'ada', password: 'correct horse', emails: [{ value: 'ada@example.org' }] })
  await okta.request('GET', '/Users?filter=password eq "correct horse"')
  await okta.request('GET', `/Users?filter=userName eq "ada" and nothing eq "correct horse"&access_token=${token}`)
  await okta.request('GET', `/Users/${token}`, undefined, { headers: { 'user-agent': `curl ${token}` } })
  await okta.request('PATCH', '/Users/none', { Operations: [{ op: 'replace', path: 'password', value: 'correct horse' }] })
  await api('GET', '/directories/okta/requests')
  const rows = await inOrg((trx) => sql<{ text: string }>`select r::text as text from scim_requests r`.execute(trx))
  expect(rows.rows).toHaveLength(5)
  const text = JSON.stringify([rows.rows, (await api('GET', '/directories/okta/requests')).body])
  expect(text).not.toContain('correct horse')
  expect(text).not.toContain(token.slice(0, 20))
  expect(text).toContain('/scim/v2/Users/muster_scim_…')
})

test('a Bulk is one request: how many operations, what they did, and the first that failed', async ({ okta, log }) => {
  const user = (userName: string) => ({ method: 'POST', path: '/Users', bulkId: userName, data: { userName } })
  const Operations = [user('ada'), user('bob'), { method: 'DELETE', path: `/Users/${newId()}` }]
  await okta.request('POST', '/Bulk', { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations })
  expect(await log.steps()).toEqual([
    accepted,
    ['parsed', true, 'It asks to do 3 operations: 2 POST, 1 DELETE.'],
    ['matched', true, 'Each operation for itself.'],
    ['decided', true, 'The directory owns the account.'],
    ['applied', true, expect.stringMatching(/^The account "ada" was made; .* Not all of it was done: There is no such user/)],
  ])
  expect((await log.lines('?person=bob')).map(({ path }) => path)).toEqual(['/scim/v2/Bulk'])
})

test('requests are found by person: what was sent of them, searched for them, changed their groups', async ({
  acme,
  okta,
  log,
}) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  await okta.request('GET', '/Users?filter=userName eq "Ada"')
  await okta.request('GET', '/Users?filter=emails[type eq "work" and value eq "ada@EXAMPLE.org"]')
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Sales', members: ['bob'] })
  await okta.adds('Sales', ['ada'])
  await okta.adds('Sales', ['ada'])
  await okta.replaces('Sales', ['bob'])
  await okta.replaces('Sales', ['bob'])
  await okta.switches('ada', 'off')
  await okta.request('GET', '/Users?filter=userName eq "cyd"')
  const about = async (person: string) =>
    (await log.lines(`?person=${encodeURIComponent(person)}`)).map(({ method, asked }) => `${method} ${asked}`).reverse()
  const adas = [
    'GET filter userName eq "Ada"',
    'GET filter emails[type eq "work" and value eq "ada@EXAMPLE.org"]',
    'POST create the user "ada"',
    'PATCH add 1 member',
    'PATCH add 1 member',
    'PATCH have exactly 1 member',
    'PATCH replace active false',
  ]
  const account = (await acme.person('ada')).id as string
  for (const name of ['ada', 'ADA@example.org', account, okta.idOfPerson('ada')]) expect(await about(name), name).toEqual(adas)
  expect(await about('cyd')).toEqual(['GET filter userName eq "cyd"'])
  expect(await about('bob')).toHaveLength(4)
  await okta.deletesPerson('ada')
  expect((await about('ada')).slice(-2)).toEqual(['PATCH replace active false', 'DELETE null'])
})

test('requests are found by group, by its name and by its id, also those that were refused', async ({ acme, okta, log }) => {
  await acme.has({ group: 'Sales', members: ['bob'] })
  await okta.knows('ada')
  await okta.request('GET', '/Groups?excludedAttributes=members&filter=displayName eq "Sales"')
  await okta.pushes({ group: 'SALES', members: ['ada'] })
  await okta.pushes({ group: 'sales', members: ['ada'] })
  await okta.removes('SALES', ['ada'])
  await okta.pushes({ group: 'Other' })
  const about = async (group: string) =>
    (await log.lines(`?group=${encodeURIComponent(group)}`)).map(({ method, status }) => `${method} ${status}`).reverse()
  for (const name of ['Sales', okta.idOf('SALES')])
    expect(await about(name), name).toEqual(['GET 200', 'POST 201', 'POST 409', 'PATCH 204'])
  expect(await about('nobody')).toEqual([])
})

test('to find a group’s requests costs what is found, however many others there are', async ({ okta, log, inOrg }) => {
  await okta.pushes({ group: 'G' })
  await log.lines()
  await inOrg(async (trx) => {
    const { id } = await findDirectory(trx, okta.directory.name)
    await sql`
      insert into scim_requests (org_id, directory_id, at, id, token_id, method, path, status, duration_ms, times, subjects)
      select ${trx.orgId}::uuid, ${id}, now() - n * interval '1 minute', gen_random_uuid(), gen_random_uuid(), 'GET', '/scim/v2/Users', 200, 1, 1, '{}'
      from generate_series(1, 20000) as n`.execute(trx)
    const read = async () =>
      (
        await sql<{ n: number }>`
          select coalesce(seq_tup_read, 0)::int + coalesce(idx_tup_fetch, 0)::int as n
          from pg_stat_xact_user_tables where relname = 'scim_requests'`.execute(trx)
      ).rows[0]?.n ?? 0
    const before = await read()
    const { items } = await listRequests(trx, id, { group: 'G', limit: 10 })
    expect(items.map(({ path }) => path)).toEqual(['/scim/v2/Groups'])
    expect((await read()) - before).toBeLessThan(100)
  })
})

test('pages go on where the last one ended, the newest first, and a time limits them', async ({ api, okta }) => {
  for (const path of ['/Users', '/Groups', '/Schemas', '/ResourceTypes', '/ServiceProviderConfig'])
    await okta.request('GET', path)
  const page = async (query: string) => {
    const { body } = await api('GET', `/directories/okta/requests${query}`)
    return {
      next: body.next,
      paths: body.items.map((line: Line) => line.path.replace('/scim/v2/', '')),
      items: body.items as Line[],
    }
  }
  const first = await page('?limit=2')
  expect(first.paths).toEqual(['ServiceProviderConfig', 'ResourceTypes'])
  const second = await page(`?limit=2&before=${first.next}`)
  expect(second.paths).toEqual(['Schemas', 'Groups'])
  const last = await page(`?limit=2&before=${second.next}`)
  expect([last.paths, last.next]).toEqual([['Users'], null])
  const { at } = second.items[0] as Line
  expect((await page(`?until=${at}`)).paths).not.toContain('ServiceProviderConfig')
  expect((await page(`?since=${at}`)).paths).toContain('ServiceProviderConfig')
  expect(await page(`?before=${newId()}`)).toMatchObject({ paths: [], next: null })
  expect((await api('GET', '/directories/okta/requests?since=yesterday')).status).toBe(400)
  expect((await api('GET', '/directories/okta/requests?limit=0')).status).toBe(400)
})

test('an auditor reads it; another organization has none of it', async ({ api, okta, org, scim }) => {
  await okta.request('GET', '/Users')
  const [line] = (await api('GET', '/directories/okta/requests')).body.items
  const auditor = { token: await org.token('auditor') }
  expect((await api('GET', `/directories/okta/requests/${line.id}`, undefined, auditor)).status).toBe(200)
  const entra = await org.directory({ name: 'entra', provider: 'entra' })
  await scim('GET', '/Users', undefined, { token: entra.token })
  expect((await api('GET', `/directories/entra/requests/${line.id}`)).status).toBe(404)
  expect((await api('GET', '/directories/entra/requests')).body.items).toHaveLength(1)
})

test('lines are kept for 30 days', async ({ api, db, inOrg, okta }) => {
  await okta.pushes({ group: 'Sales' })
  await okta.request('GET', '/Users?filter=userName eq "ada"')
  const { items } = (await api('GET', '/directories/okta/requests')).body
  const age = (id: string, days: number) =>
    inOrg((trx) => sql`update scim_requests set at = now() - make_interval(days => ${days}) where id = ${id}`.execute(trx))
  await age(items[0].id, 31)
  await age(items[1].id, 29)
  await everywhere(db, forgetRequests, new AbortController().signal)
  expect((await api('GET', '/directories/okta/requests')).body.items.map(({ id }: Line) => id)).toEqual([items[1].id])
})

test('what is noted and not written yet is written when the node stops, each organization to its own', async ({ db, org }) => {
  const app = await buildApp({ db, jobs, publicUrl: 'http://localhost', version: '0', checkAnswers: true })
  const { id, token } = await org.directory()
  await app.inject({ url: '/scim/v2/Users', headers: { authorization: `Bearer ${token}` } })
  await app.close()
  const lines = await inTransaction(db, org.scope, (trx) =>
    trx.selectFrom('scim_requests').select(['directory_id', 'path', 'status']).execute(),
  )
  expect(lines).toEqual([{ directory_id: id, path: '/scim/v2/Users', status: 200 }])
})

test('while the database takes no lines they wait, and past some thousands they are dropped and counted; no request notices', async ({
  db,
  org,
}) => {
  const told: { dropped?: number }[] = []
  const stream = { write: (line: string) => void told.push(JSON.parse(line)) }
  const app = await buildApp({
    db,
    jobs,
    publicUrl: 'http://localhost',
    version: '0',
    scimRate: 0,
    logger: { level: 'warn', stream },
  })
  const { token } = await org.directory()
  const ask = async () =>
    (await app.inject({ url: '/scim/v2/Schemas', headers: { authorization: `Bearer ${token}` } })).statusCode
  const overload = mostWaiting + 700
  await inTransaction(db, org.scope, async (trx) => {
    await sql`lock table scim_requests in exclusive mode`.execute(trx)
    for (let sent = 0; sent < overload; sent += 100) {
      expect(new Set(await Promise.all(Array.from({ length: 100 }, ask)))).toEqual(new Set([200]))
    }
  })
  await app.close()
  const dropped = told.reduce((sum, line) => sum + (line.dropped ?? 0), 0)
  const { rows } = await inTransaction(db, org.scope, (trx) =>
    sql<{ count: number }>`select count(*)::integer as count from scim_requests where org_id = ${org.id}`.execute(trx),
  )
  expect(dropped).toBeGreaterThan(0)
  expect((rows[0]?.count ?? 0) + dropped).toBe(overload)
})

test('a database that went away: pushes get 503, and the log ends no process', async ({ database, org }) => {
  const db = connect(database.connection)
  const app = await buildApp({ db, jobs, publicUrl: 'http://localhost', version: '0' })
  const { token } = await org.directory()
  const ask = async () => (await app.inject({ url: '/scim/v2/Users', headers: { authorization: `Bearer ${token}` } })).statusCode
  expect(await ask()).toBe(200)
  await db.close()
  expect(await ask()).toBe(503)
  await app.writeRequests()
  await app.close()
})
