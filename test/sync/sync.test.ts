import { sql } from 'kysely'
import { expect, test as story } from '../support/story.ts'
import { syncing } from './syncing.ts'

const test = story.extend<{ admin: ReturnType<typeof syncing>; written: () => Promise<unknown> }>({
  admin: async ({ api, okta }, use) => use(syncing(api, okta.directory.id)),
  // Everything that a sync could write.
  written: async ({ inOrg }, use) =>
    use(() =>
      inOrg(async (trx) => {
        const rows = (table: string) =>
          sql`select to_jsonb(t) as row from ${sql.table(table)} t where org_id = ${trx.orgId} order by 1`.execute(trx)
        const [memberships, groups, pushed, runs, entries] = await Promise.all(
          ['memberships', 'groups', 'provisioned_groups', 'runs', 'log_entries'].map(rows),
        )
        return {
          memberships: memberships?.rows,
          groups: groups?.rows,
          pushed: pushed?.rows,
          runs: runs?.rows,
          entries: entries?.rows,
        }
      }),
    ),
})

test('overwrite makes the group exactly the pushed one, linked; later pushes apply at once', async ({
  acme,
  okta,
  admin,
  api,
}) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd', 'dan')
  await okta.pushes({ group: 'Engineering', members: ['ada', 'cyd'] })
  const run = await admin.syncs(['Engineering'])
  expect(run).toMatchObject({
    kind: 'sync',
    state: 'finished',
    directory: 'okta',
    choice: 'overwrite',
    createdBy: expect.stringContaining('token:'),
    groups: { total: 1, synced: 1, skipped: 0, failed: 0 },
    members: { added: 1, removed: 1 },
  })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'cyd'])
  expect(await okta.stateOf('Engineering')).toEqual({ state: 'synced', reasons: [] })
  expect((await api('GET', '/groups/Engineering')).body.managedBy).toMatchObject({ name: 'okta' })
  expect((await acme.adds('Engineering', ['bob'])).status).toBe(409)
  await okta.adds('Engineering', ['dan'])
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'cyd', 'dan'])
})

test('every member that a run took or gave is in the log, with who asked and the run; each group once', async ({
  acme,
  okta,
  admin,
  inOrg,
}) => {
  for (const group of ['A', 'B', 'Same']) await acme.has({ group, members: ['ada'] })
  await okta.knows('ada', 'bob')
  for (const group of ['A', 'B']) await okta.pushes({ group, members: ['bob'] })
  await okta.pushes({ group: 'Same', members: ['ada'] })
  const run = await admin.syncs('all', { note: 'on Monday' })
  const entries = await inOrg(
    async (trx) =>
      (
        await sql<{ action: string; actor: string; name: string; added: string[] | null; removed: string[] | null }>`
    select action, actor, facts->>'name' as name,
      (select array_agg(user_name) from accounts where org_id = l.org_id and id = any(l.added)) as added,
      (select array_agg(user_name) from accounts where org_id = l.org_id and id = any(l.removed)) as removed
    from log_entries l where org_id = ${trx.orgId} and run_id = ${run.id} order by action, 3`.execute(trx)
      ).rows,
  )
  expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set([run.createdBy]))
  expect(
    entries.filter(({ action }) => action === 'members.changed').map(({ name, added, removed }) => ({ name, added, removed })),
  ).toEqual([
    { name: 'A', added: ['bob'], removed: ['ada'] },
    { name: 'B', added: ['bob'], removed: ['ada'] },
  ])
  expect(entries.filter(({ action }) => action === 'group.state_changed').map(({ name }) => name)).toEqual(['A', 'B', 'Same'])
  expect(entries.map(({ action }) => action).filter((action) => action.startsWith('run.'))).toEqual([
    'run.finished',
    'run.started',
  ])
  expect(run.note).toBe('on Monday')
})

