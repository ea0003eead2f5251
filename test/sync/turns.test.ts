import fc from 'fast-check'
import { sql } from 'kysely'
import type { Reader, Trx } from '../../src/database/connection.ts'
import type { ProvisionedGroupId, RunId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { effectOf } from '../../src/review/effect.ts'
import { type RunUnderWay, takeUpRun } from '../../src/sync/runs.ts'
import { startRun } from '../../src/sync/start-run.ts'
import { syncGroup, syncTogether } from '../../src/sync/sync-group.ts'
import { storeWorld } from '../review/stored-world.ts'
import { expect, test } from '../support/world.ts'

const people = ['ada', 'bob', 'cyd']
const roles = ['site/wiki/user', 'site/wiki/write']
const some = <T>(of: T[]) => fc.subarray(of).map((found) => new Set(found))
const anyGroups = fc.array(
  fc.record({ effective: some(people), pushed: some(people), grants: fc.subarray(roles, { minLength: 1 }) }),
  {
    minLength: 2,
    maxLength: 5,
  },
)
// A push that changes a group of the run before its turn: who is pushed and who is not, at one moment.
const anyPush = fc.option(fc.record({ before: fc.nat({ max: 4 }), at: fc.nat(), person: fc.constantFrom(...people) }), {
  nil: undefined,
})
const over = new Error('rolled back')

test('in any order of turns a run takes nothing that was not foreseen, and syncs every group where nothing changed', async ({
  db,
  org,
}) => {
  const directory = await org.directory()
  await fc.assert(
    fc.asyncProperty(anyGroups, anyPush, fc.infiniteStream(fc.nat()), async (groups, push, picks) => {
      const done = inTransaction(db, org.scope, async (trx) => {
        const named = groups.map((group, index) => ({ name: `group ${index}`, ...group }))
        const stored = await storeWorld(
          trx,
          { people: new Map(people.map((person) => [person, { active: true }])), groups: named },
          directory.id,
        )
        const ids = [...stored.pushed.values()]
        const before = await accesses(trx, 'effective')
        const foreseen = before.difference(await accesses(trx, 'pushed'))
        const terms = { kind: 'sync', choice: 'overwrite', acceptIncomplete: true, acceptEmpty: true, note: null } as const
        const { fingerprint } = await effectOf(trx, ids)
        const run = await startRun(
          trx,
          { send: async () => {} },
          {
            directoryId: directory.id,
            selection: { mode: 'filter', filter: {} },
            fingerprint,
            ...terms,
          },
        )
        const order = ids.map((id) => ({ id, at: picks.next().value ?? 0 })).toSorted((a, b) => a.at - b.at)
        const results = await takesTurns(
          trx,
          run,
          order.map(({ id }) => id),
          async (turn) => {
            if (turn === push?.before)
              await toggle(trx, ids[push.at % ids.length] as ProvisionedGroupId, stored.account.get(push.person) ?? '')
          },
        )
        const lost = before.difference(await accesses(trx, 'effective'))
        expect([...lost.difference(foreseen)]).toEqual([])
        if (push === undefined) expect(results).toEqual(ids.map(() => 'synced'))
        throw over
      })
      await done.catch((error) => {
        if (error !== over) throw error
      })
    }),
    { numRuns: 200 },
  )
}, 120_000)

// What run-sync does, with one worker: passes as long as one lets another be done, then all that is left.
async function takesTurns(
  trx: Trx,
  runId: RunId,
  order: ProvisionedGroupId[],
  beforeTurn: (turn: number) => Promise<void>,
): Promise<string[]> {
  const run = (await takeUpRun(trx, runId)) as RunUnderWay
  const results: string[] = []
  let turn = 0
  let left = order
  for (let before = -1; before !== left.length; ) {
    before = left.length
    const later: ProvisionedGroupId[] = []
    for (const id of left) {
      await beforeTurn(turn++)
      const outcome = await syncGroup(trx, run, { id, choice: 'overwrite' }, 'wait')
      if (outcome === 'later') later.push(id)
      else if (outcome !== undefined) results.push(outcome.result)
    }
    left = later
  }
  await beforeTurn(turn)
  for (const { result } of (
    await syncTogether(
      trx,
      run,
      left.map((id) => ({ id, choice: 'overwrite' as const })),
    )
  ).values())
    results.push(result)
  return results
}

async function accesses(reader: Reader, truth: 'effective' | 'pushed'): Promise<Set<string>> {
  const { rows } = await sql<{ access: string }>`
    select distinct m.account_id || ':' || g.role_id as access
    from memberships m join grants g on g.org_id = m.org_id and g.group_id = m.group_id
    where m.org_id = ${reader.orgId} and ${sql.ref(`m.${truth}`)}`.execute(reader)
  return new Set(rows.map(({ access }) => access))
}

// Of a group that is not synced: a push to one that is would be in force at once, and not the run's.
async function toggle(trx: Trx, id: ProvisionedGroupId, accountId: string): Promise<void> {
  const { rows } = await sql<{ groupId: string }>`
    select group_id as "groupId" from provisioned_groups where org_id = ${trx.orgId} and id = ${id} and state = 'needs_review'`.execute(
    trx,
  )
  const groupId = rows[0]?.groupId
  if (groupId === undefined) return
  await sql`
    with gone as (
      delete from memberships where org_id = ${trx.orgId} and group_id = ${groupId} and account_id = ${accountId} and not effective returning account_id
    )
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${trx.orgId}, ${groupId}, ${accountId}, true, false where not exists (select from gone)
    on conflict (org_id, group_id, account_id) do update set pushed = not memberships.pushed`.execute(trx)
  await sql`
    update groups set (add_count, remove_count) = (
      select count(*) filter (where pushed and not effective), count(*) filter (where effective and not pushed)
      from memberships where org_id = ${trx.orgId} and group_id = ${groupId})
    where org_id = ${trx.orgId} and id = ${groupId}`.execute(trx)
}
