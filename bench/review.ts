import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { connect, type Reader, type Scope, type Trx } from '../src/database/connection.ts'
import { ownEmbedded } from '../src/database/embedded.ts'
import { type DirectoryId, newId, type OrgId, type ProvisionedGroupId } from '../src/database/ids.ts'
import { migrate } from '../src/database/migrate.ts'
import { inTransaction, planForSets, reading } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { effectOf } from '../src/review/effect.ts'
import { expectedInRun } from '../src/review/expected-in-run.ts'
import { listReviews, oneReview } from '../src/review/review.ts'
import { reviewHeadings } from '../src/review/summaries.ts'

// What a review costs: counts for every group beside the comparison of two tables, and one group of 100,000 members beside one of ten.

const { values } = parseArgs({
  options: { memberships: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '9' } },
})
const memberships = Number(values.memberships)
const runs = Number(values.runs)
const groupSize = 200
const accounts = 100_000

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
const embedded = await ownEmbedded({
  folder,
  settings: { fsync: 'off', synchronous_commit: 'off', shared_buffers: '512MB', max_wal_size: '4GB' },
})
try {
  await migrate(embedded.connection)
  const db = connect(embedded.connection)
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
  const directoryId = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: 'bench' })
    const { id } = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    await sql`set local statement_timeout = 0`.execute(trx)
    await planForSets(trx)
    await build(trx, id)
    return id
  })
  await inTransaction(db, scope, async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx)
    await planForSets(trx)
    await twoTables(trx)
  })
  await db.pool.query('analyze')
  const ask = <T>(work: (reader: Reader) => Promise<T>) =>
    reading(db, scope, async (reader) => {
      // The comparison takes longer than a statement may: let it.
      await sql`set local statement_timeout = 0`.execute(reader)
      return work(reader)
    })
  const [large, small] = await ask((reader) => bySize(reader))
  const times = await interleaved({
    counts: () => ask(keptCounts),
    headings: () => ask((reader) => reviewHeadings(reader, { directoryId, states: ['needs_review'] })),
    fullJoin: () => ask(fullJoin),
    except: () => ask(exceptBothWays),
    large: () => ask((reader) => oneReview(reader, large)),
    small: () => ask((reader) => oneReview(reader, small)),
    largeTogether: () => ask((reader) => effectOf(reader, [large])),
    smallTogether: () => ask((reader) => effectOf(reader, [small])),
    largeInRun: () => ask((reader) => expectedInRun(reader, { groupIds: [large], pending: [large] })),
    firstPage: () => ask((reader) => listReviews(reader, directoryId, {}, { limit: 30 })),
  })
  const comparison = Math.min(times.fullJoin, times.except)
  const line = (what: string, figure: string) => console.log(`${what.padEnd(64)} ${figure}`)
  const ms = (time: number) => `${time.toFixed(1)} ms`
  line(`${memberships.toLocaleString('en')} memberships, 2 % of them differences, groups of ${groupSize}`, '')
  line('counts of every group that differs, as a review reads them', ms(times.counts))
  line('the same by comparing two tables: full join', ms(times.fullJoin))
  line('the same by comparing two tables: except, both ways', ms(times.except))
  line('counts are faster than the faster comparison (goal: 50 times)', `${(comparison / times.counts).toFixed(0)} times`)
  line('all that a list sorts and filters every group by', ms(times.headings))
  line('review of one group of ten members, 10 differences', ms(times.small))
  line('review of one group of 100,000 members, 10 differences', ms(times.large))
  line('the large beside the small (goal: at most 3)', (times.large / times.small).toFixed(2))
  line('combined effect, the large beside the small (goal: at most 3)', (times.largeTogether / times.smallTogether).toFixed(2))
  line('what a run expects of the large one', ms(times.largeInRun))
  line('first page of the list, sorted by what is lost', ms(times.firstPage))
  await db.close()
} finally {
  await embedded.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** Every figure's median; one of each in turn, so that what else the machine does meets them alike. */
async function interleaved<Name extends string>(works: Record<Name, () => Promise<unknown>>): Promise<Record<Name, number>> {
  const names = Object.keys(works) as Name[]
  const times = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let run = -1; run < runs; run++) {
    for (const name of names) {
      const from = performance.now()
      await works[name]()
      // The first of each warms the cache.
      if (run >= 0) times.get(name)?.push(performance.now() - from)
    }
  }
  return Object.fromEntries(names.map((name) => [name, times.get(name)?.toSorted((a, b) => a - b)[runs >> 1]])) as Record<
    Name,
    number
  >
}

