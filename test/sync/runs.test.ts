import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { sql } from 'kysely'
import { connect } from '../../src/database/connection.ts'
import type { ProvisionedGroupId, RunId } from '../../src/database/ids.ts'
import { effectOf } from '../../src/review/effect.ts'
import { chosenGroups, type Selection } from '../../src/review/selection.ts'
import { findRun, listRunGroups, type Run } from '../../src/sync/run-reports.ts'
import { runSync } from '../../src/sync/run-sync.ts'
import { stopRun } from '../../src/sync/runs.ts'
import { startRun } from '../../src/sync/start-run.ts'
import { type StoredWorld, storeWorld } from '../review/stored-world.ts'
import { expect, test as world } from '../support/world.ts'

// The job queue is left out: who works on a run, and when it is killed, is the test's to say.
const nobody = { send: async () => {} }

interface Runs {
  /** 40 groups that need review, each with one member to add and one to remove: `Group 00`, … */
  stored: StoredWorld
  starts: (selection?: Selection) => Promise<RunId>
  works: (run: RunId, circumstances?: Parameters<typeof runSync>[2]) => Promise<void>
  report: (run: RunId) => Promise<Run & { results: string[] }>
  /** How often each group is in the run's log as having changed its members, and its state. */
  timesInLog: (run: RunId) => Promise<{ groups: number; members: number[]; states: number[] }>
  differences: () => Promise<number>
}

const names = Array.from({ length: 40 }, (_, index) => `Group ${String(index).padStart(2, '0')}`)

const test = world.extend<Runs>({
  stored: async ({ org, inOrg }, use) => {
    const { id } = await org.directory()
    const people = new Map(['ada', 'bob', 'cyd'].map((person) => [person, { active: true }]))
    const groups = names.map((name, index) => ({
      name,
      effective: new Set(['ada', 'bob']),
      pushed: new Set(['ada', 'cyd']),
      grants: [`site/product/role${index % 4}`],
    }))
    await use(await inOrg((trx) => storeWorld(trx, { people, groups }, id)))
  },
  starts: async ({ stored, inOrg }, use) =>
    use((selection = { mode: 'filter', filter: {} }) =>
      inOrg(async (trx) => {
        const { ids } = await chosenGroups(trx, stored.directoryId, selection)
        const { fingerprint } = await effectOf(trx, ids)
        return startRun(trx, nobody, {
          directoryId: stored.directoryId,
          selection,
          kind: 'sync',
          choice: 'overwrite',
          fingerprint,
          acceptIncomplete: false,
          acceptEmpty: false,
          note: null,
        })
      }),
    ),
  works: async ({ db, org }, use) => use((runId, circumstances) => runSync(db, { orgId: org.id, runId }, circumstances)),
  report: async ({ inOrg }, use) =>
    use((id) =>
      inOrg(async (trx) => {
        const { items } = await listRunGroups(trx, id, {}, { sort: 'name' })
        return {
          ...(await findRun(trx, id)),
          results: items.map(({ group, result, reason }) => [`${group.name}: ${result}`, reason].filter(Boolean).join(', ')),
        }
      }),
    ),
  timesInLog: async ({ inOrg }, use) =>
    use((id) =>
      inOrg(async (trx) => {
        const { rows } = await sql<{ action: string; times: number }>`
      select action, count(*)::integer as times from log_entries
      where org_id = ${trx.orgId} and run_id = ${id} and action in ('members.changed', 'group.state_changed') group by action, subject`.execute(
          trx,
        )
        const timesOf = (asked: string) => rows.filter(({ action }) => action === asked).map(({ times }) => times)
        const [members, states] = [timesOf('members.changed'), timesOf('group.state_changed')]
        return { groups: states.length, members: [...new Set(members)], states: [...new Set(states)] }
      }),
    ),
  differences: async ({ inOrg }, use) =>
    use(() =>
      inOrg(
        async (trx) =>
          (await sql`select from memberships where org_id = ${trx.orgId} and pushed <> effective`.execute(trx)).rows.length,
      ),
    ),
})

const onceEach = { groups: names.length, members: [1], states: [1] }

