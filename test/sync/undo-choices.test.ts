import { sql } from 'kysely'
import type { Reader } from '../../src/database/connection.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { cutsOfRun } from '../../src/review/restore.ts'
import { lockToPutBack, putBack } from '../../src/sync/put-back.ts'
import { expect, test } from '../support/story.ts'
import { syncing } from './syncing.ts'

for (const choice of ['overwrite', 'merge', 'ignore', 'rename_existing'] as const)
  test(`undo of a run gives what was before it: ${choice}`, async ({ acme, api, db, okta, org }) => {
    await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
    await acme.grants('Sales', 'site/wiki/write')
    await okta.knows('ada', 'cyd')
    await okta.pushes({ group: 'sales', members: ['ada', 'cyd'] })
    const before = await reading(db, org.scope, placesNow)
    const { id } = await syncing(api, 'okta').syncs(['sales'], { defaultChoice: choice })
    expect(await reading(db, org.scope, placesNow)).not.toEqual(before)
    for (const cut of await reading(db, org.scope, (reader) => cutsOfRun(reader, id)))
      await inTransaction(db, org.scope, async (trx) => {
        await lockToPutBack(trx, cut)
        await putBack(trx, cut)
      })
    expect(await reading(db, org.scope, placesNow)).toEqual(before)
  })

async function placesNow(reader: Reader): Promise<Record<string, string[]>> {
  const org = reader.orgId
  const { rows } = await sql<{ memberships: string[]; groups: string[]; pushed: string[] }>`
    select
      array(select concat_ws(' ', group_id, account_id, pushed, effective, waiting) from memberships where org_id = ${org} order by 1) as memberships,
      array(select concat_ws(' ', id, name, effective, managed_by, member_count, add_count, remove_count) from groups where org_id = ${org} order by 1) as groups,
      array(select concat_ws(' ', id, name, group_id, state, reasons::text, is_linked, keeps_name) from provisioned_groups where org_id = ${org} order by 1) as pushed`.execute(
    reader,
  )
  return rows[0] ?? {}
}
