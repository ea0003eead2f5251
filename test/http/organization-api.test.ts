import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describe } from 'vitest'
import { insertAccount } from '../../src/organization/accounts.ts'
import { changeGroup, findGroup } from '../../src/organization/groups.ts'
import { nameKey } from '../../src/organization/name-key.ts'
import type { Client } from '../support/clients.ts'
import { expect, test } from '../support/world.ts'

const encoded = encodeURIComponent

async function has(
  api: Client,
  group: string,
  members: string[] = [],
  grants: [site: string, product: string, role: string][] = [],
) {
  for (const userName of members) await api('POST', '/people', { userName, email: `${userName}@example.org` })
  expect((await api('POST', '/groups', { name: group })).status).toBe(201)
  expect((await api('PATCH', `/groups/${encoded(group)}/members`, { add: members })).status).toBe(200)
  for (const [site, product, role] of grants)
    expect((await api('POST', '/grants', { group, site, product, role })).status).toBe(201)
}

describe('people', () => {
  test('a person is created, found by id, user name and e-mail, and changed', async ({ api }) => {
    const made = await api('POST', '/people', { userName: 'ada', email: 'Ada@example.org', displayName: 'Ada' })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      userName: 'ada',
      active: true,
      ownedBy: null,
      can: ['update_profile', 'switch_on_or_off', 'protect'],
      cannot: [],
    })
    for (const person of [made.body.id, 'ADA', 'ada@EXAMPLE.org'])
      expect((await api('GET', `/people/${encoded(person)}`)).body.id).toBe(made.body.id)
    const changed = await api('PATCH', '/people/ada', { displayName: 'Ada Lovelace', active: false, isProtected: true })
    expect(changed.body).toMatchObject({
      displayName: 'Ada Lovelace',
      email: 'Ada@example.org',
      active: false,
      isProtected: true,
    })
  })

  test('a user name is taken however it is written', async ({ api }) => {
    await api('POST', '/people', { userName: 'Straße' })
    const again = await api('POST', '/people', { userName: 'STRASSE' })
    expect(again.status).toBe(409)
    expect(again.body).toMatchObject({ type: 'urn:muster:problem:user_name_taken', detail: expect.stringContaining('STRASSE') })
  })

  test('a person whom a directory owns is changed there, but can be protected here', async ({ api, inOrg, org }) => {
    const okta = await org.directory({ name: 'Okta' })
    await inOrg((trx) => insertAccount(trx, { userName: 'ada', ownedBy: okta.id }))
    const shown = await api('GET', '/people/ada')
    expect(shown.body).toMatchObject({ can: ['protect'], ownedBy: { name: 'Okta' } })
    expect(shown.body.cannot).toContainEqual({ what: 'switch_on_or_off', why: 'Managed by Okta. Change it there.' })
    for (const change of [{ active: false }, { displayName: 'X' }, { userName: 'x' }]) {
      const refused = await api('PATCH', '/people/ada', change)
      expect([refused.status, refused.body.type]).toEqual([409, 'urn:muster:problem:managed_by_directory'])
    }
    expect((await api('PATCH', '/people/ada', { isProtected: true, active: true })).body.isProtected).toBe(true)
  })

  test('the list is searched, filtered, sorted and paged by the server', async ({ api }) => {
    for (const userName of ['ada', 'bob', 'cyd', 'a_b']) await api('POST', '/people', { userName, active: userName !== 'bob' })
    const names = async (query: string) =>
      (await api('GET', `/people?${query}`)).body.items.map((item: { userName: string }) => item.userName)
    expect((await api('GET', '/people?limit=2')).body).toMatchObject({
      total: 4,
      items: [{ userName: 'a_b' }, { userName: 'ada', groupCount: 0 }],
    })
    expect(await names('offset=2&limit=0')).toEqual(['bob', 'cyd'])
    expect(await names('sort=-name')).toEqual(['cyd', 'bob', 'ada', 'a_b'])
    expect(await names('search=_')).toEqual(['a_b'])
    expect(await names('search=%25')).toEqual([])
    expect(await names('active=false')).toEqual(['bob'])
    expect(await names('directory=none&search=A')).toEqual(['a_b', 'ada'])
    const wrong = await api('GET', '/people?sort=shoe')
    expect([wrong.status, wrong.body.type]).toEqual([400, 'urn:muster:problem:invalid_value'])
  })

  test('the list is a file where asked, with formulas escaped', async ({ api }) => {
    await api('POST', '/people', { userName: 'ada', displayName: '=1+1' })
    const csv = await api('GET', '/people?format=csv&limit=1')
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="people.csv"')
    expect(csv.body).toBe("user_name,email,display_name,active,groups,directory\r\nada,,'=1+1,true,0,\r\n")
  })

  test('no person is found in another organization', async ({ api }) => {
    expect((await api('GET', '/people/bob')).status).toBe(404)
    expect((await api('GET', '/people?limit=0')).body).toEqual({ total: 0, items: [] })
  })
})

