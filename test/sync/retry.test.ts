import { sql } from 'kysely'
import { expect, test as story } from '../support/story.ts'
import { syncing } from './syncing.ts'

const test = story.extend<{
  admin: ReturnType<typeof syncing>
  /** A run of A to D that synced D alone: A is filling, B pushed empty, C to be merged and stopped by a lock that is not there any more. */
  leftOut: { id: string; access: object }
}>({
  admin: async ({ api, okta }, use) => use(syncing(api, okta.directory.id)),
  leftOut: async ({ api, acme, okta, admin, inOrg }, use) => {
    for (const group of ['A', 'B', 'C', 'D']) {
      await acme.has({ group, members: ['ada', 'bob'] })
      await acme.grants(group, `site/${group}/user`)
    }
    await okta.knows('ada', 'bob', 'cyd')
    for (const group of ['A', 'C', 'D']) await okta.pushes({ group, members: ['ada', 'cyd'] })
    await okta.pushes({ group: 'B', members: [] })
    await api('PATCH', `/directories/${okta.directory.id}`, { quietSeconds: 3_600 })
    await inOrg((trx) =>
      sql`update provisioned_groups set members_written_at = now() - interval '2 hours' where org_id = ${trx.orgId} and name <> 'A'`.execute(
        trx,
      ),
    )
    const run = await admin.syncs('all', { choices: { C: 'merge' } })
    // As if others had held C for too long.
    await inOrg(async (trx) => {
      await sql`update run_groups set result = 'failed', reason = 'busy' where org_id = ${trx.orgId} and run_id = ${run.id} and name = 'C'`.execute(
        trx,
      )
    })
    await use(run)
  },
})

test('what a run left out is tried again as it was to be, shown first, by a run of its own that is linked both ways', async ({
  api,
  acme,
  okta,
  admin,
  leftOut,
}) => {
  expect(await admin.resultsOf(leftOut.id)).toEqual(['A: skipped, filling', 'B: skipped, empty', 'C: failed, busy', 'D: synced'])
  const path = `/runs/${leftOut.id}/retry`
  const shown = (await api('GET', path)).body
  // C was merged in truth: it needs no review.
  expect(shown).toMatchObject({ groups: 2, members: { added: 1, removed: 3 }, selection: { mode: 'ids' } })
  expect(await api('POST', path, { fingerprint: 'of something else' })).toMatchObject({
    status: 409,
    body: { type: 'urn:muster:problem:review_changed' },
  })
  expect((await api('POST', path, { fingerprint: shown.fingerprint, acceptIncomplete: true, dryRun: true })).body).toMatchObject({
    dryRun: true,
    groups: { total: 2, synced: 1, skipped: 1 },
  })
  const { status, body } = await api('POST', path, { fingerprint: shown.fingerprint, acceptIncomplete: true })
  expect(status).toBe(202)
  const run = await admin.ended(body.id)
  expect(run).toMatchObject({ retryOf: leftOut.id, retriedBy: [], kind: 'sync', groups: { synced: 1, skipped: 1 } })
  expect((await api('GET', `/runs/${leftOut.id}`)).body).toMatchObject({ retryOf: null, retriedBy: [run.id] })
  expect(await admin.resultsOf(run.id)).toEqual(['A: synced', 'B: skipped, empty'])
  expect(await acme.membersOf('A')).toEqual(['ada', 'cyd'])
  expect(await acme.membersOf('C')).toEqual(['ada', 'bob', 'cyd'])
  // The retry is retried: B alone is left, on the terms of now, and then nothing.
  const again = (await api('GET', `/runs/${run.id}/retry`)).body
  expect(again).toMatchObject({ groups: 1, members: { added: 0, removed: 2 } })
  const last = await api('POST', `/runs/${run.id}/retry`, { fingerprint: again.fingerprint, acceptEmpty: true })
  await admin.ended(last.body.id)
  expect(await okta.stateOf('B')).toMatchObject({ state: 'synced' })
  for (const answer of [await api('GET', path), await api('POST', path, { fingerprint: shown.fingerprint })])
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:nothing_to_sync' } })
})

test('a choice of its own, and the people whom it was about, are kept when it is tried again', async ({
  api,
  acme,
  okta,
  admin,
  inOrg,
}) => {
  for (const group of ['A', 'B']) await acme.has({ group, members: ['ada', 'bob'] })
  await okta.knows('cyd')
  for (const group of ['A', 'B']) await okta.pushes({ group, members: ['cyd'] })
  const run = await admin.syncs('all', { choices: { A: 'merge', B: 'ignore' } })
  const failing = (id: string, name: string) =>
    inOrg((trx) =>
      sql`update run_groups set result = 'failed', reason = 'busy' where org_id = ${trx.orgId} and run_id = ${id} and name = ${name}`.execute(
        trx,
      ),
    )
  await failing(run.id, 'B')
  await api('POST', '/reviews/B/reopen')
  const ignoring = (await api('GET', `/runs/${run.id}/retry`)).body
  expect(ignoring).toMatchObject({ groups: 1, members: { added: 0, removed: 0 } })
  const ignored = await api('POST', `/runs/${run.id}/retry`, { fingerprint: ignoring.fingerprint })
  await admin.ended(ignored.body.id)
  expect(await okta.stateOf('B')).toMatchObject({ state: 'ignored' })
  const dropping = await admin.syncs(['A'], { kind: 'drop_kept', people: ['ada'] })
  await failing(dropping.id, 'A')
  // As if it had failed: she is kept still.
  await inOrg((trx) =>
    sql`
    with kept as (
      insert into memberships (org_id, group_id, account_id, pushed, effective, waiting)
      select g.org_id, g.id, a.id, false, true, 'kept' from groups g, accounts a
      where g.org_id = ${trx.orgId} and g.name = 'A' and a.org_id = g.org_id and a.user_name = 'ada' returning group_id
    )
    update groups set member_count = member_count + 1, remove_count = remove_count + 1 where org_id = ${trx.orgId} and id in (select group_id from kept)`.execute(
      trx,
    ),
  )
  const again = (await api('GET', `/runs/${dropping.id}/retry`)).body
  expect(again).toMatchObject({ groups: 1, members: { removed: 1 } })
  await admin.ended((await api('POST', `/runs/${dropping.id}/retry`, { fingerprint: again.fingerprint })).body.id)
  expect(await acme.membersOf('A')).toEqual(['bob', 'cyd'])
})

test('the report is a file too: what happened to each group beside what was foreseen', async ({ api, leftOut }) => {
  const { headers, body } = await api('GET', `/runs/${leftOut.id}/groups?format=csv&limit=1&sort=name`)
  expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
  const lines = String(body).trimEnd().split('\r\n')
  expect(lines[0]).toBe(
    'group,id,choice,result,reason,detail,members_added,members_removed,access_lost,access_gained,access_lost_foreseen,finished_at,linked_to',
  )
  expect(lines.slice(1).map((line) => line.split(',').toSpliced(1, 1).slice(0, -2).join(','))).toEqual([
    'A,overwrite,skipped,filling,,0,0,0,0,1',
    'B,overwrite,skipped,empty,,0,0,0,0,2',
    'C,merge,failed,busy,,1,0,0,1,0',
    'D,overwrite,synced,,,1,1,1,1,1',
  ])
})
