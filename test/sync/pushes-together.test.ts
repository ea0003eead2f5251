import { sql } from 'kysely'
import type { ProvisionedGroupId, ProvisionedUserId } from '../../src/database/ids.ts'
import { pushMembersTogether } from '../../src/organization/memberships.ts'
import { findDirectory } from '../../src/provisioning/directories.ts'
import { lockProvisionedGroup } from '../../src/provisioning/groups.ts'
import { receiveGroup } from '../../src/sync/receive-group.ts'
import { receiveUserDeletion } from '../../src/sync/receive-user.ts'
import { expect, test } from '../support/story.ts'
import { someoneWaits } from '../support/waiting.ts'

const people = Array.from({ length: 8 }, (_, at) => `person${at}`)
const groups = Array.from({ length: 8 }, (_, at) => `Group ${at}`)

test('pushes that come at the same time are one transaction, each under its own request', async ({ okta, org, db, inOrg }) => {
  await okta.knows(...people)
  for (const group of groups) await okta.pushes({ group })
  const { id: directoryId } = await inOrg((trx) => findDirectory(trx, okta.directory.name))
  const push = pushMembersTogether(db)
  const pushes = groups.map((group, at) => ({
    scope: { ...org.scope, requestId: `request ${at}` },
    directoryId,
    id: okta.idOf(group) as ProvisionedGroupId,
    added: people.slice(0, 3).map(okta.idOfPerson),
    removed: [],
  }))
  expect(await Promise.all(pushes.map(push))).toEqual(groups.map(() => true))
  const { rows } = await inOrg((trx) =>
    sql`
      select count(*)::int as entries, count(distinct request_id)::int as requests, count(distinct xid)::int as transactions
      from log_entries where org_id = ${trx.orgId} and action = 'members.pushed' and request_id like 'request %'`.execute(trx),
  )
  // The first goes alone, the others while it is written.
  expect(rows).toEqual([{ entries: 8, requests: 8, transactions: 2 }])
  for (const group of groups) expect(await okta.membersOf(group)).toEqual(people.slice(0, 3))
})

test('pushes of one group that come at the same time each take effect', async ({ okta, acme }) => {
  await okta.knows(...people)
  await okta.pushes({ group: 'G', members: ['person0'] })
  const statuses = await Promise.all([okta.removes('G', ['person0']), ...people.slice(1).map((name) => okta.adds('G', [name]))])
  expect(statuses).toEqual(people.map(() => 204))
  expect(await acme.membersOf('G')).toEqual(people.slice(1))
})

test('a push with an unknown member, or of no group, does not hold up those that come with it', async ({ okta, acme }) => {
  await okta.knows(...people)
  for (const group of groups) await okta.pushes({ group })
  const statuses = await Promise.all([
    okta.adds('Group 0', ['person0']),
    okta.adds('Group 1', ['person1', '0199aaaa-0000-7000-8000-000000000000']),
    okta.adds('0199bbbb-0000-7000-8000-000000000000', ['person2']),
    okta.adds('Group 3', ['person3']),
  ])
  expect(statuses).toEqual([204, 204, 404, 204])
  expect(await acme.membersOf('Group 1')).toEqual(['person1'])
  expect(await acme.membersOf('Group 3')).toEqual(['person3'])
})

test('a group that somebody else is at does not hold up the pushes of other groups', async ({ okta, acme, inOrg, db }) => {
  await okta.knows(...people)
  for (const group of groups) await okta.pushes({ group })
  let waiting: Promise<number> | undefined
  await inOrg(async (trx) => {
    const { id } = await findDirectory(trx, okta.directory.name)
    await lockProvisionedGroup(trx, id, okta.idOf('Group 0') as ProvisionedGroupId)
    waiting = okta.adds('Group 0', ['person0'])
    await someoneWaits(db)
    const others = groups.slice(1)
    expect(await Promise.all(others.map((group) => okta.adds(group, ['person1'])))).toEqual(others.map(() => 204))
  })
  expect(await waiting).toBe(204)
  expect(await acme.membersOf('Group 0')).toEqual(['person0'])
})

