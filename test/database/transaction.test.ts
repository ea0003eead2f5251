import { sql } from 'kysely'
import { connect, type Db, type Reader, type Scope, type Trx } from '../../src/database/connection.ts'
import { sqlState } from '../../src/database/errors.ts'
import { type AccountId, newId } from '../../src/database/ids.ts'
import { inTransaction, lookingUp, planForSets, reading } from '../../src/database/transaction.ts'
import { createOrganization } from '../../src/organization/organizations.ts'
import { expect, test } from '../support/world.ts'

test('a query that forgets the organization finds only its own', async ({ db, org, second, inOrg }) => {
  await inOrg((trx) => addAccount(trx, 'ada'))
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('user_name').execute())).toEqual([{ user_name: 'ada' }])
  expect(
    await reading(db, second, (reader) => reader.selectFrom('accounts').select('user_name').orderBy('user_name').execute()),
  ).toEqual([{ user_name: 'ada' }, { user_name: 'bob' }, { user_name: 'cyd' }])
  expect(
    await reading(db, { ...org.scope, orgId: newId() }, (reader) => reader.selectFrom('accounts').select('id').execute()),
  ).toEqual([])
})

test('a look-up is a transaction of its own, of one organization, and keeps its order', async ({ db, org, second, inOrg }) => {
  await inOrg((trx) => Promise.all(['bob', 'ada', 'cyd'].map((name) => addAccount(trx, name))))
  const names = (reader: Reader) => reader.selectFrom('accounts').select('user_name').orderBy('user_name', 'desc').execute()
  const both = await Promise.all(
    Array.from({ length: 20 }, (_none, at) => lookingUp(db, at % 2 === 0 ? org.scope : { ...org.scope, orgId: newId() }, names)),
  )
  const ours = ['cyd', 'bob', 'ada'].map((name) => ({ user_name: name }))
  expect(both).toEqual(Array.from({ length: 20 }, (_none, at) => (at % 2 === 0 ? ours : [])))
  // The organization is set by the look-up itself: to ask for another one's rows finds nothing.
  await lookingUp(db, org.scope, async (reader) =>
    expect(await reader.selectFrom('accounts').select('id').where('org_id', '=', second.orgId).execute()).toEqual([]),
  )
  const after = await Promise.all(Array.from({ length: 20 }, () => db.pool.query('select count(*)::int as n from accounts')))
  expect(after.flatMap(({ rows }) => rows)).toEqual(Array.from({ length: 20 }, () => ({ n: 0 })))
})

test('without a transaction, and so without an organization, every table is empty', async ({ db }) => {
  const { rows } = await db.pool.query(
    'select (select count(*)::int from accounts) as accounts, (select count(*)::int from memberships) as memberships',
  )
  expect(rows).toEqual([{ accounts: 0, memberships: 0 }])
})

test('rows of another organization can be neither changed nor deleted nor written', async ({ second, inOrg }) => {
  const updated = await inOrg((trx) =>
    trx.updateTable('groups').set({ name: 'Ours' }).where('org_id', '=', second.orgId).executeTakeFirst(),
  )
  expect(updated.numUpdatedRows).toBe(0n)
  const deleted = await inOrg((trx) => trx.deleteFrom('memberships').where('org_id', '=', second.orgId).executeTakeFirst())
  expect(deleted.numDeletedRows).toBe(0n)
  await expect(inOrg((trx) => addAccount(trx, 'eve', second))).rejects.toMatchObject({ code: '42501' })
})

test('the organization of one transaction is not left behind on its connection', async ({ db, inOrg }) => {
  await inOrg((trx) => addAccount(trx, 'ada'))
  const counts = await Promise.all(Array.from({ length: 20 }, () => db.pool.query('select count(*)::int as n from accounts')))
  expect(counts.flatMap(({ rows }) => rows)).toEqual(Array.from({ length: 20 }, () => ({ n: 0 })))
})

test('what cannot be serialized (40001) is done again, and then counts', async ({ database, db, org, inOrg }) => {
  await inOrg((trx) => addAccount(trx, 'ada'))
  // As an operator may set it; connections made from now on have it.
  await db.pool.query(`alter database ${database.connection.database} set default_transaction_isolation = 'repeatable read'`)
  const stricter = connect(database.connection)
  let tries = 0
  await inTransaction(stricter, org.scope, async (trx) => {
    tries++
    const { display_name: before } = await trx.selectFrom('accounts').select('display_name').executeTakeFirstOrThrow()
    // Somebody else commits between this one's reading and its writing.
    if (tries === 1) await inOrg((other) => other.updateTable('accounts').set({ display_name: 'theirs' }).execute())
    await trx
      .updateTable('accounts')
      .set({ display_name: `${before ?? ''} and ours` })
      .execute()
  })
  await stricter.close()
  await db.pool.query(`alter database ${database.connection.database} reset default_transaction_isolation`)
  expect(tries).toBe(2)
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('display_name').execute())).toEqual([
    { display_name: 'theirs and ours' },
  ])
})

test('of two transactions that lock each other out (40P01) both are done in the end', async ({ db, org, inOrg }) => {
  await inOrg(async (trx) => {
    await addAccount(trx, 'ada')
    await addAccount(trx, 'bob')
  })
  const bothHold = meeting(2)
  let tries = 0
  const lockInOrder = (first: string, then: string) =>
    inTransaction(db, org.scope, async (trx) => {
      tries++
      await rename(trx, first)
      await bothHold()
      await rename(trx, then)
    })
  await Promise.all([lockInOrder('ada', 'bob'), lockInOrder('bob', 'ada')])
  expect(tries).toBe(3)
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('display_name').execute())).toEqual([
    { display_name: '++' },
    { display_name: '++' },
  ])
})