/** People in groups of 200, each group with access to one or two of 500 roles, one row in fifty different; a group of 100,000 and one of ten. */
async function build(trx: Trx, directoryId: DirectoryId): Promise<void> {
  const org = trx.orgId
  const groups = Math.round(memberships / groupSize)
  await sql`create temporary table account_numbers on commit drop as select n, gen_random_uuid() as id from generate_series(0, ${accounts - 1}::integer) n`.execute(
    trx,
  )
  await sql`create temporary table group_numbers on commit drop as select n, gen_random_uuid() as id from generate_series(0, ${groups + 1}::integer) n`.execute(
    trx,
  )
  await sql`create temporary table role_numbers on commit drop as select n, gen_random_uuid() as id, gen_random_uuid() as product_id from generate_series(0, 499) n`.execute(
    trx,
  )
  await sql`insert into accounts (org_id, id, user_name, user_name_key) select ${org}::uuid, id, 'person ' || n, 'person ' || n from account_numbers`.execute(
    trx,
  )
  await sql`insert into groups (org_id, id, name, name_key) select ${org}::uuid, id, 'group ' || n, 'group ' || n from group_numbers`.execute(
    trx,
  )
  const site = newId()
  await sql`insert into sites (org_id, id, name, name_key) values (${org}, ${site}, 'site', 'site')`.execute(trx)
  await sql`insert into products (org_id, id, site_id, name, name_key) select ${org}::uuid, product_id, ${site}::uuid, 'product ' || n, 'product ' || n from role_numbers`.execute(
    trx,
  )
  await sql`insert into product_roles (org_id, id, product_id, name, name_key, is_administrative)
    select ${org}::uuid, id, product_id, 'role', 'role', n % 10 = 0 from role_numbers`.execute(trx)
  await sql`insert into grants (org_id, group_id, role_id) select distinct ${org}::uuid, g.id, r.id
    from group_numbers g cross join generate_series(0, 1) k join role_numbers r on r.n = (g.n * 7 + k * 131) % 500 where k = 0 or g.n % 2 = 0`.execute(
    trx,
  )
  // Differences in one group of four, where there are 16 of 200: an organization changes in places.
  await sql`
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${org}::uuid, g.id, a.id, not (differs and k % 2 = 0), not (differs and k % 2 = 1)
    from group_numbers g cross join generate_series(0, ${groupSize - 1}::integer) k
    cross join lateral (select g.n % 4 = 0 and k < ${groupSize / 12.5}::integer as differs) d
    join account_numbers a on a.n = (g.n * 617 + k * 331) % ${accounts}::integer
    where g.n < ${groups}::integer`.execute(trx)
  await sql`
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${org}::uuid, g.id, a.id, not (a.n < 10 and a.n % 2 = 0), not (a.n < 10 and a.n % 2 = 1)
    from group_numbers g join account_numbers a on g.n = ${groups}::integer or a.n < 10 where g.n >= ${groups}::integer`.execute(
    trx,
  )
  await sql`
    update groups set member_count = members, add_count = to_add, remove_count = to_remove
    from (select group_id, count(*) filter (where effective) as members, count(*) filter (where pushed and not effective) as to_add,
      count(*) filter (where effective and not pushed) as to_remove from memberships where org_id = ${org} group by group_id) counted
    where groups.org_id = ${org} and groups.id = group_id`.execute(trx)
  await sql`
    insert into provisioned_groups (org_id, id, directory_id, name, name_key, group_id, state, reasons, members_written_at)
    select org_id, gen_random_uuid(), ${directoryId}::uuid, name, name_key, id, 'needs_review', '{name_taken}', now() from groups where org_id = ${org}`.execute(
    trx,
  )
}

/** The other way to keep two truths: a table each. */
async function twoTables(trx: Trx): Promise<void> {
  await sql`create table effective_members as select org_id, group_id, account_id from memberships where org_id = ${trx.orgId} and effective`.execute(
    trx,
  )
  await sql`create table pushed_members as select org_id, group_id, account_id from memberships where org_id = ${trx.orgId} and pushed`.execute(
    trx,
  )
  await sql`alter table effective_members add primary key (org_id, group_id, account_id)`.execute(trx)
  await sql`alter table pushed_members add primary key (org_id, group_id, account_id)`.execute(trx)
}

/** The same answer as the comparisons give, from the counts that a review's headings are read from. */
function keptCounts(reader: Reader) {
  return sql`
  select id as group_id, add_count as added, remove_count as removed from groups
  where org_id = ${reader.orgId} and (add_count > 0 or remove_count > 0)`.execute(reader)
}

function fullJoin(reader: Reader) {
  return sql`
  select coalesce(p.group_id, e.group_id) as group_id, count(*) filter (where e.account_id is null) as added, count(*) filter (where p.account_id is null) as removed
  from (select group_id, account_id from pushed_members where org_id = ${reader.orgId}) p
  full join (select group_id, account_id from effective_members where org_id = ${reader.orgId}) e using (group_id, account_id)
  where p.account_id is null or e.account_id is null
  group by 1`.execute(reader)
}

function exceptBothWays(reader: Reader) {
  return sql`
  select group_id, count(*) filter (where added) as added, count(*) filter (where not added) as removed
  from (
    (select group_id, account_id, true as added from pushed_members where org_id = ${reader.orgId}
      except all select group_id, account_id, true from effective_members where org_id = ${reader.orgId})
    union all
    (select group_id, account_id, false from effective_members where org_id = ${reader.orgId}
      except all select group_id, account_id, false from pushed_members where org_id = ${reader.orgId})
  ) d group by group_id`.execute(reader)
}

async function bySize(reader: Reader): Promise<[ProvisionedGroupId, ProvisionedGroupId]> {
  const { rows } = await sql<{ id: ProvisionedGroupId }>`
    select p.id from provisioned_groups p join groups o on o.org_id = p.org_id and o.id = p.group_id
    where p.org_id = ${reader.orgId} and o.add_count + o.remove_count = 10 order by o.member_count desc limit 2`.execute(reader)
  const [large, small] = rows
  if (!large || !small) throw new Error('There are two groups of ten differences.')
  return [large.id, small.id]
}
