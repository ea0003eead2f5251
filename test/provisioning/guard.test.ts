import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import { type Client, clientOf } from '../support/clients.ts'
import { behindItsBack, type DatabaseCopy } from '../support/database-copy.ts'
import { startTestServer } from '../support/server.ts'
import { expect, type Organization, type Provider, test } from '../support/story.ts'

const people = Array.from({ length: 20 }, (_, at) => `p${at + 10}`)
const doors: Record<string, (provider: Provider, group: string, gone: string[]) => Promise<unknown>> = {
  'PATCH remove': (provider, group, gone) => provider.removes(group, gone),
  'PATCH replace': async (provider, group, gone) => provider.replaces(group, await without(provider, group, gone)),
  PUT: async (provider, group, gone) =>
    provider.request('PUT', `/Groups/${provider.idOf(group)}`, {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: group,
      members: (await without(provider, group, gone)).map((name) => ({ value: provider.idOfPerson(name) })),
    }),
  Bulk: (provider, group, gone) =>
    provider.request('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        {
          method: 'PATCH',
          path: `/Groups/${provider.idOf(group)}`,
          data: {
            schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
            Operations: [{ op: 'remove', path: 'members', value: gone.map((name) => ({ value: provider.idOfPerson(name) })) }],
          },
        },
      ],
    }),
}

async function without(provider: Provider, group: string, gone: string[]): Promise<string[]> {
  return (await provider.membersOf(group)).filter((name) => !gone.includes(name))
}

/** Moves what came and went in groups so many minutes back. */
const minutesPass = (trx: Trx, minutes: number) =>
  sql`
  update groups set recent = array(select array[recent[i][1] - ${minutes}::integer, recent[i][2], recent[i][3]] from generate_subscripts(recent, 1) i)
  where org_id = ${trx.orgId} and recent <> '{}'`.execute(trx)

test('removals past 25 % of a group wait by every door, and additions apply', async ({ acme, okta, inOrg }) => {
  await okta.knows(...people, 'new')
  for (const door of Object.keys(doors)) await okta.pushes({ group: door, members: people })
  await inOrg((trx) => minutesPass(trx, 61))
  const through = async (door: string) => {
    const take = doors[door] as (typeof doors)[string]
    for (const count of [6, 12, 20]) {
      await take(okta, door, people.slice(0, count))
      expect([door, count, await acme.membersOf(door)]).toEqual([door, count, people])
      expect(await okta.stateOf(door)).toEqual({ state: 'held', reasons: ['guard_passed'] })
      await okta.replaces(door, people)
    }
    expect(await okta.stateOf(door)).toEqual({ state: 'synced', reasons: [] })
    await take(okta, door, people.slice(0, 5))
    expect([door, await acme.membersOf(door)]).toEqual([door, people.slice(5)])
    await okta.replaces(door, [...people.slice(0, 3), 'new'])
    expect(await okta.membersOf(door)).toEqual(['new', ...people.slice(0, 3)])
    expect([door, await acme.membersOf(door)]).toEqual([door, ['new', ...people.slice(0, 3), ...people.slice(5)].sort()])
  }
  await Promise.all(Object.keys(doors).map(through))
})

test('one by one no more go within an hour than at once, and as many again after it', async ({ acme, okta, inOrg }) => {
  await okta.knows(...people)
  await okta.pushes({ group: 'Crew', members: people })
  await inOrg((trx) => minutesPass(trx, 61))
  for (const name of people.slice(0, 8)) expect(await okta.removes('Crew', [name])).toBe(204)
  expect(await acme.membersOf('Crew')).toEqual(people.slice(5))
  await inOrg((trx) => minutesPass(trx, 30))
  await okta.removes('Crew', ['p18'])
  expect(await acme.membersOf('Crew')).toEqual(people.slice(5))
  await inOrg((trx) => minutesPass(trx, 31))
  for (const name of people.slice(9)) await okta.removes('Crew', [name])
  // Of fifteen: three, and the others wait.
  expect(await acme.membersOf('Crew')).toEqual([...people.slice(5, 9), ...people.slice(12)])
  expect(await okta.membersOf('Crew')).toEqual([])
})

