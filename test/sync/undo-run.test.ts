import { sql } from 'kysely'
import { inTransaction } from '../../src/database/transaction.ts'
import { runSync } from '../../src/sync/run-sync.ts'
import { startUndo } from '../../src/sync/undo-run.ts'
import { expect, test as story } from '../support/story.ts'
import { syncing } from './syncing.ts'

const test = story.extend<{
  admin: ReturnType<typeof syncing>
  undoes: (run: string, options?: Record<string, unknown>) => Promise<{ status: number; body: { id: string } }>
  places: () => Promise<unknown>
}>({
  admin: async ({ api, okta }, use) => use(syncing(api, okta.directory.id)),
  undoes: async ({ api }, use) =>
    use(async (run, options = {}) => {
      const query = options.evenIfChanged ? '?evenIfChanged=true' : ''
      const { body } = await api('GET', `/runs/${run}/undo${query}`)
      return api('POST', `/runs/${run}/undo`, { fingerprint: body.effect?.fingerprint ?? 'f', ...options })
    }),
  // What undo is to give back, row by row.
  places: async ({ inOrg }, use) =>
    use(() =>
      inOrg(async (trx) => {
        const rows = (columns: string, table: string) =>
          sql`select to_jsonb(t) as row from (select ${sql.raw(columns)} from ${sql.table(table)} where org_id = ${trx.orgId}) t order by 1`.execute(
            trx,
          )
        const found = await Promise.all([
          rows('group_id, account_id, pushed, effective, waiting', 'memberships'),
          rows('id, name, effective, managed_by, member_count, add_count, remove_count, deleted_at', 'groups'),
          rows('id, name, group_id, state, reasons, is_linked, keeps_name', 'provisioned_groups'),
        ])
        return found.map((of) => of.rows)
      }),
    ),
})

test('undo of a run of mixed choices gives byte for byte what was before, as a run of its own', async ({
  acme,
  okta,
  admin,
  undoes,
  places,
  api,
}) => {
  for (const group of ['A', 'B', 'C', 'D']) {
    await acme.has({ group, members: ['ada', 'bob'] })
    await acme.grants(group, `site/${group}/user`)
  }
  await okta.knows('ada', 'bob', 'cyd')
  for (const group of ['A', 'B', 'C', 'D']) await okta.pushes({ group, members: ['ada', 'cyd'] })
  const before = await places()
  const { id } = await admin.syncs('all', { choices: { B: 'merge', C: 'rename_existing', D: 'ignore' } })
  const shown = (await api('GET', `/runs/${id}/undo`)).body
  expect(shown).toMatchObject({
    groups: 5,
    changed: [],
    effect: { members: { added: 1, removed: 4 }, access: { lost: 2, gained: 1 } },
  })
  const { status, body } = await undoes(id, { note: 'too early' })
  expect(status).toBe(202)
  const run = await admin.ended(body.id)
  expect(run).toMatchObject({
    kind: 'restore',
    undoes: id,
    note: 'too early',
    groups: { total: 5, synced: 5, skipped: 0, failed: 0 },
    members: { added: 1, removed: 4 },
    access: { lost: 2, gained: 1 },
  })
  expect(await places()).toEqual(before)
  expect((await api('GET', `/runs/${id}`)).body).toMatchObject({ undoneBy: run.id })
  // What was undone can be done again.
  expect((await admin.syncs('all')).groups).toMatchObject({ synced: 4 })
})

for (const choice of ['overwrite', 'merge', 'ignore', 'rename_existing'] as const)
  test(`undo of a run that chose ${choice} for one group`, async ({ acme, okta, admin, undoes, places }) => {
    await acme.has({ group: 'Sales', members: ['bob'] })
    await acme.deletes('Sales')
    await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
    await okta.knows('ada', 'cyd')
    await okta.pushes({ group: 'sales', members: ['ada', 'cyd'] })
    const before = await places()
    const { id } = await admin.syncs(['sales'], { defaultChoice: choice })
    expect(await places()).not.toEqual(before)
    await admin.ended((await undoes(id)).body.id)
    expect(await places()).toEqual(before)
  })

for (const choice of ['overwrite', 'merge'] as const)
  test(`undo of a run that linked a group to another one gives back the pairing that was before: ${choice}`, async ({
    acme,
    okta,
    admin,
    undoes,
    places,
    api,
  }) => {
    for (const group of ['Crew', 'Team', 'Squad']) await acme.has({ group, members: ['ada', 'bob'] })
    await acme.grants('Team', 'site/wiki/user')
    await okta.knows('ada', 'cyd')
    await okta.pushes({ group: 'crew', members: ['ada', 'cyd'] })
    await okta.pushes({ group: 'Gang', members: ['ada'] })
    await okta.pushes({ group: 'Squad', members: ['cyd'] })
    await acme.has({ group: 'Former', members: ['ada'] })
    expect((await api('PUT', '/reviews/Squad/link', { to: 'Former' })).status).toBeLessThan(300)
    const before = await places()
    const links = { crew: 'Team', Squad: 'Squad' }
    const { id } = await admin.syncs('all', { defaultChoice: choice, links })
    expect(await okta.stateOf('Squad')).toMatchObject({ state: 'synced' })
    await admin.ended((await undoes(id)).body.id)
    expect(await places()).toEqual(before)
  })

