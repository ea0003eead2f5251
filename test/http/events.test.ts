import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { sql } from 'kysely'
import { onTestFinished } from 'vitest'
import { inTransaction } from '../../src/database/transaction.ts'
import { appendLog } from '../../src/organization/log.ts'
import { startTestServer } from '../support/server.ts'
import { root } from '../support/source-files.ts'
import { expect, test } from '../support/story.ts'
import { someoneWaits } from '../support/waiting.ts'

interface Told {
  id?: string
  event?: string
  data?: string
}

/** Listens as a browser does: an event each `next`, undefined at the end. */
async function listen(url: string, token: string, headers: Record<string, string> = {}) {
  const abort = new AbortController()
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}`, ...headers }, signal: abort.signal })
  onTestFinished(() => abort.abort())
  const lines = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  let text = ''
  const next = async (): Promise<Told | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const block = text.slice(0, end)
        text = text.slice(end + 2)
        const told = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2))) as Told
        if (told.data !== undefined) return told
        continue
      }
      const chunk = await lines?.next()
      if (chunk === undefined || chunk.done) return undefined
      text += chunk.value
    }
  }
  const types = async (count: number) => {
    const found: string[] = []
    while (found.length < count) found.push(JSON.parse((await next())?.data ?? '{}').type)
    return found
  }
  /** Hears on until the stream ends. */
  const end = async () => {
    while ((await next()) !== undefined);
  }
  return { response, next, types, end, close: () => abort.abort() }
}

test('who listens is told what happens, in order, of the topics that were asked for, and goes on where it was cut', async ({
  acme,
  api,
  okta,
  org,
  server,
}) => {
  const url = `${server.url}/api/v1/events`
  const auditor = await org.token('auditor')
  const all = await listen(url, org.adminToken)
  expect(all.response.headers.get('content-type')).toBe('text/event-stream')
  const ready = await all.next()
  expect(ready).toMatchObject({ event: 'ready', id: expect.stringMatching(/^\d+$/) })
  const groups = await listen(`${url}?topics=group.created,directory`, auditor)
  expect(await groups.next()).toMatchObject({ event: 'ready' })

  await acme.has({ group: 'Sales', members: ['ada'] })
  const first = await all.next()
  expect(JSON.parse(first?.data ?? '')).toEqual({
    id: first?.id,
    type: 'account.created',
    at: expect.stringMatching(/^20/),
    directory: null,
    subject: (await acme.person('ada')).id,
    run: null,
    request: expect.any(String),
  })
  expect(await all.types(2)).toEqual(['group.created', 'members.changed'])
  expect(await groups.types(1)).toEqual(['group.created'])

  // Cut, and on from what was heard last; the same by a parameter, for whom cannot send a header at first.
  all.close()
  await okta.knows('ada')
  const again = await listen(url, org.adminToken, { 'last-event-id': first?.id ?? '' })
  expect(await again.next()).toMatchObject({ event: 'ready', id: first?.id })
  expect((await again.types(4)).slice(0, 3)).toEqual(['group.created', 'members.changed', 'user.provisioned'])
  const of = await listen(`${url}?directory=okta&topics=user&after=${ready?.id}`, org.adminToken)
  await of.next()
  expect(JSON.parse((await of.next())?.data ?? '')).toMatchObject({ type: 'user.provisioned', directory: okta.directory.id })
  expect((await api('GET', '/events?topics=GROUP')).status).toBe(400)
  expect((await api('GET', '/events?directory=none')).status).toBe(404)
})

test('what is written by a transaction that takes long is told, though later ones were over before', async ({
  db,
  org,
  server,
}) => {
  const all = await listen(`${server.url}/api/v1/events`, org.adminToken)
  await all.next()
  const writes = (name: string) =>
    inTransaction(db, org.scope, (trx) => appendLog(trx, { action: 'site.created', facts: { name } }))
  const goesOn = Promise.withResolvers<void>()
  const hasWritten = Promise.withResolvers<void>()
  const slow = inTransaction(db, org.scope, async (trx) => {
    await appendLog(trx, { action: 'product.created' })
    hasWritten.resolve()
    await goesOn.promise
  })
  await hasWritten.promise
  await writes('one')
  await writes('two')
  goesOn.resolve()
  await slow
  expect(await all.types(3)).toEqual(['product.created', 'site.created', 'site.created'])
})

test('who was away for too long is told so, and listens from now on', async ({ db, org, server }) => {
  await inTransaction(db, org.scope, (trx) =>
    sql`insert into log_entries (org_id, actor, action) select ${org.id}, 'system', 'site.created' from generate_series(1, 10500)`.execute(
      trx,
    ),
  )
  const late = await listen(`${server.url}/api/v1/events?after=0`, org.adminToken)
  expect(await late.next()).toMatchObject({ event: 'missed' })
  expect(await late.next()).toMatchObject({ event: 'ready' })
  await inTransaction(db, org.scope, (trx) => appendLog(trx, { action: 'role.created' }))
  expect(await late.types(1)).toEqual(['role.created'])
})

test('a stream ends when its token is revoked, and when the server stops', async ({ api, database, org }) => {
  const other = await startTestServer(database)
  const { body: made } = await api('POST', '/api-tokens', { name: 'screen', role: 'auditor' })
  const screen = await listen(`${other.url}/api/v1/events`, made.token)
  const owner = await listen(`${other.url}/api/v1/events`, org.adminToken)
  expect(await screen.next()).toMatchObject({ event: 'ready' })
  const revokedAt = performance.now()
  await api('DELETE', `/api-tokens/${made.id}`)
  await screen.end()
  // Another server process than the one that revoked it (rule 7).
  expect(performance.now() - revokedAt).toBeLessThan(8_000)
  const ended = owner.end()
  const child = spawn(join(root, 'bin/muster'), ['events', '--topics', 'token', '--after', '0'], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', MUSTER_SERVER: other.url, MUSTER_TOKEN: org.adminToken },
  })
  // It may be over before the server is.
  const closed = once(child, 'close')
  const [told] = await once(child.stdout, 'data')
  expect(String(told)).toMatch(/^20\S+\ttoken\.created\t[0-9a-f-]{36}\tentry \d+\n/)
  await other.stop()
  expect(await closed).toEqual([1, null])
  await ended
})

test('a stream that was asked for before the server stops, and begins after, does not keep it up', async ({
  database,
  db,
  okta,
  org,
}) => {
  const other = await startTestServer(database)
  const url = `${other.url}/api/v1/events`
  const first = await listen(url, org.adminToken)
  const goesOn = Promise.withResolvers<void>()
  const isLocked = Promise.withResolvers<void>()
  const locking = inTransaction(db, org.scope, async (trx) => {
    await sql`lock table directories`.execute(trx)
    isLocked.resolve()
    await goesOn.promise
  })
  await isLocked.promise
  const late = listen(`${url}?directory=${okta.directory.id}`, org.adminToken)
  await someoneWaits(db)
  const stoppedAt = performance.now()
  const stopped = other.stop()
  await first.end()
  goesOn.resolve()
  await locking
  await (await late).end()
  await stopped
  // What does not end by itself is cut off after 15 s.
  expect(performance.now() - stoppedAt).toBeLessThan(10_000)
})