test('a worker that is killed in the middle: another goes on where it stopped, and no group is synced twice', async ({
  database,
  org,
  starts,
  works,
  report,
  timesInLog,
  differences,
}) => {
  const run = await starts()
  const seen: string[] = []
  const worker = fork(join(import.meta.dirname, 'worker.ts'), [
    JSON.stringify({ connection: database.connection, orgId: org.id, runId: run }),
  ])
  worker.on('message', ({ id }: { id: string }) => {
    seen.push(id)
    if (seen.length === 5) worker.kill('SIGKILL')
  })
  await once(worker, 'exit')
  const left = await differences()
  expect(seen.length).toBeGreaterThanOrEqual(5)
  expect(left).toBeGreaterThan(0)
  const again: string[] = []
  await works(run, { onGroup: (id) => void again.push(id) })
  expect(again.filter((id) => seen.includes(id))).toEqual([])
  expect(await report(run)).toMatchObject({
    state: 'finished',
    groups: { total: 40, synced: 40, skipped: 0, failed: 0 },
    members: { added: 40, removed: 40 },
  })
  expect(await timesInLog(run)).toEqual(onceEach)
  expect(await differences()).toBe(0)
})

test('two processes at one run share it: every group once, and one end of the run', async ({
  database,
  org,
  starts,
  report,
  timesInLog,
  inOrg,
}) => {
  const run = await starts()
  const done: string[] = []
  const workers = [1, 2].map(() =>
    fork(join(import.meta.dirname, 'worker.ts'), [
      JSON.stringify({ connection: database.connection, orgId: org.id, runId: run }),
    ]),
  )
  for (const worker of workers) worker.on('message', ({ id }: { id: string }) => void done.push(id))
  const exits = await Promise.all(workers.map((worker) => once(worker, 'exit')))
  expect(exits.map(([code]) => code)).toEqual([0, 0])
  expect(done.sort()).toEqual([...new Set(done)])
  expect(await report(run)).toMatchObject({ state: 'finished', groups: { total: 40, synced: 40, skipped: 0, failed: 0 } })
  expect(await timesInLog(run)).toEqual(onceEach)
  const ends = await inOrg(
    async (trx) =>
      (
        await sql`select from log_entries where org_id = ${trx.orgId} and run_id = ${run} and action = 'run.finished'`.execute(
          trx,
        )
      ).rows.length,
  )
  expect(ends).toBe(1)
})

test('a node that stops ends after the groups under way; the job is tried again', async ({ starts, works, report }) => {
  const run = await starts()
  const stop = new AbortController()
  await expect(works(run, { signal: stop.signal, onGroup: () => stop.abort(new Error('the node stops')) })).rejects.toThrow(
    'the node stops',
  )
  expect(await report(run)).toMatchObject({ state: 'running', finishedAt: null })
  await works(run)
  expect(await report(run)).toMatchObject({ state: 'finished', groups: { synced: 40 } })
})

test('a run that is stopped ends after the group it is at; the others are skipped and still need review', async ({
  starts,
  works,
  report,
  inOrg,
  differences,
}) => {
  const run = await starts()
  let stopped: Promise<RunId> | undefined
  await works(run, {
    onGroup: () => {
      stopped ??= inOrg((trx) => stopRun(trx, nobody, run))
    },
  })
  await stopped
  const { state, groups, results, finishedAt, members } = await report(run)
  expect({ state, finishedAt }).toEqual({ state: 'stopped', finishedAt: expect.any(Date) })
  expect(groups.synced + groups.skipped).toBe(40)
  expect(groups.synced).toBeGreaterThan(0)
  expect(groups.synced).toBeLessThan(40)
  expect(results.filter((result) => result.endsWith('skipped, run_stopped'))).toHaveLength(groups.skipped)
  expect(await differences()).toBe(2 * groups.skipped)
  expect(members).toEqual({ added: groups.synced, removed: groups.synced })
})

test('a job that is run again after its end does nothing', async ({ starts, works, report, timesInLog }) => {
  const run = await starts()
  await works(run)
  const first = await report(run)
  await works(run, {
    onGroup: () => {
      throw new Error('a group was synced twice')
    },
  })
  expect(await report(run)).toEqual(first)
  expect(await timesInLog(run)).toEqual(onceEach)
})

test('a group that changed after the run was asked for is skipped: pushed, blocked, gone; the others go on', async ({
  stored,
  starts,
  works,
  report,
  inOrg,
}) => {
  const run = await starts()
  const [pushed, blocked, gone] = names
  const idOf = (name = '') => stored.pushed.get(name) as ProvisionedGroupId
  await inOrg(async (trx) => {
    await sql`update memberships set pushed = true where org_id = ${trx.orgId} and group_id = ${stored.group.get(pushed ?? '')} and not pushed`.execute(
      trx,
    )
    await sql`update groups set remove_count = 0 where org_id = ${trx.orgId} and id = ${stored.group.get(pushed ?? '')}`.execute(
      trx,
    )
    await sql`update provisioned_groups set state = 'blocked', reasons = '{protected}' where org_id = ${trx.orgId} and id = ${idOf(blocked)}`.execute(
      trx,
    )
    await sql`delete from provisioned_groups where org_id = ${trx.orgId} and id = ${idOf(gone)}`.execute(trx)
  })
  await works(run)
  const { groups, results } = await report(run)
  expect(groups).toEqual({ total: 40, synced: 37, skipped: 3, failed: 0 })
  expect(results.slice(0, 4)).toEqual([
    'Group 00: skipped, review_changed',
    'Group 01: skipped, blocked',
    'Group 02: skipped, gone',
    'Group 03: synced',
  ])
})

