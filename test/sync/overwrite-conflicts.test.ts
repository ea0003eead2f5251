import { sql } from 'kysely'
import type { RunId } from '../../src/database/ids.ts'
import type { Jobs } from '../../src/database/jobs.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { overwriteConflicts } from '../../src/sync/overwrite-conflicts.ts'
import { runSync } from '../../src/sync/run-sync.ts'
import { expect, type Provider, test as story } from '../support/story.ts'

interface Policies {
  /** A directory whose conflicts are overwritten once nobody was written for an hour. */
  entra: Provider
  /** Lets an hour pass since a group's members were written. */
  anHourPasses: (group: string) => Promise<void>
  /** Looks for what is due, as the job does, and answers the runs that it started. */
  looks: () => Promise<RunId[]>
  works: (runs: RunId[]) => Promise<void>
  becomes: (provider: Provider, group: string, state: string) => Promise<void>
}

const test = story.extend<Policies>({
  entra: async ({ connects }, use) => use(await connects('entra', { conflictPolicy: 'overwrite', quietSeconds: 3_600 })),
  anHourPasses: async ({ inOrg }, use) =>
    use((group) =>
      inOrg(async (trx) => {
        await sql`update provisioned_groups set members_written_at = members_written_at - interval '1 hour' where org_id = ${trx.orgId} and name = ${group}`.execute(
          trx,
        )
      }),
    ),
  looks: async ({ db, org }, use) =>
    use(async () => {
      const runs: RunId[] = []
      const jobs: Pick<Jobs, 'send'> = { send: async (_, __, data) => void runs.push((data as { runId: RunId }).runId) }
      while (await inTransaction(db, { orgId: org.id, actor: 'system' }, (trx) => overwriteConflicts(trx, jobs)));
      return runs
    }),
  works: async ({ db, org }, use) =>
    use(async (runs) => {
      for (const runId of runs) await runSync(db, { orgId: org.id, runId })
    }),
  becomes: async ({ fileServer }, use) => {
    void fileServer
    await use((provider, group, state) =>
      expect.poll(async () => (await provider.stateOf(group)).state, { timeout: 20_000, interval: 20 }).toBe(state),
    )
  },
})

test('with the policy overwrite and no quiet time a taken name is synced by itself, as a run that says so and can be undone', async ({
  acme,
  api,
  connects,
  becomes,
  looks,
}) => {
  const okta = await connects('okta', { conflictPolicy: 'overwrite' })
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await acme.grants('Engineering', 'site/wiki/user')
  await okta.knows('ada', 'cyd')
  expect(await okta.pushes({ group: 'engineering', members: ['ada', 'cyd'] })).toBe(201)
  await becomes(okta, 'engineering', 'synced')
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'cyd'])
  const { items } = (await api('GET', '/runs')).body
  expect(items).toMatchObject([
    {
      kind: 'sync',
      choice: 'overwrite',
      createdBy: 'system',
      note: 'By the conflict policy of the directory: overwrite',
      groups: { total: 1 },
      foreseen: { members: { added: 1, removed: 1 }, access: { lost: 1, gained: 1 } },
    },
  ])
  // Put back to what it was before, it is the admin's to decide: the policy leaves it alone.
  const { body: log } = await api('GET', `/audit?run=${items[0].id}`)
  const to = `${Math.min(...log.items.map(({ id }: { id: string }) => Number(id))) - 1}`
  const { effect } = (await api('GET', `/groups/engineering/restore?to=${to}`)).body
  expect(await api('POST', '/groups/engineering/restore', { to, fingerprint: effect.fingerprint })).toMatchObject({ status: 200 })
  expect(await okta.stateOf('engineering')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Engineering')).toEqual(['ada', 'bob'])
  await okta.adds('engineering', ['ada'])
  expect(await looks()).toEqual([])
})

test('a group that is filling waits for the end of the quiet time, whatever is written in between', async ({
  acme,
  entra,
  anHourPasses,
  looks,
  works,
}) => {
  await acme.has({ group: 'Crew', members: ['ada', 'bob'] })
  await entra.knows('ada', 'cyd')
  // As Entra does: empty first, members in pieces.
  await entra.pushes({ group: 'Crew' })
  expect(await looks()).toEqual([])
  await entra.adds('Crew', ['ada'])
  expect(await looks()).toEqual([])
  await anHourPasses('Crew')
  await entra.adds('Crew', ['cyd'])
  expect(await looks()).toEqual([])
  await anHourPasses('Crew')
  const runs = await looks()
  expect(runs).toHaveLength(1)
  // The run is asked for and not done yet, as after a crash: nobody asks for another, and it is gone on with.
  expect(await looks()).toEqual([])
  await works(runs)
  expect(await entra.stateOf('Crew')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'cyd'])
})

test('two nodes that look at the same time start one run', async ({ acme, api, entra, anHourPasses, looks }) => {
  await entra.knows('ada')
  for (const group of ['A', 'B', 'C']) {
    await acme.has({ group, members: ['bob'] })
    await entra.pushes({ group, members: ['ada'] })
    await anHourPasses(group)
  }
  const started = (await Promise.all(Array.from({ length: 8 }, looks))).flat()
  expect(started.length).toBeLessThanOrEqual(1)
  await looks()
  expect((await api('GET', '/runs')).body.items).toMatchObject([{ groups: { total: 3 } }])
})

test('never what an admin has to decide: empty over members, blocked, deleted before, linked, and what waited before the policy', async ({
  acme,
  api,
  connects,
  anHourPasses,
  looks,
}) => {
  const okta = await connects('okta', { quietSeconds: 3_600 })
  await okta.knows('ada')
  await acme.has({ group: 'Earlier', members: ['bob'] })
  await okta.pushes({ group: 'Earlier', members: ['ada'] })
  await api('PATCH', `/directories/${okta.directory.id}`, { conflictPolicy: 'overwrite' })
  for (const group of ['Empty', 'Blocked', 'Deleted', 'Other', 'Free']) await acme.has({ group, members: ['bob'] })
  await acme.protects('Blocked')
  await acme.deletes('Deleted')
  await acme.renames('Free', 'Free no more')
  await okta.pushes({ group: 'Empty', members: [] })
  for (const group of ['Blocked', 'Deleted', 'Linked']) await okta.pushes({ group, members: ['ada'] })
  await api('PUT', '/reviews/Linked/link', { to: 'Other' })
  for (const group of ['Earlier', 'Empty', 'Blocked', 'Deleted', 'Linked']) await anHourPasses(group)
  expect(await looks()).toEqual([])
  expect(await okta.stateOf('Empty')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await okta.stateOf('Deleted')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })
  // What is no longer blocked is due.
  await acme.protects('Blocked', false)
  expect(await looks()).toHaveLength(1)
  expect((await api('GET', '/runs')).body.items).toMatchObject([{ groups: { total: 1 } }])
})

test('what such a run was stopped before is left alone until it is pushed again', async ({
  acme,
  api,
  entra,
  anHourPasses,
  looks,
  works,
}) => {
  await acme.has({ group: 'Crew', members: ['bob'] })
  await entra.knows('ada', 'cyd')
  await entra.pushes({ group: 'Crew', members: ['ada'] })
  await anHourPasses('Crew')
  const runs = await looks()
  expect((await api('POST', `/runs/${runs[0]}/stop`)).status).toBe(200)
  await works(runs)
  expect(await looks()).toEqual([])
  await api('PATCH', `/directories/${entra.directory.id}`, { quietSeconds: 0 })
  expect(await looks()).toEqual([])
  await entra.adds('Crew', ['cyd'])
  expect(await looks()).toHaveLength(1)
})
