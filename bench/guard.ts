import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { sql } from 'kysely'
import type { PoolClient } from 'pg'
import {
  type AccountId,
  type GroupId,
  newId,
  type ProvisionedGroupId,
  type ProvisionedUserId,
  type RoleId,
} from '../src/database/ids.ts'
import { inTransaction } from '../src/database/transaction.ts'
import { type BenchOrganization, ids, median, withBenchOrganization } from './organization.ts'

// What the guard costs a push of one member: PATCH over HTTP at one connection, against the same server with the two functions of the database
// as they were before the guard (migrations 0016 and 0021), on the same rows, by turns, in one run; and the function alone.

const size = 1_000
const rounds = Number(process.argv[2] ?? 15)
const toggles = 150
const seconds = 1

const inFile = (file: string, name: string) => {
  const text = readFileSync(new URL(`../src/database/migrations/${file}`, import.meta.url), 'utf8')
  const found = new RegExp(`create (?:or replace )?function ${name}\\([\\s\\S]*?end \\$\\$`).exec(text)?.[0]
  if (found === undefined) throw new Error(`${name} is not in ${file}.`)
  return found
}
const replacing = (text: string) => text.replace(/^create function/, 'create or replace function')
// The two functions as they were before the guard, under other names; and the bodies by which one or the other is what a PATCH calls.
const before = [inFile('0021-what-waits.ts', 'change_memberships'), inFile('0016-users-and-pushes.ts', 'push_members')].map(
  (text) => text.replaceAll(/\b(push_members|change_memberships)\(/g, '$1_before('),
)
const guardedBody = replacing(inFile('0030-guard.ts', 'push_members'))
const unguardedBody = replacing(inFile('0016-users-and-pushes.ts', 'push_members')).replaceAll(
  'change_memberships(',
  'change_memberships_before(',
)

interface Pushed {
  id: ProvisionedGroupId
  users: ProvisionedUserId[]
}

await withBenchOrganization({ scimRate: 0 }, async (bench) => {
  const { plain, administrative } = await seed(bench)
  for (const statement of before) await bench.db.pool.query(statement)
  await bench.db.pool.query('vacuum analyze')
  const client = await bench.db.pool.connect()
  try {
    for (const [what, group] of [
      ['a group', plain],
      ['a group with an administrative role', administrative],
    ] as const) {
      await compare(`PATCH of one member of ${what}`, async (guarded) => {
        await client.query(guarded ? guardedBody : unguardedBody)
        return patched(bench, group)
      })
      await client.query(guardedBody)
      await compare(`  the function alone`, (guarded) =>
        called(client, bench, guarded ? 'push_members' : 'push_members_before', group),
      )
    }
  } finally {
    client.release()
  }
})

async function compare(what: string, measure: (guarded: boolean) => Promise<number>): Promise<void> {
  const figures: { with: number; without: number }[] = []
  for (let round = 0; round <= rounds; round++) {
    const [first, second] = [await measure(round % 2 === 0), await measure(round % 2 === 1)]
    if (round > 0) figures.push(round % 2 === 0 ? { with: first, without: second } : { with: second, without: first })
  }
  const of = (pick: (figure: { with: number; without: number }) => number) => median(figures.map(pick))
  console.log(
    `${what}: ${of((figure) => figure.with).toFixed(3)} ms, before the guard ${of((figure) => figure.without).toFixed(3)} ms: ${of((figure) => figure.with / figure.without).toFixed(3)} times (goal at most 1.10)`,
  )
}

/** Milliseconds a PATCH. */
async function patched({ url, token }: BenchOrganization, { id, users }: Pushed): Promise<number> {
  const requests = users.slice(0, 200).flatMap((value) =>
    ['remove', 'add'].map((op) => ({
      method: 'PATCH' as const,
      path: `/scim/v2/Groups/${id}`,
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op, path: 'members', value: [{ value }] }],
      }),
    })),
  )
  const result = await autocannon({
    url,
    connections: 1,
    duration: seconds,
    requests,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
  })
  if (result.non2xx > 0 || result.errors > 0) throw new Error('Not every push was done.')
  return (result.duration * 1_000) / result['2xx']
}

/** Milliseconds a push, members taken and given by turns. */
async function called(
  client: PoolClient,
  { scope, directory }: BenchOrganization,
  name: string,
  { id, users }: Pushed,
): Promise<number> {
  const text = `select ${name}($1, 'bench', $2, $3, '{null}', '{1}', $4, $5) as done`
  const start = performance.now()
  for (let n = 0; n < toggles; n++) {
    const values = [scope.orgId, directory.id, [id], [users[n >> 1]], [n % 2 === 1]]
    const { rows } = await client.query<{ done: boolean[] }>({ name, text, values })
    if (rows[0]?.done[0] !== true) throw new Error('A push was left to the general way.')
  }
  return (performance.now() - start) / toggles
}

/** Two synced groups, one with an administrative role of which there are other holders. */
async function seed({ db, scope, directory }: BenchOrganization): Promise<{ plain: Pushed; administrative: Pushed }> {
  const accounts = ids<AccountId>(size)
  const users = ids<ProvisionedUserId>(size)
  const groups = ['plain', 'administrative'].map((name) => ({ name, id: newId<ProvisionedGroupId>(), groupId: newId<GroupId>() }))
  const [site, product, role] = [newId(), newId(), newId<RoleId>()]
  await inTransaction(db, scope, async (trx) => {
    await sql`insert into accounts (org_id, id, user_name, user_name_key, owned_by)
      select ${trx.orgId}, id, id::text, id::text, ${directory.id} from unnest(${accounts}::uuid[]) as id`.execute(trx)
    await sql`insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, attributes, account_id, matched_by, state)
      select ${trx.orgId}, id, ${directory.id}, id::text, id::text, '{}', account, 'created', 'synced'
      from unnest(${users}::uuid[], ${accounts}::uuid[]) as given(id, account)`.execute(trx)
    for (const { name, id, groupId } of groups) {
      await sql`insert into groups (org_id, id, name, name_key, managed_by, member_count)
        values (${trx.orgId}, ${groupId}, ${name}, ${name}, ${directory.id}, ${size})`.execute(trx)
      await sql`insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state)
        values (${trx.orgId}, ${id}, ${directory.id}, ${name}, ${name}, ${groupId}, 'synced')`.execute(trx)
      await sql`insert into memberships (org_id, group_id, account_id, pushed, effective)
        select ${trx.orgId}, ${groupId}, account, true, true from unnest(${accounts}::uuid[]) as account`.execute(trx)
    }
    await sql`insert into sites (org_id, id, name, name_key) values (${trx.orgId}, ${site}, 'site', 'site')`.execute(trx)
    await sql`insert into products (org_id, id, site_id, name, name_key) values (${trx.orgId}, ${product}, ${site}, 'product', 'product')`.execute(
      trx,
    )
    await sql`insert into product_roles (org_id, id, product_id, name, name_key, is_administrative)
      values (${trx.orgId}, ${role}, ${product}, 'admin', 'admin', true)`.execute(trx)
    await sql`insert into grants (org_id, group_id, role_id) values (${trx.orgId}, ${groups[1]?.groupId}, ${role})`.execute(trx)
  })
  const [plain, administrative] = groups.map(({ id }) => ({ id, users }))
  return { plain: plain as Pushed, administrative: administrative as Pushed }
}
