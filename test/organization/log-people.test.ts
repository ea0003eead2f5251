import { sql } from 'kysely'
import { connect } from '../../src/database/connection.ts'
import type { AccountId } from '../../src/database/ids.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { insertAccount } from '../../src/organization/accounts.ts'
import { appendLog, appendLogs } from '../../src/organization/log.ts'
import { entriesOfPerson, noteLogPeople } from '../../src/organization/log-people.ts'
import { expect, test } from '../support/world.ts'

test('the entries about a person are found, noted or not yet, each once', async ({ db, org }) => {
  const find = (account: AccountId) =>
    reading(db, org.scope, async (reader) => {
      const { rows } = await sql<{ action: string }>`
        select action from (${entriesOfPerson(reader, sql`${account}::uuid`)}) l order by id`.execute(reader)
      return rows.map(({ action }) => action)
    })
  const [ada, bob] = await inTransaction(db, org.scope, async (trx) => [
    await insertAccount(trx, { userName: 'ada' }),
    await insertAccount(trx, { userName: 'bob' }),
  ])
  await inTransaction(db, org.scope, (trx) =>
    appendLogs(trx, [
      { action: 'account.created', subject: ada },
      { action: 'members.changed', added: [ada, bob] },
      { action: 'members.pushed', removed: [ada], pushedRemoved: [ada] },
      { action: 'user.provisioned', facts: { accountId: ada } },
    ]),
  )
  const all = ['account.created', 'members.changed', 'members.pushed', 'user.provisioned']
  expect(await find(ada)).toEqual(all)
  for (let pass = 0; pass < 3; pass++) {
    await inTransaction(db, org.scope, noteLogPeople)
    expect(await find(ada)).toEqual(all)
  }
  const { rows } = await db.pool.query('select 1')
  expect(rows).toHaveLength(1)
  expect(await find(bob)).toEqual(['members.changed'])
})

test('an entry of a transaction that was open while others were noted is not passed over', async ({ db, database, org }) => {
  const ada = await inTransaction(db, org.scope, (trx) => insertAccount(trx, { userName: 'ada' }))
  const other = connect(database.connection)
  try {
    const noted = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    const slow = inTransaction(other, org.scope, async (trx) => {
      await appendLog(trx, { action: 'members.changed', added: [ada] })
      written.resolve()
      await noted.promise
    })
    await written.promise
    await inTransaction(db, org.scope, (trx) => appendLog(trx, { action: 'members.pushed', added: [ada] }))
    for (let pass = 0; pass < 3; pass++) await inTransaction(db, org.scope, noteLogPeople)
    noted.resolve()
    await slow
    // Transactions of other databases of the same server count as well: as often as it takes them to end.
    const places = () =>
      reading(db, org.scope, (reader) => reader.selectFrom('log_people').select('entries').where('org_id', '=', org.id).execute())
    await expect
      .poll(async () => {
        await inTransaction(db, org.scope, noteLogPeople)
        return (await places()).flatMap(({ entries }) => entries)
      })
      .toHaveLength(2)
    const found = await reading(db, org.scope, async (reader) => {
      const { rows } = await sql<{
        action: string
      }>`select action from (${entriesOfPerson(reader, sql`${ada}::uuid`)}) l order by id`.execute(reader)
      return rows.map(({ action }) => action)
    })
    expect(found).toEqual(['members.changed', 'members.pushed'])
  } finally {
    await other.close()
  }
})
