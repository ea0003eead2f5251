import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { PoolClient } from 'pg'
import { type Db, lookUps, queriesOn, type Reader, type Scope, sendInOnePiece, sendUnnamed, type Trx } from './connection.ts'
import { sqlState } from './errors.ts'
import { type On, whileAwaited } from './recipient.ts'

/**
 * Runs `work` in one transaction of one organization, again on 40001, 40P01 (5 tries) and once on 23505,
 * so that a race for a name is judged afresh. Called at the entrances only (route, job); nothing in `work` may reach out.
 */
export async function inTransaction<T>(db: Db, scope: Scope, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await once(db, 'begin', scope, (queries) => work(queries as Trx))
    } catch (error) {
      await beforeAnotherTry(error, tries)
    }
  }
}

/**
 * Runs one statement that is a transaction of its own and sets its organization itself: a call of one of our functions
 * (migrations). Again on 40001, 40P01 and 23505, as `inTransaction`.
 */
export async function inOneStatement<Row extends object>(db: Db, text: string, values: unknown[]): Promise<Row[]> {
  for (let tries = 1; ; tries++) {
    try {
      return (await db.pool.query<Row>({ name: text, text, values })).rows
    } catch (error) {
      await beforeAnotherTry(error, tries)
    }
  }
}

/**
 * Runs queries that only read, as one snapshot of one organization, planned for the values they are called with.
 * @throws RecipientGone where who waits for the answer (`scope.recipient`) goes away meanwhile: the query is cancelled
 */
export function reading<T>(db: Db, scope: Scope, work: (reader: Reader) => Promise<T>): Promise<T> {
  return once(db, `begin transaction isolation level repeatable read read only; ${forReading}`, scope, (reader, on) =>
    whileAwaited(on, scope.recipient, () => work(reader)),
  )
}

/**
 * Runs queries that look something up by a key, each as a transaction of its own: half of what `reading` costs, which begins and
 * commits. They are planned once and look up by index; one that reads much belongs into `reading`.
 */
export function lookingUp<T>(db: Db, scope: Scope, work: (reader: Reader) => Promise<T>): Promise<T> {
  return work(lookUps(db.pool, scope))
}

/**
 * The same for what is soon over: look-ups that come while others are under way go down one connection, behind them. One process of the
 * database does them all, which need not be woken for each.
 */
export function lookingUpInLine(db: Db): <T>(scope: Scope, work: (reader: Reader) => Promise<T>) => Promise<T> {
  let open: { client: Promise<PoolClient>; underWay: number } | undefined
  return async (scope, work) => {
    open ??= { client: db.pool.connect(), underWay: 0 }
    const line = open
    line.underWay++
    try {
      return await work(lookUps(await line.client, scope))
    } catch (error) {
      // The connection may be broken: whoever comes next takes another.
      if (open === line) open = undefined
      throw error
    } finally {
      if (--line.underWay === 0) {
        if (open === line) open = undefined
        line.client.then((client) => client.release()).catch(() => {})
      }
    }
  }
}

// Undoes `byIndex` of connection.ts for this transaction.
const settingsForSets = { plan_cache_mode: 'auto', enable_hashjoin: 'on', enable_mergejoin: 'on' }
const forReading = Object.entries({ ...settingsForSets, enable_seqscan: 'on' })
  .map(([name, value]) => `set local ${name} = ${value}`)
  .join('; ')

/**
 * Has the next statements of this transaction planned for the values they are called with: for those over thousands of rows. Foreign keys
 * go on being checked by plans that are kept, and by index: were all plans forced to be new ones, each check of each row would be planned.
 */
export async function planForSets(trx: Trx): Promise<void> {
  sendUnnamed(trx)
  planAnew(trx).catch(() => {})
  await sql`
    select set_config(name, value, true)
    from jsonb_each_text(${JSON.stringify(settingsForSets)}::jsonb) as given(name, value)`.execute(trx)
}

/**
 * Has this connection make its plans anew, those of foreign keys and functions too. A kept plan is for tables as they were: for a nearly
 * empty one any index will do, and nobody tells it that 12,000 rows came since, until the table is next analyzed.
 */
export async function planAnew(trx: Trx): Promise<void> {
  await sql`discard plans`.execute(trx)
}

async function beforeAnotherTry(error: unknown, tries: number): Promise<void> {
  if (!worthAnotherTry(sqlState(error), tries)) throw error
  await sleep(20 + Math.random() * Math.min(480, 40 * 2 ** tries))
}

function worthAnotherTry(state: string | undefined, tries: number): boolean {
  if (state === '40001' || state === '40P01') return tries < 5
  return state === '23505' && tries < 2
}

async function once<T>(db: Db, begin: string, scope: Scope, work: (queries: Reader, on: On) => Promise<T>): Promise<T> {
  const client = await db.pool.connect()
  const { queries, end } = queriesOn(client, scope)
  let broken: Error | undefined
  try {
    // Sent in one piece with the first queries of `work`, not awaited before them: one round trip less, one wake-up for all.
    sendInOnePiece(client)
    const begun = client.query(`${begin}; set local muster.org_id = '${uuidOf(scope.orgId)}'`)
    begun.catch(() => {})
    const result = await work(queries, { pool: db.pool, client, end })
    end()
    await begun
    const { command } = await client.query('commit')
    // A pipelined transaction whose statement failed unseen resolves its commit as a rollback.
    if (command === 'ROLLBACK')
      throw new Error('The transaction was rolled back: a statement failed, and its error was caught or not awaited.')
    return result
  } catch (error) {
    end()
    broken = await rollback(client)
    throw error
  } finally {
    client.release(broken)
  }
}

async function rollback(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback')
  } catch (error) {
    return error as Error
  }
}

// The one value that goes into SQL as text: it is checked, not trusted.
function uuidOf(orgId: string): string {
  if (!/^[0-9a-f-]{36}$/.test(orgId)) throw new Error('An organization id is a UUID.')
  return orgId
}
