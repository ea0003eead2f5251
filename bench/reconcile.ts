import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { connect, type Scope } from '../src/database/connection.ts'
import { ownEmbedded } from '../src/database/embedded.ts'
import { newId, type OrgId } from '../src/database/ids.ts'
import { migrate } from '../src/database/migrate.ts'
import { inTransaction, planForSets, reading } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { addPart, beginList, compareList, runComparison } from '../src/provisioning/reconcile.ts'
import { readListedPart } from '../src/provisioning/reconcile-file.ts'
import { findingsOf } from '../src/provisioning/reconcile-list.ts'

// What it costs to compare a provider's own list with what it pushed, one membership in a hundred other; against reading all that is pushed once.

const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '10000' },
    members: { type: 'string', default: '100' },
    people: { type: 'string', default: '20000' },
  },
})
const [groups, members, people] = [values.groups, values.members, values.people].map(Number) as [number, number, number]
const linesAtOnce = 50_000

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
const embedded = await ownEmbedded({ folder, settings: { shared_buffers: '256MB', max_wal_size: '4GB' } })
try {
  await migrate(embedded.connection)
  const db = connect(embedded.connection)
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
  const directoryId = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: 'bench' })
    const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    await planForSets(trx)
    await sql`select set_config('statement_timeout', '0', true), set_config('enable_nestloop', 'off', true)`.execute(trx)
    const org = scope.orgId
    await sql`
      create temp table p on commit drop as select n, uuidv7() as id, 'user-' || n as name from generate_series(0, ${people}::int - 1) n`.execute(
      trx,
    )
    await sql`
      create temp table g on commit drop as select n, uuidv7() as id, 'group-' || n as name from generate_series(0, ${groups}::int - 1) n`.execute(
      trx,
    )
    await sql`insert into accounts (org_id, id, user_name, user_name_key) select ${org}, id, name, name from p`.execute(trx)
    await sql`
      insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, attributes, account_id, matched_by, state)
      select ${org}, id, ${id}, name, name, '{}', id, 'created', 'synced' from p`.execute(trx)
    await sql`insert into groups (org_id, id, name, name_key, member_count) select ${org}, id, name, name, ${members} from g`.execute(
      trx,
    )
    await sql`
      insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state)
      select ${org}, id, ${id}, name, name, id, 'synced' from g`.execute(trx)
    await sql`
      insert into memberships (org_id, group_id, account_id, pushed, effective)
      select ${org}, g.id, p.id, true, true from g cross join generate_series(0, ${members}::int - 1) m
      join p on p.n = (g.n * 37 + m * 101) % ${people}::int`.execute(trx)
    return id
  })

  const seconds = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now()
    const answer = await work()
    console.log(`${what.padEnd(72)} ${((performance.now() - from) / 1000).toFixed(1)} s`)
    return answer
  }
  const total = (groups * members).toLocaleString('en')
  const id = await inTransaction(db, scope, (trx) => beginList(trx, directoryId))
  const before = process.memoryUsage().rss
  let parts = 0
  await seconds(
    `${total} memberships in ${groups.toLocaleString('en')} groups taken in, ${linesAtOnce.toLocaleString('en')} lines a part`,
    async () => {
      let lines: string[] = []
      const send = async () => {
        const part = await readListedPart({ csv: `group,user_name\n${lines.join('\n')}\n` })
        await inTransaction(db, scope, (trx) => addPart(trx, directoryId, id, ++parts, part))
        lines = []
      }
      for (let n = 0; n < groups; n++)
        for (let m = 0; m < members; m++) {
          // One in a hundred is another person than was pushed.
          lines.push(`group-${n},user-${(n * 37 + m * 101 + (m % 100 === 7 ? 1 : 0)) % people}`)
          if (lines.length === linesAtOnce) await send()
        }
      if (lines.length > 0) await send()
    },
  )
  await seconds('compared', async () => {
    await inTransaction(db, scope, (trx) => compareList(trx, { send: async () => {} }, directoryId, id, { parts }))
    await runComparison(db, { orgId: scope.orgId, reconciliationId: id, actor: 'bench' }, new AbortController().signal)
  })
  const found = await reading(db, scope, (reader) => findingsOf(reader, directoryId))
  console.log(`found: ${found?.differing} groups differ, ${found?.missing.members} missing, ${found?.extra.members} extra`)
  console.log(`memory of the process: +${Math.round((process.memoryUsage().rss - before) / 2 ** 20)} MB`)
  await seconds('for comparison: all that is pushed read and counted once', () =>
    reading(db, scope, (reader) =>
      sql`select count(*), min(account_id::text) from memberships where org_id = ${scope.orgId} and pushed`.execute(reader),
    ),
  )
  await db.close()
} finally {
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}
