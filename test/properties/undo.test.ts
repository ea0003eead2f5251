import fc from 'fast-check'
import { sql } from 'kysely'
import type { Reader } from '../../src/database/connection.ts'
import type { GroupId } from '../../src/database/ids.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { momentOf } from '../../src/organization/moment.ts'
import { purgeExpired } from '../../src/provisioning/deleted-groups.ts'
import { cutAt, cutsOfRun, restoreOf } from '../../src/review/restore.ts'
import { lockToPutBack, putBack } from '../../src/sync/put-back.ts'
import { expect, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

const groups = ['Admins', 'Readers', 'Writers']
const people = ['ada', 'bob', 'cyd', 'dan']
const name = fc.constantFrom(...groups)
const some = fc.subarray(people)
const act = fc.oneof(
  fc.record({ what: fc.constant('makes' as const), group: name, members: some }),
  fc.record({ what: fc.constant('pushes' as const), group: name, members: some }),
  fc.record({ what: fc.constant('replaces' as const), group: name, members: some }),
  fc.record({ what: fc.constant('adds' as const), group: name, members: some }),
  fc.record({ what: fc.constant('spells' as const), group: name }),
  fc.record({ what: fc.constant('syncs' as const) }),
)
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

test('undo after sync gives what was before, and a group is put back to any moment by its rows', { timeout: 240_000 }, async ({
  acme,
  api,
  db,
  okta,
  org,
}) => {
  await acme.has({ group: 'Everyone', members: people })
  await okta.knows(...people)
  const { asks, ended } = syncing(api, okta.directory.name)
  const perform = async (act: Act): Promise<string | undefined> => {
    switch (act.what) {
      case 'makes':
        await api('POST', '/groups', { name: act.group })
        await acme.adds(act.group, act.members)
        return undefined
      case 'pushes':
        await okta.pushes({ group: act.group.toLowerCase(), members: act.members })
        return undefined
      case 'replaces':
        await okta.replaces(act.group.toLowerCase(), act.members)
        return undefined
      case 'adds':
        await acme.adds(act.group, act.members)
        return undefined
      case 'spells':
        await acme.renames(act.group, act.group.toUpperCase())
        return undefined
      case 'syncs': {
        const { status, body } = await asks('all', { acceptEmpty: true })
        if (status !== 202) return undefined
        await ended(body.id)
        return body.id
      }
      default:
        return act satisfies never
    }
  }
  let undone = 0

  await fc.assert(
    fc.asyncProperty(name, some, some, fc.array(act, { minLength: 2, maxLength: 8 }), async (group, members, pushed, others) => {
      const acts: Act[] = [
        { what: 'makes', group, members },
        { what: 'pushes', group, members: pushed },
        ...others,
        { what: 'syncs' },
      ]
      for (const name of groups) {
        await okta.deletes(name.toLowerCase())
        await acme.deletes(name)
      }
      // What was deleted would be offered to who pushes its name.
      await inTransaction(db, org.scope, async (trx) => {
        await sql`update groups set deleted_at = now() - interval '31 days' where org_id = ${org.id} and deleted_at is not null`.execute(
          trx,
        )
        await purgeExpired(trx)
      })
      const seen: { moment: string; members: Members }[] = []
      for (const act of acts) {
        const before = await reading(db, org.scope, placesNow)
        const run = await perform(act)
        if (run !== undefined) {
          const cuts = await reading(db, org.scope, (reader) => cutsOfRun(reader, run))
          for (const cut of cuts)
            await inTransaction(db, org.scope, async (trx) => {
              await lockToPutBack(trx, cut)
              await putBack(trx, cut)
            })
          expect(await reading(db, org.scope, placesNow)).toEqual(before)
          undone += cuts.length
        }
        seen.push(
          await reading(db, org.scope, async (reader) => ({
            moment: await lastEntry(reader),
            members: await membersNow(reader),
          })),
        )
      }
      await reading(db, org.scope, async (reader) => {
        const now = await membersNow(reader)
        for (const { moment, members } of seen)
          for (const id of Object.keys(now) as GroupId[]) {
            const cut = await cutAt(reader, id, await momentOf(reader, moment))
            const { selected, changing } = restoreOf(reader, cut ? [cut] : [])
            const { rows } = await sql<{ account: string; gives: boolean }>`
              with ${selected}, ${changing} select account_id as account, gives from changing`.execute(reader)
            const back = new Set(now[id])
            for (const { account, gives } of rows) {
              expect(back.has(account)).toBe(!gives)
              if (gives) back.add(account)
              else back.delete(account)
            }
            expect([...back].sort()).toEqual(members[id] ?? [])
          }
      })
    }),
    { numRuns: Number(process.env.RUNS ?? 10) },
  )
  expect(undone).toBeGreaterThan(0)
})

type Members = Record<string, string[]>

async function lastEntry(reader: Reader): Promise<string> {
  const { rows } = await sql<{ id: string }>`select max(id)::text as id from log_entries where org_id = ${reader.orgId}`.execute(
    reader,
  )
  return rows[0]?.id ?? '0'
}

async function membersNow(reader: Reader): Promise<Members> {
  const { rows } = await sql<{ id: string; members: string[] }>`
    select g.id, array(select account_id::text from memberships m where m.org_id = g.org_id and m.group_id = g.id and m.effective order by 1) as members
    from groups g where g.org_id = ${reader.orgId}`.execute(reader)
  return Object.fromEntries(rows.map(({ id, members }) => [id, members]))
}

/** Memberships in both truths, names, links and states: what an undo gives back. */
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
