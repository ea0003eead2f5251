import fc from 'fast-check'
import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import type { ProvisionedGroupId, ProvisionedUserId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { insertAccount } from '../../src/organization/accounts.ts'
import { addMembers } from '../../src/organization/memberships.ts'
import type { DirectoryContext } from '../../src/provisioning/directories.ts'
import { createGroup } from '../../src/provisioning/existing-groups.ts'
import { receiveGroup, receiveGroupDeletion, receiveNewGroup } from '../../src/sync/receive-group.ts'
import { receiveNewUser } from '../../src/sync/receive-user.ts'
import { expect, type TestOrganization, test } from '../support/world.ts'

const people = ['ada', 'bob', 'cyd', 'dee']
const names = ['Taken 1', 'Taken 2', 'Free 1', 'Free 2']
const some = fc.subarray(people)

/** What a provider does to one group: made with members, then people added and taken, each by a request, perhaps renamed or deleted. */
const history = fc.record({
  members: some,
  changes: some.chain((changed) =>
    fc.tuple(...changed.map((person) => fc.record({ person: fc.constant(person), isAdded: fc.boolean() }))),
  ),
  end: fc.constantFrom('stays', 'renamed', 'deleted'),
})
const histories = fc.tuple(history, history, history, history)
type Step = { group: number; run: (world: World) => Promise<unknown> }

interface World {
  trx: <T>(work: (trx: Trx) => Promise<T>) => Promise<T>
  directory: DirectoryContext
  users: Map<string, ProvisionedUserId>
  groups: Map<number, ProvisionedGroupId>
}

test('any order of the same pushes gives the same state', async ({ db, org }) => {
  const random = fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(histories, random, random, async (given, first, second) => {
      const outcomes = []
      for (const order of [first, second]) outcomes.push(await outcomeOf(db, org, interleaved(given.map(stepsOf), order)))
      expect(outcomes[1]).toEqual(outcomes[0])
    }),
    { numRuns: 25 },
  )
})

function stepsOf({ members, changes, end }: typeof history extends fc.Arbitrary<infer T> ? T : never, group: number): Step[] {
  const idsOf = (world: World, list: string[]) => list.map((person) => ({ value: world.users.get(person) as string }))
  const change = (patch: (world: World) => Parameters<typeof receiveGroup>[3]) => (world: World) =>
    world.trx((trx) => receiveGroup(trx, world.directory, world.groups.get(group) as ProvisionedGroupId, patch(world)))
  const made = async (world: World) => {
    const input = (list: string[]) => ({
      displayName: names[group] as string,
      externalId: null,
      members: idsOf(world, list),
    })
    world.groups.set(group, await world.trx((trx) => receiveNewGroup(trx, world.directory, input(members))))
  }
  const changed = changes.map(({ person, isAdded }) =>
    change((world) => {
      const [member] = idsOf(world, [person])
      if (!member) return {}
      return { members: isAdded ? { added: [member], removed: [] } : { added: [], removed: [member.value] } }
    }),
  )
  const last = {
    stays: [],
    renamed: [change(() => ({ displayName: `Renamed ${group}` }))],
    deleted: [
      (world: World) =>
        world.trx((trx) => receiveGroupDeletion(trx, world.directory, world.groups.get(group) as ProvisionedGroupId)),
    ],
  }[end]
  return [made, ...changed, ...last].map((run) => ({ group, run }))
}

/** One of the orders in which each group's own history stays in order. */
function interleaved(lists: Step[][], order: number[]): Step[] {
  const left = lists.map((list) => [...list])
  const steps: Step[] = []
  for (let turn = 0; left.some((list) => list.length > 0); turn++) {
    const waiting = left.filter((list) => list.length > 0)
    const next = waiting[(order[turn % order.length] ?? 0) % waiting.length]?.shift()
    if (next) steps.push(next)
  }
  return steps
}

/** An organization of its own for each order: two taken names, one of them a group with a person whom the provider does not have. */
async function outcomeOf(db: Parameters<typeof inTransaction>[0], org: TestOrganization, steps: Step[]) {
  const directory = await org.directory({ name: `okta ${crypto.randomUUID()}` })
  const suffix = directory.id
  const trx: World['trx'] = (work) => inTransaction(db, org.scope, work)
  const world: World = { trx, directory, users: new Map(), groups: new Map() }
  await trx(async (trx) => {
    for (const person of people) {
      const input = {
        userName: `${person} ${suffix}`,
        externalId: null,
        active: true,
        attributes: { userName: `${person} ${suffix}` },
      }
      world.users.set(person, await receiveNewUser(trx, directory, input))
    }
  })
  await trx((trx) => stand(trx, world))
  for (const step of steps) await step.run(world)
  const state = await trx((trx) => stateOf(trx, world))
  await trx((trx) => clear(trx))
  return state
}

async function stand(trx: Trx, world: World): Promise<void> {
  const here = await insertAccount(trx, { userName: `only here ${world.directory.id}` })
  const { account_id: ada } = await trx
    .selectFrom('provisioned_users')
    .select('account_id')
    .where('id', '=', world.users.get('ada') as ProvisionedUserId)
    .executeTakeFirstOrThrow()
  for (const [name, members] of [
    ['Taken 1', [here, ada]],
    ['Taken 2', [ada]],
  ] as const) {
    const groupId = await createGroup(trx, { name })
    await addMembers(
      trx,
      members.map((accountId) => ({ groupId, accountId })),
      { action: 'members.changed' },
    )
  }
}

async function stateOf(trx: Trx, { directory }: World) {
  const { rows } = await sql`
    select g.name, g.effective, g.managed_by is not null as managed, p.name as pushed_name, p.state, p.reasons, g.member_count, g.add_count, g.remove_count,
      (select array_agg(split_part(a.user_name, ' ', 1) || m.pushed || m.effective order by a.user_name)
        from memberships m join accounts a on a.org_id = m.org_id and a.id = m.account_id where m.org_id = g.org_id and m.group_id = g.id) as members
    from groups g left join provisioned_groups p on p.org_id = g.org_id and p.group_id = g.id and p.directory_id = ${directory.id}
    where g.org_id = ${trx.orgId}
    order by g.name_key, p.name_key`.execute(trx)
  return rows
}

/** The names are free again for the next order. */
async function clear(trx: Trx): Promise<void> {
  await sql`delete from provisioned_groups where org_id = ${trx.orgId}`.execute(trx)
  await sql`delete from groups where org_id = ${trx.orgId}`.execute(trx)
}