test('blocked groups are skipped with every reason, never forced; alone they are refused', async ({ acme, okta, admin }) => {
  await acme.has({ group: 'Default', members: ['ada'] })
  await acme.grants('Default', 'site/wiki/user', { isDefault: true })
  await acme.protects('Default')
  await acme.has({ group: 'Open', members: ['ada'] })
  await okta.pushes({ group: 'Default' })
  await okta.knows('bob')
  await okta.pushes({ group: 'Open', members: ['bob'] })
  const refused = await admin.asks(['Default'])
  expect(refused).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:group_blocked' } })
  expect(refused.body.detail).toMatch(/default access group.*protected/)
  const run = await admin.syncs(['Default', 'Open'])
  expect(await admin.resultsOf(run.id)).toEqual(['Default: skipped, blocked', 'Open: synced'])
  expect(await acme.membersOf('Default')).toEqual(['ada'])
  expect(await okta.stateOf('Default')).toMatchObject({ state: 'blocked' })
  await acme.has({ group: 'Later', members: ['ada'] })
  await okta.pushes({ group: 'Later', members: ['bob'] })
  const all = await admin.syncs('all')
  expect(all).toMatchObject({ groups: { total: 1, synced: 1 }, foreseen: { groups: 1, blocked: 1 } })
})

test('a group that is synced needs no review: alone it is refused, in a selection skipped', async ({ acme, okta, admin }) => {
  for (const group of ['Done', 'Open']) await acme.has({ group, members: ['ada'] })
  await okta.knows('bob')
  for (const group of ['Done', 'Open']) await okta.pushes({ group, members: ['bob'] })
  await admin.syncs(['Done'])
  expect(await admin.asks(['Done'])).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:nothing_to_sync' } })
  const run = await admin.syncs(['Done', 'Open'])
  expect(await admin.resultsOf(run.id)).toEqual(['Done: skipped, already_synced', 'Open: synced'])
  expect(await admin.asks('all')).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:nothing_to_sync' } })
})

test('a filling group is refused alone, skipped in a selection, and synced where incomplete is accepted', async ({
  acme,
  api,
  okta,
  admin,
}) => {
  await api('PATCH', `/directories/${okta.directory.id}`, { quietSeconds: 3_600 })
  for (const group of ['Filling', 'Also']) await acme.has({ group, members: ['ada', 'bob'] })
  await okta.knows('ada')
  for (const group of ['Filling', 'Also']) await okta.pushes({ group, members: ['ada'] })
  expect(await admin.asks(['Filling'])).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:group_filling' } })
  const skipped = await admin.syncs(['Filling', 'Also'])
  expect(await admin.resultsOf(skipped.id)).toEqual(['Also: skipped, filling', 'Filling: skipped, filling'])
  expect(await acme.membersOf('Filling')).toEqual(['ada', 'bob'])
  const run = await admin.syncs(['Filling'], { acceptIncomplete: true })
  expect(run.groups.synced).toBe(1)
  expect(await acme.membersOf('Filling')).toEqual(['ada'])
})

test('an empty pushed set over a group with members needs acceptEmpty', async ({ acme, okta, admin }) => {
  await acme.has({ group: 'Emptied', members: ['ada'] })
  await acme.has({ group: 'Other', members: ['ada'] })
  await okta.knows('bob')
  await okta.pushes({ group: 'Emptied' })
  await okta.pushes({ group: 'Other', members: ['bob'] })
  expect(await admin.asks(['Emptied'])).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:group_empty' } })
  const run = await admin.syncs('all')
  expect(await admin.resultsOf(run.id)).toEqual(['Emptied: skipped, empty', 'Other: synced'])
  expect(await acme.membersOf('Emptied')).toEqual(['ada'])
  await admin.syncs(['Emptied'], { acceptEmpty: true })
  expect(await acme.membersOf('Emptied')).toEqual([])
})

