import { sql } from 'kysely'
import type { Db, Reader } from '../../src/database/connection.ts'
import { newId, type OrgId } from '../../src/database/ids.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { createOrganization } from '../../src/organization/organizations.ts'
import { createDirectory } from '../../src/provisioning/directories.ts'
import { effectOf } from '../../src/review/effect.ts'
import { expectedInRun } from '../../src/review/expected-in-run.ts'
import { peopleOf } from '../../src/review/people.ts'
import { listReviews } from '../../src/review/review.ts'
import { chosenGroups } from '../../src/review/selection.ts'
import { listSuggestions } from '../../src/review/suggestions.ts'
import { copyDatabase } from '../support/database-copy.ts'
import { sampleWorld } from '../support/reference.ts'
import { expect, test } from '../support/world.ts'
import { storeWorld } from './stored-world.ts'

const world = sampleWorld()
const tables = ['memberships', 'accounts', 'groups', 'grants', 'product_roles', 'provisioned_groups', 'directories']

// The planner must not take an organization that came after the last «analyze» for one without rows.
test('a review reads as much, whichever organizations the tables were analyzed with', async () => {
  const { db, drop } = await copyDatabase()
  const read = [await rowsReadFor(db)]
  // Some tables are analyzed and others not, as an autovacuum leaves them.
  for (const some of ['memberships, accounts', 'groups, grants', tables.join(', ')]) {
    await db.pool.query(`analyze ${some}`)
    read.push(await rowsReadFor(db))
  }
  await drop()
  const least = Math.min(...read)
  expect(least).toBeGreaterThan(0)
  expect(Math.max(...read), read.join(' ')).toBeLessThan(3 * least)
})

// Of a new organization, with the sample's 5,854 memberships: all that an admin asks before a sync, and what the sync foresees.
async function rowsReadFor(db: Db): Promise<number> {
  const scope = { orgId: newId<OrgId>(), actor: 'tests' }
  const directoryId = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: scope.orgId })
    const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    await storeWorld(trx, world, id)
    return id
  })
  return reading(db, scope, async (reader) => {
    const before = await rowsRead(reader)
    const { ids } = await chosenGroups(reader, directoryId, { mode: 'filter', filter: {} })
    expect(ids).toHaveLength(667)
    await effectOf(reader, ids)
    await expectedInRun(reader, { groupIds: ids, pending: ids })
    await listSuggestions(reader, directoryId, { limit: 50 })
    await peopleOf(reader, ids, 'losing', { limit: 50 })
    await listReviews(reader, directoryId, {}, { limit: 50 })
    return (await rowsRead(reader)) - before
  })
}

async function rowsRead(reader: Reader): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select sum(idx_tup_fetch + seq_tup_read)::integer as count from pg_stat_xact_user_tables where relname = any(${tables}::text[])`.execute(
    reader,
  )
  return rows[0]?.count ?? 0
}
