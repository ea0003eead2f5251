import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { connect, type Db, type Scope, type Trx } from '../src/database/connection.ts'
import { ownEmbedded } from '../src/database/embedded.ts'
import { type DirectoryId, newId, type OrgId, type RunId } from '../src/database/ids.ts'
import { migrate } from '../src/database/migrate.ts'
import { inTransaction, planForSets, reading } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { effectOf } from '../src/review/effect.ts'
import { chosenGroups } from '../src/review/selection.ts'
import { findRun } from '../src/sync/run-reports.ts'
import { runSync } from '../src/sync/run-sync.ts'
import { startRun } from '../src/sync/start-run.ts'
import { previewUndo, startUndo } from '../src/sync/undo-run.ts'
import { buildReviews } from './data.ts'

// The effect of a selection of all groups, a sync of all, its undo; and one SQL statement that undoes the same from the log: the same rows of
// memberships, counts, links, states, log and results. What this process holds at most meanwhile shows whether that grows with the groups.

const { values } = parseArgs({
  options: { groups: { type: 'string', default: '10000' }, members: { type: 'string', default: '100' } },
})
const size = { groups: Number(values.groups), membersPerGroup: Number(values.members), accounts: 50_000 }
const selection = { mode: 'filter', filter: {} } as const
const jobs = { send: async () => {} }
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
const embedded = await ownEmbedded({ folder, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } })
try {
  await migrate(embedded.connection)
  const db = connect(embedded.connection)
  console.log(
    `${(size.groups * size.membersPerGroup).toLocaleString('en')} memberships in ${size.groups.toLocaleString('en')} groups`,
  )
  const first = await synced(db, 'statement')
  const statement = await timed(() =>
    inTransaction(db, first.scope, async (trx) => {
      await planForSets(trx)
      await sql`set local enable_seqscan = on`.execute(trx)
      await undoAtOnce(trx, first.runId)
    }),
  )
  const second = await synced(db, 'run')
  const request = { run: second.runId, evenIfChanged: false }
  const shown = await timed(() => reading(db, second.scope, (reader) => previewUndo(reader, request)))
  const undo = await timed(async () => {
    const { fingerprint } = shown.value.effect
    const runId = await inTransaction(db, second.scope, (trx) => startUndo(trx, jobs, { ...request, fingerprint, note: null }))
    await runSync(db, { orgId: second.scope.orgId, runId }, { onError: console.error })
    const { groups } = await reading(db, second.scope, (reader) => findRun(reader, runId))
    if (groups.synced !== size.groups) throw new Error(`Not all was undone: ${JSON.stringify(groups)}`)
  })
  console.log(
    `what the undo comes to ${seconds(shown.ms)}; the undo ${seconds(undo.ms)}, ${((undo.ms / size.groups) * 1000).toFixed(0)} µs a group`,
  )
  console.log(`one statement ${seconds(statement.ms)}: ratio ${(undo.ms / statement.ms).toFixed(2)} (goal: at most 5)`)
  await db.close()
} finally {
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function timed<Value>(work: () => Promise<Value>): Promise<{ ms: number; value: Value }> {
  const from = performance.now()
  const value = await work()
  return { ms: performance.now() - from, value }
}

/** An organization of which all that was pushed was synced by one run. */
async function synced(db: Db, slug: string): Promise<{ scope: Scope; runId: RunId }> {
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
  const directoryId: DirectoryId = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug })
    const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    await planForSets(trx)
    await buildReviews(trx, id, size)
    return id
  })
  await db.pool.query('vacuum analyze')
  const effect = await timed(() =>
    reading(db, scope, async (reader) => effectOf(reader, (await chosenGroups(reader, directoryId, selection)).ids)),
  )
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, 50)
  const run = await timed(async () => {
    const runId = await inTransaction(db, scope, (trx) =>
      startRun(trx, jobs, {
        ...{ kind: 'sync', directoryId, selection, choice: 'overwrite', fingerprint: effect.value.fingerprint },
        ...{ acceptIncomplete: false, acceptEmpty: false, note: null },
      }),
    )
    await runSync(db, { orgId: scope.orgId, runId }, { onError: console.error })
    return runId
  })
  clearInterval(watch)
  console.log(
    `effect of all ${seconds(effect.ms)} (goal: 5 s); sync of all ${seconds(run.ms)}, resident at most ${(most / 1e6).toFixed(0)} MB`,
  )
  await db.pool.query('vacuum analyze')
  return { scope, runId: run.value }
}

/** Members, counts, links and states as they were before a run, by its log; what that does to access is not worked out. */
async function undoAtOnce(trx: Trx, runId: RunId): Promise<void> {
  const org = trx.orgId
  const undo = newId<RunId>()
  await sql`
    with entries as materialized (
      select subject, added, removed, facts, action from log_entries where org_id = ${org} and run_id = ${runId}
    ),
    moved as materialized (
      select subject as group_id, added, removed from entries where added is not null or removed is not null
    ),
    taken as (
      update memberships m set effective = false, since = now()
      from (select group_id, unnest(added) as account_id from moved) t
      where m.org_id = ${org} and m.group_id = t.group_id and m.account_id = t.account_id
    ),
    given as (
      insert into memberships (org_id, group_id, account_id, pushed, effective)
      select ${org}::uuid, group_id, unnest(removed), false, true from moved
    ),
    counted as (
      update groups g set managed_by = null, updated_at = now(), add_count = coalesce(cardinality(added), 0), remove_count = coalesce(cardinality(removed), 0),
        member_count = member_count + coalesce(cardinality(removed), 0) - coalesce(cardinality(added), 0)
      from moved where g.org_id = ${org} and g.id = moved.group_id
    ),
    linked as (
      update provisioned_groups p set state = facts #>> '{before,state}', reasons = array(select jsonb_array_elements_text(facts #> '{before,reasons}')), updated_at = now()
      from entries e where e.action = 'group.state_changed' and p.org_id = ${org} and p.id = e.subject
    ),
    logged as (
      insert into log_entries (org_id, actor, action, subject, run_id, facts, added, removed)
      select ${org}::uuid, 'bench', 'members.changed', group_id, ${undo}::uuid, '{}', removed, added from moved
      union all
      select ${org}::uuid, 'bench', action, subject, ${undo}::uuid, jsonb_build_object('name', facts -> 'name', 'before', facts -> 'after', 'after', facts -> 'before'), null, null
      from entries where action in ('group.managed', 'group.state_changed')
    ),
    run as (
      insert into runs (org_id, id, kind, undoes, state, directory_id, choice, fingerprint, foreseen, group_count, created_by)
      select org_id, ${undo}::uuid, 'restore', id, 'finished', directory_id, 'restore', '', '{}', group_count, 'bench' from runs where org_id = ${org} and id = ${runId}
    )
    insert into run_groups (org_id, run_id, unit_id, position, name, choice, expected, result, added_count, removed_count, finished_at)
    select ${org}::uuid, ${undo}::uuid, group_id, row_number() over (), '', 'restore', '', 'synced', coalesce(cardinality(removed), 0), coalesce(cardinality(added), 0), now()
    from moved`.execute(trx)
}
