import { createHash, createPublicKey, verify } from 'node:crypto'
import { sql } from 'kysely'
import { checkExport, type SignedHead } from '../../src/client/log-export.ts'
import { newAuditKey, readAuditKey, signedHead } from '../../src/organization/audit-key.ts'
import { appendLog } from '../../src/organization/log.ts'
import type { Client } from '../support/clients.ts'
import { behindItsBack } from '../support/database-copy.ts'
import { expect, test } from '../support/story.ts'

test('the log says who did what, to whom, before and after, with members by name', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await acme.renames('Sales', 'Marketing')
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'Crew', members: ['ada', 'cyd'] })
  const { status, body } = await api('GET', '/audit?subject=Marketing')
  expect(status).toBe(200)
  expect(body.items.map(({ action, actor, subject }: Entry) => [action, actor, subject?.name])).toEqual([
    ['group.renamed', 'token:tests owner', 'Marketing'],
    ['members.changed', 'token:tests owner', 'Sales'],
    ['group.created', 'token:tests owner', 'Sales'],
  ])
  expect(body.items[0].facts).toMatchObject({ before: { name: 'Sales' }, after: { name: 'Marketing' } })
  expect(body.items[1].members.added).toEqual({ count: 2, names: ['ada', 'bob'] })
  const [pushed] = (await api('GET', '/audit?directory=okta&action=members.pushed')).body.items
  expect(pushed).toMatchObject({
    actor: 'directory:okta',
    directory: { name: 'okta' },
    members: { pushedAdded: { count: 2, names: ['ada', 'cyd'] } },
  })
  expect((await api('GET', `/audit/${pushed.id}`)).body).toMatchObject({ id: pushed.id, requestId: pushed.requestId })
  expect((await api('GET', `/audit/${pushed.id}/members?search=cy`)).body).toMatchObject({
    total: 2,
    items: [
      { userName: 'cyd', change: 'added' },
      { userName: 'cyd', change: 'pushedAdded' },
    ],
  })
})

test('the log is narrowed by who, what, when, run and request, and read on in either order', async ({ acme, api, okta }) => {
  const began = new Date().toISOString()
  await acme.has({ group: 'A', members: ['ada'] })
  await okta.knows('ada')
  const ids = async (query: string) => (await api('GET', `/audit?limit=1000&${query}`)).body.items.map(({ id }: Entry) => id)
  const all = await ids('')
  expect(await ids('sort=id')).toEqual(all.toReversed())
  expect(await ids(`since=${began}`)).toEqual(all.filter((id: string) => Number(id) > Number(all.at(-4))))
  expect(await ids(`until=${began}`)).not.toContain(all[0])
  expect((await api('GET', '/audit?action=user')).body.items.map(({ action }: Entry) => action)).toEqual(['user.provisioned'])
  expect((await api('GET', '/audit?actor=directory:okta&action=user')).body.items).toHaveLength(1)
  const [newest] = (await api('GET', '/audit')).body.items
  expect(await ids(`request=${newest.requestId}`)).toContain(newest.id)
  const paged: string[] = []
  for (let after = ''; ; ) {
    const { items, next } = (await api('GET', `/audit?limit=2${after}`)).body
    paged.push(...items.map(({ id }: Entry) => id))
    if (next === null) break
    after = `&after=${next}`
  }
  expect(paged).toEqual(all)
  expect((await api('GET', '/audit?since=yesterday')).status).toBe(400)
  expect((await api('GET', '/audit?directory=nobody')).status).toBe(404)
  expect((await api('GET', '/audit/999999999999')).status).toBe(404)
})

test('an auditor reads, exports and verifies the log', async ({ api, org }) => {
  const token = await org.token('auditor')
  for (const path of ['/audit', '/audit/head', '/audit/export', '/audit/verification'])
    expect((await api('GET', path, undefined, { token })).status, path).toBe(200)
})

