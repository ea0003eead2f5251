import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'kysely'
import { SMTPServer } from 'smtp-server'
import { Webhook } from 'standardwebhooks'
import { onTestFinished } from 'vitest'
import { newSecretKey, readSecretKeys } from '../../src/database/secrets.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { deliverDue, type Tellers } from '../../src/notify/deliver.ts'
import { tellOfLog, tellOfTime } from '../../src/notify/find.ts'
import { resealWebhooks } from '../../src/notify/webhooks.ts'
import { readAllowList } from '../../src/outgoing/address.ts'
import { outgoing } from '../../src/outgoing/request.ts'
import { mailBy } from '../../src/server/mail.ts'
import { startTelling } from '../../src/server/tell.ts'
import type { TestServer } from '../support/server.ts'
import { expect, test } from '../support/story.ts'

interface Told {
  type: string
  timestamp: string
  data: Record<string, unknown>
  headers: IncomingHttpHeaders
  body: string
}

/** What happens outside, one thing after the other. */
function queue<T>() {
  const [here, asked]: [T[], ((one: T) => void)[]] = [[], []]
  return {
    here,
    put: (one: T) => (asked.length > 0 ? asked.shift()?.(one) : here.push(one)),
    next: () => (here.length > 0 ? Promise.resolve(here.shift() as T) : new Promise<T>((resolve) => asked.push(resolve))),
  }
}

