import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import type { Client } from '../support/clients.ts'
import type { ReferenceGroup } from '../support/reference.ts'
import { test as base, expect } from '../support/world.ts'
import { type StoredWorld, storeWorld } from './stored-world.ts'

type Groups = Record<string, { has: string[]; pushed?: string[]; gives?: string[]; isDefault?: boolean; isApart?: boolean }>

/** An organization as it stands after pushes, in a directory named okta. */
const test = base.extend<{
  stands: (groups: Groups, inactive?: string[]) => Promise<StoredWorld>
  review: (group: string) => Promise<Awaited<ReturnType<Client>>['body']>
}>({
  stands: async ({ inOrg, org }, use) => {
    const { id } = await org.directory()
    await use((groups, inactive = []) => inOrg((trx) => storeWorld(trx, worldOf(groups, inactive), id)))
  },
  review: async ({ api }, use) => use(async (group) => (await api('GET', `/reviews/${encodeURIComponent(group)}`)).body),
})

function worldOf(groups: Groups, inactive: string[]) {
  const names = new Set(Object.values(groups).flatMap(({ has, pushed = [] }) => [...has, ...pushed]))
  return {
    people: new Map([...names].map((name) => [name, { active: !inactive.includes(name) }])),
    groups: Object.entries(groups).map(
      ([name, { has, pushed, gives = [], ...rest }]): ReferenceGroup => ({
        name,
        effective: new Set(has),
        ...(pushed ? { pushed: new Set(pushed) } : {}),
        grants: gives,
        ...rest,
      }),
    ),
  }
}

const porche = { gives: ['sigs/porche/write'] }
const codes = ({ warnings }: { warnings: { code: string }[] }) => warnings.map(({ code }) => code)

test('a review says who would be added, removed and stay, and the net effect on access', async ({ stands, review, api }) => {
  await stands({ Engineering: { has: ['ada', 'bob'], pushed: ['ada', 'cyd'], gives: ['site/wiki/user'] } })
  expect(await review('engineering')).toMatchObject({
    group: { name: 'Engineering' },
    existing: { name: 'Engineering', memberCount: 2, managedBy: null },
    state: 'needs_review',
    reasons: ['name_taken'],
    members: { added: 1, removed: 1, unchanged: 1 },
    access: { lost: 1, gained: 1, peopleLosing: 1, peopleGaining: 1, leftWithNone: 1 },
    productAccess: [{ site: 'site', product: 'wiki', role: 'user', isDefault: false }],
    can: ['sync'],
    cannot: [],
    viewed: false,
  })
  const members = async (query: string) => (await api('GET', `/reviews/Engineering/members?${query}`)).body
  expect(
    (await members('')).items.map((member: { userName: string; change: string }) => [member.userName, member.change]),
  ).toEqual([
    ['cyd', 'added'],
    ['bob', 'removed'],
  ])
  expect(await members('change=unchanged')).toMatchObject({ total: 1, items: [{ userName: 'ada', change: 'unchanged' }] })
  expect(await members('change=all&search=BO')).toMatchObject({ total: 1, items: [{ userName: 'bob' }] })
  expect(await members('change=all&offset=10')).toEqual({ total: 3, items: [] })
})

test('who has the same access through another group keeps it, and it is said through which', async ({ stands, review, api }) => {
  await stands({
    'porche-writers': { has: ['ada', 'bob'], pushed: ['bob'], ...porche },
    'porche-maintainers': { has: ['ada'], ...porche },
  })
  expect((await review('porche-writers')).access).toMatchObject({ lost: 0, gained: 0 })
  expect((await api('GET', '/reviews/porche-writers/people')).body.items).toMatchObject([
    {
      person: { userName: 'ada' },
      groups: [{ name: 'porche-writers', change: 'removed' }],
      lost: [],
      leftWithNone: false,
      kept: [{ site: 'sigs', product: 'porche', role: 'write', through: [{ name: 'porche-maintainers', alsoRemoves: false }] }],
    },
  ])
})