test('who is deleted at this moment is not pushed into a group behind the deletion', async ({ okta, acme, inOrg, db }) => {
  await okta.knows('ada', 'bob')
  for (const group of ['G', 'H', 'I']) await okta.pushes({ group, members: ['bob'] })
  await okta.pushes({ group: 'Parent' })
  const nest = { value: okta.idOf('I'), type: 'Group' }
  const path = `/Groups/${okta.idOf('Parent')}`
  await okta.request('PATCH', path, { Operations: [{ op: 'add', path: 'members', value: [nest] }] })
  const acts: Promise<number>[] = []
  await inOrg(async (trx) => {
    const directory = await findDirectory(trx, okta.directory.name)
    await receiveUserDeletion(trx, directory, okta.idOfPerson('ada') as ProvisionedUserId)
    acts.push(okta.adds('G', ['ada']), okta.replaces('H', ['ada']), okta.replaces('I', ['ada', 'bob']))
    await someoneWaits(db, { many: 3 })
  })
  expect(await Promise.all(acts)).toEqual([204, 204, 204])
  expect(await acme.membersOf('G')).toEqual(['bob'])
  expect(await acme.membersOf('H')).toEqual([])
  expect(await acme.membersOf('Parent')).toEqual(['bob'])
})

test('who is pushed into a group at this moment is taken out by a deletion that waits for the push', async ({
  okta,
  acme,
  inOrg,
  db,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'G', members: ['bob'] })
  const deletion: Promise<number>[] = []
  await inOrg(async (trx) => {
    const directory = await findDirectory(trx, okta.directory.name)
    const added = [{ value: okta.idOfPerson('ada') }]
    await receiveGroup(trx, directory, okta.idOf('G') as ProvisionedGroupId, { members: { added, removed: [] } })
    deletion.push(okta.deletesPerson('ada'))
    await someoneWaits(db)
  })
  expect(await Promise.all(deletion)).toEqual([204])
  expect(await acme.membersOf('G')).toEqual(['bob'])
  const { body } = await okta.request('GET', `/Groups/${okta.idOf('G')}`)
  expect(body.members).toMatchObject([{ value: okta.idOfPerson('bob') }])
})

test('a deletion that waits for a long push of a group holds no push of another', async ({ okta, acme, inOrg, db }) => {
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'Long', members: ['ada'] })
  await okta.pushes({ group: 'Other', members: ['bob'] })
  const deletion: Promise<number>[] = []
  await inOrg(async (trx) => {
    const directory = await findDirectory(trx, okta.directory.name)
    const all = ['ada', 'bob'].map((name) => ({ value: okta.idOfPerson(name) }))
    await receiveGroup(trx, directory, okta.idOf('Long') as ProvisionedGroupId, { members: { all } })
    deletion.push(okta.deletesPerson('ada'))
    await someoneWaits(db)
    expect([await okta.adds('Other', ['cyd']), await okta.replaces('Other', ['cyd'])]).toEqual([204, 204])
    expect(await okta.pushes({ group: 'New', members: ['cyd'] })).toBe(201)
    expect(await acme.membersOf('Other')).toEqual(['cyd'])
  })
  expect(await Promise.all(deletion)).toEqual([204])
})

test('new groups that come at the same time are few transactions, each under its own request; a taken name holds up no other', async ({
  okta,
  acme,
  org,
  inOrg,
}) => {
  await acme.has({ group: 'Taken', members: [] })
  expect(await okta.pushes({ group: 'Twice' })).toBe(201)
  const names = ['Taken', 'Twice', ...groups]
  expect(await Promise.all(names.map((group) => okta.pushes({ group })))).toEqual([201, 409, ...groups.map(() => 201)])
  expect(await okta.stateOf('Taken')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  for (const group of groups) {
    expect(await okta.stateOf(group)).toEqual({ state: 'synced', reasons: [] })
    expect((await okta.request('GET', `/Groups/${okta.idOf(group)}`)).body).not.toHaveProperty('members')
  }
  const { rows } = await inOrg((trx) =>
    sql<{ entries: number; requests: number; transactions: number }>`
      select count(*)::int as entries, count(distinct request_id)::int as requests, count(distinct xid)::int as transactions
      from log_entries where org_id = ${org.scope.orgId} and action = 'group.provisioned' and facts ->> 'name' like 'Group %'`.execute(
      trx,
    ),
  )
  expect(rows).toEqual([{ entries: 8, requests: 8, transactions: expect.any(Number) }])
  expect(rows[0]?.transactions).toBeLessThan(8)
})