describe('groups', () => {
  test('a group is created, found by id and by a name with a slash, renamed, described, protected and deleted', async ({
    api,
  }) => {
    const made = await api('POST', '/groups', { name: 'kubernetes/sig-docs', description: 'Writes' })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      name: 'kubernetes/sig-docs',
      memberCount: 0,
      grantCount: 0,
      managedBy: null,
      pushedBy: null,
      isDefaultAccess: false,
    })
    expect(made.body.can).toEqual(['rename', 'describe', 'change_members', 'protect', 'delete', 'grant', 'make_default'])
    expect((await api('GET', `/groups/${encoded('Kubernetes/SIG-Docs')}`)).body.id).toBe(made.body.id)
    expect(
      (await api('PATCH', `/groups/${made.body.id}`, { name: 'docs', description: null, isProtected: true })).body,
    ).toMatchObject({ name: 'docs', description: null, isProtected: true })
    const refused = await api('DELETE', '/groups/docs')
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:muster:problem:protected'])
    await api('PATCH', '/groups/docs', { isProtected: false })
    expect((await api('DELETE', '/groups/docs')).status).toBe(204)
    expect((await api('GET', '/groups/docs')).status).toBe(404)
  })

  test('two who create one name at the same moment: one is told that it is taken', async ({ api }) => {
    const answers = await Promise.all(
      ['Engineering', 'ENGINEERING ', 'engineering', 'Engineering'].map((name) => api('POST', '/groups', { name })),
    )
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409, 409])
    for (const answer of answers.filter(({ status }) => status === 409))
      expect(answer.body.type).toBe('urn:muster:problem:name_taken')
    expect((await api('GET', '/groups')).body.total).toBe(1)
  })

  test.for([
    ['', 'is empty'],
    ['  ', 'is empty'],
    ['x'.repeat(256), 'longer than 255'],
    ['a\u202eb', 'U+202E'],
  ])('a name that cannot be one is refused: %j', async ([name, why], { api }) => {
    const refused = await api('POST', '/groups', { name })
    expect([refused.status, refused.body.type]).toEqual([400, 'urn:muster:problem:invalid_value'])
    expect(refused.body.detail).toContain(why)
  })

  test('members are added and removed by id, user name or e-mail, all or none', async ({ api }) => {
    await has(api, 'Engineering', ['ada', 'bob'])
    const cyd = (await api('POST', '/people', { userName: 'cyd', email: 'cyd@example.org' })).body.id
    expect(
      (await api('PATCH', '/groups/Engineering/members', { add: [cyd, 'cyd', 'CYD@example.org'], remove: ['ada@example.org'] }))
        .body,
    ).toEqual({ added: 1, removed: 1 })
    const refused = await api('PATCH', '/groups/Engineering/members', { add: ['ada', 'zoe'] })
    expect([refused.status, refused.body.type, refused.body.unknown]).toEqual([
      400,
      'urn:muster:problem:unknown_members',
      ['zoe'],
    ])
    const { body } = await api('GET', '/groups/Engineering/members')
    expect(body).toEqual({
      total: 2,
      items: ['bob', 'cyd'].map((userName) => ({
        id: expect.any(String),
        userName,
        email: `${userName}@example.org`,
        displayName: null,
        active: true,
        since: expect.stringMatching(/^20.*Z$/),
      })),
    })
    expect((await api('GET', '/groups/Engineering/members?search=BO')).body).toMatchObject({
      total: 1,
      items: [{ userName: 'bob' }],
    })
    expect((await api('GET', '/groups/Engineering/members?format=csv')).body.split('\r\n')[1]).toMatch(
      /^bob,bob@example.org,,true,20/,
    )
    expect((await api('GET', '/groups/Engineering')).body.memberCount).toBe(2)
    expect((await api('GET', '/people/bob/groups')).body).toMatchObject({
      total: 1,
      items: [{ name: 'Engineering', managedBy: null }],
    })
  })

  test('a group that a directory manages is read-only, and says why', async ({ api, inOrg, org }) => {
    await has(api, 'Engineering', ['ada'])
    const okta = await org.directory({ name: 'Okta' })
    await inOrg(async (trx) => changeGroup(trx, (await findGroup(trx, 'Engineering')).id, { managedBy: okta.id }))
    const shown = (await api('GET', '/groups/Engineering')).body
    expect(shown).toMatchObject({ managedBy: { id: okta.id, name: 'Okta' }, can: ['grant', 'make_default'] })
    expect(shown.cannot.map((entry: { what: string }) => entry.what)).toEqual([
      'rename',
      'describe',
      'change_members',
      'protect',
      'delete',
    ])
    const attempts: [string, string, unknown?][] = [
      ['PATCH', '/groups/Engineering', { name: 'Other' }],
      ['PATCH', '/groups/Engineering', { description: 'Other' }],
      ['PATCH', '/groups/Engineering', { isProtected: true }],
      ['PATCH', '/groups/Engineering/members', { remove: ['ada'] }],
      ['DELETE', '/groups/Engineering'],
    ]
    for (const [method, path, body] of attempts) {
      const refused = await api(method, path, body)
      expect([method, path, refused.status, refused.body.detail]).toEqual([
        method,
        path,
        409,
        'Managed by Okta. Change it there.',
      ])
    }
    expect((await api('GET', '/groups?managedBy=Okta')).body.total).toBe(1)
    expect((await api('GET', '/groups?managedBy=none')).body.total).toBe(0)
    expect((await api('GET', '/groups/Engineering/members')).body.total).toBe(1)
  })

  test('an auditor reads all and writes nothing', async ({ api, org }) => {
    await has(api, 'Engineering', ['ada'])
    const token = await org.token('auditor')
    expect((await api('GET', '/groups/Engineering/members', undefined, { token })).status).toBe(200)
    for (const [method, path, body] of [
      ['POST', '/groups', { name: 'x' }],
      ['DELETE', '/groups/Engineering'],
      ['POST', '/imports', { users: 'x' }],
      ['PATCH', '/people/ada', { active: false }],
    ] as const) {
      expect((await api(method, path, body, { token })).status).toBe(403)
    }
  })
})

