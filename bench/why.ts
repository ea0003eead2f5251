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
import { findAccount } from '../src/organization/accounts.ts'
import { findGroup } from '../src/organization/groups.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { whyAccess } from '../src/review/why.ts'
import { whyGroup, whyMember } from '../src/review/why-group.ts'
import { median } from './organization.ts'

// What «why?» costs: of a person and an access, a person and a group, a group, in a group of many members and many differences.

const { values } = parseArgs({
  options: { members: { type: 'string', default: '100000' }, runs: { type: 'string', default: '50' } },
})
const [members, runs] = [values.members, values.runs].map(Number) as [number, number]

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
const embedded = await ownEmbedded({ folder, settings: { shared_buffers: '256MB', max_wal_size: '4GB' } })
try {
  await migrate(embedded.connection)
  const db = connect(embedded.connection)
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
  await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: 'bench' })
    const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    await planForSets(trx)
    await sql`select set_config('statement_timeout', '0', true)`.execute(trx)
    const [org, group, site, product, role] = [scope.orgId, newId(), newId(), newId(), newId()]
    await sql`
      create temp table p on commit drop as select n, uuidv7() as id, 'user-' || n as name from generate_series(0, ${members}::int - 1) n`.execute(
      trx,
    )
    await sql`
      insert into accounts (org_id, id, user_name, user_name_key, owned_by) select ${org}, id, name, name, ${id}::uuid from p`.execute(
      trx,
    )
    await sql`
      insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, attributes, account_id, matched_by, state)
      select ${org}, id, ${id}, name, name, '{}', id, 'created', 'synced' from p`.execute(trx)
    await sql`
      insert into groups (org_id, id, name, name_key, member_count, add_count) values (${org}, ${group}, 'all', 'all', ${members / 2}, ${members / 2})`.execute(
      trx,
    )
    await sql`
      insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state, reasons)
      values (${org}, ${newId()}, ${id}, 'all', 'all', ${group}, 'needs_review', '{name_taken}')`.execute(trx)
    await sql`
      insert into memberships (org_id, group_id, account_id, pushed, effective) select ${org}, ${group}, id, true, n % 2 = 0 from p`.execute(
      trx,
    )
    await sql`insert into sites (org_id, id, name, name_key) values (${org}, ${site}, 's', 's')`.execute(trx)
    await sql`insert into products (org_id, id, site_id, name, name_key) values (${org}, ${product}, ${site}, 'p', 'p')`.execute(
      trx,
    )
    await sql`insert into product_roles (org_id, id, product_id, name, name_key) values (${org}, ${role}, ${product}, 'r', 'r')`.execute(
      trx,
    )
    await sql`insert into grants (org_id, group_id, role_id) values (${org}, ${group}, ${role})`.execute(trx)
  })

  const measure = async (what: string, ask: (run: number) => Promise<unknown>) => {
    const times: number[] = []
    for (let run = 0; run < runs; run++) {
      const from = performance.now()
      await ask(run)
      times.push(performance.now() - from)
    }
    console.log(`${what.padEnd(60)} median ${median(times).toFixed(1)} ms, worst ${Math.max(...times.slice(1)).toFixed(1)} ms`)
  }
  const person = (run: number) => `user-${(run * 37) % members}`
  console.log(`A group of ${members.toLocaleString('en')}, half of them waiting`)
  await measure('a person and an access', (run) =>
    reading(db, scope, async (reader) =>
      whyAccess(reader, await findAccount(reader, person(run)), { site: 's', product: 'p', role: 'r' }),
    ),
  )
  await measure('a person and a group', (run) =>
    reading(db, scope, async (reader) =>
      whyMember(reader, await findGroup(reader, 'all'), await findAccount(reader, person(run))),
    ),
  )
  await measure('a group', () => reading(db, scope, async (reader) => whyGroup(reader, await findGroup(reader, 'all'))))
  await db.close()
} finally {
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}
