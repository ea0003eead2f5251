import { type ConnectionOptions, connect } from '../../src/database/connection.ts'
import { newId, type OrgId, type RunId } from '../../src/database/ids.ts'
import { type JobData, type Jobs, startJobs } from '../../src/database/jobs.ts'
import { test as base, expect } from '../support/world.ts'

const test = base.extend<{ jobs: Jobs }>({
  jobs: async ({ database }, use) => {
    const jobs = await startJobs(database.connection)
    await use(jobs)
    await jobs.stop()
  },
})

test('a job is done once its transaction is committed, with what it was sent with', async ({ jobs, org, inOrg }) => {
  const done = Promise.withResolvers<JobData['sync-run']>()
  await jobs.work('sync-run', async (data) => done.resolve(data))
  const data = { orgId: org.id, runId: newId<RunId>() }
  await inOrg((trx) => jobs.send(trx, 'sync-run', data))
  expect(await done.promise).toEqual(data)
})

test('a transaction that is rolled back leaves no job', async ({ jobs, org, inOrg, database }) => {
  const rolledBack = inOrg(async (trx) => {
    await jobs.send(trx, 'sync-run', { orgId: org.id, runId: newId<RunId>() })
    throw new Error('no')
  })
  await expect(rolledBack).rejects.toThrow('no')
  expect(await queued(database.connection, org.id)).toBe(0)
})

test('a job that fails is tried again', async ({ jobs, org, inOrg }) => {
  const runId = newId<RunId>()
  const second = Promise.withResolvers<void>()
  let tries = 0
  await jobs.work('sync-run', async (data) => {
    if (data.runId !== runId) return
    if (++tries === 1) throw new Error('planted')
    second.resolve()
  })
  await inOrg((trx) => jobs.send(trx, 'sync-run', { orgId: org.id, runId }))
  await second.promise
  expect(tries).toBe(2)
})

async function queued(connection: ConnectionOptions, orgId: OrgId): Promise<number> {
  const { pool, close } = connect(connection)
  const { rows } = await pool.query<{ n: number }>("select count(*)::int as n from jobs.job where data ->> 'orgId' = $1", [orgId])
  await close()
  return rows[0]?.n ?? 0
}
