import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import type { DatabaseCopy } from '../support/database-copy.ts'
import { expect, test } from '../support/world.ts'

/** Keeps everybody from a table until it is let go; tells who waits for it. */
async function holding(table: string, { connection }: DatabaseCopy) {
  const holder = new Client(connection)
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query(`begin; lock table ${table} in access exclusive mode`)
  const waiting = async (): Promise<number[]> =>
    (
      await holder.query(`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    ).rows.map(({ pid }) => pid)
  return {
    waiting,
    isIdle: async (pid: number) =>
      (await holder.query(`select from pg_stat_activity where pid = $1 and state = 'idle'`, [pid])).rowCount === 1,
    letGo: () => holder.query('commit'),
  }
}

const soon = { timeout: 4_000, interval: 10 }

test('what is read for a client that goes away is cancelled, and the connection serves the next', async ({
  database,
  server,
  org,
  api,
}) => {
  expect((await api('GET', '/groups')).status).toBe(200)
  const groups = await holding('groups', database)
  const client = new AbortController()
  const headers = { authorization: `Bearer ${org.adminToken}` }
  const answer = fetch(`${server.url}/api/v1/groups`, { headers, signal: client.signal })
  await expect.poll(groups.waiting, soon).toHaveLength(1)
  const [pid = 0] = await groups.waiting()
  client.abort()
  await expect(answer).rejects.toThrow()
  // Far sooner than the lock's own time limit of 5 s.
  await expect.poll(() => groups.isIdle(pid), { ...soon, timeout: 2_000 }).toBe(true)
  await groups.letGo()
  expect((await api('GET', '/groups')).status).toBe(200)
})

test('what a client that goes away has written stays or goes whole', async ({ database, server, org, api }) => {
  expect((await api('GET', '/groups')).status).toBe(200)
  const log = await holding('log_entries', database)
  const client = new AbortController()
  const headers = { authorization: `Bearer ${org.adminToken}`, 'content-type': 'application/json' }
  const answer = fetch(`${server.url}/api/v1/groups`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'Wheel' }),
    signal: client.signal,
  })
  await expect.poll(log.waiting, soon).toHaveLength(1)
  client.abort()
  await expect(answer).rejects.toThrow()
  await log.letGo()
  await expect.poll(async () => (await api('GET', '/groups')).body.total, soon).toBe(1)
})
