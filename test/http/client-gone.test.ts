import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import type { DatabaseCopy } from '../support/database-copy.ts'
import { expect, test } from '../support/world.ts'

/** Keeps everybody from a table until it is let go; tells who waits for it. */
async function holding(table: string, { connection }: DatabaseCopy) {
  const [holder, watcher] = [new Client(connection), new Client(connection)]
  await Promise.all([holder.connect(), watcher.connect()])
  onTestFinished(async () => void (await Promise.all([holder.end(), watcher.end()])))
  await holder.query(`begin; lock table ${table} in access exclusive mode`)
  const pids = async (text: string, value: string | number): Promise<number[]> =>
    (await watcher.query(text, [value])).rows.map(({ pid }) => pid)
  return {
    waiting: () => pids('select pid from pg_locks where relation = $1::regclass and not granted', table),
    idle: (pid: number) => pids(`select pid from pg_stat_activity where pid = $1 and state = 'idle'`, pid),
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
  await expect.poll(() => groups.idle(pid), { ...soon, timeout: 2_000 }).toEqual([pid])
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