test("two groups that keep each other's access alive take it together: a joint loss", async ({ stands, api }) => {
  const { pushed } = await stands({
    'porche-writers': { has: ['ada', 'bob'], pushed: ['bob'], ...porche },
    'porche-maintainers': { has: ['ada', 'bob'], pushed: ['bob'], ...porche },
    other: { has: ['bob'], pushed: ['bob', 'ada'] },
  })
  const effect = (await api('POST', '/directories/okta/reviews/effect', { selection: { mode: 'filter', filter: {} } })).body
  expect(effect).toMatchObject({
    directory: 'okta',
    groups: 3,
    blocked: 0,
    members: { added: 1, removed: 2 },
    access: { lost: 1, gained: 0, peopleLosing: 1, leftWithNone: 1, jointLosses: 1 },
    matrix: [{ site: 'sigs', role: 'write', lost: 1, gained: 0, peopleLosing: 1 }],
    warnings: [{ code: 'left_with_nothing', groups: 2, people: 1 }],
  })
  expect(effect.jointLosses.groups.toSorted()).toEqual(
    [pushed.get('porche-writers'), pushed.get('porche-maintainers')].toSorted(),
  )
  const people = (
    await api('POST', '/directories/okta/reviews/effect/people', { selection: { mode: 'filter', filter: {} }, who: 'joint' })
  ).body
  expect(people).toMatchObject({
    total: 1,
    items: [
      {
        person: { userName: 'ada' },
        lost: [{ isJoint: true, through: [{ name: 'porche-maintainers' }, { name: 'porche-writers' }] }],
      },
    ],
  })
  const safe = (await api('POST', '/directories/okta/reviews/selections', { preset: 'takes_nothing' })).body
  expect(safe).toMatchObject({
    preset: 'takes_nothing',
    groups: 1,
    selection: { mode: 'ids', ids: [pushed.get('other')] },
    effect: { access: { lost: 0 } },
  })
  expect(safe.dropped.map(({ group, why }: { group: { name: string }; why: string }) => [group.name, why]).toSorted()).toEqual([
    ['porche-maintainers', 'joint_loss'],
    ['porche-writers', 'joint_loss'],
  ])
})

test('the effect of a selection is of ids or names, or of a filter with exceptions; never of blocked groups', async ({
  stands,
  api,
}) => {
  const { pushed } = await stands({
    a: { has: ['ada'], pushed: [], gives: ['site/wiki/user'] },
    b: { has: ['bob'], pushed: ['ada', 'bob'], gives: ['site/code/read'] },
    everyone: { has: ['ada'], pushed: ['ada', 'bob'], gives: ['site/wiki/user'], isDefault: true },
  })
  const effect = async (selection: unknown) => (await api('POST', '/directories/okta/reviews/effect', { selection })).body
  expect(await effect({ mode: 'ids', ids: [pushed.get('a'), 'B', 'everyone'] })).toMatchObject({ groups: 2, blocked: 1 })
  expect(await effect({ mode: 'filter', filter: {}, except: ['a'] })).toMatchObject({
    groups: 1,
    blocked: 1,
    access: { lost: 0, gained: 1 },
  })
  expect(await effect({ mode: 'filter', filter: { effect: 'takes' } })).toMatchObject({ groups: 0, access: { lost: 0 } })
  expect(await effect({ mode: 'filter', filter: { state: 'blocked' } })).toMatchObject({
    groups: 0,
    blocked: 1,
    members: { added: 0, removed: 0 },
  })
  expect(await effect({ mode: 'ids', ids: ['nobody'] })).toMatchObject({ type: 'urn:muster:problem:not_found', status: 404 })
})

test('a blocked group is listed with what to do about it', async ({ stands, api }) => {
  await stands({
    everyone: { has: ['ada'], pushed: [], gives: ['site/wiki/user'], isDefault: true },
    free: { has: ['ada'], pushed: ['ada'] },
  })
  const list = async (query: string) => (await api('GET', `/directories/okta/reviews?${query}`)).body
  expect((await list('')).items.map(({ group }: { group: { name: string } }) => group.name)).toEqual(['free'])
  expect(await list('state=blocked')).toMatchObject({
    total: 1,
    items: [
      {
        state: 'blocked',
        reasons: ['default_access_group'],
        can: [],
        cannot: [
          {
            what: 'sync',
            why: 'Default access group of site · wiki. Make another group default, then this one becomes reviewable.',
          },
        ],
      },
    ],
  })
  expect((await list('state=all')).total).toBe(2)
})

