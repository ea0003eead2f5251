import { join } from 'node:path'
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { connect, type Db } from '../../src/database/connection.ts'
import { visitEmbedded } from '../../src/database/embedded.ts'
import { newId, type OrgId } from '../../src/database/ids.ts'
import { readPostmaster } from '../../src/database/postmaster.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { createApiToken } from '../../src/organization/api-tokens.ts'
import { createOrganization } from '../../src/organization/organizations.ts'
import { createDirectory } from '../../src/provisioning/directories.ts'
import { storeWorld } from '../review/stored-world.ts'
import { clientOf } from '../support/clients.ts'
import { dataFolder, type Program, runProgram } from '../support/programs.ts'
import { reviewedGroups, sampleWorld } from '../support/reference.ts'
import { selectionOf, syncing } from '../sync/syncing.ts'

// The real server with a data folder of its own, which is crashed while it syncs all of kubernetes-org: it or its PostgreSQL.

/** How many moments each; `MOMENTS=50 npx vitest run test/faults/sync-crashes.test.ts` for a long run. */
const moments = Number(process.env.MOMENTS ?? 2)
const world = sampleWorld()
const total = reviewedGroups(world).length
const timeout = 60_000 + moments * 60_000

test('the server is killed at any moment of a sync of all: the end is that of one that was left alone', { timeout }, async () => {
  const muster = await startMuster()
  await atEachMoment(muster, async () => {
    await muster.server.end('SIGKILL')
    muster.server = serve(muster.folder)
  })
})

test('PostgreSQL is stopped at once at any moment of it: the server goes on by itself, to the same end', {
  timeout,
}, async () => {
  const muster = await startMuster()
  await atEachMoment(muster, async () => {
    process.kill(readPostmaster(join(muster.folder, 'postgres'))?.pid ?? 0, 'SIGQUIT')
  })
  expect(muster.server.printed()).toContain('PostgreSQL ended unexpectedly')
})

interface Muster {
  folder: string
  server: Program
  db: Db
}

async function startMuster(): Promise<Muster> {
  const folder = dataFolder()
  const server = serve(folder)
  await urlOf(server)
  const { connection } = await visitEmbedded({ folder })
  const db = connect(connection)
  onTestFinished(() => db.close())
  return { folder, server, db }
}

const serve = (folder: string) =>
  runProgram('src/cli/main.ts', ['serve'], { MUSTER_DATA: folder, PORT: '0', LOG_LEVEL: 'error', MUSTER_SCIM_RATE: '0' })
const urlOf = async (server: Program) => (await server.says(/ listens on /)).replace(/^.* listens on /, '')

/** Crashes when so many groups were done, each time in an organization of its own. */
async function atEachMoment(muster: Muster, crash: () => Promise<void>): Promise<void> {
  const untouched = await syncAll(muster, total + 1, async () => {})
  expect(untouched.run).toMatchObject({ state: 'finished', groups: { total, synced: total } })
  for (const done of fc.sample(fc.integer({ min: 0, max: total }), moments))
    expect([done, await syncAll(muster, done, crash)]).toEqual([done, untouched])
}

async function syncAll(muster: Muster, crashAt: number, crash: () => Promise<void>) {
  const { db } = muster
  const scope = { orgId: newId<OrgId>(), actor: 'token:tests' }
  const { token, directory } = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: `org-${scope.orgId}` })
    const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    await storeWorld(trx, world, id)
    return { token: (await createApiToken(trx, { name: 'tests', role: 'owner' }, 'owner')).secret, directory: id }
  })
  const api = async () => clientOf(`${await urlOf(muster.server)}/api/v1`, 'application/json', token)
  const { fingerprint } = await syncing(await api(), directory).effectOf('all')
  const asked = { selection: selectionOf('all'), fingerprint, acceptEmpty: true }
  const { status, body } = await (await api())('POST', `/directories/${directory}/runs`, asked)
  expect(status, JSON.stringify(body)).toBe(202)
  while ((await groupsDone(db, scope.orgId)) < Math.min(crashAt, total));
  await crash()
  // Within a minute and by itself; until it is back, nobody answers.
  const isOver = async () => (await (await api())('GET', `/runs/${body.id}`)).body.finishedAt
  await expect.poll(() => isOver().catch(() => null), { timeout: 60_000, interval: 50 }).toEqual(expect.any(String))
  const { body: run } = await (await api())('GET', `/runs/${body.id}`)
  const { body: groups } = await (await api())('GET', `/runs/${body.id}/groups?limit=0`)
  const { state, groups: counts, members, access } = run
  return {
    run: { state, groups: counts, members, access },
    groups: groups.items.map(whatBecame).sort(),
    ...(await leftIn(db, scope)),
  }
}

const whatBecame = ({ group, id, finishedAt, ...rest }: { group: { name: string }; id?: string; finishedAt?: string }) =>
  JSON.stringify([group.name, rest])

async function groupsDone(db: Db, orgId: OrgId): Promise<number> {
  return reading(db, { orgId, actor: 'system' }, async (reader) => {
    const { rows } = await sql<{ done: number }>`
      select count(*)::integer as done from run_groups where org_id = ${orgId} and result is not null`.execute(reader)
    return rows[0]?.done ?? 0
  })
}

/** Members in both truths, states, and every entry of the log, by name: the same in any organization with this world. */
async function leftIn(db: Db, scope: { orgId: OrgId; actor: string }) {
  const org = scope.orgId
  return reading(db, scope, async (reader) => {
    const { rows } = await sql<Record<'members' | 'states' | 'log', string[]>>`
      with people as materialized (select id, user_name from accounts where org_id = ${org}),
      named as materialized (
        select id, name from groups where org_id = ${org} union all select id, name from provisioned_groups where org_id = ${org}
      )
      select
        array(select concat_ws('|', g.name, p.user_name, m.pushed, m.effective) from memberships m
          join named g on g.id = m.group_id join people p on p.id = m.account_id where m.org_id = ${org} order by 1) as members,
        array(select concat_ws('|', p.name, p.state, p.reasons::text, g.name, g.member_count, g.add_count, g.remove_count)
          from provisioned_groups p join groups g on g.org_id = ${org} and g.id = p.group_id where p.org_id = ${org} order by 1) as states,
        array(select concat_ws('|', l.action, n.name,
            (select string_agg(user_name, ',' order by user_name) from people where id = any(l.added)), '-',
            (select string_agg(user_name, ',' order by user_name) from people where id = any(l.removed)))
          from log_entries l left join named n on n.id::text = l.subject::text where l.org_id = ${org} order by 1) as log`.execute(
      reader,
    )
    return rows[0]
  })
}