/** A receiver that answers as it is told to. */
async function receiver() {
  const told = queue<Told>()
  const answers = { status: 204, text: '' }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      if (answers.status === 0) return response.destroy()
      response.writeHead(answers.status, answers.status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end(answers.text)
      told.put({ ...JSON.parse(body), headers: request.headers, body })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { told, answers, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

/** A mail server on loopback. */
async function mailbox() {
  const mails = queue<{ to: string[]; text: string }>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      let text = ''
      stream.on('data', (chunk) => {
        text += chunk
      })
      stream.on('end', () => {
        mails.put({ to: session.envelope.rcptTo.map(({ address }) => address), text })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  return { mails, url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}` }
}

const tellersOf = (server: TestServer, smtpUrl?: string): Tellers => ({
  keys: server.secrets,
  outgoing: outgoing({ reach: readAllowList('127.0.0.1') }),
  sendMail: mailBy(smtpUrl, 'Muster <muster@example.org>'),
  publicUrl: 'https://muster.example.org',
})

test('who wants to know is told what happens, signed, once, by webhook and by mail; from two nodes too', async ({
  acme,
  api,
  db,
  okta,
  org,
  second,
  server,
}) => {
  const [hook, mail] = [await receiver(), await mailbox()]
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await okta.knows('ada')
  const { body: made } = await api('POST', '/webhooks', { url: hook.url })
  expect(made).toMatchObject({ secret: expect.stringMatching(/^whsec_/), isEnabled: true, kinds: [] })
  expect((await api('GET', `/webhooks/${made.id}`)).body).not.toHaveProperty('secret')
  const { body: mailed } = await api('POST', '/webhooks', {
    url: 'mailto:ops@example.org',
    kinds: ['review.created', 'run.finished'],
  })
  expect(mailed.secret).toBeNull()

  const problems: unknown[] = []
  const nodes = [1, 2].map(() => startTelling(db, tellersOf(server, mail.url), (error) => problems.push(error)))
  await okta.pushes({ group: 'sales', members: ['ada'] })
  const first = await hook.told.next()
  expect(first).toMatchObject({
    type: 'review.created',
    data: { directory: { id: okta.directory.id, name: 'okta' }, count: 1, subjects: [{ name: 'sales' }] },
  })
  const headers = first.headers as Record<string, string>
  expect(new Webhook(made.secret).verify(first.body, headers)).toMatchObject({ type: 'review.created' })
  expect(() => new Webhook(made.secret).verify(first.body.replace('sales', 'other'), headers)).toThrow()
  const letter = await mail.mails.next()
  expect(letter.to).toEqual(['ops@example.org'])
  expect(letter.text).toContain('Subject: Muster: A group of okta needs review: sales.')
  expect(letter.text).toContain('https://muster.example.org')

  // A secret that is rotated: both sign for a day.
  const { body: rotated } = await api('POST', `/webhooks/${made.id}/rotate`)
  await api('POST', `/webhooks/${made.id}/test`)
  const tested = await hook.told.next()
  for (const secret of [made.secret, rotated.secret])
    expect(new Webhook(secret).verify(tested.body, tested.headers as Record<string, string>)).toMatchObject({
      type: 'webhook.test',
    })

  // Nothing twice, though two nodes tell.
  const effect = (await api('POST', '/directories/okta/reviews/effect', { selection: { mode: 'filter', filter: {} } })).body
  await api('POST', '/directories/okta/runs', { selection: { mode: 'filter', filter: {} }, fingerprint: effect.fingerprint })
  expect(await hook.told.next()).toMatchObject({ type: 'run.finished', data: { result: { synced: 1, skipped: 0, failed: 0 } } })
  await Promise.all(nodes.map((stop) => stop()))
  expect([hook.told.here, problems]).toEqual([[], []])
  const { items } = (await api('GET', `/webhooks/${made.id}/deliveries?sort=at`)).body
  expect(items.map((one: Record<string, unknown>) => [one.kind, one.state, one.attempts, one.status])).toEqual([
    ['review.created', 'delivered', 1, 204],
    ['webhook.test', 'delivered', 1, 204],
    ['run.finished', 'delivered', 1, 204],
  ])
  expect(items[0].notice).toBe(headers['webhook-id'])
  // The next mail waits some minutes, so that many things are one mail.
  expect((await api('GET', `/webhooks/${mailed.id}/deliveries`)).body.items).toMatchObject([
    { kind: 'run.finished', state: 'waiting' },
    {},
  ])
  expect(second.orgId).not.toBe(org.id)
})

test('a receiver that fails is tried again later, one that is gone no more; what was told can be told again', async ({
  api,
  db,
  org,
  inOrg,
  server,
}) => {
  const hook = await receiver()
  const { body: made } = await api('POST', '/webhooks', { url: hook.url })
  const tell = async () => {
    while (await deliverDue(db, org.scope, tellersOf(server)));
  }
  const last = async () => (await api('GET', `/webhooks/${made.id}/deliveries`)).body.items[0]
  Object.assign(hook.answers, { status: 500, text: `no\0${'x'.repeat(9_000)}` })
  await api('POST', `/webhooks/${made.id}/test`)
  await tell()
  const failed = await last()
  expect(failed).toMatchObject({ state: 'waiting', attempts: 1, status: 500, error: 'It answered 500.' })
  expect(failed.answer).toHaveLength(2_048)
  expect(Date.parse(failed.dueAt) - Date.parse(failed.triedAt)).toBeLessThan(10_000)
  // A redirect is an answer, and no success.
  hook.answers.status = 302
  await api('POST', `/webhooks/${made.id}/deliveries/${failed.id}/replay`)
  await tell()
  expect(await last()).toMatchObject({ state: 'waiting', status: 302 })
  await inOrg((trx) => sql`update notice_deliveries set attempts = 9, due_at = now() where org_id = ${trx.orgId}`.execute(trx))
  await tell()
  expect(await last()).toMatchObject({ state: 'given_up', attempts: 10 })
  Object.assign(hook.answers, { status: 200, text: 'thanks' })
  await api('POST', `/webhooks/${made.id}/deliveries/${failed.id}/replay`)
  await tell()
  expect(await last()).toMatchObject({ state: 'delivered', attempts: 1, error: null, answer: 'thanks', notice: failed.notice })

  // One that is away is asked once: what else is due waits, and has not been tried.
  hook.answers.status = 0
  for (const _ of [1, 2]) await api('POST', `/webhooks/${made.id}/test`)
  await tell()
  const tried = (await api('GET', `/webhooks/${made.id}/deliveries?sort=at`)).body.items.slice(-2)
  expect(tried.map((one: Record<string, unknown>) => [one.state, one.attempts, one.triedAt !== null])).toEqual([
    ['waiting', 1, true],
    ['waiting', 0, false],
  ])

  hook.answers.status = 410
  await api('POST', `/webhooks/${made.id}/test`)
  await tell()
  expect((await api('GET', `/webhooks/${made.id}`)).body).toMatchObject({
    isEnabled: false,
    disabledBecause: 'It answered 410 Gone.',
  })
  hook.told.here.length = 0
  await api('POST', `/webhooks/${made.id}/test`)
  await tell()
  expect(hook.told.here).toEqual([])
  expect((await api('PATCH', `/webhooks/${made.id}`, { isEnabled: true })).body).toMatchObject({
    isEnabled: true,
    disabledBecause: null,
  })
  // A deployment without a mail server says so.
  const { body: mailed } = await api('POST', '/webhooks', { url: 'mailto:ops@example.org' })
  await api('POST', `/webhooks/${mailed.id}/test`)
  await tell()
  expect((await api('GET', `/webhooks/${mailed.id}/deliveries`)).body.items[0]).toMatchObject({
    error: 'This deployment has no mail server (MUSTER_SMTP_URL).',
  })
})

test('a webhook goes nowhere private, and its secret is sealed', async ({ api, org, inOrg, server }) => {
  const wrong = {
    'http://10.0.0.1/hook': 'http is not allowed for 10.0.0.1',
    'https://10.0.0.1/hook': 'is a private address',
    'https://[::ffff:169.254.169.254]/': 'is a private address',
    'https://u:p@example.org/': 'must not hold a user name',
    'ftp://example.org/': 'is not https',
    'mailto:ops': 'is no mail address',
    'mailto:a@example.org,b@example.org': 'is no mail address',
    nowhere: 'is no URL',
  }
  for (const [url, why] of Object.entries(wrong)) {
    const { status, body } = await api('POST', '/webhooks', { url })
    expect([url, status, body.detail]).toEqual([url, 400, expect.stringContaining(why)])
  }
  expect((await api('POST', '/webhooks', { url: 'https://example.org/', kinds: ['nothing'] })).status).toBe(400)
  expect((await api('GET', '/webhooks')).body.total).toBe(0)
  expect((await api('POST', '/webhooks', { url: 'https://example.org/' }, { token: await org.token('auditor') })).status).toBe(
    403,
  )

  const { body: made } = await api('POST', '/webhooks', { url: 'https://example.org/' })
  const stored = await inOrg((trx) =>
    sql<{ secret: Buffer }>`select secret from webhooks where org_id = ${trx.orgId}`.execute(trx),
  )
  expect(stored.rows[0]?.secret.toString('latin1')).not.toContain(made.secret.slice(6))
  const newer = readSecretKeys(
    `${newSecretKey()} ${[...server.secrets.byId.values()].map((key) => key.toString('hex')).join(' ')}`,
  )
  expect(await inOrg((trx) => resealWebhooks(trx, newer))).toBe(1)
  expect(await inOrg((trx) => resealWebhooks(trx, newer))).toBe(0)
  expect((await api('DELETE', `/webhooks/${made.id}`)).status).toBe(204)
  expect((await api('GET', '/audit?action=webhook')).body.items.map((one: { action: string }) => one.action)).toEqual([
    'webhook.deleted',
    'webhook.created',
  ])
})

test('what time alone brings is told once: what waits for a day and each further one, silence, tokens that expire', async ({
  api,
  db,
  inOrg,
  okta,
  org,
}) => {
  const { body: made } = await api('POST', '/webhooks', { url: 'https://example.org/', silentHours: 12 })
  const crew = [...'abcdefghijklmnop']
  await okta.knows(...crew)
  await okta.pushes({ group: 'Crew', members: crew })
  // What came an hour ago is there at the window's start.
  await inOrg((trx) => sql`update groups set recent = '{}' where org_id = ${trx.orgId}`.execute(trx))
  await okta.replaces('Crew', ['a'])
  expect((await okta.stateOf('Crew')).state).toBe('held')
  const told = async () => {
    await inTransaction(db, org.scope, async (trx) => {
      const { rows } = await sql<{
        last: string
      }>`select max(id)::text as last from log_entries where org_id = ${trx.orgId}`.execute(trx)
      await tellOfLog(trx, rows[0]?.last ?? '0')
      await tellOfTime(trx)
    })
    const { items } = (await api('GET', `/webhooks/${made.id}/deliveries?sort=kind`)).body
    return items.map(
      (one: { kind: string; data: { directory: { name: string } | null } }) => `${one.kind} ${one.data.directory?.name}`,
    )
  }
  expect(await told()).toEqual(['group.held okta'])
  await inOrg(async (trx) => {
    await sql`update memberships set held_at = held_at - interval '25 hours' where org_id = ${trx.orgId} and waiting = 'held'`.execute(
      trx,
    )
    await sql`update directory_tokens set last_used_at = now() - interval '13 hours', expires_at = now() + interval '20 days' where org_id = ${trx.orgId}`.execute(
      trx,
    )
  })
  const once = ['directory.silent okta', 'group.held okta', 'removal.waiting okta', 'token.expiring okta']
  expect(await told()).toEqual(once)
  expect(await told()).toEqual(once)
  await inOrg(async (trx) => {
    await sql`update memberships set held_at = held_at - interval '24 hours' where org_id = ${trx.orgId} and waiting = 'held'`.execute(
      trx,
    )
    await sql`update directory_tokens set expires_at = now() + interval '6 days' where org_id = ${trx.orgId}`.execute(trx)
  })
  expect(await told()).toEqual([
    'directory.silent okta',
    'group.held okta',
    'removal.waiting okta',
    'removal.waiting okta',
    'token.expiring okta',
    'token.expiring okta',
  ])
})