test('warnings: last admin, left with nothing, empty, inactive, the guard', async ({ stands, review }) => {
  const many = Array.from({ length: 12 }, (_, index) => `person ${index}`)
  await stands(
    {
      admins: { has: ['ada'], pushed: ['bob'], gives: ['site/wiki/admin'] },
      gone: { has: ['cyd'], pushed: [] },
      many: { has: many, pushed: many.slice(4) },
      few: { has: many.slice(0, 10), pushed: many.slice(4, 10) },
    },
    ['bob'],
  )
  expect((await review('admins')).warnings).toEqual([
    { code: 'last_admin', count: 1 },
    { code: 'left_with_nothing', count: 1 },
    { code: 'inactive', count: 1 },
  ])
  expect(await review('gone')).toMatchObject({
    warnings: [{ code: 'empty', count: 1 }],
    cannot: [{ what: 'sync', why: expect.stringContaining('Accept it as empty') }],
  })
  expect((await review('many')).warnings).toEqual([{ code: 'guard_passed', count: 4 }])
  expect((await review('few')).warnings).toEqual([])
})

test('the guard that a review warns of is the directory’s own', async ({ stands, api, review }) => {
  const many = Array.from({ length: 12 }, (_, index) => `person ${index}`)
  await stands({ many: { has: many, pushed: many.slice(4) }, few: { has: many.slice(0, 8), pushed: many.slice(4, 8) } })
  const warned = async (limits: object) => {
    expect((await api('PATCH', '/directories/okta', limits)).status).toBe(200)
    const { warnings } = (await api('POST', '/directories/okta/reviews/effect', { selection: { mode: 'filter', filter: {} } }))
      .body
    const single = await Promise.all(['many', 'few'].map(async (name) => codes(await review(name)).includes('guard_passed')))
    return [warnings.filter(({ code }: { code: string }) => code === 'guard_passed'), ...single]
  }
  expect(await warned({})).toEqual([[{ code: 'guard_passed', groups: 1 }], true, false])
  expect(await warned({ guardMembersPercent: 50 })).toEqual([[], false, false])
  expect(await warned({ guardMembersPercent: 49, guardMembersOver: 7 })).toEqual([
    [{ code: 'guard_passed', groups: 1, percent: 49 }],
    false,
    true,
  ])
})

test('an administrative role whose last holder is replaced in the same selection does not lose its last admin', async ({
  stands,
  api,
  review,
}) => {
  await stands({
    old: { has: ['ada'], pushed: [], gives: ['site/wiki/admin'] },
    new: { has: [], pushed: ['bob'], gives: ['site/wiki/admin'] },
  })
  expect(codes(await review('old'))).toContain('last_admin')
  const { warnings } = (await api('POST', '/directories/okta/reviews/effect', { selection: { mode: 'filter', filter: {} } })).body
  expect(warnings.map(({ code }: { code: string }) => code)).toEqual(['left_with_nothing', 'empty'])
})

test('what only the selection warns of is part of its fingerprint: a last admin whom no group loses alone', async ({
  stands,
  api,
  inOrg,
}) => {
  const admins = { gives: ['site/wiki/admin'] }
  const { group, account } = await stands(
    {
      one: { has: ['ada', 'bob'], pushed: ['bob'], ...admins },
      two: { has: ['ada', 'bob'], pushed: ['bob'], ...admins },
      three: { has: ['bob'], pushed: [], ...admins },
      unpushed: { has: ['cyd'], ...admins },
    },
    ['bob'],
  )
  const effect = async () =>
    (await api('POST', '/directories/okta/reviews/effect', { selection: { mode: 'filter', filter: {} } })).body
  const before = await effect()
  await inOrg((trx) =>
    sql`delete from memberships where org_id = ${trx.orgId} and group_id = ${group.get('unpushed')} and account_id = ${account.get('cyd')}`.execute(
      trx,
    ),
  )
  const after = await effect()
  expect([codes(before).includes('last_admin'), codes(after).includes('last_admin')]).toEqual([false, true])
  expect(after.access).toEqual(before.access)
  expect(after.fingerprint).not.toBe(before.fingerprint)
})