describe('access', () => {
  test('a person has the union over the groups they are in, and it is said through which', async ({ api }) => {
    await has(
      api,
      'Engineering',
      ['ada', 'bob'],
      [
        ['acme', 'wiki', 'user'],
        ['acme', 'wiki', 'admin'],
      ],
    )
    await has(api, 'Sales', [], [['ACME', 'Wiki', 'User']])
    await api('PATCH', '/groups/Sales/members', { add: ['ada'] })
    expect((await api('GET', '/people/ada/access')).body).toEqual({
      total: 2,
      items: [
        {
          site: 'acme',
          product: 'wiki',
          role: 'admin',
          roleId: expect.any(String),
          isAdministrative: true,
          through: ['Engineering'],
        },
        {
          site: 'acme',
          product: 'wiki',
          role: 'user',
          roleId: expect.any(String),
          isAdministrative: false,
          through: ['Engineering', 'Sales'],
        },
      ],
    })
    expect((await api('GET', `/roles/${encoded('acme/wiki/user')}/people`)).body).toMatchObject({
      total: 2,
      items: [
        { userName: 'ada', through: ['Engineering', 'Sales'] },
        { userName: 'bob', through: ['Engineering'] },
      ],
    })
    expect((await api('GET', '/sites')).body).toMatchObject({ total: 1, items: [{ name: 'acme', productCount: 1 }] })
    expect((await api('GET', '/products?site=ACME')).body).toMatchObject({
      total: 1,
      items: [{ site: 'acme', product: 'wiki', seats: null, roleCount: 2 }],
    })
    const [user] = (await api('GET', '/roles?role=user')).body.items
    expect((await api('GET', `/roles/${user.id}`)).body).toEqual(user)
    expect((await api('GET', `/roles/${encoded('acme/wiki/user')}`)).body).toEqual(user)
    expect((await api('GET', `/roles/${randomUUID()}`)).status).toBe(404)
    expect((await api('GET', '/roles?sort=-role')).body.items).toEqual([
      {
        id: expect.any(String),
        site: 'acme',
        product: 'wiki',
        role: 'user',
        isAdministrative: false,
        groupCount: 2,
        peopleCount: 2,
      },
      {
        id: expect.any(String),
        site: 'acme',
        product: 'wiki',
        role: 'admin',
        isAdministrative: true,
        groupCount: 1,
        peopleCount: 2,
      },
    ])
  })

  test('who is switched off has no access, and has it again when switched on', async ({ api }) => {
    await has(api, 'Engineering', ['ada'], [['acme', 'wiki', 'user']])
    await api('PATCH', '/people/ada', { active: false })
    expect((await api('GET', '/people/ada/access')).body).toEqual({ total: 0, items: [] })
    await api('PATCH', '/people/ada', { active: true })
    expect((await api('GET', '/people/ada/access')).body.total).toBe(1)
  })

  test('a grant is made default access, stopped, and taken away', async ({ api }) => {
    await has(api, 'Engineering', [], [['acme', 'wiki', 'user']])
    const path = `/grants/Engineering/${encoded('acme/wiki/user')}`
    expect((await api('PATCH', path, { isDefault: true })).body).toMatchObject({
      group: { name: 'Engineering' },
      site: 'acme',
      isDefault: true,
    })
    expect((await api('GET', '/grants?default=true')).body).toMatchObject({
      total: 1,
      items: [{ product: 'wiki', role: 'user' }],
    })
    expect((await api('GET', '/groups?defaultAccess=true')).body.total).toBe(1)
    expect((await api('PATCH', path, { isDefault: false })).body.isDefault).toBe(false)
    expect((await api('DELETE', path)).status).toBe(204)
    expect((await api('DELETE', path)).status).toBe(404)
    expect((await api('GET', '/grants')).body).toEqual({ total: 0, items: [] })
    expect((await api('PATCH', '/grants/Engineering/wiki', { isDefault: true })).status).toBe(400)
  })

  test('why a person has an access, and the first broken link where they have not', async ({ api }) => {
    await has(api, 'Engineering', ['ada'], [['acme', 'wiki', 'user']])
    await api('POST', '/people', { userName: 'bob' })
    const why = async (person: string, role = 'user') =>
      (await api('GET', `/people/${person}/access/why?site=acme&product=wiki&role=${role}`)).body
    const yes = await why('ada')
    expect(yes).toMatchObject({ access: true, site: 'acme', product: 'wiki', role: 'user', through: ['Engineering'] })
    expect(yes.broken).toBeUndefined()
    expect(yes.steps.map((step: { what: string; text: string }) => [step.what, step.text])).toEqual([
      ['push', 'No directory pushes ada.'],
      ['account', 'The account ada is active.'],
      ['membership', 'ada is a member of "Engineering".'],
      ['state', '"Engineering" is pushed by no directory.'],
      ['grant', '"Engineering" is granted acme/wiki/user.'],
      ['access', 'ada has acme/wiki/user through "Engineering".'],
    ])
    expect(await why('bob')).toMatchObject({
      access: false,
      through: [],
      broken: 'bob is in none of the groups that give it: "Engineering".',
    })
    await api('PATCH', '/people/ada', { active: false })
    expect(await why('ada')).toMatchObject({ access: false, broken: 'The account ada is switched off.' })
    await api('DELETE', `/grants/Engineering/${encoded('acme/wiki/user')}`)
    expect(await why('bob')).toMatchObject({ access: false, broken: 'No group is granted acme/wiki/user.' })
    expect((await api('GET', '/people/ada/access/why?site=acme&product=wiki&role=king')).status).toBe(404)
  })
})

