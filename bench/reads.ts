import { fork } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { sql } from 'kysely'
import { type AccountId, type GroupId, newId, type ProvisionedGroupId, type ProvisionedUserId } from '../src/database/ids.ts'
import { inTransaction } from '../src/database/transaction.ts'
import { any, type BenchOrganization, ids, median, ratio, withBenchOrganization } from './organization.ts'
import { microseconds } from './processor-time.ts'

// What a read costs: a user by id and by userName among 150,000, and a group by its name, against a bare handler (Fastify, pg, one
// prepared select by primary key, JSON), over HTTP, in turn, in one run. Beside the rates the processor time of a request: of server, client
// and database.

const rounds = Number(process.argv[2] ?? 7)
const seconds = 1
const people = 150_000
const groupCount = 1_000
const membersPerGroup = people / 200

await withBenchOrganization({ scimRate: 0 }, async (bench) => {
  const { users, groups } = await seed(bench)
  const bare = await startBare(bench)
  try {
    const name = encodeURIComponent
    const ways: [what: string, paths: () => string, bare: () => string][] = [
      ['user by id', () => `/Users/${any(users)}`, () => `/Users/${any(users)}`],
      [
        'user by userName',
        () => `/Users?filter=${name(`userName eq "${any(users)}@example.org"`)}`,
        () => `/Users/${any(users)}`,
      ],
      ['group by id, without members', () => `/Groups/${any(groups)}?excludedAttributes=members`, () => `/Users/${any(users)}`],
      [
        'group by displayName, without members',
        () => `/Groups?excludedAttributes=members&filter=${name(`displayName eq "${any(groups)}"`)}`,
        () => `/Users/${any(users)}`,
      ],
    ]
    for (const [what, ours, theirs] of ways) {
      await mustFind(bench, ours())
      const found: { bare: Load; muster: Load }[] = []
      for (let round = 0; round <= rounds; round++) {
        const one = { bare: await load(bench, bare, theirs), muster: await load(bench, bench, ours) }
        if (round > 0) found.push(one)
      }
      const middle = (of: (one: { bare: Load; muster: Load }) => number) => median(found.map(of))
      const [rate, bareRate] = [middle((one) => one.muster.rate), middle((one) => one.bare.rate)]
      const [us, bareUs] = [middle((one) => one.muster.us), middle((one) => one.bare.us)]
      console.log(
        `${what}: ${rate.toFixed(0)} a second, ${us.toFixed(0)} us; bare handler ${bareRate.toFixed(0)}, ${bareUs.toFixed(0)} us: ${ratio(rate, bareRate)} of its rate (goal at least 0.5), ${ratio(bareUs, us)} by processor time`,
      )
    }
  } finally {
    bare.stop()
  }
})

async function seed({ db, scope, directory }: BenchOrganization) {
  const accounts = ids<AccountId>(people)
  const users = ids<ProvisionedUserId>(people)
  const groups = Array.from({ length: groupCount }, () => ({ id: newId<ProvisionedGroupId>(), groupId: newId<GroupId>() }))
  await inTransaction(db, scope, async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx)
    await sql`insert into accounts (org_id, id, user_name, user_name_key, owned_by)
      select ${trx.orgId}, id, id::text, id::text, ${directory.id} from unnest(${accounts}::uuid[]) as id`.execute(trx)
    await sql`insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, external_id, attributes, account_id, matched_by, state)
      select ${trx.orgId}, id, ${directory.id}, id || '@example.org', id || '@example.org', 'x' || id,
        jsonb_build_object('displayName', 'Person ' || n, 'name', jsonb_build_object('givenName', 'Person', 'familyName', n::text),
          'emails', jsonb_build_array(jsonb_build_object('type', 'work', 'value', id || '@example.org', 'primary', true)), 'title', 'Engineer'),
        account, 'created', 'synced'
      from unnest(${users}::uuid[], ${accounts}::uuid[]) with ordinality as given(id, account, n)`.execute(trx)
    await sql`insert into groups (org_id, id, name, name_key, managed_by, member_count)
      select ${trx.orgId}, id, id::text, id::text, ${directory.id}, ${membersPerGroup}::int from unnest(${groups.map((group) => group.groupId)}::uuid[]) as id`.execute(
      trx,
    )
    await sql`insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state)
      select ${trx.orgId}, id, ${directory.id}, id::text, id::text, "group", 'synced'
      from unnest(${groups.map((group) => group.id)}::uuid[], ${groups.map((group) => group.groupId)}::uuid[]) as given(id, "group")`.execute(
      trx,
    )
    // Each person is in five groups.
    await sql`insert into memberships (org_id, group_id, account_id, pushed, effective)
      select ${trx.orgId}, (${groups.map((group) => group.groupId)}::uuid[])[1 + (n * 5 + k) % ${groupCount}::int], account, true, true
      from unnest(${accounts}::uuid[]) with ordinality as given(account, n), generate_series(0, 4) k`.execute(trx)
    await sql`create table bare_users (like provisioned_users including indexes)`.execute(trx)
    await sql`insert into bare_users select * from provisioned_users`.execute(trx)
  })
  await db.pool.query('vacuum analyze')
  return { users, groups: groups.map((group) => group.id) }
}

// A look-up that finds nothing is cheap.
async function mustFind({ url, token }: BenchOrganization, path: string): Promise<void> {
  const answer = await fetch(`${url}/scim/v2${path}`, { headers: { authorization: `Bearer ${token}` } })
  const text = await answer.text()
  if (!text.includes('"id":')) throw new Error(`${path} found nothing: ${answer.status} ${text}`)
}

interface Load {
  /** Requests a second. */
  rate: number
  /** Processor time of one. */
  us: number
}

async function load(
  bench: BenchOrganization,
  { url, pid }: { url: string; pid: number | undefined },
  path: () => string,
): Promise<Load> {
  const before = microseconds([pid, process.pid], bench.connection.host)
  const result = await autocannon({
    url,
    connections: 8,
    duration: seconds,
    setupClient: (client) =>
      client.setRequests(Array.from({ length: 500 }, () => ({ method: 'GET', path: `/scim/v2${path()}` }))),
    headers: { authorization: `Bearer ${bench.token}` },
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were no 2xx, ${result.errors} requests failed.`)
  return {
    rate: result['2xx'] / result.duration,
    us: (microseconds([pid, process.pid], bench.connection.host) - before) / result['2xx'],
  }
}

/** The bare handler in a process of its own, as the server is. */
async function startBare({
  connection,
  scope,
}: BenchOrganization): Promise<{ url: string; pid: number | undefined; stop(): void }> {
  const child = fork(new URL('./bare-reads.ts', import.meta.url), [JSON.stringify({ connection, orgId: scope.orgId })])
  const [url] = (await once(child, 'message')) as [string]
  return { url, pid: child.pid, stop: () => child.kill() }
}
