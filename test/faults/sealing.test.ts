import { sql } from 'kysely'
import { checkExport } from '../../src/client/log-export.ts'
import type { Db, Scope } from '../../src/database/connection.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { appendLog } from '../../src/organization/log.ts'
import { sealNext } from '../../src/organization/seal.ts'
import { sealLog } from '../../src/organization/seal-log.ts'
import { clientOf } from '../support/clients.ts'
import type { DatabaseCopy } from '../support/database-copy.ts'
import { type Program, runProgram } from '../support/programs.ts'
import { expect, test } from '../support/world.ts'

// Two server processes on one database, 64 writers by turns on both, and both seal all the time.

test('sixty-four writers on two nodes do not fork the chain, nothing is lost, and no writer waits for a seal', async ({
  database,
  org,
}) => {
  const { token } = await org.directory({ name: 'okta', provider: 'okta' })
  const urls = await Promise.all([startNode(database), startNode(database)].map(urlOf))
  const scimAt = (at: number) => clientOf(`${urls[at % 2]}/scim/v2`, 'application/scim+json', token)
  const apiAt = (at: number) => clientOf(`${urls[at % 2]}/api/v1`, 'application/json', org.adminToken)
  const [scim, api] = [scimAt(0), apiAt(0)]
  const user = (await scim('POST', '/Users', { userName: 'ada' })).body.id
  const groups = await Promise.all(
    Array.from({ length: 64 }, async (_, at) => (await scimAt(at)('POST', '/Groups', { displayName: `G${at}` })).body.id),
  )
  const before = await countOf(database.db, org.scope)
  let isOver = false
  let blocks = 0
  const sealers = [0, 1].map(async (at) => {
    let times = 0
    for (; !isOver; times++) {
      const { status, body } = await apiAt(at)('GET', '/audit/head')
      expect(status).toBe(200)
      blocks = Math.max(blocks, body.head.number)
    }
    return times
  })
  // Each writer adds and takes away the same member of its own group: 20 entries a writer, and on until blocks were sealed meanwhile. When
  // what was written is final, transactions of other databases of the same server have a say in, too.
  const written = await Promise.all(
    groups.map(async (group, at) => {
      let turn = 0
      for (; turn < 20 || blocks < 3; turn++) {
        const op = turn % 2 === 0 ? 'add' : 'remove'
        const { status } = await scimAt(at + turn)('PATCH', `/Groups/${group}`, {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op, path: 'members', value: [{ value: user }] }],
        })
        expect(status).toBe(204)
      }
      return turn
    }),
  )
  isOver = true
  expect((await Promise.all(sealers)).every((times) => times > 0)).toBe(true)
  expect(written).toHaveLength(64)
  const entries = before + written.reduce((all, one) => all + one, 0)
  const { status, body } = await api('GET', '/audit/export')
  expect(status).toBe(200)
  const check = await checkExport(
    (async function* () {
      yield* body.trimEnd().split('\n')
    })(),
  )
  expect(check.fault).toBeNull()
  expect(check.blocks).toBeGreaterThan(2)
  expect(check.entries).toBe(entries)
  expect(await countOf(database.db, org.scope)).toBe(entries)
  expect((await api('GET', '/audit/verification')).body).toMatchObject({ fault: null, unsealed: 0, blocks: check.blocks })
}, 120_000)

test('an entry whose transaction commits late, with a lower id than others, is sealed in its turn; until then nothing behind it is', async ({
  db,
  org,
}) => {
  const sealed = () =>
    reading(db, org.scope, async (reader) =>
      (
        await sql<{ name: string }>`
        select l.facts ->> 'name' as name from log_entries l
        where l.org_id = ${org.id} and l.id <= (select max(last) from log_seals where org_id = ${org.id}) and l.facts ? 'name'
        order by l.id`.execute(reader)
      ).rows.map(({ name }) => name),
    )
  const write = (name: string) =>
    inTransaction(db, org.scope, (trx) => appendLog(trx, { action: 'import.finished', facts: { name } }))
  await sealLog(db, [org.scope], { patienceMs: 10_000 })
  await inTransaction(db, org.scope, async (trx) => {
    await appendLog(trx, { action: 'import.finished', facts: { name: 'late' } })
    // Nobody waits for who is still writing, and who seals gives up.
    await write('early')
    await sealLog(db, [org.scope], { patienceMs: 50 })
    expect(await sealed()).not.toContain('early')
    await write('earlier still')
  })
  await sealLog(db, [org.scope], { patienceMs: 10_000 })
  expect((await sealed()).slice(-3)).toEqual(['late', 'early', 'earlier still'])
})

test('two that seal at the same moment take turns', async ({ db, org }) => {
  for (let turn = 0; turn < 5; turn++) {
    await inTransaction(db, org.scope, (trx) => appendLog(trx, { action: 'import.finished', facts: { name: 'one' } }))
    await Promise.all(Array.from({ length: 4 }, () => sealLog(db, [org.scope], { patienceMs: 10_000 })))
  }
  const { rows } = await reading(db, org.scope, (reader) =>
    sql<{ number: string; follows: boolean }>`
      select number, previous_hash = lag(hash, 1, decode(repeat('00', 32), 'hex')) over (order by number) as follows
      from log_seals where org_id = ${org.id} order by number`.execute(reader),
  )
  expect(rows.map(({ number }) => Number(number))).toEqual(rows.map((_, at) => at + 1))
  expect(rows.every(({ follows }) => follows)).toBe(true)
  expect(await inTransaction(db, org.scope, (trx) => sealNext(trx, '9223372036854775807'))).toBe(0)
})

const startNode = ({ connection }: DatabaseCopy): Program =>
  runProgram('test/support/server-process.ts', [JSON.stringify(connection)])
const urlOf = async (node: Program): Promise<string> => (await node.says(/^listening /)).replace('listening ', '')

const countOf = (db: Db, scope: Scope): Promise<number> =>
  reading(db, scope, async (reader) => {
    const { rows } = await sql<{
      count: number
    }>`select count(*)::integer as count from log_entries where org_id = ${scope.orgId}`.execute(reader)
    return rows[0]?.count ?? 0
  })
