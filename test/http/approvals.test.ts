import { sql } from 'kysely'
import { inTransaction } from '../../src/database/transaction.ts'
import { expireApprovals } from '../../src/sync/approvals.ts'
import type { Answer, Client } from '../support/clients.ts'
import { expect, test as story } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

interface Approvals {
  /** Docs takes access from bob and cyd; Wheel from nobody; more than one person needs approval. */
  waiting: { id: string }
  /** Somebody else: an admin. */
  other: Client
  actionsOf: (run: string) => Promise<string[]>
}

const test = story.extend<Approvals>({
  waiting: async ({ acme, api, okta }, use) => {
    await acme.has({ group: 'Docs', members: ['ada', 'bob', 'cyd'] })
    await acme.grants('Docs', 'site/wiki/write')
    await acme.has({ group: 'Wheel', members: ['ada'] })
    await okta.knows('ada', 'dan')
    await okta.pushes({ group: 'Docs', members: ['ada'] })
    await okta.pushes({ group: 'Wheel', members: ['ada', 'dan'] })
    expect((await api('PATCH', '/organization', { approval: { peopleLosing: 1 } })).status).toBe(200)
    const { status, body } = await syncing(api, okta.directory.id).asks(['Docs'])
    expect(status).toBe(202)
    expect(body).toMatchObject({ state: 'awaiting_approval', foreseen: { access: { peopleLosing: 2 } }, finishedAt: null })
    await use(body)
  },
  other: async ({ api, org }, use) => {
    const token = await org.token('admin')
    await use((method, path, body) => api(method, path, body, { token }))
  },
  actionsOf: async ({ inOrg }, use) =>
    use((run) =>
      inOrg(async (trx) => {
        const { rows } = await sql<{ action: string }>`
          select action from log_entries where org_id = ${trx.orgId} and run_id = ${run}::uuid and action like 'run.%' order by id`.execute(
          trx,
        )
        return rows.map(({ action }) => action)
      }),
    ),
})

const stateOf = (answer: Answer) => [answer.status, answer.body.type?.replace('urn:muster:problem:', '') ?? answer.body.state]

test('only owners say which runs need approval; the change is in the log with before and after', async ({ api, org, inOrg }) => {
  const token = await org.token('admin')
  expect((await api('GET', '/organization', undefined, { token })).body.approval).toEqual({
    peopleLosing: null,
    expiresHours: 72,
  })
  expect(stateOf(await api('PATCH', '/organization', { approval: { peopleLosing: 5 } }, { token }))).toEqual([
    403,
    'not_permitted',
  ])
  const { body } = await api('PATCH', '/organization', { approval: { peopleLosing: 5 } })
  expect(body.approval).toEqual({ peopleLosing: 5, expiresHours: 72 })
  await api('PATCH', '/organization', { approval: { peopleLosing: 5 } })
  const entries = await inOrg((trx) =>
    trx
      .selectFrom('log_entries')
      .select('facts')
      .where('org_id', '=', trx.orgId)
      .where('action', '=', 'organization.updated')
      .execute(),
  )
  expect(entries.map(({ facts }) => facts)).toEqual([
    { before: { approval: { peopleLosing: null } }, after: { approval: { peopleLosing: 5 } } },
  ])
})

test('a run that takes access from more people waits; somebody else approves it, and it goes on', async ({
  acme,
  actionsOf,
  api,
  okta,
  other,
  waiting,
}) => {
  expect((await api('GET', '/runs?state=awaiting_approval')).body).toMatchObject({ total: 1, items: [{ id: waiting.id }] })
  expect((await api('GET', `/runs/${waiting.id}`)).body.approval.isOwn).toBe(true)
  expect((await other('GET', `/runs/${waiting.id}`)).body.approval.isOwn).toBe(false)
  expect(stateOf(await api('POST', `/runs/${waiting.id}/approve`, {}))).toEqual([403, 'not_permitted'])
  expect(stateOf(await other('POST', `/runs/${waiting.id}/withdraw`, {}))).toEqual([403, 'not_permitted'])
  expect(await acme.membersOf('Docs')).toEqual(['ada', 'bob', 'cyd'])
  // Of another group, and of who stays in this one: neither is what the run comes to.
  await acme.adds('Wheel', ['eve'])
  expect(stateOf(await other('POST', `/runs/${waiting.id}/approve`, { comment: 'As agreed' }))).toEqual([200, 'queued'])
  const run = await syncing(api, okta.directory.id).ended(waiting.id)
  expect(run).toMatchObject({
    state: 'finished',
    groups: { synced: 1 },
    approval: { decidedBy: 'token:tests admin', comment: 'As agreed' },
  })
  expect(await acme.membersOf('Docs')).toEqual(['ada'])
  expect(await actionsOf(waiting.id)).toEqual(['run.approval_asked', 'run.approved', 'run.finished'])
})