/** Moves what the log says that many minutes back. */
const logPasses = (database: DatabaseCopy, { id }: { id: string }, minutes: number) =>
  behindItsBack(database, `update log_entries set at = at - make_interval(mins => ${minutes}) where org_id = '${id}'`)

const activeOf = async (acme: Organization, names: string[]) => {
  const shown = await Promise.all(names.map((name) => acme.person(name)))
  return names.filter((_, at) => shown[at]?.active)
}

test('past ten people switched off within an hour the others wait, by whatever door; what is pushed is what was said', async ({
  acme,
  okta,
  org,
  database,
}) => {
  await okta.knows(...people)
  await okta.pushes({ group: 'All', members: people })
  for (const name of people.slice(0, 6)) await okta.switches(name, 'off')
  for (const name of people.slice(6, 13)) await okta.deletesPerson(name)
  expect(await activeOf(acme, people)).toEqual(people.slice(10))
  expect((await okta.request('GET', `/Users/${okta.idOfPerson('p20')}`)).status).toBe(404)
  await okta.switches('p23', 'off')
  const { body } = await okta.request('GET', `/Users/${okta.idOfPerson('p23')}`)
  expect(body.active).toBe(false)
  expect(await activeOf(acme, people)).toEqual(people.slice(10))
  await okta.request('PATCH', `/Users/${okta.idOfPerson('p23')}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', value: { displayName: 'Another name', active: false } }],
  })
  expect(await acme.person('p23')).toMatchObject({ active: true, displayName: 'Another name' })
  await logPasses(database, org, 61)
  await okta.switches('p24', 'off')
  expect(await activeOf(acme, people.slice(10))).toEqual(people.slice(10).filter((name) => name !== 'p24'))
  await okta.switches('p23', 'on')
  await okta.switches('p23', 'off')
  expect(await activeOf(acme, ['p23'])).toEqual([])
})

test('five of a hundred may be switched off where those are more than the number', async ({ acme, connects }) => {
  const okta = await connects('okta', { guardPeople: 1, guardPeoplePercent: 15 })
  await okta.knows(...people)
  for (const name of people.slice(0, 2)) await okta.deletesPerson(name)
  for (const name of people.slice(2, 6)) await okta.switches(name, 'off')
  expect(await activeOf(acme, people)).toEqual(people.slice(3))
})

test('groups that are deleted with what is pushed wait past the limit, with members and grants', async ({
  acme,
  connects,
  api,
}) => {
  const okta = await connects('okta', { deletedGroups: 'delete' })
  await okta.knows('ada')
  const groups = ['G1', 'G2', 'G3', 'G4', 'Straße']
  for (const group of groups) await okta.pushes({ group, members: ['ada'] })
  await acme.grants('G4', 'here/app/user')
  for (const group of groups) expect(await okta.deletes(group)).toBe(204)
  expect(await acme.accessOf('ada')).toEqual(['here/app/user'])
  expect(await acme.membersOf('Straße')).toEqual(['ada'])
  expect((await api('GET', '/directories/okta')).body).toMatchObject({ complete: false, incomplete: ['2 deletions wait.'] })
  const asked = { ids: ['STRASSE'] }
  const { fingerprint } = (await api('POST', '/directories/okta/held/effect', asked)).body
  const { body } = await api('POST', '/directories/okta/held/decisions', { decision: 'allow', ...asked, fingerprint })
  expect(await ended(api, body.id)).toMatchObject({ members: { removed: 1 }, groups: { synced: 1 } })
  expect((await api('GET', '/deleted-groups')).body.items.map(({ name }: { name: string }) => name)).toContain('Straße')
  // Nor does what an admin deleted, or what another pushed group is linked to, count as waiting.
  for (const group of ['Kept', 'Gone', 'Former']) await okta.pushes({ group, members: ['ada'] })
  for (const group of ['Gone', 'Former']) await okta.deletes(group)
  const incomplete = async () => (await api('GET', '/directories/okta')).body.incomplete
  expect(await incomplete()).toEqual(['3 deletions wait.'])
  await acme.deletes('Gone')
  await acme.has({ group: 'New', members: [] })
  await okta.pushes({ group: 'New', members: ['ada'] })
  expect((await api('PUT', '/reviews/New/link', { to: 'Former' })).status).toBe(200)
  expect(await incomplete()).toEqual(['1 group needs review.', '1 deletion waits.'])
  expect((await api('GET', '/directories/okta/held')).body.total).toBe(1)
  // What is pushed again waits no more.
  await okta.pushes({ group: 'G4', members: ['ada'] })
  expect((await api('GET', '/directories/okta/held')).body.total).toBe(0)
})

test('the last holder of an administrative role is never taken by a push, not even a single one', async ({
  acme,
  okta,
  connects,
}) => {
  const entra = await connects('entra', { deletedGroups: 'delete' })
  await okta.knows('ada', 'bob')
  await entra.knows('cyd')
  await okta.pushes({ group: 'Admins', members: ['ada', 'bob'] })
  await entra.pushes({ group: 'Owners', members: [] })
  await acme.grants('Admins', 'here/app/admin')
  await acme.grants('Owners', 'here/app/admin')
  await okta.removes('Admins', ['ada'])
  expect(await acme.membersOf('Admins')).toEqual(['bob'])
  await okta.removes('Admins', ['bob'])
  expect(await acme.membersOf('Admins')).toEqual(['bob'])
  expect(await okta.stateOf('Admins')).toEqual({ state: 'held', reasons: ['last_admin'] })
  await okta.switches('bob', 'off')
  await okta.deletesPerson('bob')
  expect(await activeOf(acme, ['bob'])).toEqual(['bob'])
  expect(await acme.accessOf('bob')).toEqual(['here/app/admin'])
  await entra.adds('Owners', ['cyd'])
  await acme.adds('Owners', [])
  await okta.adds('Admins', ['ada'])
  expect(await acme.membersOf('Admins')).toEqual(['ada', 'bob'])
  await okta.removes('Admins', ['ada'])
  expect(await acme.membersOf('Admins')).toEqual(['bob'])
  await okta.deletes('Admins')
  await entra.deletes('Owners')
  expect(await acme.accessOf('bob')).toEqual(['here/app/admin'])
})

test('what waits is listed with why and since when, and allowed or rejected, one, some or all, as it was shown', async ({
  acme,
  okta,
  api,
  inOrg,
}) => {
  await okta.knows(...people)
  for (const group of ['One', 'Two']) {
    await okta.pushes({ group, members: people })
    await acme.grants(group, `here/${group}/user`)
  }
  await inOrg((trx) => minutesPass(trx, 61))
  for (const name of people.slice(0, 11)) await okta.switches(name, 'off')
  const waits = async (query = '') => (await api('GET', `/directories/okta/held?${query}`)).body.items
  const decides = async (decision: string, asked: object) => {
    const { body: effect } = await api('POST', '/directories/okta/held/effect', asked)
    const { status, body: run } = await api('POST', '/directories/okta/held/decisions', {
      decision,
      ...asked,
      fingerprint: effect.fingerprint,
    })
    expect(status, JSON.stringify(run)).toBe(202)
    return { effect, run: await ended(api, run.id) }
  }
  expect(await waits()).toMatchObject([
    { kind: 'switch_off', name: 'p20', reasons: ['guard_passed'], members: { added: 0, removed: 2 }, access: { lost: 2 } },
  ])
  await okta.replaces('One', ['p29'])
  await okta.replaces('Two', ['p28', 'p29'])
  expect(await waits('sort=name')).toMatchObject([
    { kind: 'members', name: 'One', members: { removed: 9 }, access: { lost: 9 } },
    { kind: 'switch_off', name: 'p20' },
    { kind: 'members', name: 'Two', members: { removed: 8 } },
  ])
  const some = await decides('allow', { ids: ['One'], people: ['p20', 'p21'] })
  expect(some.effect.access).toMatchObject({ lost: 2, peopleLosing: 2 })
  expect(some.run).toMatchObject({ kind: 'held', choice: 'allow', access: { lost: 2 }, groups: { synced: 1, skipped: 0 } })
  expect(await okta.stateOf('One')).toEqual({ state: 'held', reasons: ['guard_passed'] })
  expect(await acme.membersOf('One')).toEqual(people.slice(12))
  await decides('reject', { ids: ['Two'] })
  expect(await okta.stateOf('Two')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Two')).toEqual(people.slice(10))
  await okta.replaces('Two', ['p28', 'p29'])
  expect(await acme.membersOf('Two')).toEqual(people.slice(10))
  const rest = await decides('allow', {})
  expect(rest.run).toMatchObject({ access: { peopleLosing: 8 }, groups: { total: 2, synced: 2 } })
  expect(await activeOf(acme, ['p20'])).toEqual([])
  expect(await acme.membersOf('One')).toEqual(['p29'])
  expect(await okta.stateOf('One')).toEqual({ state: 'synced', reasons: [] })
  expect(await waits()).toEqual([])
  await okta.switches('p22', 'off')
  await decides('reject', { ids: ['p22'] })
  expect(await waits()).toEqual([])
  expect(await waits('rejected=true')).toMatchObject([{ kind: 'switch_off', name: 'p22' }])
  expect(await activeOf(acme, ['p22'])).toEqual(['p22'])
  await decides('allow', { ids: ['p22'] })
  expect(await activeOf(acme, ['p22'])).toEqual([])
})

test('what changed since it was shown is not decided', async ({ okta, api, inOrg }) => {
  await okta.knows(...people)
  await okta.pushes({ group: 'Crew', members: people })
  await inOrg((trx) => minutesPass(trx, 61))
  await okta.replaces('Crew', people.slice(10))
  const { body: effect } = await api('POST', '/directories/okta/held/effect', {})
  await okta.adds('Crew', ['p10'])
  const asked = { decision: 'allow', fingerprint: effect.fingerprint }
  const refused = await api('POST', '/directories/okta/held/decisions', asked)
  expect([refused.status, refused.body.type]).toEqual([409, 'urn:muster:problem:review_changed'])
  expect((await api('POST', '/directories/okta/held/effect', { ids: ['Nobody'] })).status).toBe(404)
  await okta.replaces('Crew', people)
  expect((await api('POST', '/directories/okta/held/effect', {})).body.type).toBe('urn:muster:problem:nothing_to_sync')
})

test('a group that was put back to a moment leaves the state held by the same acts', async ({ acme, okta, api }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Crew', members: ['ada'] })
  const to = new Date().toISOString()
  await okta.replaces('Crew', ['bob'])
  const { effect } = (await api('GET', `/groups/Crew/restore?to=${to}`)).body
  await api('POST', '/groups/Crew/restore', { to, fingerprint: effect.fingerprint })
  expect((await api('GET', '/directories/okta/held')).body.items).toMatchObject([
    { kind: 'members', name: 'Crew', reasons: [], members: { added: 1, removed: 1 } },
  ])
  const { fingerprint } = (await api('POST', '/directories/okta/held/effect', { people: ['bob'] })).body
  const { body } = await api('POST', '/directories/okta/held/decisions', { decision: 'allow', people: ['bob'], fingerprint })
  await ended(api, body.id)
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'bob'])
  expect(await okta.stateOf('Crew')).toEqual({ state: 'held', reasons: [] })
  await okta.adds('Crew', ['ada'])
  expect(await okta.stateOf('Crew')).toEqual({ state: 'synced', reasons: [] })
})

test('from two servers at once no more go than from one, of members and of people', async ({ acme, okta, database, inOrg }) => {
  await okta.knows(...people)
  await okta.pushes({ group: 'Crew', members: people })
  await inOrg((trx) => minutesPass(trx, 61))
  const other = await startTestServer(database)
  try {
    const through = clientOf(`${other.url}/scim/v2`, 'application/scim+json', okta.directory.token)
    const patch = (at: number, path: string, operation: object) =>
      (at % 2 ? okta.request : through)('PATCH', path, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [operation],
      })
    const gone = people.slice(0, 14)
    await Promise.all(
      gone.map((name, at) =>
        patch(at, `/Groups/${okta.idOf('Crew')}`, { op: 'remove', path: `members[value eq "${okta.idOfPerson(name)}"]` }),
      ),
    )
    expect((await acme.membersOf('Crew')).length).toBe(15)
    await Promise.all(
      gone.map((name, at) => patch(at, `/Users/${okta.idOfPerson(name)}`, { op: 'replace', value: { active: false } })),
    )
    expect((await activeOf(acme, people)).length).toBe(10)
  } finally {
    await other.stop()
  }
})

test('all removals of a request wait where one does: whatever it says first, and in all groups that it is about', async ({
  acme,
  okta,
  inOrg,
}) => {
  await okta.knows(...people)
  await okta.pushes({ group: 'Crew', members: people })
  await inOrg((trx) => minutesPass(trx, 61))
  await okta.request('PATCH', `/Groups/${okta.idOf('Crew')}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [
      { op: 'remove', path: 'members[display eq "p10"]' },
      { op: 'remove', path: 'members', value: people.slice(1, 8).map((name) => ({ value: okta.idOfPerson(name) })) },
    ],
  })
  expect(await acme.membersOf('Crew')).toEqual(people)
  expect(await okta.membersOf('Crew')).toEqual(people.slice(8))
})

