import { describe } from 'vitest'
import { parseFilter } from '../../src/scim/filter.ts'
import { readGroupPatch } from '../../src/scim/group-patch.ts'
import { readJson } from '../../src/scim/json.ts'
import { parsePath } from '../../src/scim/path.ts'
import { readProjection } from '../../src/scim/projection.ts'
import { dialectOf } from '../../src/scim/quirks.ts'
import { readGroup, readUser } from '../../src/scim/resource.ts'
import { groupType, userType } from '../../src/scim/schemas.ts'
import { applyUserPatch } from '../../src/scim/user-patch.ts'
import { expect, test } from '../support/story.ts'

const urn = 'urn:ietf:params:scim:schemas:core:2.0:User'
const entra = dialectOf({ provider: 'entra', strict: false })
const ada = readUser(
  { userName: 'ada', emails: Array.from({ length: 200 }, (_, at) => ({ value: `v${at}`, type: `t${at}` })) },
  entra,
)
const group = (text: string) => readGroupPatch(readJson(Buffer.from(text)), entra)
const patch = (operation: string, count: number) => `{"Operations":[${Array(count).fill(operation).join()}]}`

/** What is sent, and what reads it. Each is refused, or read, in less processor time than this. */
const maxCpuMs = 100
const costly: [string, () => unknown][] = [
  ['10,000 parentheses', () => parseFilter(userType, '('.repeat(10_000), entra)],
  ['as many as fit', () => parseFilter(userType, 'not ('.repeat(1_638), entra)],
  ['brackets in brackets', () => parsePath(groupType, 'members['.repeat(1_000), entra)],
  ['a filter of quotes and backslashes', () => parseFilter(userType, `userName eq "${'\\"'.repeat(4_000)}`, entra)],
  ['a filter of blanks', () => parseFilter(userType, `userName${' '.repeat(8_000)}!`, entra)],
  ['a filter of digits', () => parseFilter(userType, `userName eq ${'1'.repeat(8_000)}x`, entra)],
  ['80,000 operations', () => group(patch('{"op":"add","path":"members","value":[{"value":"a"}]}', 80_000))],
  ['80,000 empty operations', () => group(patch('{}', 80_000))],
  [
    '1,000 operations that each name 200 values',
    () =>
      applyUserPatch(
        ada,
        readJson(Buffer.from(patch(`{"op":"add","path":"emails","value":[${Array(200).fill('{"value":"x"}').join()}]}`, 350))),
        entra,
      ),
  ],
  [
    '1,000 operations on 200 values',
    () => applyUserPatch(ada, { Operations: Array(1_000).fill({ op: 'remove', path: 'roles[value sw "x"]' }) }, entra),
  ],
  ['JSON 10,000 deep', () => readJson(Buffer.from('['.repeat(10_000) + ']'.repeat(10_000)))],
  ['JSON a million deep', () => readJson(Buffer.from('{"a":'.repeat(1_000_000)))],
  [
    'an object of 100,000 keys',
    () => readJson(Buffer.from(`{${Array.from({ length: 100_000 }, (_, at) => `"k${at}":1`).join()}}`)),
  ],
  ['a text of a million quotes', () => readJson(Buffer.from(`{"a":"${'\\"'.repeat(500_000)}`))],
  ['a text of a million backslashes', () => readJson(Buffer.from(`{"a":"${'\\'.repeat(1_000_000)}`))],
  ['a megabyte of accents', () => readUser({ userName: 'a', title: `a${'\u0301\u0316'.repeat(250_000)}` }, entra)],
  ['a megabyte of accents as a name', () => readGroup({ displayName: `a${'\u0301\u0316'.repeat(250_000)}` }, entra)],
  ['a megabyte where a URI belongs', () => readUser({ userName: 'a', profileUrl: '%aa'.repeat(350_000) }, entra)],
  [
    'a megabyte where a certificate belongs',
    () => readUser({ userName: 'a', x509Certificates: [{ value: `${'a'.repeat(1_000_000)}!` }] }, entra),
  ],
  [
    'certificates to the brim',
    () => readUser({ userName: 'a', x509Certificates: Array(15).fill({ value: `${'a'.repeat(65_000)}!` }) }, entra),
  ],
  ['300,000 values of one attribute', () => readUser({ userName: 'a', emails: Array(300_000).fill({}) }, entra)],
  ['a role of JSON in JSON', () => readUser({ userName: 'a', roles: [{ value: `{"a":${'['.repeat(500_000)}` }] }, entra)],
  [
    '100,000 names in attributes',
    () => readProjection(userType, { attributes: Array.from({ length: 100_000 }, (_, at) => `a${at}`) }),
  ],
  [
    'names without end in attributes',
    () => readProjection(userType, { attributes: Array(200).fill(`${urn}:${'x'.repeat(5_000)}`) }),
  ],
]