test('a stale fingerprint is refused with what changed and the new figures, and nothing is written', async ({
  acme,
  api,
  okta,
  admin,
  written,
}) => {
  for (const group of ['A', 'B']) await acme.has({ group, members: ['ada'] })
  await okta.knows('ada', 'bob', 'cyd')
  for (const group of ['A', 'B']) await okta.pushes({ group, members: ['ada', 'bob'] })
  const before = await admin.effectOf('all')
  const {
    body: { items },
  } = await api('GET', `/directories/okta/reviews?limit=0`)
  const reviewed = items.map(
    (item: Record<'group' | 'members' | 'access', Record<string, unknown>> & { fingerprint: string }) => ({
      group: item.group.id,
      name: item.group.name,
      fingerprint: item.fingerprint,
      members: { added: item.members.added, removed: item.members.removed },
      access: { lost: item.access.lost, gained: item.access.gained },
    }),
  )
  await okta.adds('B', ['cyd'])
  const rows = await written()
  const { groups, members, access } = before
  const refused = await admin.asks('all', { fingerprint: before.fingerprint, reviewed, effect: { groups, members, access } })
  expect(refused).toMatchObject({
    status: 409,
    body: {
      type: 'urn:muster:problem:review_changed',
      changed: [
        {
          group: { id: okta.idOf('B'), name: 'B' },
          what: 'members',
          by: expect.stringContaining('okta'),
          at: expect.any(String),
          before: { members: { added: 1, removed: 0 } },
          after: { state: 'needs_review', members: { added: 2, removed: 0 } },
        },
      ],
      effect: { groups: 2, members: { added: 3, removed: 0 } },
      effectDelta: { groups: 0, members: { added: 1, removed: 0 } },
    },
  })
  expect(await written()).toEqual(rows)
  expect(refused.body.fingerprint).toBe((await admin.effectOf('all')).fingerprint)
  expect((await admin.syncs('all', { fingerprint: refused.body.fingerprint })).groups.synced).toBe(2)
})

test('what does not change the answer never refuses', async ({ acme, okta, admin }) => {
  await acme.has({ group: 'A', members: ['ada', 'bob'] })
  await acme.has({ group: 'Elsewhere', members: ['ada'] })
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'A', members: ['ada', 'cyd'] })
  const { fingerprint } = await admin.effectOf(['A'])
  await okta.adds('A', ['bob'])
  await okta.removes('A', ['bob'])
  await acme.adds('Elsewhere', ['bob'])
  await acme.grants('Elsewhere', 'site/wiki/user')
  const run = await admin.syncs(['A'], { fingerprint })
  expect(run.groups.synced).toBe(1)
  expect(await acme.membersOf('A')).toEqual(['ada', 'cyd'])
})

test('the fingerprint of the one group, as its review shows it, will do for that group', async ({ acme, api, okta, admin }) => {
  await acme.has({ group: 'A', members: ['ada'] })
  await okta.knows('bob')
  await okta.pushes({ group: 'A', members: ['bob'] })
  const {
    body: { fingerprint },
  } = await api('GET', '/reviews/A')
  expect((await admin.syncs(['A'], { fingerprint })).groups.synced).toBe(1)
})

test('a dry run gives the figures of the run and changes nothing', async ({ acme, okta, admin, written }) => {
  await acme.has({ group: 'A', members: ['ada'] })
  await acme.grants('A', 'site/wiki/user')
  await acme.has({ group: 'Emptied', members: ['ada'] })
  await okta.knows('bob', 'cyd')
  await okta.pushes({ group: 'A', members: ['bob', 'cyd'] })
  await okta.pushes({ group: 'Emptied' })
  const rows = await written()
  const { status, body } = await admin.asks('all', { dryRun: true })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    dryRun: true,
    groups: { total: 2, synced: 1, skipped: 1, failed: 0 },
    members: { added: 2, removed: 1 },
    access: { lost: 1, gained: 2 },
    skipped: [{ group: { name: 'Emptied' }, reason: 'empty' }],
  })
  expect(await written()).toEqual(rows)
  const run = await admin.syncs('all', { fingerprint: body.fingerprint })
  expect(run.groups).toEqual(body.groups)
  expect(run.members).toEqual(body.members)
  expect({ ...run.access, jointLosses: 0 }).toEqual(body.access)
})

