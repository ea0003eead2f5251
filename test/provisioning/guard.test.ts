import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import { behindItsBack, type DatabaseCopy } from '../support/database-copy.ts'
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
  for (const [door, take] of Object.entries(doors)) {
    await okta.pushes({ group: door, members: people })
    await inOrg((trx) => minutesPass(trx, 61))
    for (const count of [6, 12, 20]) {
      await take(okta, door, people.slice(0, count))
      expect([door, count, await acme.membersOf(door)]).toEqual([door, count, people])
      expect(await okta.membersOf(door)).toEqual(people.slice(count))
      expect(await okta.stateOf(door)).toEqual({ state: 'held', reasons: ['guard_passed'] })
      await okta.replaces(door, people)
      expect(await okta.stateOf(door)).toEqual({ state: 'synced', reasons: [] })
    }
    await take(okta, door, people.slice(0, 5))
    expect([door, await acme.membersOf(door)]).toEqual([door, people.slice(5)])
    await okta.replaces(door, [...people.slice(0, 3), 'new'])
    expect([door, await acme.membersOf(door)]).toEqual([door, ['new', ...people.slice(0, 3), ...people.slice(5)].sort()])
    expect(await okta.stateOf(door)).toEqual({ state: 'held', reasons: ['guard_passed'] })
  }
})

test('one by one no more go within an hour than at once', async ({ acme, okta, inOrg }) => {
  await okta.knows(...people)
  await okta.pushes({ group: 'Crew', members: people })
  await inOrg((trx) => minutesPass(trx, 61))
  for (const name of people) expect(await okta.removes('Crew', [name])).toBe(204)
  expect(await acme.membersOf('Crew')).toEqual(people.slice(5))
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

test('groups that are deleted with what is pushed wait past the limit, with members and grants', async ({ acme, connects }) => {
  const okta = await connects('okta', { deletedGroups: 'delete' })
  await okta.knows('ada')
  const groups = ['G1', 'G2', 'G3', 'G4', 'G5']
  for (const group of groups) await okta.pushes({ group, members: ['ada'] })
  await acme.grants('G4', 'here/app/user')
  for (const group of groups) expect(await okta.deletes(group)).toBe(204)
  expect(await acme.accessOf('ada')).toEqual(['here/app/user'])
  expect(await acme.membersOf('G5')).toEqual(['ada'])
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
