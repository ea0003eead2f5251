import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { ownEmbedded } from '../../src/database/embedded.ts'
import { processesOf, superuser } from '../../src/database/postmaster.ts'
import { newSecretKey } from '../../src/database/secrets.ts'
import { clientOf } from '../support/clients.ts'
import { dataFolder, type Program, runProgram } from '../support/programs.ts'

const adminToken = 'an-owners-token-of-forty-characters-0001'

test('a server on an empty folder prints a link that sets it up; a first token can be made beside it instead', async () => {
  const MUSTER_DATA = dataFolder()
  const server = serve({ MUSTER_DATA })
  const url = await urlOf(server)
  const [, link] = /within 10 minutes, to make it: \S+\/setup#(\S+)$/.exec(await server.says(/no organization yet/)) ?? []
  const asked = { link, organization: 'Acme', email: 'ada@example.org' }
  const { status, headers, body } = await clientOf(`${url}/api/v1`, 'application/json', undefined)(
    'POST',
    '/sign-in/setup',
    asked,
    {
      headers: { origin: url },
    },
  )
  expect({ status, body }).toMatchObject({ status: 201, body: { organization: { slug: 'acme', name: 'Acme' }, role: 'owner' } })
  expect(headers.get('set-cookie')).toMatch(/^muster_session=/)
  const byLink = runProgram('src/cli/main.ts', ['admin', 'link', '--json'], { MUSTER_DATA })
  expect(await byLink.says(/sign-in\?now=true#muster_link_/)).toBeTruthy()
  expect(await byLink.ended()).toEqual({ exitCode: 0 })
  const made = runProgram('src/cli/main.ts', ['admin-token', 'create', '--json'], { MUSTER_DATA })
  await made.says(/muster_api_/)
  expect(await made.ended()).toEqual({ exitCode: 0 })
  const token = made.printed().match(/muster_api_[\w-]+/)?.[0]
  expect(await clientOf(`${url}/api/v1`, 'application/json', token)('GET', '/whoami')).toMatchObject({ status: 200 })
})

test('MUSTER_ADMIN_TOKEN_FILE makes the first owner of an empty database, and nothing of one that has an organization', async () => {
  const MUSTER_DATA = dataFolder()
  const file = `${MUSTER_DATA}-token`
  writeFileSync(file, `${adminToken}\n`)
  const first = serve({ MUSTER_DATA, MUSTER_ADMIN_TOKEN_FILE: file, MUSTER_ORG: 'acme' })
  expect(await whoami(first, adminToken)).toBe(200)
  expect(await first.end('SIGTERM')).toEqual({ exitCode: 0 })
  const other = adminToken.replace('0001', '0002')
  const second = serve({ MUSTER_DATA, MUSTER_ADMIN_TOKEN: other })
  expect(await whoami(second, other)).toBe(401)
  expect(await whoami(second, adminToken)).toBe(200)
  expect(second.printed()).not.toContain(adminToken)
})

test('everything that is wrong with the environment is said at once, a line each', async () => {
  const server = serve({
    PORT: '99999',
    LOG_LEVEL: 'loud',
    MUSTER_PUBLIC_URL: 'ftp://x',
    MUSTER_ADMIN_TOKEN: 'short',
    DATABASE_URL: 'mysql://x',
  })
  expect(await server.ended()).toEqual({ exitCode: 1 })
  const lines = server.printed().split('\n')
  expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([
    'DATABASE_URL',
    'LOG_LEVEL',
    'MUSTER_ADMIN_TOKEN',
    'MUSTER_PUBLIC_URL',
    'PORT',
  ])
})

test('an unknown MUSTER_ setting is warned about, and --print-config masks secrets', async () => {
  const DATABASE_URL = 'postgres://muster:hidden@db.example.org/muster'
  const shown = runProgram('src/cli/main.ts', ['serve', '--print-config'], {
    MUSTER_DATE: '/x',
    DATABASE_URL,
    MUSTER_ADMIN_TOKEN: adminToken,
  })
  expect(await shown.ended()).toEqual({ exitCode: 0 })
  expect(shown.printed()).toContain('Warning: MUSTER_DATE is no setting')
  expect(shown.printed()).toContain('DATABASE_URL=postgres://muster:****@db.example.org/muster')
  expect(shown.printed()).toContain('MUSTER_ADMIN_TOKEN=****')
})

test('a port in use is said in a line, and the database that was started is stopped again', async () => {
  const MUSTER_DATA = dataFolder()
  const port = await occupiedPort()
  const server = serve({ MUSTER_DATA, PORT: String(port) })
  expect(await server.ended()).toEqual({ exitCode: 1 })
  expect(server.printed()).toContain(
    `Port ${port} of 127.0.0.1 is in use by another program: stop that one, or choose another port by PORT.`,
  )
  expect(server.printed()).not.toContain('    at ')
  expect(processesOf(join(MUSTER_DATA, 'postgres'))).toEqual([])
})

test('a data folder in use is refused with who holds it', async () => {
  const MUSTER_DATA = dataFolder()
  const holder = serve({ MUSTER_DATA })
  await urlOf(holder)
  const second = serve({ MUSTER_DATA })
  expect(await second.ended()).toEqual({ exitCode: 1 })
  expect(second.printed()).toMatch(new RegExp(`^The data folder .* is in use by process ${holder.pid}, since .*$`))
})

test.for([
  ['postgres://muster:x@127.0.0.1:1/muster', 'nothing listens there'],
  ['postgres://muster:x@nowhere.invalid/muster', 'the host name is not known'],
  ['postgres://muster@/nosuch?host=SOCKET', 'there is no database of that name'],
  ['postgres://nosuch@/muster?host=SOCKET', 'the server lets this user not in'],
])('DATABASE_URL %s: %s', async ([url = '', why = '']) => {
  const server = serve({ DATABASE_URL: url.replace('SOCKET', inject('postgres')) })
  expect(await server.ended()).toEqual({ exitCode: 1 })
  expect(server.printed()).toMatch(new RegExp(`^Cannot connect to PostgreSQL at .*: ${why}.*DATABASE_URL\\.$`))
  expect(server.printed()).not.toContain(':x@')
})

test('a wrong password is said in a line', async () => {
  const embedded = await ownEmbedded({ folder: dataFolder() })
  onTestFinished(() => embedded.stop())
  const { host } = embedded.connection
  const rules = join(host, 'pg_hba.conf')
  writeFileSync(rules, `local all guarded scram-sha-256\n${readFileSync(rules, 'utf8')}`)
  const client = superuser(host, 'tests')
  await client.connect()
  await client.query("create role guarded login password 'right'; select pg_reload_conf()")
  await client.end()
  for (const password of [':wrong', '']) {
    const server = serve({ DATABASE_URL: `postgres://guarded${password}@/muster?host=${host}` })
    expect(await server.ended()).toEqual({ exitCode: 1 })
    expect(server.printed()).toMatch(
      /^Cannot connect to PostgreSQL at .*: the user name or the password is wrong\. Correct DATABASE_URL\.$/,
    )
  }
})

test('a role that bypasses row-level security is warned about', async () => {
  const embedded = await ownEmbedded({ folder: dataFolder() })
  onTestFinished(() => embedded.stop())
  const DATABASE_URL = `postgres://postgres@/muster?host=${embedded.connection.host}`
  expect(await serve({ DATABASE_URL }).says(/no key for secrets/)).toMatch(/MUSTER_SECRET_FILE/)
  const server = serve({ DATABASE_URL, MUSTER_SECRET: newSecretKey() })
  expect(await server.says(/^Warning/)).toMatch(/The database role postgres bypasses row-level security/)
  await urlOf(server)
})

test('at SIGTERM a request under way is finished, then the server ends with 0 and leaves nothing running', async () => {
  const MUSTER_DATA = dataFolder()
  const server = serve({ MUSTER_DATA, MUSTER_ADMIN_TOKEN: adminToken })
  const url = await urlOf(server)
  const body = JSON.stringify({ name: 'okta', provider: 'okta' })
  const headers = {
    authorization: `Bearer ${adminToken}`,
    'content-type': 'application/json',
    'content-length': body.length,
    expect: '100-continue',
  }
  const slow = request(`${url}/api/v1/directories`, { method: 'POST', headers })
  const status = new Promise((resolve, reject) =>
    slow.on('error', reject).on('response', (response) => resolve(response.resume().statusCode)),
  )
  slow.flushHeaders()
  // The server has begun with it.
  await new Promise((resolve) => slow.once('continue', resolve))
  const ended = server.end('SIGTERM')
  await server.says(/^SIGTERM: finishing what is under way/)
  slow.end(body)
  expect(await status).toBe(201)
  expect(await ended).toEqual({ exitCode: 0 })
  expect(processesOf(join(MUSTER_DATA, 'postgres'))).toEqual([])
})

test('a Ctrl-C that comes while the server starts, and twice, as under npm and node --watch, leaves nothing running', async () => {
  const MUSTER_DATA = dataFolder()
  const server = serve({ MUSTER_DATA })
  await server.says(/^Database: /)
  void server.end('SIGINT')
  await server.says(/^SIGINT: finishing what is under way/)
  expect(await server.end('SIGINT')).toEqual({ exitCode: 0 })
  expect(processesOf(join(MUSTER_DATA, 'postgres'))).toEqual([])
})

test('a run that no job is left for is gone on with at the start', async () => {
  const MUSTER_DATA = dataFolder()
  const first = serve({ MUSTER_DATA, MUSTER_ADMIN_TOKEN: adminToken })
  await clientOf(`${await urlOf(first)}/api/v1`, 'application/json', adminToken)('POST', '/directories', {
    name: 'okta',
    provider: 'okta',
  })
  await first.end('SIGTERM')
  await inDatabase(
    MUSTER_DATA,
    `select set_config('muster.org_id', id::text, false) from organizations;
     insert into runs (org_id, id, kind, state, directory_id, choice, accept_incomplete, accept_empty, fingerprint, foreseen, group_count, created_by)
     select org_id, gen_random_uuid(), 'sync', 'running', id, 'overwrite', false, false, '', '{}', 0, 'token:x' from directories`,
  )
  const second = serve({ MUSTER_DATA })
  const api = clientOf(`${await urlOf(second)}/api/v1`, 'application/json', adminToken)
  const [run] = (await api('GET', '/runs')).body.items
  await expect
    .poll(async () => (await api('GET', `/runs/${run.id}`)).body.state, { timeout: 20_000, interval: 50 })
    .toBe('finished')
})

test('an error that nobody handles is logged, and ends the server in order, with 1', async () => {
  const MUSTER_DATA = dataFolder()
  const server = runProgram('test/support/failing-server.ts', [], { MUSTER_DATA, PORT: '0' })
  await urlOf(server)
  expect(await server.end('SIGUSR2')).toEqual({ exitCode: 1 })
  expect(server.printed()).toContain('planted')
  expect(server.printed()).toContain('Stopped.')
  expect(processesOf(join(MUSTER_DATA, 'postgres'))).toEqual([])
})

test('a database that a newer, breaking release has migrated is refused', async () => {
  const MUSTER_DATA = dataFolder()
  const first = serve({ MUSTER_DATA })
  await urlOf(first)
  await first.end('SIGTERM')
  await inDatabase(MUSTER_DATA, "insert into migrations.applied values ('9999-newer', 'now')")
  const harmless = serve({ MUSTER_DATA })
  await urlOf(harmless)
  await harmless.end('SIGTERM')
  await inDatabase(MUSTER_DATA, "insert into migrations.breaking values ('9999-newer')")
  const refused = serve({ MUSTER_DATA })
  expect(await refused.ended()).toEqual({ exitCode: 1 })
  expect(refused.printed()).toMatch(/has been migrated by a newer Muster \(9999-newer\), .*: start the newer Muster\.$/)
})

const serve = (env: Record<string, string>): Program => runProgram('src/cli/main.ts', ['serve'], { PORT: '0', ...env })

const urlOf = async (server: Program): Promise<string> => (await server.says(/listens on http/)).match(/http:\S+/)?.[0] ?? ''

const whoami = async (server: Program, token: string): Promise<number> =>
  (await clientOf(`${await urlOf(server)}/api/v1`, 'application/json', token)('GET', '/whoami')).status

async function inDatabase(folder: string, statement: string): Promise<void> {
  const embedded = await ownEmbedded({ folder })
  const client = new Client(embedded.connection)
  await client.connect()
  await client.query(statement)
  await client.end()
  await embedded.stop()
}

async function occupiedPort(): Promise<number> {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void other.close())
  const address = other.address()
  if (address === null || typeof address === 'string') throw new Error('No port was given.')
  return address.port
}
