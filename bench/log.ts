import { sql } from 'kysely'
import { checkExport } from '../src/client/log-export.ts'
import { inTransaction, reading } from '../src/database/transaction.ts'
import { createApiToken } from '../src/organization/api-tokens.ts'
import { checkSeals } from '../src/organization/seal-check.ts'
import { sealLog } from '../src/organization/seal-log.ts'
import { type BenchOrganization, withBenchOrganization } from './organization.ts'

// What seals cost: a million entries as pushes write them (one to three members, some of a thousand) sealed, checked by the server, exported
// over HTTP and verified off-line, beside one statement of SQL that hashes as many texts as they are.

const count = Number(process.argv[2] ?? 1_000_000)

await withBenchOrganization({ scimRate: 0 }, async (bench) => {
  await seed(bench)
  const { db, scope } = bench
  const begunWith = residentMb()
  await timed(`sealed`, () => sealLog(db, [scope], { patienceMs: 60_000 }))
  await timed(`the same hashes by one statement`, () => bareHashes(bench))
  await timed(`checked by the server`, async () => {
    for (let next: number | null = 0; next !== null; ) {
      const check = await reading(db, scope, (reader) => checkSeals(reader, next ?? 0))
      if (check.fault) throw new Error(check.fault.text)
      next = check.next
    }
  })
  await timed(`exported over HTTP and verified off-line`, async () => {
    const check = await checkExport(lines(bench))
    if (check.fault || check.entries < count) throw new Error(check.fault?.text ?? 'Entries are missing.')
  })
  console.log(
    `this process: ${begunWith} MB resident before, ${residentMb()} MB after, ${Math.round(process.resourceUsage().maxRSS / 1_024)} MB at most`,
  )
})

async function seed({ db, scope, directory }: BenchOrganization): Promise<void> {
  await inTransaction(db, scope, async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx)
    await sql`
      insert into log_entries (org_id, actor, directory_id, request_id, action, subject, facts, added, pushed_added)
      select ${trx.orgId}, 'directory:bench', ${directory.id}, gen_random_uuid()::text, 'members.pushed', gen_random_uuid(), '{}', members, members
      from generate_series(1, ${count}::integer) as n,
        lateral (select array_agg(gen_random_uuid()) as members from generate_series(1, case when n % 10000 = 0 then 1000 else 1 + n % 3 end)) as m`.execute(
      trx,
    )
  })
  await db.pool.query('vacuum analyze log_entries')
}

// What must be paid whoever does it: a hash of the bytes of each row.
async function bareHashes({ db, scope }: BenchOrganization): Promise<void> {
  await inTransaction(db, scope, async (trx) => {
    await sql`set local statement_timeout = 0`.execute(trx)
    await sql`select sum(length(sha256(convert_to(l::text, 'UTF8')))) from log_entries l where org_id = ${trx.orgId}`.execute(trx)
  })
}

async function* lines({ db, scope, url }: BenchOrganization): AsyncIterable<string> {
  const { secret } = await inTransaction(db, scope, (trx) => createApiToken(trx, { name: 'bench', role: 'auditor' }, 'owner'))
  const response = await fetch(`${url}/api/v1/audit/export`, { headers: { authorization: `Bearer ${secret}` } })
  if (!response.body) throw new Error('There is no export.')
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1_000
  console.log(
    `${count.toLocaleString('en')} entries ${what}: ${seconds.toFixed(1)} s, ${Math.round(count / seconds).toLocaleString('en')} a second`,
  )
}

function residentMb(): number {
  return Math.round(process.memoryUsage().rss / 1_048_576)
}