test('a group that would take more than was foreseen is skipped, though its own members are as reviewed', async ({
  org,
  inOrg,
  db,
}) => {
  const { id: directoryId } = await org.directory()
  const people = new Map([['ada', { active: true }]])
  const both = { effective: new Set(['ada']), grants: ['site/product/role'] }
  const stored = await inOrg((trx) =>
    storeWorld(
      trx,
      {
        people,
        groups: [
          { name: 'Left', ...both, pushed: new Set<string>(['ada']) },
          { name: 'Taken', ...both, pushed: new Set<string>() },
        ],
      },
      directoryId,
    ),
  )
  const ids = [stored.pushed.get('Taken') ?? '']
  const run = await inOrg(async (trx) =>
    startRun(trx, nobody, {
      directoryId,
      selection: { mode: 'ids', ids },
      kind: 'sync',
      choice: 'overwrite',
      fingerprint: (await effectOf(trx, ids as ProvisionedGroupId[])).fingerprint,
      acceptIncomplete: false,
      acceptEmpty: true,
      note: null,
    }),
  )
  await inOrg((trx) =>
    sql`delete from grants where org_id = ${trx.orgId} and group_id = ${stored.group.get('Left')}`.execute(trx),
  )
  await runSync(db, { orgId: org.id, runId: run })
  const { items } = await inOrg((trx) => listRunGroups(trx, run, {}, {}))
  expect(items).toMatchObject([{ group: { name: 'Taken' }, result: 'skipped', reason: 'review_changed' }])
})

test('two runs at once over groups that keep each other’s access alive: one is skipped, and nobody loses what neither review said', async ({
  org,
  inOrg,
  db,
}) => {
  const { id: directoryId } = await org.directory()
  const turns = Array.from({ length: 10 }, (_, turn) => turn)
  const groups = turns.flatMap((turn) =>
    ['Left', 'Right'].map((name) => ({
      name: `${name} ${turn}`,
      effective: new Set([`ada${turn}`, 'bob']),
      pushed: new Set(['bob']),
      grants: [`site/product/role${turn}`],
    })),
  )
  const people = new Map(['bob', ...turns.map((turn) => `ada${turn}`)].map((person) => [person, { active: true }]))
  const stored = await inOrg((trx) => storeWorld(trx, { people, groups }, directoryId))
  for (const turn of turns) {
    const runs = await inOrg((trx) =>
      Promise.all(
        ['Left', 'Right'].map(async (name) => {
          const ids = [stored.pushed.get(`${name} ${turn}`) as ProvisionedGroupId]
          const { fingerprint } = await effectOf(trx, ids)
          return startRun(trx, nobody, {
            directoryId,
            selection: { mode: 'ids', ids },
            kind: 'sync',
            choice: 'overwrite',
            fingerprint,
            acceptIncomplete: false,
            acceptEmpty: false,
            note: null,
          })
        }),
      ),
    )
    await Promise.all(runs.map((runId) => runSync(db, { orgId: org.id, runId })))
    const reports = await inOrg((trx) => Promise.all(runs.map((id) => findRun(trx, id))))
    expect(reports.map(({ access }) => access.lost)).toEqual([0, 0])
    expect(reports.map(({ groups: { synced, skipped } }) => [synced, skipped]).sort()).toEqual([
      [0, 1],
      [1, 0],
    ])
  }
})

