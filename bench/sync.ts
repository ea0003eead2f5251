import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type RawBuilder, sql } from 'kysely'
import { connect, type Db, type Scope, type Trx } from '../src/database/connection.ts'
import { ownEmbedded } from '../src/database/embedded.ts'
import { type DirectoryId, newId, type OrgId } from '../src/database/ids.ts'
import { inHashes } from '../src/database/in-hashes.ts'
import { migrate } from '../src/database/migrate.ts'
import { inTransaction, planForSets, reading } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { accessEffects, togetherEffects } from '../src/review/access-effects.ts'
import { effectOf } from '../src/review/effect.ts'
import { chosenGroups } from '../src/review/selection.ts'
import { findRun } from '../src/sync/run-reports.ts'
import { runSync } from '../src/sync/run-sync.ts'
import { startRun } from '../src/sync/start-run.ts'
import { buildReviews } from './data.ts'

// Sync all beside one SQL statement that makes the same end: the same rows of memberships, counts, links, states, log and results.

const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '10000' },
    members: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '1' },
  },
})
const size = { groups: Number(values.groups), membersPerGroup: Number(values.members), accounts: 50_000 }
const selection = { mode: 'filter', filter: {} } as const

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
// Durable as in production: what a run saves by not awaiting each group on disk must show, and what it costs at its end.
const embedded = await ownEmbedded({ folder, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } })
try {
  await migrate(embedded.connection)
  const db = connect(embedded.connection)
  console.log(
    `${(size.groups * size.membersPerGroup).toLocaleString('en')} memberships in ${size.groups.toLocaleString('en')} groups, two differences a group`,
  )
  for (let round = 0; round < Number(values.rounds); round++) {
    const writes = await timeOf(db, `writes ${round}`, (scope) => asStatement(db, scope, writesAlone))
    const statement = await timeOf(db, `statement ${round}`, (scope, directoryId) =>
      asStatement(db, scope, (trx) => allAtOnce(trx, directoryId)),
    )
    const run = await timeOf(db, `run ${round}`, (scope, directoryId) => asRun(db, scope, directoryId))
    const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
    console.log(`run ${seconds(run)}, ${((run / size.groups) * 1000).toFixed(0)} µs a group`)
    console.log(`one statement that does it all ${seconds(statement)}: ratio ${(run / statement).toFixed(2)} (goal: at most 5)`)
    console.log(`the same without who loses and gains what, writes alone ${seconds(writes)}: ratio ${(run / writes).toFixed(2)}`)
  }
  console.log(`resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`)
  await db.close()
} finally {
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}

// Each is timed on an organization of its own, so that none finds what the other left.
async function timeOf(db: Db, slug: string, work: (scope: Scope, directoryId: DirectoryId) => Promise<number>): Promise<number> {
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
  const directoryId = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: slug.replace(' ', '-') })
    const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    await planForSets(trx)
    await buildReviews(trx, id, size)
    return id
  })
  await db.pool.query('vacuum analyze')
  return work(scope, directoryId)
}

async function asStatement(db: Db, scope: Scope, statement: (trx: Trx) => Promise<void>): Promise<number> {
  const from = performance.now()
  await inTransaction(db, scope, async (trx) => {
    await planForSets(trx)
    // All of the organization: nothing is to keep it from being read as it lies.
    await sql`set local enable_seqscan = on`.execute(trx)
    await statement(trx)
  })
  return performance.now() - from
}

// From the request to the end of the run; the review before it is not part of it.
async function asRun(db: Db, scope: Scope, directoryId: DirectoryId): Promise<number> {
  const fingerprint = await reading(
    db,
    scope,
    async (reader) => (await effectOf(reader, (await chosenGroups(reader, directoryId, selection)).ids)).fingerprint,
  )
  const from = performance.now()
  const runId = await inTransaction(db, scope, (trx) =>
    startRun(
      trx,
      { send: async () => {} },
      {
        directoryId,
        selection,
        kind: 'sync',
        choice: 'overwrite',
        fingerprint,
        acceptIncomplete: false,
        acceptEmpty: false,
        note: null,
      },
    ),
  )
  const started = performance.now()
  const cpu = process.cpuUsage()
  await runSync(db, { orgId: scope.orgId, runId }, { onError: console.error })
  const ended = performance.now()
  const { user, system } = process.cpuUsage(cpu)
  console.log(
    `started ${((started - from) / 1000).toFixed(2)} s, done ${((ended - started) / 1000).toFixed(2)} s, this process ${((user + system) / 1000 / size.groups).toFixed(3)} ms of CPU a group`,
  )
  const { groups, access } = await reading(db, scope, (reader) => findRun(reader, runId))
  if (groups.synced !== size.groups) throw new Error(`Not all was synced: ${JSON.stringify({ groups, access })}`)
  return ended - from
}

