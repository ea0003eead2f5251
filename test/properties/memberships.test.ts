import fc from 'fast-check'
import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import type { AccountId, GroupId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { insertAccount } from '../../src/organization/accounts.ts'
import { insertGroup } from '../../src/organization/groups.ts'
import * as memberships from '../../src/organization/memberships.ts'
import { expect, test } from '../support/world.ts'

const act = { action: 'members.pushed' } as const
const people = fc.uniqueArray(fc.nat(5), { maxLength: 6 })
const step = fc.oneof(
  fc.record({ what: fc.constant('add' as const), people }),
  fc.record({ what: fc.constant('remove' as const), people }),
  fc.record({ what: fc.constant('push' as const), people, others: people, follow: fc.boolean() }),
  fc.record({ what: fc.constant('replace' as const), people, follow: fc.boolean() }),
  fc.record({ what: fc.constant('apply' as const) }),
  fc.record({ what: fc.constant('forget' as const) }),
  fc.record({ what: fc.constant('clear' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Model {
  pushed: Set<number>
  effective: Set<number>
}

function model({ pushed, effective }: Model, step: Step): Model {
  const with_ = (set: Set<number>, add: number[], take: number[]) =>
    new Set([...set].filter((one) => !take.includes(one)).concat(add))
  switch (step.what) {
    case 'add':
      return { pushed: with_(pushed, step.people, []), effective: with_(effective, step.people, []) }
    case 'remove':
      return { pushed: with_(pushed, [], step.people), effective: with_(effective, [], step.people) }
    case 'push': {
      const taken = step.others.filter((one) => !step.people.includes(one))
      return {
        pushed: with_(pushed, step.people, taken),
        effective: step.follow ? with_(effective, step.people, taken) : effective,
      }
    }
    case 'replace': {
      const now = new Set(step.people)
      // Who is touched by the push follows it; who is not stays as they were.
      return {
        pushed: now,
        effective: step.follow ? new Set([...[...effective].filter((one) => !pushed.has(one)), ...now]) : effective,
      }
    }
    case 'apply':
      return { pushed, effective: new Set(pushed) }
    case 'forget':
      return { pushed: new Set(effective), effective }
    case 'clear':
      return { pushed: new Set(), effective: new Set() }
  }
}

async function perform(trx: Trx, groupId: GroupId, accounts: AccountId[], step: Step, before: Model): Promise<void> {
  const ids = (numbers: number[]) => numbers.map((number) => accounts[number] as AccountId)
  const pairs = (numbers: number[]) => ids(numbers).map((accountId) => ({ groupId, accountId }))
  const rows = (pushed: number[], ended: number[], follow: boolean) => sql`
    select ${groupId}::uuid as group_id, account_id, pushed, ${follow}::boolean as follow
    from unnest(${ids([...pushed, ...ended])}::uuid[], ${[...pushed.map(() => true), ...ended.map(() => false)]}::boolean[]) as said(account_id, pushed)`
  switch (step.what) {
    case 'add':
      await memberships.addMembers(trx, pairs(step.people), act)
      break
    case 'remove':
      await memberships.removeMembers(trx, pairs(step.people), act)
      break
    case 'push':
      await memberships.writePushed(
        trx,
        rows(
          step.people,
          step.others.filter((one) => !step.people.includes(one)),
          step.follow,
        ),
        act,
      )
      break
    case 'replace':
      await memberships.writePushed(
        trx,
        rows(
          step.people,
          [...before.pushed].filter((one) => !step.people.includes(one)),
          step.follow,
        ),
        act,
      )
      break
    case 'apply':
      await memberships.applyPushed(trx, groupId, act)
      break
    case 'forget':
      await memberships.forgetPushed(trx, [groupId], act)
      break
    case 'clear':
      await memberships.endMembers(trx, groupId, act)
      break
  }
}

test('rows, counts and log say the same as a model of two sets, after any changes', async ({ db, org }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await inTransaction(db, org.scope, async (trx) => {
        const accounts: AccountId[] = []
        for (let n = 0; n < 6; n++) accounts.push(await insertAccount(trx, { userName: `${crypto.randomUUID()}` }))
        const groupId = await insertGroup(trx, { name: crypto.randomUUID() })
        let expected: Model = { pushed: new Set(), effective: new Set() }
        for (const step of steps) {
          await perform(trx, groupId, accounts, step, expected)
          expected = model(expected, step)
          expect(await rowsOf(trx, groupId, accounts)).toEqual(rowsOfModel(expected))
        }
        expect(await countsOf(trx, groupId)).toEqual({
          member_count: expected.effective.size,
          add_count: expected.pushed.difference(expected.effective).size,
          remove_count: expected.effective.difference(expected.pushed).size,
        })
        expect(await replayed(trx, groupId, accounts)).toEqual(rowsOfModel(expected))
      })
    }),
    { numRuns: 60 },
  )
})

const rowsOfModel = ({ pushed, effective }: Model) => ({ pushed: [...pushed].sort(), effective: [...effective].sort() })

async function rowsOf(trx: Trx, groupId: GroupId, accounts: AccountId[]) {
  const rows = await trx.selectFrom('memberships').selectAll().where('group_id', '=', groupId).execute()
  const of = (truth: 'pushed' | 'effective') =>
    rows
      .filter((row) => row[truth])
      .map((row) => accounts.indexOf(row.account_id))
      .sort()
  return { pushed: of('pushed'), effective: of('effective') }
}

const countsOf = (trx: Trx, groupId: GroupId) =>
  trx
    .selectFrom('groups')
    .select(['member_count', 'add_count', 'remove_count'])
    .where('id', '=', groupId)
    .executeTakeFirstOrThrow()

/** The memberships as the log alone tells them: what a restore rests on. */
async function replayed(trx: Trx, groupId: GroupId, accounts: AccountId[]) {
  const { rows } = await sql<Record<'added' | 'removed' | 'pushed_added' | 'pushed_removed', AccountId[] | null>>`
    select added, removed, pushed_added, pushed_removed from log_entries where subject = ${groupId} order by id`.execute(trx)
  const pushed = new Set<AccountId>()
  const effective = new Set<AccountId>()
  for (const row of rows) {
    for (const id of row.added ?? []) effective.add(id)
    for (const id of row.removed ?? []) effective.delete(id)
    for (const id of row.pushed_added ?? []) pushed.add(id)
    for (const id of row.pushed_removed ?? []) pushed.delete(id)
  }
  const numbers = (ids: Set<AccountId>) => [...ids].map((id) => accounts.indexOf(id)).sort()
  return { pushed: numbers(pushed), effective: numbers(effective) }
}