test('a lost race for a name (23505) is judged once more, and then told', async ({ inOrg }) => {
  await inOrg((trx) => addAccount(trx, 'ada'))
  let tries = 0
  const race = inOrg((trx) => {
    tries++
    return addAccount(trx, 'ada')
  })
  await expect(race).rejects.toMatchObject({ code: '23505', constraint: 'accounts_org_id_user_name_key_key' })
  expect(tries).toBe(2)
})

test('five tries are the end', async ({ inOrg }) => {
  let tries = 0
  const never = inOrg(async (trx) => {
    tries++
    await sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(trx)
  })
  expect(await never.catch(sqlState)).toBe('40001')
  expect(tries).toBe(5)
})

test('a transaction of which a statement failed is not committed, even if its error was caught', async ({ inOrg }) => {
  const caught = inOrg(async (trx) => {
    await addAccount(trx, 'ada')
    await sql`select 1 / 0`.execute(trx).catch(() => {})
  })
  await expect(caught).rejects.toThrow(/rolled back/)
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('id').execute())).toEqual([])
})

test('a statement that was sent before the others, and failed, fails them all', async ({ inOrg }) => {
  const sentTogether = inOrg((trx) =>
    Promise.all([sql`select 1 / 0`.execute(trx), addAccount(trx, 'ada'), addAccount(trx, 'bob')]),
  )
  await expect(sentTogether).rejects.toMatchObject({ code: '22012' })
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('id').execute())).toEqual([])
})

test('a statement that was not awaited is refused: it would run outside of its transaction', async ({ inOrg }) => {
  const late = await inOrg(async (trx) => ({ statement: addAccount(trx, 'ada').catch((error: unknown) => error) }))
  expect(await late.statement).toMatchObject({ message: expect.stringMatching(/not awaited/) })
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('id').execute())).toEqual([])
})

test('what throws is rolled back, and the connection serves the next', async ({ db, inOrg }) => {
  for (let times = 0; times < 12; times++) {
    await expect(
      inOrg(async (trx) => {
        await addAccount(trx, 'ada')
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
  }
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('id').execute())).toEqual([])
  expect(db.pool.totalCount).toBeLessThanOrEqual(10)
})

test('a reader can write nothing, and sees one moment throughout', async ({ db, org, inOrg }) => {
  await expect(reading(db, org.scope, (reader) => addAccount(reader as Trx, 'ada'))).rejects.toMatchObject({ code: '25006' })
  const counts = await reading(db, org.scope, async (reader) => {
    const before = await reader.selectFrom('accounts').select('id').execute()
    await inOrg((trx) => addAccount(trx, 'bob'))
    return [before, await reader.selectFrom('accounts').select('id').execute()]
  })
  expect(counts).toEqual([[], []])
})

test('work over sets checks each row of its own by id, also in an organization that no statistics know of', async ({
  db,
  inOrg,
}) => {
  const known: Scope = { orgId: newId(), actor: 'tests' }
  await inTransaction(db, known, async (trx) => {
    await createOrganization(trx, { slug: 'known' })
    await addMembers(trx, 2_000)
  })
  await db.pool.query('analyze accounts, groups, memberships')
  const read = await inOrg(async (trx) => {
    await planForSets(trx)
    await addMembers(trx, 2_000)
    const { rows } = await sql<{ name: string; count: number }>`
      select relname as name, (idx_tup_fetch + seq_tup_read)::integer as count from pg_stat_xact_user_tables where relname in ('accounts', 'groups')`.execute(
      trx,
    )
    return rows
  })
  for (const { name, count } of read) expect(count, name).toBeLessThan(10_000)
})

test('a connection that PostgreSQL ended is not given out again', async ({ db, inOrg }) => {
  await endConnections(db)
  expect(await inOrg((trx) => trx.selectFrom('accounts').select('id').execute())).toEqual([])
})

const addAccount = (trx: Trx, name: string, { orgId }: Pick<Scope, 'orgId'> = trx.scope) =>
  trx
    .insertInto('accounts')
    .values({
      org_id: orgId,
      id: newId<AccountId>(),
      user_name: name,
      user_name_key: name,
      email: null,
      email_key: null,
      display_name: null,
      owned_by: null,
    })
    .execute()

async function addMembers(trx: Trx, count: number): Promise<void> {
  const of = (kind: string) => sql`${trx.orgId}::uuid, md5(${kind} || n)::uuid`
  const numbers = sql`generate_series(1, ${count}::integer) n`
  await sql`insert into accounts (org_id, id, user_name, user_name_key) select ${of('account')}, 'person ' || n, 'person ' || n from ${numbers}`.execute(
    trx,
  )
  await sql`insert into groups (org_id, id, name, name_key) select ${of('group')}, 'group ' || n, 'group ' || n from ${numbers}`.execute(
    trx,
  )
  await sql`insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${of('group')}, md5('account' || n)::uuid, true, true from ${numbers}`.execute(trx)
}

const rename = (trx: Trx, userName: string) =>
  trx
    .updateTable('accounts')
    .set({ display_name: sql`coalesce(display_name, '') || '+'` })
    .where('user_name_key', '=', userName)
    .execute()

/** Lets nobody pass until so many have come; then everybody. */
function meeting(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  return () => {
    if (--count <= 0) resolve()
    return promise
  }
}

async function endConnections(db: Db): Promise<void> {
  await Promise.all(Array.from({ length: 5 }, () => db.pool.query('select 1')))
  const ended = new Promise<void>((resolve) => {
    const look = () => {
      if (db.pool.idleCount === 1 || db.pool.totalCount === 1) {
        db.pool.off('remove', look)
        resolve()
      }
    }
    db.pool.on('remove', look)
  })
  await db.pool.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = current_user and pid <> pg_backend_pid()',
  )
  await ended
}