test('a company’s chat in 2018: everybody is deleted in haste; ten are, and the others keep all they had', async ({
  acme,
  okta,
  api,
}) => {
  await okta.knows(...people)
  for (const name of people) await okta.pushes({ group: `Team of ${name}`, members: [name] })
  await acme.grants('Team of p25', 'chat/app/user')
  for (const name of people) expect(await okta.deletesPerson(name)).toBe(204)
  expect(await activeOf(acme, people)).toEqual(people.slice(10))
  expect(await acme.accessOf('p25')).toEqual(['chat/app/user'])
  expect(await acme.membersOf('Team of p10')).toEqual([])
  const asked = { ids: ['p25'] }
  const { fingerprint } = (await api('POST', '/directories/okta/held/effect', asked)).body
  const { body } = await api('POST', '/directories/okta/held/decisions', { decision: 'allow', ...asked, fingerprint })
  expect(await ended(api, body.id)).toMatchObject({ access: { lost: 1, peopleLosing: 1 } })
  expect(await acme.membersOf('Team of p25')).toEqual([])
  expect(await activeOf(acme, ['p24', 'p25'])).toEqual(['p24'])
  await okta.knows('p26')
  expect((await api('GET', '/directories/okta/held?kind=delete_person')).body.total).toBe(8)
})

