import { fork } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { sql } from 'kysely'
import { type AccountId, type GroupId, newId, type ProvisionedGroupId, type ProvisionedUserId } from '../src/database/ids.ts'
import { inTransaction } from '../src/database/transaction.ts'
import { any, type BenchOrganization, ids, median, ratio, withBenchOrganization } from './organization.ts'

// What a push costs: one member added and removed in groups of 10, 1,000 and 100,000; 1,000 members in one PATCH; and requests a
// second against a bare handler (Fastify, pg, one upsert, no rules), all over HTTP, in turn, in one run.

const sizes = [10, 1_000, 100_000]
const rounds = Number(process.argv[2] ?? 5)
const seconds = 2
const people = 100_000

interface Seeded {
  users: ProvisionedUserId[]
  groups: { id: ProvisionedGroupId; size: number }[]
  small: ProvisionedGroupId[]
}

await withBenchOrganization({ scimRate: 0 }, async (bench) => {
  const seeded = await seed(bench)
  const bare = await startBare(bench)
  try {
    await sizesAlike(bench, seeded)
    await thousandAtOnce(bench, seeded)
    await againstBare(bench, seeded, bare.url)
  } finally {
    bare.stop()
  }
})

/** Synced groups: three of the sizes, and a thousand of ten members, filled by SQL, their counts with them. */
async function seed({ db, scope, directory }: BenchOrganization): Promise<Seeded> {
  const accounts = ids<AccountId>(people)
  const users = ids<ProvisionedUserId>(people)
  const groups = [...sizes, ...Array.from({ length: 1_000 }, () => 10)].map((size) => ({
    id: newId<ProvisionedGroupId>(),
    groupId: newId<GroupId>(),
    size,
  }))
  await inTransaction(db, scope, async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx)
    await sql`insert into accounts (org_id, id, user_name, user_name_key, owned_by)
      select ${trx.orgId}, id, id::text, id::text, ${directory.id} from unnest(${accounts}::uuid[]) as id`.execute(trx)
    await sql`insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, attributes, account_id, matched_by, state)
      select ${trx.orgId}, id, ${directory.id}, id::text, id::text, '{}', account, 'created', 'synced'
      from unnest(${users}::uuid[], ${accounts}::uuid[]) as given(id, account)`.execute(trx)
    await sql`insert into groups (org_id, id, name, name_key, managed_by, member_count)
      select ${trx.orgId}, id, id::text, id::text, ${directory.id}, size
      from unnest(${groups.map((group) => group.groupId)}::uuid[], ${groups.map((group) => group.size)}::integer[]) as given(id, size)`.execute(
      trx,
    )
    await sql`insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state)
      select ${trx.orgId}, id, ${directory.id}, "group"::text, "group"::text, "group", 'synced'
      from unnest(${groups.map((group) => group.id)}::uuid[], ${groups.map((group) => group.groupId)}::uuid[]) as given(id, "group")`.execute(
      trx,
    )
    await sql`insert into memberships (org_id, group_id, account_id, pushed, effective)
      select ${trx.orgId}, "group", account, true, true
      from unnest(${groups.map((group) => group.groupId)}::uuid[], ${groups.map((group) => group.size)}::integer[]) as given("group", size),
        lateral unnest((${accounts}::uuid[])[1:size]) as account`.execute(trx)
  })
  await db.pool.query('vacuum analyze')
  return { users, groups: groups.slice(0, sizes.length), small: groups.slice(sizes.length).map((group) => group.id) }
}

async function sizesAlike(bench: BenchOrganization, { users, groups }: Seeded): Promise<void> {
  const perRequest = new Map<number, number[]>(sizes.map((size) => [size, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const { id, size } of groups) {
      const rate = await load(bench.url, bench.token, {
        connections: 1,
        requests: () => toggles(id, [users[0] as ProvisionedUserId]),
      })
      if (round > 0) perRequest.get(size)?.push(1_000 / rate)
    }
  }
  const [first, ...others] = sizes.map((size) => ({ size, ms: median(perRequest.get(size) ?? []) }))
  if (!first) return
  console.log(`one member added or removed, group of ${first.size}: ${first.ms.toFixed(2)} ms`)
  for (const { size, ms } of others)
    console.log(
      `  group of ${size.toLocaleString('en')}: ${ms.toFixed(2)} ms, ${ratio(ms, first.ms)} times of ${first.size} (goal at most 1.2)`,
    )
}

async function thousandAtOnce(bench: BenchOrganization, { users, groups }: Seeded): Promise<void> {
  const group = groups.at(-1)
  if (!group) return
  const thousand = await load(bench.url, bench.token, {
    connections: 1,
    requests: () => toggles(group.id, users.slice(0, 1_000)),
  })
  const single = await load(bench.url, bench.token, { connections: 1, requests: () => toggles(group.id, users.slice(0, 1)) })
  console.log(`1,000 members in one PATCH: ${(1_000 / thousand).toFixed(1)} ms, ${ratio(single, thousand)} times of one member's`)
}

async function againstBare(bench: BenchOrganization, { users, small }: Seeded, bareUrl: string): Promise<void> {
  const pushed: number[] = []
  const bare: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const requests = () => Array.from({ length: 500 }, () => toggles(any(small), [any(users)])).flat()
    const [bareRate, pushRate] = [
      await load(bareUrl, bench.token, { connections: 8, requests }),
      await load(bench.url, bench.token, { connections: 8, requests }),
    ]
    if (round === 0) continue
    bare.push(bareRate)
    pushed.push(pushRate)
  }
  console.log(
    `8 connections: ${median(pushed).toFixed(0)} pushes a second, bare handler ${median(bare).toFixed(0)}: ${ratio(median(pushed), median(bare))} of it (goal at least 0.5)`,
  )
}

/** Adds and removes the same people by turns, so that every request changes something. */
function toggles(group: ProvisionedGroupId, members: ProvisionedUserId[]): { method: 'PATCH'; path: string; body: string }[] {
  return ['remove', 'add'].map((op) => ({
    method: 'PATCH' as const,
    path: `/scim/v2/Groups/${group}`,
    body: JSON.stringify({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op, path: 'members', value: members.map((value) => ({ value })) }],
    }),
  }))
}

async function load(
  url: string,
  token: string,
  { connections, requests }: { connections: number; requests: () => autocannon.Request[] },
): Promise<number> {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    // Each connection has requests of its own: with one list they would all be at the same group at once.
    setupClient: (client) => client.setRequests(requests()),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
  })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were no 2xx, ${result.errors} requests failed.`)
  return result['2xx'] / result.duration
}

/** The bare handler in a process of its own, as the server is. */
async function startBare({ connection, scope, directory }: BenchOrganization): Promise<{ url: string; stop(): void }> {
  const child = fork(new URL('./bare-handler.ts', import.meta.url), [
    JSON.stringify({ connection, orgId: scope.orgId, directoryId: directory.id }),
  ])
  const [url] = (await once(child, 'message')) as [string]
  return { url, stop: () => child.kill() }
}