test('seats are counted by people: a second role on a product takes none', async ({ stands, review, inOrg }) => {
  await stands({
    users: { has: ['ada', 'bob'], gives: ['site/wiki/user'] },
    editors: { has: ['ada'], pushed: ['ada', 'bob'], gives: ['site/wiki/write'] },
    more: { has: [], pushed: ['cyd', 'dee'], gives: ['site/wiki/read'] },
  })
  const seats = (count: number) =>
    inOrg((trx) => sql`update products set seats = ${count} where org_id = ${trx.orgId}`.execute(trx))
  await seats(3)
  expect(codes(await review('editors'))).toEqual([])
  expect((await review('more')).warnings).toEqual([{ code: 'seats_exceeded', count: 1 }])
  await seats(4)
  expect(codes(await review('more'))).toEqual([])
})

test('unknown members and filling are warned of; filling is no part of the fingerprint', async ({ stands, review, inOrg }) => {
  const { directoryId, pushed } = await stands({ team: { has: ['ada'], pushed: ['ada', 'bob'] } })
  const before = await review('team')
  await inOrg((trx) =>
    sql`update directories set quiet_seconds = 120 where org_id = ${trx.orgId} and id = ${directoryId}`.execute(trx),
  )
  const filling = await review('team')
  expect(filling).toMatchObject({
    filling: true,
    warnings: [{ code: 'filling', count: 1 }],
    cannot: [{ what: 'sync', why: expect.stringContaining('Still filling') }],
    fingerprint: before.fingerprint,
  })
  await inOrg((trx) =>
    sql`insert into unknown_members (org_id, provisioned_group_id, value) values (${trx.orgId}, ${pushed.get('team')}, 'ghost')`.execute(
      trx,
    ),
  )
  const unknown = await review('team')
  expect(codes(unknown)).toEqual(['unknown_members', 'filling'])
  expect(unknown.fingerprint).not.toBe(before.fingerprint)
})

test('a review is viewed for its fingerprint only', async ({ stands, review, api, inOrg, org }) => {
  const { group } = await stands({ team: { has: ['ada'], pushed: ['bob'] }, other: { has: ['cyd'] } })
  const { fingerprint } = await review('team')
  expect((await api('PUT', '/reviews/team/viewed', { fingerprint }, { token: await org.token('auditor') })).status).toBe(403)
  expect((await api('PUT', '/reviews/team/viewed', { fingerprint })).status).toBe(204)
  expect((await review('team')).viewed).toBe(true)
  expect((await api('GET', '/directories/okta/reviews?viewed=false')).body.total).toBe(0)
  await inOrg((trx) => addEffective(trx, group.get('team')))
  expect((await review('team')).viewed).toBe(false)
})

const addEffective = (trx: Trx, groupId: string | undefined) =>
  sql`
  with added as (insert into memberships (org_id, group_id, account_id, pushed, effective)
    select org_id, ${groupId}::uuid, id, false, true from accounts where org_id = ${trx.orgId} on conflict do nothing returning 1)
  update groups set remove_count = remove_count + 1 where org_id = ${trx.orgId} and id = ${groupId}`.execute(trx)

test('a group that is only pushed is all additions, over no existing group', async ({ stands, review }) => {
  await stands({ Engineering: { has: [], pushed: ['ada', 'bob'], isApart: true } })
  expect(await review('Engineering')).toMatchObject({
    existing: null,
    members: { added: 2, removed: 0, unchanged: 0 },
    access: { lost: 0, gained: 0 },
  })
})