test('a bridge reads its source as empty, and as its first page: nobody loses anything, and who is new is in', async ({
  acme,
  okta,
  inOrg,
}) => {
  await okta.knows(...people, 'new')
  for (const group of ['One', 'Two']) await okta.pushes({ group, members: people })
  await inOrg((trx) => minutesPass(trx, 61))
  await okta.replaces('One', [])
  await okta.replaces('Two', [...people.slice(0, 10), 'new'])
  expect(await acme.membersOf('One')).toEqual(people)
  expect(await acme.membersOf('Two')).toEqual(['new', ...people])
  for (const group of ['One', 'Two']) await okta.replaces(group, [...people, 'new'])
  for (const group of ['One', 'Two']) expect(await okta.stateOf(group)).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('One')).toEqual(['new', ...people])
})

test('a policy of overwriting takes no more than a push may: such a group needs review', async ({ acme, connects, inOrg }) => {
  const okta = await connects('okta', { conflictPolicy: 'overwrite' })
  await acme.has({ group: 'Big', members: people })
  await acme.has({ group: 'Small', members: people.slice(0, 3) })
  await inOrg((trx) => minutesPass(trx, 61))
  await okta.knows(...people)
  await okta.pushes({ group: 'big', members: people.slice(0, 10) })
  await okta.pushes({ group: 'small', members: people.slice(0, 1) })
  await expect.poll(() => okta.stateOf('small'), { timeout: 20_000 }).toEqual({ state: 'synced', reasons: [] })
  expect(await okta.stateOf('big')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

/** The run once it has ended. */
async function ended(api: Client, id: string) {
  const run = async () => (await api('GET', `/runs/${id}`)).body
  await expect.poll(async () => (await run()).finishedAt, { timeout: 20_000, interval: 50 }).not.toBeNull()
  return run()
}
