import { sql } from 'kysely'
import { inTransaction } from '../../src/database/transaction.ts'
import { rowsOf } from './second-organization.ts'
import { expect, test } from './world.ts'

test('each test has an organization of its own, with a directory and tokens', async ({ org, inOrg }) => {
  const directory = await org.directory()
  expect(directory).toMatchObject({ name: 'okta', quietSeconds: 0, token: expect.stringMatching(/^muster_scim_/) })
  const names = await inOrg((trx) => trx.selectFrom('directories').select('name').execute())
  expect(names).toEqual([{ name: 'okta' }])
})

test('the second organization has rows in every table it can have', async ({ db, second }) => {
  const rows = await rowsOf(db, second)
  expect(
    Object.entries(rows)
      .filter(([, text]) => text === '')
      .map(([table]) => table),
  ).toEqual(['idempotency_keys'])
})

test('a changed row of the second organization is noticed', async ({ db, second }) => {
  const before = await rowsOf(db, second)
  await inTransaction(db, second, (trx) => sql`update memberships set effective = true where not effective`.execute(trx))
  const touched = await rowsOf(db, second)
  await inTransaction(db, second, (trx) =>
    sql`update memberships set effective = false where account_id = (select id from accounts where user_name = 'cyd')`.execute(
      trx,
    ),
  )
  expect(Object.keys(before).filter((table) => before[table] !== touched[table])).toEqual(['memberships'])
  expect(await rowsOf(db, second)).toEqual(before)
})