test('a run that takes from no more people than that goes on at once; a dry run says which would wait', async ({
  api,
  okta,
  waiting,
}) => {
  const sync = syncing(api, okta.directory.id)
  expect(waiting.id).toBeTruthy()
  expect((await sync.asks(['Docs'], { dryRun: true })).body).toMatchObject({ needsApproval: true })
  expect((await sync.asks(['Wheel'], { dryRun: true })).body).toMatchObject({ needsApproval: false })
  expect((await sync.syncs(['Wheel'])).approval).toBe(null)
})

test('what changed between asking and approving is refused, and nothing is changed', async ({
  acme,
  actionsOf,
  other,
  waiting,
}) => {
  await acme.adds('Docs', ['eve'])
  expect(stateOf(await other('POST', `/runs/${waiting.id}/approve`, {}))).toEqual([409, 'review_changed'])
  expect(await acme.membersOf('Docs')).toEqual(['ada', 'bob', 'cyd', 'eve'])
  expect(await actionsOf(waiting.id)).toEqual(['run.approval_asked'])
  expect(stateOf(await other('POST', `/runs/${waiting.id}/reject`, { comment: 'Ask again' }))).toEqual([200, 'rejected'])
})

test('two approvals at once act once', async ({ actionsOf, api, okta, other, org, waiting }) => {
  const token = await org.token('auditor')
  expect((await api('POST', `/runs/${waiting.id}/approve`, {}, { token })).status).toBe(403)
  const answers = await Promise.all([1, 2, 3].map(() => other('POST', `/runs/${waiting.id}/approve`)))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
  await syncing(api, okta.directory.id).ended(waiting.id)
  expect(await actionsOf(waiting.id)).toEqual(['run.approval_asked', 'run.approved', 'run.finished'])
})

test('rejected with why, or withdrawn by who asked: it ends, and nothing is changed', async ({
  acme,
  api,
  okta,
  other,
  waiting,
}) => {
  const sync = syncing(api, okta.directory.id)
  expect((await other('POST', `/runs/${waiting.id}/reject`, {})).status).toBe(400)
  expect(stateOf(await api('POST', `/runs/${waiting.id}/reject`, { comment: 'No' }))).toEqual([403, 'not_permitted'])
  const rejected = await other('POST', `/runs/${waiting.id}/reject`, { comment: 'Not before Friday' })
  expect(rejected.body).toMatchObject({
    state: 'rejected',
    finishedAt: expect.any(String),
    groups: { total: 1, synced: 0, skipped: 1 },
    approval: { comment: 'Not before Friday' },
  })
  expect(await sync.resultsOf(waiting.id)).toEqual(['Docs: skipped, not_approved'])
  expect(stateOf(await other('POST', `/runs/${waiting.id}/approve`, {}))).toEqual([409, 'not_awaiting_approval'])
  const { body: second } = await sync.asks(['Docs'])
  expect(stateOf(await api('POST', `/runs/${second.id}/withdraw`))).toEqual([200, 'withdrawn'])
  expect(await acme.membersOf('Docs')).toEqual(['ada', 'bob', 'cyd'])
})

test('a run that nobody approved in time has expired: at once for who approves, and by a job', async ({
  actionsOf,
  api,
  inOrg,
  other,
  org,
  db,
  waiting,
}) => {
  await inOrg((trx) =>
    sql`update runs set approval_expires_at = now() where org_id = ${trx.orgId} and id = ${waiting.id}::uuid`.execute(trx),
  )
  expect(stateOf(await other('POST', `/runs/${waiting.id}/approve`, {}))).toEqual([409, 'not_awaiting_approval'])
  expect(await inTransaction(db, { orgId: org.id, actor: 'system' }, expireApprovals)).toBe(false)
  expect((await api('GET', `/runs/${waiting.id}`)).body).toMatchObject({ state: 'expired', approval: { decidedBy: 'system' } })
  expect(await actionsOf(waiting.id)).toEqual(['run.approval_asked', 'run.expired'])
})

test('an undo that takes access from many waits too, and is approved by what it comes to then', async ({
  acme,
  api,
  okta,
  other,
}) => {
  const admin = syncing(api, okta.directory.id)
  await acme.has({ group: 'Docs', members: [] })
  await acme.grants('Docs', 'site/wiki/write')
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Docs', members: ['ada', 'bob'] })
  const { id } = await admin.syncs(['Docs'])
  expect((await api('PATCH', '/organization', { approval: { peopleLosing: 1 } })).status).toBe(200)
  const { effect } = (await api('GET', `/runs/${id}/undo`)).body
  const asked = await api('POST', `/runs/${id}/undo`, { fingerprint: effect.fingerprint })
  expect(stateOf(asked)).toEqual([202, 'awaiting_approval'])
  expect(await acme.membersOf('Docs')).toEqual(['ada', 'bob'])
  await okta.removes('Docs', ['bob'])
  expect(stateOf(await other('POST', `/runs/${asked.body.id}/approve`, {}))).toEqual([409, 'review_changed'])
  await okta.adds('Docs', ['bob'])
  expect((await other('POST', `/runs/${asked.body.id}/approve`, {})).status).toBe(200)
  expect((await admin.ended(asked.body.id)).groups).toMatchObject({ synced: 1 })
  expect(await acme.membersOf('Docs')).toEqual([])
})
