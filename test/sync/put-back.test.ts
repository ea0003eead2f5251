import { sql } from 'kysely'
import { reading } from '../../src/database/transaction.ts'
import { expect, test } from '../support/story.ts'
import { syncing } from './syncing.ts'

const now = () => new Date().toISOString()

test('a group is put back to a moment: members and name, shown first, as they were', async ({ acme, api }) => {
  await acme.has({ group: 'Writers', members: ['ada', 'bob'] })
  await acme.grants('Writers', 'site/wiki/write')
  const to = now()
  await acme.renames('Writers', 'Authors')
  await api('PATCH', '/groups/Authors/members', { remove: ['ada'], add: ['bob'] })
  await acme.adds('Authors', ['cyd'])
  const shown = await api('GET', `/groups/Authors/restore?to=${to}`)
  expect(shown.body).toMatchObject({
    now: { name: 'Authors' },
    was: { name: 'Writers' },
    effect: { members: { added: 1, removed: 1 }, access: { lost: 1, gained: 1 } },
    changes: 3,
  })
  const { fingerprint } = shown.body.effect
  expect((await api('POST', '/groups/Authors/restore', { to, fingerprint: 'another' })).body.type).toMatch(/review_changed/)
  expect((await api('POST', '/groups/Authors/restore', { to, fingerprint })).body).toMatchObject({
    name: 'Writers',
    added: 1,
    removed: 1,
  })
  expect(await acme.membersOf('Writers')).toEqual(['ada', 'bob'])
  expect((await api('GET', `/groups/Writers/restore?to=${now()}`)).body.type).toMatch(/nothing_to_restore/)
  expect((await api('GET', '/groups/Writers/restore?to=2001-01-01')).body.detail).toMatch(/The organization began/)
})

test('a restored group of a directory is held: the same push again does not undo it, a new word does', async ({
  acme,
  api,
  db,
  okta,
  org,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Sales', members: ['ada'] })
  const to = now()
  await okta.replaces('Sales', ['bob'])
  const { effect } = (await api('GET', `/groups/Sales/restore?to=${to}`)).body
  expect((await api('POST', '/groups/Sales/restore', { to, fingerprint: effect.fingerprint })).status).toBe(200)
  expect(await acme.membersOf('Sales')).toEqual(['ada'])
  expect(await okta.membersOf('Sales')).toEqual(['bob'])
  expect(await okta.stateOf('Sales')).toEqual({ state: 'held', reasons: [] })
  const waiting = await reading(db, org.scope, async (reader) => {
    const { rows } =
      await sql`select pushed, effective, waiting from memberships where org_id = ${org.id} order by pushed`.execute(reader)
    return rows
  })
  expect(waiting).toEqual([
    { pushed: false, effective: true, waiting: 'held' },
    { pushed: true, effective: false, waiting: 'held' },
  ])
  expect(await okta.replaces('Sales', ['bob'])).toBeLessThan(300)
  expect(await okta.adds('Sales', ['bob'])).toBeLessThan(300)
  expect(await okta.removes('Sales', ['ada'])).toBeLessThan(300)
  expect(await acme.membersOf('Sales')).toEqual(['ada'])
  await okta.removes('Sales', ['bob'])
  await okta.adds('Sales', ['bob'])
  expect(await acme.membersOf('Sales')).toEqual(['ada', 'bob'])
})

test('a synced group is put back to before its sync: nobody manages it, and what is pushed awaits review again', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'sales', members: ['ada', 'cyd'] })
  const to = now()
  await syncing(api, 'okta').syncs('all')
  expect(await acme.membersOf('sales')).toEqual(['ada', 'cyd'])
  const { effect } = (await api('GET', `/groups/sales/restore?to=${to}`)).body
  await api('POST', '/groups/sales/restore', { to, fingerprint: effect.fingerprint })
  expect(await acme.membersOf('Sales')).toEqual(['ada', 'bob'])
  expect(await okta.stateOf('sales')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect((await api('GET', '/groups/Sales')).body).toMatchObject({ name: 'Sales', managedBy: null })
  expect(await okta.membersOf('sales')).toEqual(['ada', 'cyd'])
})

test('a name that is taken by now, and a time before the group, are refused', async ({ acme, api }) => {
  await acme.has({ group: 'Other', members: ['ada'] })
  const before = now()
  await acme.has({ group: 'Writers', members: ['ada'] })
  const to = now()
  await acme.renames('Writers', 'Authors')
  await acme.has({ group: 'Writers', members: [] })
  const { effect } = (await api('GET', `/groups/Authors/restore?to=${to}`)).body
  const refused = await api('POST', '/groups/Authors/restore', { to, fingerprint: effect.fingerprint })
  expect(refused).toMatchObject({ status: 409, body: { type: expect.stringMatching(/name_taken/) } })
  expect((await api('GET', `/groups/Authors/restore?to=${before}`)).body.detail).toMatch(/was not there then/)
})