test('lists are filtered, sorted, paged, and facets respect the rest of the filter', async ({ stands, api }) => {
  await stands({
    a: { has: ['ada', 'bob'], pushed: ['ada'], gives: ['site/wiki/user', 'site/code/admin'] },
    b: { has: ['cyd'], pushed: ['cyd', 'dee'], gives: ['other/wiki/user'] },
    c: { has: ['dee', 'eve'], pushed: [], gives: [] },
    d: { has: ['ada'], pushed: ['ada'], gives: ['site/wiki/user'] },
  })
  const list = async (query: string) => {
    const { total, items } = (await api('GET', `/directories/okta/reviews?${query}`)).body
    return [total, items?.map(({ group }: { group: { name: string } }) => group.name).join('')]
  }
  expect(await list('')).toEqual([4, 'acbd'])
  expect(await list('sort=-name&limit=2&offset=1')).toEqual([4, 'cb'])
  expect(await list('sort=-gained,name')).toEqual([4, 'bacd'])
  expect(await list('effect=none&members=removals')).toEqual([1, 'c'])
  expect(await list('site=site&role=user')).toEqual([1, 'a'])
  expect(await list('site=Other&product=WIKI')).toEqual([1, 'b'])
  expect(await list('warning=empty')).toEqual([1, 'c'])
  expect((await api('GET', '/directories/okta/reviews?sort=size')).status).toBe(400)
  const facets = (await api('GET', '/directories/okta/reviews/facets?effect=takes&site=site')).body
  expect(facets).toMatchObject({
    total: 1,
    effect: { takes: 1, gives: 0, none: 1 },
    members: { none: 0, additions: 0, removals: 1 },
    state: { needs_review: 1, blocked: 0 },
    sites: [{ site: 'site', groups: 1 }],
    products: [
      { site: 'site', product: 'code', groups: 1 },
      { site: 'site', product: 'wiki', groups: 1 },
    ],
    roles: [
      { role: 'admin', groups: 1 },
      { role: 'user', groups: 1 },
    ],
  })
})

test('a role is one role in the matrix and the facets, however its name is written on each product', async ({ stands, api }) => {
  await stands({
    a: { has: ['ada', 'bob'], pushed: ['bob'], gives: ['site/wiki/Admin', 'site/code/admin'] },
    b: { has: ['ada'], pushed: [], gives: ['site/news/ADMIN'] },
  })
  const effect = (await api('POST', '/directories/okta/reviews/effect', { selection: { mode: 'filter', filter: {} } })).body
  expect(effect.matrix).toMatchObject([
    { site: 'site', role: expect.stringMatching(/^admin$/i), lost: 3, gained: 0, peopleLosing: 1 },
  ])
  const { roles } = (await api('GET', '/directories/okta/reviews/facets')).body
  expect(roles).toEqual([{ role: effect.matrix[0].role, groups: 2 }])
})

test('lists come as CSV that no spreadsheet takes for a formula', async ({ stands, api }) => {
  await stands({ '=1+1': { has: ['ada'], pushed: ['@bob'], gives: ['site/wiki/user'] } })
  const csv = async (path: string) => {
    const { headers, body } = await api('GET', path)
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    return body.split('\r\n')
  }
  expect((await csv('/directories/okta/reviews?format=csv'))[1]).toMatch(/^'=1\+1,/)
  expect((await csv('/reviews/%3D1%2B1/members?format=csv'))[1]).toBe("'@bob,'@bob@example.org,,true,added")
  expect((await csv('/reviews/%3D1%2B1/people?format=csv'))[1]).toBe("ada,ada@example.org,lost,site,wiki,user,'=1+1,")
})

test('a grant says how many people have its role before and after', async ({ stands, api }) => {
  await stands({
    team: { has: ['ada', 'bob'], pushed: ['cyd'], gives: ['site/wiki/admin'] },
    other: { has: ['ada'], gives: ['site/wiki/admin'] },
  })
  expect((await api('GET', '/reviews/team/access')).body.items).toMatchObject([
    { role: 'admin', before: 2, after: 2, lost: 1, gained: 1, losesLastAdmin: false },
  ])
})

test('a review of another organization, and one that is not there, are the same 404', async ({ api, db, second }) => {
  const client = await db.pool.connect()
  await client.query(`select set_config('muster.org_id', $1, false)`, [second.orgId])
  const { rows } = await client.query<{ id: string }>('select id from provisioned_groups limit 1')
  client.release(true)
  const foreign = await api('GET', `/reviews/${rows[0]?.id}`)
  const missing = await api('GET', '/reviews/019ab000-0000-7000-8000-000000000000')
  expect([foreign.status, foreign.body]).toEqual([404, missing.body])
})