test('an export verifies off-line, and is the same each time but for what came since', async ({ acme, api, okta, inOrg }) => {
  await acme.has({ group: 'Sales "quoted" ä 😀', members: ['ada', 'bob'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew', members: ['ada'] })
  const facts = { text: '\u0001\u007f\u2028😀"\\/\b\f\n\r\t', number: 1e21, small: 1.5e-7, list: [1, { a: null }] }
  await inOrg((trx) => appendLog(trx, { action: 'import.finished', facts }))
  const first = await exported(api)
  const { fault, entries } = await checkExport(lines(first))
  expect(fault).toBeNull()
  expect(entries).toBe((await api('GET', '/audit?limit=1000')).body.items.length)
  expect(await exported(api)).toEqual(first)
  await acme.renames('Sales "quoted" ä 😀', 'Sales')
  const later = await exported(api)
  expect(later.slice(0, first.length - 1)).toEqual(first.slice(0, -1))
  expect(await checkExport(lines(later), headIn(first))).toMatchObject({ fault: null, entries: entries + 1 })
  // From behind the kept head on, it follows from it.
  const rest = await exported(api, `?after=${headIn(first).head.number}`)
  expect(await checkExport(lines(rest), headIn(first))).toMatchObject({
    fault: null,
    entries: 1,
    after: headIn(first).head.number,
  })
})

test('an edit, a deletion, an insertion, a swap, a cut tail and a rewrite are found in an export, with the first entry', async ({
  acme,
  api,
}) => {
  await acme.has({ group: 'Old', members: ['ada', 'bob', 'cyd'] })
  const first = await exported(api)
  await acme.has({ group: 'New', members: ['ada'] })
  const whole = await exported(api)
  const kept = headIn(whole)
  const entryAt = whole.findIndex((line) => line.includes('group.created'))
  const entry = JSON.parse(whole[entryAt] ?? '').id
  const next = JSON.parse(whole[entryAt + 1] ?? '').id
  const found = async (tampered: string[], known?: SignedHead) => (await checkExport(lines(tampered), known)).fault
  expect(await found(whole.with(entryAt, (whole[entryAt] ?? '').replace('Old', 'Odd')))).toMatchObject({
    entry,
    text: expect.stringContaining('was changed'),
  })
  expect(await found(whole.toSpliced(entryAt, 1))).toMatchObject({ entry: next, text: expect.stringContaining('was deleted') })
  expect(await found(whole.toSpliced(entryAt, 0, (whole[entryAt] ?? '').replace('Old', 'Odd')))).toMatchObject({
    entry,
    text: expect.stringContaining('was inserted'),
  })
  expect(await found(whole.toSpliced(entryAt, 2, whole[entryAt + 1] ?? '', whole[entryAt] ?? ''))).toMatchObject({
    entry: next,
    text: expect.stringContaining('were swapped'),
  })
  expect(
    await found(
      whole.toSpliced(
        1,
        whole.findIndex((line) => line.startsWith('{"seal"')),
      ),
    ),
  ).toMatchObject({
    text: expect.stringContaining('Block 1 is missing'),
  })
  // The end is gone: with a head that fits, only a later one tells.
  expect(await found(whole.slice(0, -1))).toMatchObject({ text: expect.stringContaining('no head at the end') })
  expect(await found(first)).toBeNull()
  expect(await found(first, kept)).toMatchObject({ text: expect.stringContaining('tail was cut') })
  // All written anew, in itself without a fault.
  const forged = await rewritten(whole, 'Old', 'Odd')
  expect(await found(forged)).toBeNull()
  expect(await found(forged, kept)).toMatchObject({ text: expect.stringContaining('written anew') })
})

test('heads are signed by a key that the database does not have', async ({ api }) => {
  const key = readAuditKey(newAuditKey())
  const { body } = await api('GET', '/audit/head')
  expect(body).toMatchObject({ key: null, signature: null, head: { number: 1 } })
  const signed = signedHead(body.head, key)
  const publicKey = createPublicKey({ key: Buffer.from(key.publicKey, 'base64'), format: 'der', type: 'spki' })
  const bytes = Buffer.from(JSON.stringify(signed.head, Object.keys(signed.head).sort()))
  expect(verify(null, bytes, publicKey, Buffer.from(signed.signature ?? '', 'base64'))).toBe(true)
  const whole = (await exported(api)).with(-1, JSON.stringify(signed))
  const found = async (head: unknown, known?: SignedHead) =>
    (await checkExport(lines(whole.with(-1, JSON.stringify(head))), known)).fault?.text
  expect(await found(signed, signed)).toBeUndefined()
  const other = signedHead(body.head, readAuditKey(newAuditKey()))
  expect(await found(other)).toBeUndefined()
  expect(await found(other, signed)).toContain(`signed by the key ${other.key?.id}`)
  expect(await found({ ...signed, key: other.key })).toContain('not signed by the key')
  expect(await found({ ...signed, key: null, signature: null }, signed)).toContain('signed by nobody')
})

test('the server finds what was changed behind its back', async ({ acme, api, database, org }) => {
  await acme.has({ group: 'Sales', members: ['ada'] })
  expect((await api('GET', '/audit/verification')).body).toMatchObject({ fault: null, unsealed: 0, next: null })
  const [entry] = (await api('GET', '/audit?action=group.created')).body.items
  await behindItsBack(database, `update log_entries set actor = 'nobody' where org_id = '${org.id}' and id = ${entry.id}`)
  expect((await api('GET', '/audit/verification')).body.fault).toMatchObject({
    entry: entry.id,
    text: expect.stringContaining('is not what was sealed'),
  })
  await behindItsBack(
    database,
    `update log_entries set actor = 'token:tests owner' where org_id = '${org.id}' and id = ${entry.id}`,
  )
  expect((await api('GET', '/audit/verification')).body.fault).toBeNull()
  await behindItsBack(database, `delete from log_entries where org_id = '${org.id}' and id = ${entry.id}`)
  expect((await api('GET', '/audit/verification')).body.fault).toMatchObject({ block: entry.block ?? 1 })
})

test('the application’s own role reads the log and adds to it, and cannot change it', async ({ api, inOrg, org, db }) => {
  await api('GET', '/audit/head')
  for (const table of ['log_entries', 'log_seals']) {
    for (const statement of [
      sql`update ${sql.table(table)} set org_id = org_id where org_id = ${org.id}`,
      sql`delete from ${sql.table(table)} where org_id = ${org.id}`,
      sql`truncate ${sql.table(table)}`,
    ])
      await expect(inOrg((trx) => statement.execute(trx))).rejects.toMatchObject({ code: '42501' })
    await expect(
      db.pool.query(`merge into ${table} using (select 1) as one on true when matched then delete`),
    ).rejects.toMatchObject({
      code: '42501',
    })
  }
  expect((await api('GET', '/audit/verification')).body.fault).toBeNull()
})

interface Entry {
  id: string
  action: string
  actor: string
  subject: { name: string } | null
}

async function exported(api: Client, query = ''): Promise<string[]> {
  const { status, body } = await api('GET', `/audit/export${query}`)
  expect(status).toBe(200)
  return body.trimEnd().split('\n')
}

async function* lines(of: readonly string[]): AsyncIterable<string> {
  yield* of
}

const headIn = (exported: readonly string[]): SignedHead => JSON.parse(exported.at(-1) ?? '')

// As somebody would who can write the whole database: hashes of entries, of blocks, and the head.
async function rewritten(exported: readonly string[], from: string, to: string): Promise<string[]> {
  const hash = (...parts: (string | Buffer)[]) => parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest()
  const canonical = (object: object) => JSON.stringify(object, Object.keys(object).sort())
  let previous = '0'.repeat(64)
  let hashes: Buffer[] = []
  return exported.map((text, at) => {
    const line = JSON.parse(at === 0 ? text : text.replaceAll(from, to))
    if (line.seal) {
      const seal = { ...line.seal, previous }
      const entries = Buffer.concat(hashes)
      previous = hash(canonical(seal), entries).toString('hex')
      hashes = []
      return JSON.stringify({ seal, hash: previous, entries: entries.toString('base64') })
    }
    if (line.head) return JSON.stringify({ ...line, head: { ...line.head, hash: previous } })
    if (at > 0) hashes.push(hash(JSON.stringify(line)))
    return JSON.stringify(line)
  })
}