describe('hostile input costs less than 100 ms of processor time', () => {
  test.for(costly)('%s', ([_name, read]) => {
    const before = process.cpuUsage()
    try {
      read()
    } catch (error) {
      expect((error as Error).name).toMatch(/^(ScimError|JsonError)$/)
    }
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000).toBeLessThan(maxCpuMs)
  })
})

const marker = 'zq7marker'
const error = 'urn:ietf:params:scim:api:messages:2.0:Error'
const patchOf = (...Operations: unknown[]) => ({ Operations })

test('rule 29: of a refused request nothing is applied, and nothing of it is in the answer but in its own detail', async ({
  client,
  inOrg,
}) => {
  await client.knows('ada')
  await client.pushes({ group: 'G', members: ['ada'] })
  const [person, team] = [`/Users/${client.idOfPerson('ada')}`, `/Groups/${client.idOf('G')}`]
  const rows = () =>
    inOrg(async (trx) => [
      await trx.selectFrom('provisioned_users').selectAll().orderBy('id').execute(),
      await trx.selectFrom('provisioned_groups').selectAll().orderBy('id').execute(),
      await trx.selectFrom('log_entries').selectAll().orderBy('id').execute(),
      await trx.selectFrom('memberships').selectAll().orderBy('account_id').execute(),
    ])
  const before = await rows()
  const right = { op: 'replace', path: 'displayName', value: marker }
  const refused: [string, string, unknown?][] = [
    ['GET', `/Users?filter=${marker}`],
    ['GET', `/Users?filter=${encodeURIComponent(`${marker} eq "${marker}"`)}`],
    ['GET', `/Users?sortBy=${marker}`],
    ['GET', `/Users?startIndex=${marker}`],
    ['GET', `/Users/${marker}`],
    ['GET', `/${marker}`],
    ['GET', `/Schemas/${marker}`],
    ['POST', '/Users', `{"userName":"${marker}"`],
    ['POST', '/Users', { userName: marker, active: marker }],
    ['POST', '/Users', { userName: `${marker}\u202e` }],
    ['POST', '/Users', { displayName: marker }],
    ['POST', '/Groups', { displayName: marker, members: [{ display: marker }] }],
    ['PUT', person, { userName: marker, profileUrl: `<${marker}>` }],
    ['PUT', team, { displayName: marker, members: marker }],
    ['PATCH', person, patchOf(right, { op: 'replace', path: marker, value: marker })],
    ['PATCH', person, patchOf(right, { op: marker, path: 'title', value: marker })],
    ['PATCH', person, patchOf(right, { op: 'remove', path: 'userName' })],
    ['PATCH', person, patchOf(right, { op: 'replace', path: `emails[value eq "${marker}"].value`, value: marker })],
    ['PATCH', team, patchOf(right, { op: 'remove', path: `members[${marker} eq "${marker}"]` })],
    ['PATCH', team, patchOf(right, { op: 'add', path: 'members', value: [{ value: '' }] })],
    ['PATCH', team, { [marker]: marker }],
  ]
  for (const [method, path, body] of refused) {
    const { status, headers, body: answer } = await client.request(method, path, body)
    expect(status, `${method} ${path}`).toBeGreaterThanOrEqual(400)
    expect(status, `${method} ${path}`).toBeLessThan(500)
    expect(answer).toEqual({
      schemas: [error],
      status: String(status),
      detail: expect.any(String),
      ...(answer.scimType ? { scimType: answer.scimType } : {}),
    })
    const { detail, ...rest } = answer
    expect(JSON.stringify([rest, [...headers]]), `${method} ${path}`).not.toContain(marker)
    expect(detail).toMatch(/[.!?]$/)
    // Never what the request asked in its own words, nor what stands behind the server.
    expect(detail).not.toMatch(/zq7marker|select |insert |\/src\/|node_modules|\bat .*:\d+/)
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  }
  expect(await rows()).toEqual(before)
})