test('two runs over the same groups at once, by two processes: each group is synced by one, and skipped by the other with the reason', async ({
  database,
  org,
  starts,
  report,
  timesInLog,
  differences,
}) => {
  const runs = [await starts(), await starts()]
  const workers = runs.map((runId) =>
    fork(join(import.meta.dirname, 'worker.ts'), [JSON.stringify({ connection: database.connection, orgId: org.id, runId })]),
  )
  const exits = await Promise.all(workers.map((worker) => once(worker, 'exit')))
  expect(exits.map(([code]) => code)).toEqual([0, 0])
  const reports = await Promise.all(runs.map(report))
  const [one, other] = reports.map(({ results }) => results.map((result) => result.replace(/^.*: /, '')))
  expect(one?.map((result, at) => [result, other?.[at]].sort())).toEqual(names.map(() => ['skipped, already_synced', 'synced']))
  expect(reports.map(({ state, groups: { synced, skipped } }) => [state, synced + skipped])).toEqual([
    ['finished', 40],
    ['finished', 40],
  ])
  const times = await Promise.all(runs.map(timesInLog))
  expect(times.reduce((sum, { groups }) => sum + groups, 0)).toBe(40)
  expect(await differences()).toBe(0)
})

test('a group whose transaction throws has failed, with a reason in plain words; the run goes on', async ({
  stored,
  starts,
  report,
  database,
  org,
  inOrg,
}) => {
  const run = await starts()
  const locked = stored.group.get('Group 07')
  // Another session holds one group for longer than a lock is waited for.
  const impatient = connect({ ...database.connection, maxConnections: 5 })
  impatient.pool.on('connect', (client) => void client.query("set lock_timeout = '500ms'"))
  const errors: unknown[] = []
  await inOrg(async (trx) => {
    await sql`select from groups where org_id = ${trx.orgId} and id = ${locked} for update`.execute(trx)
    await runSync(impatient, { orgId: org.id, runId: run }, { onError: (error) => void errors.push(error) })
  })
  await impatient.close()
  const { state, groups, results } = await report(run)
  expect({ state, groups }).toEqual({ state: 'finished', groups: { total: 40, synced: 39, skipped: 0, failed: 1 } })
  expect(results[7]).toBe('Group 07: failed, busy')
  expect(errors).toHaveLength(1)
})

/** One role, given by every group; those who are pushed differ from those who are in force. */
const worldOf = (groups: Record<string, [effective: string[], pushed: string[]]>) => ({
  people: new Map(['ada', 'bob', 'cyd', 'dan'].map((person) => [person, { active: true }])),
  groups: Object.entries(groups).map(([name, [effective, pushed]]) => ({
    name,
    effective: new Set(effective),
    pushed: new Set(pushed),
    grants: ['site/product/role'],
  })),
})

const resting = world.extend<{
  asks: (groups: Parameters<typeof worldOf>[0]) => Promise<{ run: RunId; stored: StoredWorld }>
  /** A push adds a member to a group that is not synced. */
  pushes: (stored: StoredWorld, name: string, person: string) => Promise<void>
  ends: (run: RunId) => Promise<{ results: Record<string, string>; lost: number; foreseen: number }>
}>({
  asks: async ({ org, inOrg }, use) => {
    const { id: directoryId } = await org.directory()
    await use((groups) =>
      inOrg(async (trx) => {
        const stored = await storeWorld(trx, worldOf(groups), directoryId)
        const selection: Selection = { mode: 'filter', filter: {} }
        const { fingerprint } = await effectOf(trx, (await chosenGroups(trx, directoryId, selection)).ids)
        const terms = { kind: 'sync', choice: 'overwrite', acceptIncomplete: false, acceptEmpty: false, note: null } as const
        return { stored, run: await startRun(trx, nobody, { directoryId, selection, fingerprint, ...terms }) }
      }),
    )
  },
  pushes: async ({ inOrg }, use) =>
    use((stored, name, person) =>
      inOrg(async (trx) => {
        const [groupId, accountId] = [stored.group.get(name), stored.account.get(person)]
        await sql`insert into memberships (org_id, group_id, account_id, pushed, effective) values (${trx.orgId}, ${groupId}, ${accountId}, true, false)`.execute(
          trx,
        )
        await sql`update groups set add_count = add_count + 1 where org_id = ${trx.orgId} and id = ${groupId}`.execute(trx)
      }),
    ),
  ends: async ({ inOrg }, use) =>
    use((run) =>
      inOrg(async (trx) => {
        const { items } = await listRunGroups(trx, run, {}, { sort: 'name' })
        const { access, foreseen } = await findRun(trx, run)
        const results = Object.fromEntries(
          items.map(({ group, result, reason }) => [group.name, [result, reason].filter(Boolean).join(', ')]),
        )
        return { results, lost: access.lost, foreseen: foreseen.access.lost }
      }),
    ),
})

