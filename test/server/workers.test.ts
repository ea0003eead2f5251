import { sql } from 'kysely'
import type { RunId } from '../../src/database/ids.ts'
import { type Jobs, startJobs } from '../../src/database/jobs.ts'
import { effectOf } from '../../src/review/effect.ts'
import { chosenGroups, type Selection } from '../../src/review/selection.ts'
import { resumeRuns, startWorkers } from '../../src/server/workers.ts'
import { findRun } from '../../src/sync/run-reports.ts'
import { startRun } from '../../src/sync/start-run.ts'
import { storeWorld } from '../review/stored-world.ts'
import { expect, test as world } from '../support/world.ts'

// No server runs here: the only workers are the test's own.
const test = world.extend<{ jobs: Jobs; starts: (jobs: Pick<Jobs, 'send'>) => Promise<RunId> }>({
  jobs: async ({ database }, use) => {
    const jobs = await startJobs(database.connection)
    await use(jobs)
    await jobs.stop()
  },
  starts: async ({ org, inOrg }, use) => {
    const { id: directoryId } = await org.directory()
    await use((jobs) =>
      inOrg(async (trx) => {
        const groups = [{ name: 'A', effective: new Set<string>(), pushed: new Set(['ada']), grants: [] }]
        await storeWorld(trx, { people: new Map([['ada', { active: true }]]), groups }, directoryId)
        const selection: Selection = { mode: 'filter', filter: {} }
        const { fingerprint } = await effectOf(trx, (await chosenGroups(trx, directoryId, selection)).ids)
        const terms = { kind: 'sync', choice: 'overwrite', acceptIncomplete: false, acceptEmpty: false, note: null } as const
        return startRun(trx, jobs, { directoryId, selection, fingerprint, ...terms })
      }),
    )
  },
})

test('a run is told that the node stops: it does no more groups, and its job is left for the next node', async ({
  db,
  jobs,
  starts,
  inOrg,
}) => {
  const stopping = new AbortController()
  await startWorkers(db, jobs, { signal: stopping.signal })
  stopping.abort(new Error('the node stops'))
  const run = await starts(jobs)
  const state = () =>
    inOrg(async (trx) => {
      const { rows } = await sql<{ state: string }>`select state::text from jobs.job where data ->> 'runId' = ${run}`.execute(trx)
      return rows[0]?.state
    })
  await expect.poll(state, { timeout: 20_000, interval: 20 }).toBe('retry')
  await jobs.rest()
  expect(await inOrg((trx) => findRun(trx, run))).toMatchObject({ state: 'running', finishedAt: null, groups: { synced: 0 } })
})

test('jobs that rest take none, and can still be sent', async ({ db, jobs, starts, inOrg }) => {
  await startWorkers(db, jobs)
  await jobs.rest()
  const run = await starts(jobs)
  expect(await inOrg((trx) => findRun(trx, run))).toMatchObject({ state: 'queued', groups: { synced: 0 } })
})

test('a run whose job is lost is gone on with at the next start, whichever organization it is of', async ({
  db,
  org,
  jobs,
  starts,
  inOrg,
}) => {
  const run = await starts({ send: async () => {} })
  await resumeRuns(db, {
    // The other organization's runs are not this test's.
    send: async (trx, queue, data) => {
      if (data.orgId === org.id) await jobs.send(trx, queue, data)
    },
  })
  await startWorkers(db, jobs)
  const finished = async () => (await inOrg((trx) => findRun(trx, run))).finishedAt
  await expect.poll(finished, { timeout: 20_000, interval: 20 }).not.toBeNull()
  expect(await inOrg((trx) => findRun(trx, run))).toMatchObject({ state: 'finished', groups: { synced: 1 } })
})

test('a job that comes by itself each hour forgets old lines of the request log', async ({ db, jobs, inOrg, org }) => {
  const { rows } = await db.pool.query<{ cron: string }>("select cron from jobs.schedule where name = 'forget-requests'")
  expect(rows).toEqual([{ cron: '17 * * * *' }])
  const { id } = await org.directory()
  await inOrg((trx) =>
    sql`
      insert into scim_requests (org_id, directory_id, at, id, token_id, method, path, status, duration_ms, times, subjects)
      select ${trx.orgId}::uuid, ${id}, now() - interval '30 days 1 second', gen_random_uuid(), gen_random_uuid(), 'GET', '/scim/v2/Users', 200, 1, 1, array[${id}::uuid]
      from generate_series(1, 5001)`.execute(trx),
  )
  await inOrg((trx) =>
    sql`
      insert into scim_request_subjects (org_id, directory_id, subject, minute)
      select org_id, directory_id, unnest(subjects), date_trunc('minute', at, 'UTC') from scim_requests on conflict do nothing`.execute(
      trx,
    ),
  )
  await startWorkers(db, jobs)
  await inOrg((trx) => jobs.send(trx, 'forget-requests', {}))
  const left = () =>
    inOrg(
      async (trx) =>
        (await trx.selectFrom('scim_requests').select('id').execute()).length +
        (await trx.selectFrom('scim_request_subjects').select('minute').execute()).length,
    )
  await expect.poll(left, { timeout: 20_000, interval: 20 }).toBe(0)
})