test('who was kept by a merge, and dropped, is kept again by the undo, and dropped again by the undo of that', async ({
  acme,
  okta,
  admin,
  undoes,
  places,
}) => {
  await acme.has({ group: 'Sales', members: ['ada', 'bob', 'cyd', 'dan'] })
  await okta.knows('ada', 'cyd', 'dan')
  await okta.pushes({ group: 'Sales', members: ['ada', 'dan'] })
  await admin.syncs('all', { defaultChoice: 'merge' })
  // dan is pushed no more, which is in force at once; cyd comes to be pushed, and goes.
  await okta.replaces('Sales', ['ada', 'cyd'])
  await okta.replaces('Sales', ['ada'])
  const before = await places()
  const { id } = await admin.syncs('all', { kind: 'drop_kept' })
  const dropped = await places()
  expect(await acme.membersOf('Sales')).toEqual(['ada'])
  const first = await admin.ended((await undoes(id)).body.id)
  expect(await places()).toEqual(before)
  expect(await okta.stateOf('Sales')).toEqual({ state: 'synced', reasons: [] })
  expect(await okta.replaces('Sales', ['ada'])).toBeLessThan(300)
  expect(await places()).toEqual(before)
  await admin.ended((await undoes(first.id)).body.id)
  expect(await places()).toEqual(dropped)
})

test('a run that brought a deleted group back is undone: it is deleted as it was, and can be restored with whom it had', async ({
  acme,
  okta,
  admin,
  undoes,
  places,
  api,
}) => {
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await acme.grants('Sales', 'site/wiki/user')
  await acme.deletes('Sales')
  await okta.knows('cyd')
  await okta.pushes({ group: 'sales', members: ['cyd'] })
  expect(await okta.stateOf('sales')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })
  const before = await places()
  const { id } = await admin.syncs('all')
  expect(await acme.membersOf('sales')).toEqual(['cyd'])
  const undo = await admin.ended((await undoes(id)).body.id)
  expect(undo).toMatchObject({ groups: { synced: 1, failed: 0 }, members: { removed: 1 }, access: { lost: 1 } })
  expect(await places()).toEqual(before)
  const [deleted] = (await api('GET', '/deleted-groups')).body.items
  expect(deleted).toMatchObject({ name: 'Sales', memberCount: 2 })
  // It is done again, and undone again.
  await admin.ended((await undoes((await admin.syncs('all')).id)).body.id)
  expect(await places()).toEqual(before)
})

test('groups that give each other back what they take are put back together', async ({ acme, okta, admin, undoes, places }) => {
  await acme.has({ group: 'Left', members: ['ada'] })
  await acme.has({ group: 'Right', members: ['bob'] })
  for (const group of ['Left', 'Right']) await acme.grants(group, 'site/wiki/user')
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Left', members: ['bob'] })
  await okta.pushes({ group: 'Right', members: ['ada'] })
  const before = await places()
  const { id } = await admin.syncs('all')
  const undo = await admin.ended((await undoes(id)).body.id)
  expect(undo).toMatchObject({ groups: { synced: 2 }, access: { lost: 0, gained: 0 } })
  expect(await places()).toEqual(before)
})

test('an undo takes nothing that was not foreseen: whom another group keeps when it is asked for, and not in its turn', async ({
  acme,
  okta,
  admin,
  api,
  db,
  org,
}) => {
  await acme.has({ group: 'A', members: [] })
  await acme.has({ group: 'Other', members: ['bob'] })
  for (const group of ['A', 'Other']) await acme.grants(group, 'site/wiki/user')
  await okta.knows('bob')
  await okta.pushes({ group: 'A', members: ['bob'] })
  const { id } = await admin.syncs('all')
  const { effect } = (await api('GET', `/runs/${id}/undo`)).body
  expect(effect.access.lost).toBe(0)
  const request = { run: id, evenIfChanged: false, fingerprint: effect.fingerprint, note: null }
  const runId = await inTransaction(db, org.scope, (trx) => startUndo(trx, { send: async () => {} }, request))
  expect((await api('PATCH', '/groups/Other/members', { remove: ['bob'] })).status).toBeLessThan(300)
  await runSync(db, { orgId: org.id, runId })
  expect(await admin.resultsOf(runId)).toEqual(['A: skipped, review_changed'])
  expect(await acme.accessOf('bob')).toEqual(['site/wiki/user'])
})

test('a group that was changed since is left out and named, unless it is asked for', async ({
  acme,
  okta,
  admin,
  undoes,
  api,
}) => {
  for (const group of ['A', 'B']) await acme.has({ group, members: ['ada'] })
  await okta.knows('ada', 'bob', 'cyd')
  for (const group of ['A', 'B']) await okta.pushes({ group, members: ['bob'] })
  const { id } = await admin.syncs('all')
  await okta.adds('B', ['cyd'])
  expect((await api('GET', `/runs/${id}/undo`)).body).toMatchObject({
    groups: 1,
    changed: [{ group: { name: 'B' }, entries: 1 }],
  })
  await admin.ended((await undoes(id)).body.id)
  expect(await acme.membersOf('A')).toEqual(['ada'])
  expect(await acme.membersOf('B')).toEqual(['bob', 'cyd'])
  await admin.ended((await undoes(id, { evenIfChanged: true })).body.id)
  expect(await acme.membersOf('B')).toEqual(['ada'])
})

test('a stale fingerprint undoes nothing; a foreign run is not there; a run that did nothing has nothing to undo', async ({
  acme,
  okta,
  admin,
  api,
}) => {
  await acme.has({ group: 'A', members: ['ada'] })
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'A', members: ['bob'] })
  const { id } = await admin.syncs('all')
  expect(await api('POST', `/runs/${id}/undo`, { fingerprint: 'old' })).toMatchObject({
    status: 409,
    body: { type: 'urn:muster:problem:review_changed' },
  })
  expect(await acme.membersOf('A')).toEqual(['bob'])
  expect((await api('GET', '/runs/01a20e2b-202e-71c0-aa59-4f582843cd3a/undo')).status).toBe(404)
})
