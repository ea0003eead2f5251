import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { connect, type Db, type Scope } from '../src/database/connection.ts'
import { ownEmbedded } from '../src/database/embedded.ts'
import { newId, type OrgId } from '../src/database/ids.ts'
import { migrate } from '../src/database/migrate.ts'
import { inTransaction, planForSets, reading } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { disconnect, disconnectionOf, letGoOfDirectory } from '../src/provisioning/disconnection.ts'
import { buildReviews } from './data.ts'

// A directory is disconnected: how long it is decided, and let go of, by how many members its groups have.

const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '50000' },
    members: { type: 'string', default: '5,25' },
    people: { type: 'string', default: '20000' },
  },
})
const groups = Number(values.groups)
const people = Number(values.people)

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
const embedded = await ownEmbedded({ folder, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } })
try {
  await migrate(embedded.connection)
  const db = connect(embedded.connection)
  const took: number[] = []
  for (const members of values.members.split(',').map(Number)) took.push(await disconnected(db, members))
  console.log(`let go of, by number of members: ratio ${((took.at(-1) ?? 0) / (took[0] ?? 1)).toFixed(2)}`)
  console.log(`resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`)
  await db.close()
} finally {
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function disconnected(db: Db, membersPerGroup: number): Promise<number> {
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
  const directory = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: `members-${membersPerGroup}` })
    const made = await createDirectory(trx, { name: 'okta', provider: 'okta' })
    await planForSets(trx)
    await buildReviews(trx, made.id, { groups, membersPerGroup, accounts: people })
    // Two of three groups are synced, and all people are the directory's.
    await sql`update provisioned_groups set state = 'synced', reasons = '{}' where org_id = ${trx.orgId} and right(name, 1) > '3'`.execute(
      trx,
    )
    await sql`update groups set managed_by = ${made.id} where org_id = ${trx.orgId} and right(name, 1) > '3'`.execute(trx)
    await sql`update accounts set owned_by = ${made.id} where org_id = ${trx.orgId}`.execute(trx)
    await sql`
      insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, attributes, account_id, matched_by, state)
      select org_id, id, ${made.id}, user_name, user_name_key, '{}', id, 'created', 'synced' from accounts where org_id = ${trx.orgId}`.execute(
      trx,
    )
    return made
  })
  await db.pool.query('vacuum analyze')
  const size = `${groups.toLocaleString('en')} groups, ${(groups * membersPerGroup).toLocaleString('en')} memberships, ${people.toLocaleString('en')} people`
  const [shown, showing] = await timed(() => reading(db, scope, (reader) => disconnectionOf(reader, directory.id)))
  const [, deciding] = await timed(() =>
    inTransaction(db, scope, (trx) => disconnect(trx, { send: async () => {} }, directory, shown.fingerprint)),
  )
  const what = { orgId: scope.orgId, directoryId: directory.id, actor: 'bench' }
  const [, lettingGo] = await timed(() => letGoOfDirectory(db, what, new AbortController().signal))
  console.log(
    `${size}: shown ${showing.toFixed(0)} ms, decided ${deciding.toFixed(0)} ms, let go of ${(lettingGo / 1000).toFixed(1)} s`,
  )
  return lettingGo
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now()
  const done = await work()
  return [done, performance.now() - began]
}