describe('pushed groups', () => {
  const user = (userName: string) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName,
    emails: [{ value: `${userName}@example.org`, primary: true }],
    active: true,
  })
  const group = (displayName: string, members: string[]) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName,
    members: members.map((value) => ({ value })),
  })

  test('why: a membership that is pushed and waits for review is the broken link', async ({ api, scim, org }) => {
    await has(api, 'Engineering', ['ada'], [['acme', 'wiki', 'user']])
    const okta = await org.directory({ name: 'Okta' })
    const bob = await scim('POST', '/Users', user('bob'), okta)
    expect(bob.status).toBe(201)
    expect((await scim('POST', '/Groups', group('engineering', [bob.body.id]), okta)).status).toBe(201)
    const why = (await api('GET', '/people/bob/access/why?site=acme&product=wiki&role=user')).body
    expect(why).toMatchObject({
      access: false,
      broken: 'bob is pushed into "Engineering" by Okta, but that is not in force: it needs review, because its name was taken.',
    })
    expect(why.steps.map((step: { what: string }) => step.what)).toEqual([
      'push',
      'provisioned_user',
      'account',
      'membership',
      'state',
      'grant',
      'access',
    ])
  })

  test('a group that is pushed and awaits review cannot be made default access', async ({ api, scim, org }) => {
    await has(api, 'Engineering', [], [['acme', 'wiki', 'user']])
    const okta = await org.directory({ name: 'Okta' })
    await scim('POST', '/Groups', group('Engineering', []), okta)
    expect((await api('GET', '/groups/Engineering')).body).toMatchObject({
      managedBy: null,
      pushedBy: { name: 'Okta', state: 'needs_review' },
    })
    const refused = await api('PATCH', `/grants/Engineering/${encoded('acme/wiki/user')}`, { isDefault: true })
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:muster:problem:paired_with_directory'])
    const imported = await api('POST', '/imports', {
      access: 'site,product,role,group,default\nacme,wiki,user,Engineering,true\n',
    })
    expect([imported.status, imported.body.errors]).toEqual([
      400,
      [{ file: 'access.csv', line: 2, message: expect.stringContaining('cannot be a default access group') }],
    ])
  })

  test('a group that awaits review can be deleted: the pushed group is offered what it had, and gets it by sync alone', async ({
    api,
    scim,
    org,
  }) => {
    await has(api, 'Engineering', ['ada'], [['acme', 'wiki', 'user']])
    const okta = await org.directory({ name: 'Okta' })
    const bob = await scim('POST', '/Users', user('bob'), okta)
    expect((await scim('POST', '/Groups', group('Engineering', [bob.body.id]), okta)).status).toBe(201)
    expect((await api('DELETE', '/groups/Engineering')).status).toBe(204)
    expect((await api('GET', '/groups/Engineering')).status).toBe(404)
    const review = (await api('GET', '/directories/Okta/reviews')).body.items[0]
    expect(review).toMatchObject({
      existing: null,
      reasons: ['deleted_before'],
      members: { added: 1, removed: 0 },
      access: { gained: 1, lost: 0 },
      productAccess: [{ site: 'acme', product: 'wiki', role: 'user' }],
    })
  })

  test('an import that makes a blocked group default access leaves the pushed group with every reason', async ({
    api,
    scim,
    org,
  }) => {
    await has(api, 'Engineering', [], [['acme', 'wiki', 'user']])
    await api('PATCH', '/groups/Engineering', { isProtected: true })
    const okta = await org.directory({ name: 'Okta' })
    expect((await scim('POST', '/Groups', group('Engineering', []), okta)).status).toBe(201)
    const reasons = async () => (await api('GET', '/directories/Okta/provisioned-groups')).body.items[0].reasons
    expect(await reasons()).toEqual(['protected'])
    const imported = await api('POST', '/imports', {
      access: 'site,product,role,group,default\nacme,wiki,user,Engineering,true\n',
    })
    expect([imported.status, imported.body.access]).toEqual([200, { added: 0, madeDefault: 1, unchanged: 0 }])
    expect(await reasons()).toEqual(['default_access_group', 'protected'])
  })

  test('members whom an admin adds or takes from a group that awaits review are in force or not; what the provider said stays as it said it', async ({
    api,
    scim,
    org,
    inOrg,
  }) => {
    await has(api, 'Engineering', ['ada', 'bob'])
    for (const userName of ['cyd', 'zoe']) await api('POST', '/people', { userName })
    const okta = await org.directory({ name: 'Okta' })
    const bob = await scim('POST', '/Users', user('bob'), okta)
    expect((await scim('POST', '/Groups', group('Engineering', [bob.body.id]), okta)).status).toBe(201)
    expect((await api('PATCH', '/groups/Engineering/members', { add: ['cyd'], remove: ['bob'] })).body).toEqual({
      added: 1,
      removed: 1,
    })
    expect((await api('POST', '/imports', { members: 'group,user_name\nEngineering,zoe\n' })).body.members.added).toBe(1)
    const truths = await inOrg((trx) =>
      trx
        .selectFrom('memberships as m')
        .innerJoin('accounts as a', 'a.id', 'm.account_id')
        .select(['a.user_name as userName', 'm.pushed', 'm.effective'])
        .where('m.org_id', '=', trx.orgId)
        .orderBy('a.user_name')
        .execute(),
    )
    expect(truths).toEqual([
      { userName: 'ada', pushed: false, effective: true },
      { userName: 'bob', pushed: true, effective: false },
      { userName: 'cyd', pushed: false, effective: true },
      { userName: 'zoe', pushed: false, effective: true },
    ])
  })
})

