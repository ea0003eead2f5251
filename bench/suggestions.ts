import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { connect, type Scope, type Trx } from '../src/database/connection.ts'
import { ownEmbedded } from '../src/database/embedded.ts'
import { type DirectoryId, newId, type OrgId } from '../src/database/ids.ts'
import { migrate } from '../src/database/migrate.ts'
import { inTransaction, planForSets, reading } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { listSuggestions } from '../src/review/suggestions.ts'
import { median } from './organization.ts'

// What suggestions cost: half of the groups pushed under other names, one in ten of them much like an existing one.

const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '10000' },
    members: { type: 'string', default: '100' },
    accounts: { type: 'string', default: '30000' },
    names: { type: 'string', default: '50000' },
    runs: { type: 'string', default: '3' },
  },
})
const [groups, members, accounts, names, runs] = [values.groups, values.members, values.accounts, values.names, values.runs].map(
  Number,
) as [number, number, number, number, number]

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
const embedded = await ownEmbedded({ folder, settings: { shared_buffers: '512MB', max_wal_size: '4GB', fsync: 'off' } })
try {
  await migrate(embedded.connection)
  const db = connect(embedded.connection)
  const built = async (slug: string, build: (trx: Trx, directoryId: DirectoryId) => Promise<void>) => {
    const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
    const directoryId = await inTransaction(db, scope, async (trx) => {
      await createOrganization(trx, { slug })
      const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
      await planForSets(trx)
      // Without statistics of rows that were just written a nested loop looks cheap.
      await sql`select set_config('statement_timeout', '0', true), set_config('enable_nestloop', 'off', true)`.execute(trx)
      await build(trx, id)
      return id
    })
    return { scope, directoryId }
  }
  const measure = async (what: string, { scope, directoryId }: { scope: Scope; directoryId: DirectoryId }) => {
    const times: number[] = []
    let total = 0
    for (let run = 0; run < runs; run++) {
      const from = performance.now()
      total = (await reading(db, scope, (reader) => listSuggestions(reader, directoryId, { limit: 30 }))).total
      times.push(performance.now() - from)
    }
    console.log(`${what.padEnd(84)} ${(median(times) / 1000).toFixed(2)} s, ${total.toLocaleString('en')} suggestions`)
  }
  const overlap = await built('overlap', (trx, id) => build(trx, id, { groups, members, accounts }))
  const text = `${(groups * members).toLocaleString('en')} memberships in ${groups.toLocaleString('en')} groups`
  await measure(`${text}, without statistics`, overlap)
  await db.pool.query('analyze')
  await measure(text, overlap)
  const alike = await built('alike', (trx, id) => build(trx, id, { groups: 2 * names, members: 1, accounts: 2 * names }))
  await measure(`${names.toLocaleString('en')} pushed names and as many existing ones`, alike)
  await db.close()
} finally {
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}

/**
 * Groups of very different sizes around a mean, people in few groups and people in many; one person in every group, a hundred groups with a
 * tenth of all people in them. One pushed group in ten is an existing one of another name, less a fifth of its members.
 */
async function build(
  trx: Trx,
  directoryId: DirectoryId,
  size: { groups: number; members: number; accounts: number },
): Promise<void> {
  const org = sql`${trx.orgId}::uuid`
  const half = Math.floor(size.groups / 2)
  const id = (kind: string, number: string) => sql.raw(`md5('${trx.orgId} ${kind}' || (${number}))::uuid`)
  await sql`insert into accounts (org_id, id, user_name, user_name_key) select ${org}, ${id('account', 'n')}, 'person ' || n, 'person ' || n
    from generate_series(0, ${size.accounts - 1}::integer) n`.execute(trx)
  const words = sql`translate(substr(md5(n::text), 1, 9), '0123456789', 'ghijklmnop')`
  await sql`
    insert into groups (org_id, id, name, name_key)
    select ${org}, ${id('group', 'n')}, name, name from generate_series(0, ${half - 1}::integer) n, lateral (select 'organization/' || ${words} || '-maintainers' as name) x`.execute(
    trx,
  )
  await sql`
    insert into groups (org_id, id, name, name_key, managed_by)
    select ${org}, ${id('pushed group', 'n')}, name, name, ${directoryId}::uuid from generate_series(0, ${half - 1}::integer) n,
      lateral (select 'app-' || case when n % 20 = 0 then replace('organization/' || ${words}, '/', ' ') when n % 20 = 1 then 'organization/x' || ${words} else md5(n::text) end || '-maintainers' as name) x`.execute(
    trx,
  )
  await sql`
    insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state, reasons)
    select ${org}, ${id('pushed', 'n')}, ${directoryId}::uuid, name, name_key, id, 'synced', '{}' from groups, generate_series(0, ${half - 1}::integer) n
    where org_id = ${org} and id = ${id('pushed group', 'n')}`.execute(trx)
  // Squared, so that there are people in few groups and people in many.
  await sql`
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select distinct ${org}, case when is_pushed then ${id('pushed group', 'n')} else ${id('group', 'n')} end,
      ${id('account', `case when k = 0 then 0 else floor(${size.accounts} * power(('x' || substr(md5(seed), 1, 8))::bit(32)::bigint / 4294967296.0, 2))::integer end`)}, true, true
    from generate_series(0, ${half - 1}::integer) n cross join (values (true), (false)) side(is_pushed)
    cross join lateral generate_series(0, case when ${size.members} = 1 then 0 when n % 50 = 7 then ${size.members} * 10 else ${size.members} * (1 + n % 8) / 5 end) k
    cross join lateral (select case when is_pushed and (n % 10 > 0 or k % 5 = 4) then 'pushed ' else '' end || n || ' ' || k as seed) s`.execute(
    trx,
  )
  await sql`
    update groups set member_count = members from (select group_id, count(*) as members from memberships where org_id = ${org} group by group_id) counted
    where groups.org_id = ${org} and groups.id = group_id`.execute(trx)
}
