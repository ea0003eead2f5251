import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Source, wholeSource } from '../../src/push/source.ts'
import { readCsvFolder } from '../../src/push/sources/csv-folder.ts'
import { dnKey, guidOf, ridOf } from '../../src/push/sources/ldap-values.ts'
import { type DirectGroup, flattened } from '../../src/push/sources/nesting.ts'
import { readSource, readSourceAt } from '../../src/push/sources/read-source.ts'
import { readSourceSettings } from '../../src/push/sources/settings.ts'
import { startOkta } from './okta-stand-in.ts'
import { entry, hasSlapd, ldifOf, startSlapd } from './slapd.ts'
import { startTinyScimService, token } from './tiny-scim-service.ts'

const kubernetes = await readCsvFolder('sample/kubernetes-org/pushed')
const ldapBases = { userBase: 'ou=people,dc=example,dc=org', groupBase: 'ou=groups,dc=example,dc=org' }

/** A source by names: what of it must be the same wherever it was read. */
const byName = ({ users, groups }: Source) => {
  const names = new Map(users.map(({ id, userName }) => [id, userName]))
  const inOrder = <T>(pairs: [string, T][]) => Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    users: inOrder(users.map(({ userName, email, displayName }) => [userName, [email, displayName ?? userName]])),
    groups: inOrder(groups.map(({ name, members }) => [name, members.map((id) => names.get(id)).sort()])),
  }
}
const folderWith = (files: Record<string, string | Uint8Array>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-source-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

describe('nested groups', () => {
  const group = (key: string, people: string[], groups: string[]): DirectGroup => ({
    key,
    id: key,
    name: key,
    description: null,
    people,
    groups,
  })
  test('are flattened, circles cut, and the way is kept', () => {
    const all = [group('a', ['ada'], ['b', 'gone']), group('b', ['bob'], ['c']), group('c', ['cyd', 'ada'], ['a', 'c'])]
    const [a, b, c] = flattened(all)
    expect(a?.members).toEqual(['ada', 'bob', 'cyd'])
    expect(a?.through).toEqual(
      new Map([
        ['bob', ['b']],
        ['cyd', ['b', 'c']],
      ]),
    )
    expect(new Set(b?.members)).toEqual(new Set(['ada', 'bob', 'cyd']))
    expect(new Set(c?.members)).toEqual(new Set(['ada', 'bob', 'cyd']))
  })
})

describe.skipIf(!hasSlapd())('LDAP, a real slapd', () => {
  test('people and groups of three kinds, page by page', { timeout: 30_000 }, async () => {
    const slapd = await startSlapd(ldifOf(kubernetes))
    onTestFinished(slapd.stop)
    const settings = { kind: 'ldap' as const, url: slapd.url, bindDn: 'cn=reader,dc=example,dc=org', ...ldapBases, pageSize: 200 }
    const read = await readSource(settings, 'reads', 'anywhere')
    expect(byName(read)).toEqual(byName(kubernetes))
    expect(read.notes?.[0]).toContain('cn=nobody')
    const secure = { ...settings, url: slapd.secureUrl, ca: slapd.ca }
    expect((await readSource(secure, 'reads', 'anywhere')).users).toHaveLength(kubernetes.users.length)
    expect((await readSource({ ...settings, startTls: true, ca: slapd.ca }, 'reads', 'anywhere')).groups).toHaveLength(779)
    await expect(readSource({ ...settings, url: slapd.secureUrl }, 'reads', 'anywhere')).rejects.toThrow(
      'self-signed certificate',
    )
    await expect(readSource(settings, 'wrong', 'anywhere')).rejects.toThrow('InvalidCredentialsError')
    await expect(readSource({ ...settings, userBase: 'ou=nowhere,dc=example,dc=org' }, 'reads', 'anywhere')).rejects.toThrow(
      'NoSuchObject',
    )
    await expect(
      readSource(settings, 'reads', { hosts: new Set(), networks: new (await import('node:net')).BlockList() }),
    ).rejects.toThrow('is not encrypted')
  })
  test('nested groups; a size limit concludes nothing', async () => {
    const person = (uid: string) =>
      entry(`uid=${uid},ou=people,dc=example,dc=org`, { objectClass: ['inetOrgPerson'], uid: [uid], cn: [uid], sn: [uid] })
    const dn = (cn: string) => `cn=${cn},ou=groups,dc=example,dc=org`
    const team = (cn: string, ...member: string[]) => entry(dn(cn), { objectClass: ['groupOfNames'], cn: [cn], member })
    const slapd = await startSlapd(
      person('ada') +
        person('bob') +
        team('all', 'UID=ada , OU=People,dc=example,dc=org', dn('some')) +
        team('some', 'uid=bob,ou=people,dc=example,dc=org', dn('all')),
      'limits dn.exact="cn=reader,dc=example,dc=org" size.prtotal=unlimited\nlimits * size.prtotal=1',
    )
    onTestFinished(slapd.stop)
    const settings = { kind: 'ldap' as const, url: slapd.url, bindDn: 'cn=reader,dc=example,dc=org', ...ldapBases, pageSize: 1 }
    expect(byName(await readSource(settings, 'reads', 'anywhere')).groups).toEqual({ all: ['ada', 'bob'], some: ['ada', 'bob'] })
  })
  test('a size limit of the server’s concludes nothing', async () => {
    const slapd = await startSlapd(ldifOf({ users: kubernetes.users.slice(0, 20), groups: [] }), 'limits * size.prtotal=10')
    onTestFinished(slapd.stop)
    const settings = { kind: 'ldap' as const, url: slapd.url, bindDn: 'cn=reader,dc=example,dc=org', ...ldapBases, pageSize: 5 }
    await expect(readSource(settings, 'reads', 'anywhere')).rejects.toThrow('could not be read: SizeLimitExceeded')
  })
})

test('names and ids of directories', () => {
  expect(dnKey('UID=Ada , OU = People,dc=example')).toBe('uid=ada,ou=people,dc=example')
  expect(dnKey('cn=a\\,b,dc=x')).toBe(dnKey('cn=a\\2Cb,dc=x'))
  expect(dnKey('cn=a\\,b,dc=x')).not.toBe(dnKey('cn=a,b,dc=x'))
  expect(dnKey('cn=J\\C3\\A9r\\C3\\B4me')).toBe('cn=jérôme')
  const guid = Buffer.from('78563412cdab01ef0102030405060708', 'hex')
  expect(guidOf(guid)).toBe('12345678-abcd-ef01-0102-030405060708')
  expect(ridOf(Buffer.from('01020000000000052000000020020000', 'hex'))).toBe('544')
})

describe('Okta', () => {
  test('people and groups, page by page, within its limit of requests', async () => {
    const okta = await startOkta({ ...kubernetes, groups: kubernetes.groups.slice(0, 450) }, 300)
    onTestFinished(okta.stop)
    const read = await readSource({ kind: 'okta', url: okta.url }, okta.token, 'anywhere')
    expect(byName(read)).toEqual(byName({ ...kubernetes, groups: kubernetes.groups.slice(0, 450) }))
    expect(okta.refused).toBeGreaterThan(0)
    await expect(readSource({ kind: 'okta', url: okta.url }, 'wrong', 'anywhere')).rejects.toThrow(
      'Okta answered 401: Invalid token provided',
    )
  })
})

describe('twenty faulty sources: a plain error, and nothing is concluded', () => {
  const csv = {
    'users.csv': 'user_name,email,display_name\nada,ada@example.org,Ada\nbob,,\n',
    'groups.csv': 'group,description\nEngineering,Builds\nSales,\n',
    'members.csv': 'group,user_name\nEngineering,ada\nSales,bob\n',
  }
  const files: [string, Record<string, string | Uint8Array>, string][] = [
    [
      'CSV cut in a line',
      { ...csv, 'members.csv': 'group,user_name\nEngineering,ada\nSal' },
      'members.csv does not end with a line end',
    ],
    [
      'CSV cut in a line, a line end behind it',
      { ...csv, 'members.csv': 'group,user_name\nEngineering,ada\nSal\n' },
      'Is the line cut?',
    ],
    ['CSV cut in quotes', { ...csv, 'groups.csv': 'group,description\n"Engin\n' }, 'a quoted field that does not end'],
    ['an empty file', { ...csv, 'users.csv': '' }, 'users.csv, line 1: is empty'],
    ['people’s header only', { ...csv, 'users.csv': 'user_name,email,display_name\n' }, 'is not in users.csv'],
    ['a file that is gone', { 'users.csv': csv['users.csv'], 'groups.csv': csv['groups.csv'] }, 'members.csv is missing'],
    ['a user twice', { ...csv, 'users.csv': `${csv['users.csv']}ADA,,\n` }, 'user "ADA" is in line 2 already'],
    ['a group twice', { ...csv, 'groups.csv': `${csv['groups.csv']}sales,\n` }, 'group "sales" is in line 3 already'],
    ['a column renamed', { ...csv, 'members.csv': 'team,user_name\nSales,bob\n' }, 'has no column "group"'],
    [
      'not UTF-8',
      { ...csv, 'users.csv': Buffer.from('user_name,email,display_name\nada,,\xff\n', 'latin1') },
      'users.csv, line 2: is not UTF-8',
    ],
    ['JSON that is cut', { 'users.json': '[{"userName":"ada"}', 'groups.json': '[]' }, 'users.json is no JSON'],
    ['JSON that is no list', { 'users.json': '{}', 'groups.json': '[]' }, 'users.json is not a list'],
    ['groups without members', { 'users.json': '[]', 'groups.json': '[{"name":"Sales"}]' }, 'members is not a list'],
    [
      'ids twice',
      { 'users.json': '[{"id":"1","userName":"ada"},{"id":"1","userName":"bob"}]', 'groups.json': '[]' },
      'The id 1 is two people',
    ],
    [
      'a member who is nobody',
      { 'users.json': '[]', 'groups.json': '[{"name":"Sales","members":["ada"]}]' },
      'has the member ada',
    ],
  ]
  test.for(files)('%s', async ([, given, text]) => {
    await expect(readSourceAt(folderWith(given), undefined)).rejects.toThrow(text)
  })

  type Page = (path: string, items: object[]) => object[] | undefined
  let first: object[] = []
  const again: Page = (path, items) => {
    if (path === '/api/v1/users') first = items
    return path.endsWith('after 200') ? first : items
  }
  const pages: [string, Page, string][] = [
    [
      'page two fails',
      (path, items) => (path.endsWith('after 200') ? undefined : items),
      'Okta answered 500: Internal Server Error',
    ],
    ['page two is empty', (path, items) => (path.endsWith('after 200') ? [] : items), 'an empty page'],
    ['page two is page one again', again, 'twice'],
    [
      'members fewer than counted',
      (path, items) => (path.endsWith('/users') && path.includes('groups') ? [] : items),
      'Okta counts 3 people',
    ],
    ['something without an id', (path, items) => (path.endsWith('users') ? [...items, {}] : items), 'without an id'],
  ]
  test.for(pages)('Okta: %s', { timeout: 30_000 }, async ([, page, text]) => {
    const groups = [{ id: null, name: 'Sales', description: null, members: kubernetes.users.slice(0, 3).map(({ id }) => id) }]
    const okta = await startOkta({ users: kubernetes.users.slice(0, 450), groups })
    onTestFinished(okta.stop)
    okta.page = page
    await expect(readSource({ kind: 'okta', url: okta.url }, okta.token, 'anywhere')).rejects.toThrow(text)
  })

  test('SCIM: totals that shrink while it is read, and a page that fails', async () => {
    const service = await startTinyScimService()
    onTestFinished(service.stop)
    for (let i = 0; i < 250; i++) service.users.push({ id: `${i}`, userName: `p${i}` })
    const read = () => readSource({ kind: 'scim', url: service.url }, token, 'anywhere')
    expect((await read()).users).toHaveLength(250)
    service.faultOf = (_, path) => {
      if (path.includes('startIndex=101')) service.users.length = 150
      return undefined
    }
    await expect(read()).rejects.toThrow('The target counts 150 under /Users')
    service.faultOf = (_, path) => (path.includes('startIndex=101') ? { status: 400, body: '{"detail":"No more."}' } : undefined)
    await expect(read()).rejects.toThrow('could not be read: No more.')
  })
})

test('settings that are not right say which, and what is right', () => {
  expect(() => readSourceSettings({ kind: 'ldap', url: 'ldap://x', userBase: 'a' })).toThrow('groupBase')
  expect(() => readSourceSettings({ kind: 'nis' })).toThrow('kind is folder, ldap, scim, okta or built-in')
  expect(() => readSourceSettings({ kind: 'okta', url: 'https://x', token: 'secret' })).toThrow('token')
})

test('what a source says of one person it says once', () => {
  const ada = { id: '1', userName: 'ada', email: null, displayName: null, active: true }
  expect(() => wholeSource({ users: [ada, { ...ada, id: '2', userName: 'ADA' }], groups: [] })).toThrow(
    'two people’s'.replace('’', "'"),
  )
})