// As the run does: what it does to access is worked out and told, then all is written. Two statements, each planned as suits it best.
async function allAtOnce(trx: Trx, directoryId: DirectoryId): Promise<void> {
  const selected = sql`selected as materialized (
    select id, group_id from provisioned_groups where org_id = ${trx.orgId} and directory_id = ${directoryId} and state = 'needs_review'
  )`
  const changing = sql`changing as (
    select s.id, s.group_id, m.account_id, m.pushed as gives
    from selected s join memberships m on m.org_id = ${trx.orgId} and m.group_id = s.group_id and m.pushed <> m.effective
  )`
  const [row] = await inHashes(
    trx,
    sql<{ lost: number; gained: number }>`
    with ${accessEffects(trx, { selected, changing })}, ${togetherEffects}
    select count(*) filter (where not gained)::integer as lost, count(*) filter (where gained)::integer as gained from together`,
  )
  if ((row?.lost ?? 0) === 0) throw new Error('Nobody would lose anything: there is nothing to work out.')
  await writesAlone(trx)
}

async function writesAlone(trx: Trx): Promise<void> {
  await sql`with ${writes(trx)} select count(*) from by_group`.execute(trx)
}

function writes(trx: Trx): RawBuilder<unknown> {
  const org = trx.orgId
  const run = newId()
  return sql`
    changed as materialized (
      select group_id, account_id, pushed from memberships where org_id = ${org} and pushed <> effective
    ),
    added as (
      update memberships m set effective = true, waiting = null, since = now() from changed c
      where m.org_id = ${org} and m.group_id = c.group_id and m.account_id = c.account_id and c.pushed
    ),
    removed as (
      delete from memberships m using changed c where m.org_id = ${org} and m.group_id = c.group_id and m.account_id = c.account_id and not c.pushed
    ),
    by_group as materialized (
      select p.id, p.group_id, p.name, p.directory_id, p.state, p.reasons, c.added, c.removed
      from provisioned_groups p
      join (select group_id, array_agg(account_id order by account_id) filter (where pushed) as added,
          array_agg(account_id order by account_id) filter (where not pushed) as removed from changed group by group_id) c using (group_id)
      where p.org_id = ${org} and p.state = 'needs_review'
    ),
    counted as (
      update groups g set member_count = member_count + coalesce(cardinality(added), 0) - coalesce(cardinality(removed), 0), add_count = 0, remove_count = 0,
        managed_by = b.directory_id, updated_at = now()
      from by_group b where g.org_id = ${org} and g.id = b.group_id
    ),
    linked as (
      update provisioned_groups p set state = 'synced', reasons = '{}', updated_at = now() from by_group b where p.org_id = ${org} and p.id = b.id
    ),
    logged as (
      insert into log_entries (org_id, actor, action, subject, directory_id, run_id, facts, added, removed)
      select ${org}::uuid, 'bench', 'members.changed', group_id, directory_id, ${run}::uuid, jsonb_build_object('name', name), added, removed from by_group
      union all
      select ${org}::uuid, 'bench', 'group.state_changed', id, directory_id, ${run}::uuid,
        jsonb_build_object('name', name, 'groupId', group_id, 'from', jsonb_build_object('state', state, 'reasons', reasons), 'to', jsonb_build_object('state', 'synced')), null, null
      from by_group
    ),
    run as (
      insert into runs (org_id, id, kind, state, directory_id, choice, fingerprint, foreseen, group_count, created_by)
      select ${org}::uuid, ${run}::uuid, 'sync', 'finished', directory_id, 'overwrite', '', '{}', count(*), 'bench' from by_group group by directory_id
    ),
    results as (
    insert into run_groups (org_id, run_id, unit_id, position, name, choice, expected, result, added_count, removed_count, finished_at)
    select ${org}::uuid, ${run}::uuid, id, row_number() over (order by name), name, 'overwrite', '', 'synced', cardinality(added), cardinality(removed), now() from by_group
    )`
}
