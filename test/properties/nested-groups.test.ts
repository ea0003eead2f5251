import fc from 'fast-check'
import { sql } from 'kysely'
import type { ProvisionedGroupId, ProvisionedUserId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import type { DirectoryContext } from '../../src/provisioning/directories.ts'
import type { MembersChange } from '../../src/scim/resource.ts'
import { receiveGroup, receiveGroupDeletion, receiveNewGroup } from '../../src/sync/receive-group.ts'
import { receiveNewUser, receiveUserDeletion } from '../../src/sync/receive-user.ts'
import { expect, type TestOrganization, test } from '../support/world.ts'

const people = ['ada', 'bob', 'cyd', 'dee']
const groups = ['A', 'B', 'C', 'D', 'E']
const members = fc.subarray([...people, ...groups])
const group = fc.constantFrom(...groups)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('changes' as const), group, added: members, removed: members }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('replaces' as const), group, all: members }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('deletes' as const), group }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('deletesPerson' as const), person: fc.constantFrom(...people) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Group → who the provider named in it: people and groups. */
type Model = Map<string, Set<string>>

test('groups in groups, changed in whatever way, are what flattening them says', async ({ db, org }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const world = await start(db, org)
      const model: Model = new Map(groups.map((name) => [name, new Set<string>()]))
      for (const one of steps) {
        await world.takes(one, model)
        expect(await world.state()).toEqual(expected(model))
      }
    }),
    { numRuns: 40 },
  )
})

function expected(model: Model) {
  return [...model].map(([name, named]) => {
    const all = flattened(model, name)
    const isNested = [...model].some(
      ([other, of]) => (other === name && [...of].some((one) => groups.includes(one))) || of.has(name),
    )
    return {
      name,
      members: all,
      count: all.length,
      direct: isNested ? [...named].filter((one) => people.includes(one)).sort() : [],
      nested: [...named].filter((one) => groups.includes(one)).sort(),
      isNested,
    }
  })
}

function flattened(model: Model, name: string): string[] {
  const seen = new Set([name])
  for (const one of seen) for (const other of model.get(one) ?? []) if (groups.includes(other)) seen.add(other)
  const all = [...seen].flatMap((one) => [...(model.get(one) ?? [])]).filter((one) => people.includes(one))
  return [...new Set(all)].sort()
}

async function start(db: Parameters<typeof inTransaction>[0], org: TestOrganization) {
  const suffix = crypto.randomUUID()
  const directory: DirectoryContext = await org.directory({ name: suffix })
  const ids = new Map<string, string>()
  const user = (name: string) => ({
    userName: `${name} ${suffix}`,
    externalId: null,
    active: true,
    attributes: { userName: `${name} ${suffix}` },
  })
  const makes = (name: string) =>
    inTransaction(db, org.scope, async (trx) => {
      const input = { displayName: `${name} ${suffix}`, externalId: null, attributes: {}, members: [] }
      const isPerson = people.includes(name)
      ids.set(name, isPerson ? await receiveNewUser(trx, directory, user(name)) : await receiveNewGroup(trx, directory, input))
    })
  for (const name of [...people, ...groups]) await makes(name)
  const idOf = (name: string) => ids.get(name) as string
  const changes = (name: string, change: MembersChange) =>
    inTransaction(db, org.scope, (trx) => receiveGroup(trx, directory, idOf(name) as ProvisionedGroupId, { members: change }))

  /** A group or person that is deleted is made anew, so that the next step finds it. */
  async function takes(one: Step, model: Model): Promise<void> {
    const values = (names: readonly string[]) => names.map((name) => ({ value: idOf(name) }))
    if (one.does === 'changes') {
      const removed = one.removed.filter((name) => !one.added.includes(name))
      await changes(one.group, { added: values(one.added), removed: removed.map(idOf) })
      const before = model.get(one.group) ?? new Set()
      model.set(one.group, before.difference(new Set(removed)).union(new Set(one.added)))
    } else if (one.does === 'replaces') {
      await changes(one.group, { all: values(one.all) })
      model.set(one.group, new Set(one.all))
    } else {
      const name = one.does === 'deletes' ? one.group : one.person
      await inTransaction(db, org.scope, (trx) =>
        one.does === 'deletes'
          ? receiveGroupDeletion(trx, directory, idOf(name) as ProvisionedGroupId)
          : receiveUserDeletion(trx, directory, idOf(name) as ProvisionedUserId),
      )
      if (one.does === 'deletes')
        await inTransaction(db, org.scope, (trx) =>
          sql`delete from groups where org_id = ${trx.orgId} and managed_by is null`.execute(trx),
        )
      for (const named of model.values()) named.delete(name)
      if (one.does === 'deletes') model.set(name, new Set())
      await makes(name)
    }
  }

  const namesOf = (list: string) => sql`array(select split_part(name, ' ', 1) from (${sql.raw(list)}) as listed(name) order by 1)`
  const state = () =>
    inTransaction(db, org.scope, async (trx) => {
      const { rows } = await sql`
        select split_part(p.name, ' ', 1) as name, g.member_count as count, p.is_nested as "isNested",
          ${namesOf(`select a.user_name from memberships m join accounts a on a.org_id = m.org_id and a.id = m.account_id
            where m.org_id = p.org_id and m.group_id = p.group_id and m.pushed and m.effective`)} as members,
          ${namesOf(`select a.user_name from direct_members d join accounts a on a.org_id = d.org_id and a.id = d.account_id
            where d.org_id = p.org_id and d.provisioned_group_id = p.id`)} as direct,
          ${namesOf(`select c.name from nested_groups n join provisioned_groups c on c.org_id = n.org_id and c.id = n.child_id
            where n.org_id = p.org_id and n.parent_id = p.id`)} as nested
        from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
        where p.org_id = ${trx.orgId} and p.directory_id = ${directory.id}
        order by p.name`.execute(trx)
      return rows
    })
  return { takes, state }
}