resting(
  'a group whose removal rests on another’s addition is done after it, whatever their order',
  async ({ asks, ends, org, db }) => {
    // A takes ada what B gives her, and B takes bob what C gives him.
    const { run } = await asks({
      A: [['ada'], ['dan']],
      B: [['bob'], ['ada']],
      C: [
        ['cyd', 'dan'],
        ['bob', 'dan'],
      ],
    })
    const order: string[] = []
    await runSync(db, { orgId: org.id, runId: run }, { onGroup: (id) => void order.push(id) })
    const { results, ...access } = await ends(run)
    expect(results).toEqual({ A: 'synced', B: 'synced', C: 'synced' })
    expect(access).toEqual({ lost: 1, foreseen: 1 })
  },
)

resting(
  'a group whose removal rests on the addition of one that cannot be synced takes nothing and is skipped',
  async ({ asks, ends, org, inOrg, database }) => {
    const { run, stored } = await asks({ A: [['ada'], ['dan']], B: [['bob'], ['ada', 'bob']], C: [['cyd'], ['cyd', 'dan']] })
    const impatient = connect({ ...database.connection, maxConnections: 5 })
    impatient.pool.on('connect', (client) => void client.query("set lock_timeout = '500ms'"))
    // B is held for as long as A has its turn, and longer.
    await inOrg(async (trx) => {
      await sql`select from groups where org_id = ${trx.orgId} and id = ${stored.group.get('B')} for update`.execute(trx)
      await runSync(impatient, { orgId: org.id, runId: run })
    })
    await impatient.close()
    expect(await ends(run)).toEqual({
      results: { A: 'skipped, review_changed', B: 'failed, busy', C: 'synced' },
      lost: 0,
      foreseen: 0,
    })
  },
)

resting('the same where a push changed the other group after the run was asked for', async ({ asks, pushes, ends, org, db }) => {
  const { run, stored } = await asks({ A: [['ada'], ['dan']], B: [['bob'], ['ada', 'bob']], C: [['cyd'], ['cyd', 'dan']] })
  await pushes(stored, 'B', 'cyd')
  await runSync(db, { orgId: org.id, runId: run })
  expect(await ends(run)).toEqual({
    results: { A: 'skipped, review_changed', B: 'skipped, review_changed', C: 'synced' },
    lost: 0,
    foreseen: 0,
  })
})

const knot = {
  A: [
    ['ada', 'cyd'],
    ['bob', 'cyd'],
  ],
  B: [['bob'], ['ada']],
  C: [['ada', 'dan'], ['dan']],
} satisfies Parameters<typeof worldOf>[0]

resting('groups that rest on one another are synced together, with those that rest on them', async ({ asks, ends, org, db }) => {
  const { run } = await asks(knot)
  await runSync(db, { orgId: org.id, runId: run })
  expect(await ends(run)).toEqual({ results: { A: 'synced', B: 'synced', C: 'synced' }, lost: 0, foreseen: 0 })
})

resting('of groups that rest on one another none is synced where one has changed', async ({ asks, pushes, ends, org, db }) => {
  const { run, stored } = await asks({
    ...knot,
    C: [['dan'], ['dan', 'bob']],
  })
  await pushes(stored, 'B', 'cyd')
  await runSync(db, { orgId: org.id, runId: run })
  expect(await ends(run)).toEqual({
    results: { A: 'skipped, review_changed', B: 'skipped, review_changed', C: 'synced' },
    lost: 0,
    foreseen: 0,
  })
})

test('a database that goes away fails no group: the run is gone on with', async ({
  database,
  org,
  starts,
  works,
  report,
  inOrg,
}) => {
  const run = await starts()
  const fragile = connect({ ...database.connection, maxConnections: 5, onIdleError: () => {} })
  fragile.pool.on('connect', (client) => void client.query("set application_name = 'fragile'"))
  let cut: Promise<unknown> | undefined
  const lost = runSync(
    fragile,
    { orgId: org.id, runId: run },
    {
      onGroup: () => {
        cut ??= inOrg((trx) =>
          sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fragile'`.execute(trx),
        )
      },
    },
  )
  await expect(lost).rejects.toThrow()
  await cut
  await fragile.close()
  expect(await report(run)).toMatchObject({ state: 'running', groups: { failed: 0 } })
  await works(run)
  expect(await report(run)).toMatchObject({ state: 'finished', groups: { synced: 40, failed: 0 } })
})

test('a run that has no job is ended by stopping it', async ({ api, starts, report }) => {
  const run = await starts()
  expect((await api('POST', `/runs/${run}/stop`)).status).toBe(200)
  await expect.poll(async () => (await report(run)).finishedAt, { timeout: 20_000, interval: 20 }).not.toBeNull()
  expect(await report(run)).toMatchObject({ state: 'stopped', groups: { synced: 0, skipped: 40 } })
})