test('a run tells what truly happened to access: net over all of it, beside what was foreseen', async ({ acme, okta, admin }) => {
  for (const group of ['One', 'Two']) {
    await acme.has({ group, members: ['ada', 'bob'] })
    await acme.grants(group, 'site/wiki/write')
  }
  await okta.knows('bob', 'cyd')
  await okta.pushes({ group: 'One', members: ['cyd'] })
  await okta.pushes({ group: 'Two', members: ['bob', 'cyd'] })
  const run = await admin.syncs('all')
  // ada is dropped by both, bob stays through Two, cyd comes through both: a loss and a gain, each once.
  expect(run.access).toEqual({ lost: 1, gained: 1, peopleLosing: 1, peopleGaining: 1, leftWithNone: 1 })
  expect(run.foreseen.access).toEqual({ ...run.access, jointLosses: 1 })
  expect(await acme.accessOf('ada')).toEqual([])
  expect(await acme.accessOf('bob')).toEqual(['site/wiki/write'])
})

test('a group outside the selection is not touched; an unknown one refuses the whole', async ({ acme, okta, admin, written }) => {
  await okta.knows('bob')
  for (const group of ['A', 'B']) {
    await acme.has({ group, members: ['ada'] })
    await okta.pushes({ group, members: ['bob'] })
  }
  const rows = await written()
  expect(await admin.asks(['A', 'Nobody’s'], { fingerprint: 'x' })).toMatchObject({
    status: 404,
    body: { type: 'urn:muster:problem:not_found' },
  })
  expect(await written()).toEqual(rows)
  await admin.syncs([okta.idOf('A')])
  expect(await acme.membersOf('B')).toEqual(['ada'])
  expect(await okta.stateOf('B')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('an auditor reads runs and starts none; a run of another organization is not there', async ({
  org,
  api,
  acme,
  okta,
  admin,
  second,
  inOrg,
}) => {
  await acme.has({ group: 'A', members: ['ada'] })
  await okta.knows('bob')
  await okta.pushes({ group: 'A', members: ['bob'] })
  const token = await org.token('auditor')
  const { fingerprint } = await admin.effectOf('all')
  const body = { selection: { mode: 'filter', filter: {} }, fingerprint }
  expect((await api('POST', '/directories/okta/runs', body, { token })).status).toBe(403)
  const run = await admin.syncs('all')
  expect((await api('GET', `/runs/${run.id}`, undefined, { token })).status).toBe(200)
  const [theirs] = await inOrg(async (trx) => {
    await sql`select set_config('muster.org_id', ${second.orgId}, true)`.execute(trx)
    return (await sql<{ id: string }>`select id from runs`.execute(trx)).rows
  })
  const foreign = await api('GET', `/runs/${theirs?.id}`)
  expect(foreign).toMatchObject({ status: 404 })
  expect(foreign.body).toEqual((await api('GET', '/runs/00000000-0000-7000-8000-00000000dead')).body)
  expect((await api('POST', `/runs/${theirs?.id}/stop`)).body).toEqual(foreign.body)
})

test('the same request with an Idempotency-Key starts one run', async ({ acme, api, okta, admin }) => {
  await acme.has({ group: 'A', members: ['ada'] })
  await okta.knows('bob')
  await okta.pushes({ group: 'A', members: ['bob'] })
  const { fingerprint } = await admin.effectOf('all')
  const ask = () =>
    api(
      'POST',
      '/directories/okta/runs',
      { selection: { mode: 'filter', filter: {} }, fingerprint },
      { headers: { 'idempotency-key': 'monday' } },
    )
  const [first, again] = [await ask(), await ask()]
  expect([first.status, again.status]).toEqual([202, 202])
  expect(again.body.id).toBe(first.body.id)
  await admin.ended(first.body.id)
  expect((await api('GET', '/runs')).body.total).toBe(1)
})

test('overwrite takes the pushed spelling of the name, so that nothing differs and the directory is complete', async ({
  acme,
  okta,
  admin,
  api,
}) => {
  await acme.has({ group: 'Wheel', members: ['ada'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'WHEEL', members: ['ada'] })
  await admin.syncs(['WHEEL'])
  expect((await api('GET', '/groups/wheel')).body).toMatchObject({ name: 'WHEEL' })
  expect((await api('GET', '/directories/okta')).body).toMatchObject({ complete: true, groups: { synced: 1 } })
})