describe('imports', () => {
  const file = (name: string) => readFile(new URL(`../../sample/kubernetes-org/existing/${name}.csv`, import.meta.url), 'utf8')

  test('an organization comes in by one request', async ({ api }) => {
    const files = {
      users: await file('users'),
      groups: await file('groups'),
      members: await file('members'),
      access: await file('access'),
    }
    const { status, body } = await api('POST', '/imports', files)
    expect([status, body]).toEqual([
      200,
      {
        users: { created: 1395, updated: 0, unchanged: 0 },
        groups: { created: 718, updated: 0, unchanged: 0 },
        members: { added: 5854, unchanged: 0 },
        access: { added: 575, madeDefault: 0, unchanged: 0 },
        durationMs: expect.any(Number),
      },
    ])
    expect((await api('GET', '/people?limit=1')).body.total).toBe(1395)
    expect((await api('GET', '/groups?limit=0')).body.items).toHaveLength(718)
    expect((await api('GET', '/groups?defaultAccess=true')).body.total).toBe(8)
    expect((await api('GET', '/grants?limit=1')).body.total).toBe(575)
  })

  test('wrong files are a problem that names file and line; nothing is imported', async ({ api }) => {
    const { status, headers, body } = await api('POST', '/imports', {
      groups: 'group,description\nSales,\n',
      members: 'group,user_name\nSales,zoe\n',
    })
    expect(status).toBe(400)
    expect(headers.get('content-type')).toContain('application/problem+json')
    expect(body).toMatchObject({
      type: 'urn:muster:problem:invalid_import',
      errorCount: 1,
      detail: expect.stringContaining('members.csv, line 2: there is no user "zoe"'),
    })
    expect((await api('GET', '/groups')).body.total).toBe(0)
    expect((await api('POST', '/imports', {})).status).toBe(400)
    expect((await api('POST', '/imports', { people: '' })).status).toBe(400)
  })
})

test('names are compared by their keys wherever they are asked for', async ({ api }) => {
  await has(api, 'Straße', ['ada'], [['Münchén', 'Wiki', 'User']])
  expect((await api('GET', `/groups/${encoded('STRASSE')}`)).body.name).toBe('Straße')
  expect((await api('GET', `/roles?site=${encoded('MÜNCHÉN')}`)).body.total).toBe(1)
  expect(nameKey('MÜNCHÉN')).toBe(nameKey('Münchén'))
})
