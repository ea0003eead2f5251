import fc from 'fast-check'
import { sql } from 'kysely'
import type { Reader, Trx } from '../../src/database/connection.ts'
import type { GroupId, ProvisionedGroupId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { heldGroup } from '../../src/provisioning/groups.ts'
import { linkTo } from '../../src/provisioning/linking.ts'
import type { Choices } from '../../src/review/differences.ts'
import { effectOf } from '../../src/review/effect.ts'
import { type Expectation, expectedInRun } from '../../src/review/expected-in-run.ts'
import { peopleOf } from '../../src/review/people.ts'
import { listReviews } from '../../src/review/review.ts'
import { presetGroups } from '../../src/review/selection.ts'
import {
  effectOnAccess,
  jointLosses,
  lostInRun,
  type ReferenceEffect,
  type ReferenceGroup,
  type ReferenceWorld,
  reviewedGroups,
  safeSet,
} from '../support/reference.ts'
import { expect, test } from '../support/world.ts'
import { type StoredWorld, storeWorld } from './stored-world.ts'

const names = ['ada', 'bob', 'cyd', 'dee']
const accesses = ['site/wiki/user', 'site/wiki/admin', 'site/code/write', 'other/wiki/admin']
const some = <T>(of: T[]) => fc.subarray(of).map((found) => new Set(found))

// Few people, groups and roles: the same access through several groups must be common.
const anyGroup = fc.record({
  effective: some(names),
  pushed: fc.option(some(names), { freq: 4, nil: undefined }),
  grants: fc.subarray(accesses),
  isDefault: fc.boolean(),
  isApart: fc.boolean(),
  kind: fc.integer({ min: 0, max: 9 }),
})
const anyWorld: fc.Arbitrary<ReferenceWorld> = fc
  .record({ inactive: some(names), groups: fc.array(anyGroup, { minLength: 1, maxLength: 6 }) })
  .map(({ inactive, groups }) => ({
    people: new Map(names.map((name) => [name, { active: !(inactive.has(name) && inactive.size < 3) }])),
    groups: groups.map((given, index): ReferenceGroup => {
      // Three in ten are twins of the one before: each keeps the other's access alive, and both drop the same people.
      const twin = given.kind > 1 && given.kind < 5 ? groups[index - 1] : undefined
      const { effective, pushed, grants, kind } = { ...given, ...(twin && { ...twin, kind: 5 }) }
      // One in ten is only pushed: nothing of it is in force, and it gives nothing.
      if (pushed && kind === 0) return { name: `group ${index}`, effective: new Set(), pushed, grants: [], isApart: true }
      return {
        name: `group ${index}`,
        effective,
        ...(pushed ? { pushed } : {}),
        grants,
        isDefault: grants.length > 0 && kind === 1,
      }
    }),
  }))

test('what the database says of any organization is what the definitions say', async ({ db, org }) => {
  const directory = await org.directory()
  await fc.assert(
    fc.asyncProperty(anyWorld, fc.infiniteStream(fc.boolean()), async (world, picks) => {
      await rolledBack(db, org.scope, async (trx) => {
        const stored = await storeWorld(trx, world, directory.id)
        const reviewed = reviewedGroups(world)
        await everyReviewIsRight(trx, stored, world, reviewed)
        const selected = reviewed.filter(() => picks.next().value)
        for (const groups of [reviewed, selected]) await effectIsRight(trx, stored, world, groups)
        await effectByChoiceIsRight(trx, stored, world, selected)
        await peopleAreRight(trx, stored, world, selected)
        const preset = await presetGroups(trx, directory.id, 'takes_nothing')
        expect(preset.ids.map(stored.nameOf).sort()).toEqual(
          safeSet(world, reviewed)
            .map(({ name }) => name)
            .sort(),
        )
        await runExpectsTheSameAllAlong(trx, stored, world, selected)
      })
      await rolledBack(db, org.scope, async (trx) => {
        const stored = await storeWorld(trx, world, directory.id)
        await effectOfLinksIsRight(
          trx,
          stored,
          world,
          reviewedGroups(world).filter(() => picks.next().value),
        )
      })
    }),
    { numRuns: 200 },
  )
})

async function everyReviewIsRight(
  reader: Reader,
  stored: StoredWorld,
  world: ReferenceWorld,
  reviewed: ReferenceGroup[],
): Promise<void> {
  const { items } = await listReviews(reader, stored.directoryId, {}, { sort: 'name' })
  expect(
    items.map(({ group, existing, members, access, warnings }) => ({
      name: group.name,
      isApart: existing === null,
      members,
      access,
      warnings: warnings.map(({ code, count }) => `${code} ${count}`),
    })),
  ).toEqual(
    reviewed.map((group) => {
      const effect = effectOnAccess(world, [group])
      return {
        name: group.name,
        isApart: group.isApart === true,
        members: membersOf(group),
        access: countsOf(effect),
        warnings: warningsOf(world, group, effect),
      }
    }),
  )
}

async function effectIsRight(
  reader: Reader,
  stored: StoredWorld,
  world: ReferenceWorld,
  groups: ReferenceGroup[],
): Promise<void> {
  const { access, matrix, warnings } = await effectOf(reader, idsOf(stored, groups))
  const effect = effectOnAccess(world, groups)
  expect(access).toEqual({ ...countsOf(effect), jointLosses: jointLosses(world, groups).length })
  expect(matrix.reduce((sum, cell) => sum + cell.lost, 0)).toBe(effect.lost.length)
  expect(warnings.find(({ code }) => code === 'left_with_nothing')?.people ?? 0).toBe(effect.leftWithNone.length)
  expect(warnings.some(({ code }) => code === 'last_admin')).toBe(lastAdmins(world, groups, effect).length > 0)
}

// A choice in turn for each group: what becomes true of it is another pushed set, seen by the same definitions.
async function effectByChoiceIsRight(
  reader: Reader,
  stored: StoredWorld,
  world: ReferenceWorld,
  groups: ReferenceGroup[],
): Promise<void> {
  const choiceOf = (group: ReferenceGroup) =>
    (['merge', 'overwrite', 'rename_existing', 'ignore'] as const)[groups.indexOf(group) % 4]
  const chosen = groups.map((group): ReferenceGroup => {
    const { effective, pushed = effective } = group
    const becomes = { merge: effective.union(pushed), overwrite: pushed, rename_existing: effective, ignore: effective }
    return { ...group, pushed: becomes[choiceOf(group) ?? 'overwrite'] }
  })
  const others = world.groups.map((group) => chosen[groups.indexOf(group)] ?? group)
  const ids = idsOf(stored, groups)
  const choices: Choices = new Map(
    groups.map((group, at) => [ids[at] as ProvisionedGroupId, { choice: choiceOf(group) ?? 'overwrite' }]),
  )
  const { access, warnings } = await effectOf(reader, ids, choices)
  const effect = effectOnAccess({ ...world, groups: others }, chosen)
  const { jointLosses: _, ...figures } = access
  expect(figures).toEqual(countsOf(effect))
  expect(warnings.some(({ code }) => code === 'last_admin')).toBe(
    lastAdmins({ ...world, groups: others }, chosen, effect).length > 0,
  )
  const foreseen = await expectedInRun(reader, { groupIds: ids, pending: ids, choices })
  const lost = [...foreseen.values()].flatMap((expectation) => expectation.lost.map(stored.pair))
  expect([...new Set(lost)].sort()).toEqual(effect.lost)
}

// Each links to a group that nobody pushes, as long as there are some: that one becomes another, by the same definitions, all along a run.
async function effectOfLinksIsRight(
  trx: Trx,
  stored: StoredWorld,
  world: ReferenceWorld,
  groups: ReferenceGroup[],
): Promise<void> {
  const free = world.groups.filter(({ pushed, isDefault, isApart }) => !pushed && !isDefault && !isApart)
  const links = groups.slice(0, free.length).map((group, at) => ({ group, to: free[at] as ReferenceGroup, merges: at % 2 === 0 }))
  const becomes = new Map<ReferenceGroup, ReferenceGroup>()
  for (const { group, to, merges } of links) {
    const { effective, pushed = effective } = group
    becomes.set(to, { ...to, pushed: merges ? to.effective.union(pushed) : pushed }).set(group, { ...group, pushed: effective })
  }
  const chosen = [...links.map(({ to }) => becomes.get(to) as ReferenceGroup), ...groups.slice(free.length)]
  const after = { ...world, groups: world.groups.map((group) => becomes.get(group) ?? group) }
  const ids = idsOf(stored, groups)
  const choices: Choices = new Map(
    links.map(({ to, merges }, at) => [
      ids[at] as ProvisionedGroupId,
      { choice: merges ? 'merge' : 'overwrite', linkTo: stored.group.get(to.name) as GroupId },
    ]),
  )
  const effect = effectOnAccess(after, chosen)
  const { access, members } = await effectOf(trx, ids, choices)
  const { jointLosses: _, ...figures } = access
  expect(figures).toEqual(countsOf(effect))
  expect(members).toEqual({
    added: chosen.reduce((sum, { effective, pushed = effective }) => sum + pushed.difference(effective).size, 0),
    removed: chosen.reduce((sum, { effective, pushed = effective }) => sum + effective.difference(pushed).size, 0),
  })
  const foreseen = await expectedInRun(trx, { groupIds: ids, pending: ids, choices })
  const lost = [...foreseen.values()].flatMap((expectation) => expectation.lost.map(stored.pair))
  expect([...new Set(lost)].sort()).toEqual(effect.lost)
  const pending = [...ids]
  for (const id of ids) {
    const now = await expectedInRun(trx, { groupIds: [id], pending, choices })
    expect(now.get(id)).toEqual(foreseen.get(id) as Expectation)
    const { linkTo: to, choice } = choices.get(id) ?? {}
    if (to) await linkTo(trx, await heldGroup(trx, id), to)
    await sync(trx, id, choice === 'merge')
    pending.shift()
  }
}

async function peopleAreRight(
  reader: Reader,
  stored: StoredWorld,
  world: ReferenceWorld,
  groups: ReferenceGroup[],
): Promise<void> {
  const { total, items } = await peopleOf(reader, idsOf(stored, groups), 'all', {})
  const effect = effectOnAccess(world, groups)
  const touched = new Set(groups.flatMap(({ effective, pushed = effective }) => [...effective.symmetricDifference(pushed)]))
  expect(total).toBe(touched.size)
  const pairs = (of: 'lost' | 'gained') =>
    items
      .flatMap((item) => item[of].map(({ site, product, role }) => `${item.person.userName}|${site}/${product}/${role}`))
      .sort()
  expect({ lost: pairs('lost'), gained: pairs('gained') }).toEqual({ lost: effect.lost, gained: effect.gained })
  expect(
    items
      .filter(({ leftWithNone }) => leftWithNone)
      .map(({ person }) => person.userName)
      .sort(),
  ).toEqual(effect.leftWithNone)
  for (const { person, lost, kept, gained } of items) {
    for (const access of [...lost, ...kept, ...gained]) {
      const key = `${access.site}/${access.product}/${access.role}`
      const isIn = ({ name, effective, pushed = effective }: ReferenceGroup) =>
        (lost.includes(access as never) || !groups.some((group) => group.name === name) ? effective : pushed).has(person.userName)
      const giving = world.groups.filter((group) => group.grants.includes(key) && isIn(group))
      expect(access.through.map(({ name }) => name)).toEqual(giving.map(({ name }) => name))
    }
  }
}

// Done one by one, in any order: what is left expects what it expected at the beginning, by ids or by the run's own list.
async function runExpectsTheSameAllAlong(
  trx: Trx,
  stored: StoredWorld,
  world: ReferenceWorld,
  groups: ReferenceGroup[],
): Promise<void> {
  const ids = idsOf(stored, groups)
  const foreseen = await expectedInRun(trx, { groupIds: ids, pending: ids })
  for (const group of groups) {
    const id = stored.pushed.get(group.name)
    expect(
      foreseen
        .get(id as ProvisionedGroupId)
        ?.lost.map(stored.pair)
        .sort(),
    ).toEqual(lostInRun(world, groups, group))
  }
  const pending = [...ids]
  for (const id of ids) {
    const now = await expectedInRun(trx, { groupIds: [id], pending })
    expect(now.get(id)).toEqual(foreseen.get(id) as Expectation)
    await sync(trx, id)
    pending.shift()
  }
}

test('a fingerprint changes exactly if the answer does', async ({ db, org }) => {
  const directory = await org.directory()
  const anyChange = fc.record({
    what: fc.constantFrom('pushed', 'effective', 'both', 'grant', 'active', 'other'),
    person: fc.constantFrom(...names),
    at: fc.nat(),
    access: fc.constantFrom(...accesses),
  })
  await fc.assert(
    fc.asyncProperty(anyWorld, anyChange, async (world, change) => {
      await rolledBack(db, org.scope, async (trx) => {
        const stored = await storeWorld(trx, world, directory.id)
        const before = await answers(trx, stored)
        await applyChange(trx, stored, world, change)
        const after = await answers(trx, stored)
        for (const [id, { answer, fingerprint }] of before) {
          expect([id, answer === after.get(id)?.answer]).toEqual([id, fingerprint === after.get(id)?.fingerprint])
        }
      })
    }),
    {
      numRuns: 250,
      examples: [[anotherHasOneOfTwoLastRoles, { what: 'pushed', person: 'ada', at: 2, access: 'site/wiki/user' }]],
    },
  )
})

// Twins that only together take the last holder of two roles; then somebody else comes to have one of the two.
const twin: Omit<ReferenceGroup, 'name'> = {
  effective: new Set(['bob']),
  pushed: new Set(),
  grants: ['site/wiki/admin', 'other/wiki/admin'],
}
const anotherHasOneOfTwoLastRoles: ReferenceWorld = {
  people: new Map(names.map((name) => [name, { active: true }])),
  groups: [
    { name: 'group 0', ...twin },
    { name: 'group 1', ...twin },
    { name: 'group 2', effective: new Set(), grants: ['other/wiki/admin'] },
  ],
}

interface Change {
  what: string
  person: string
  at: number
  access: string
}

// Writes what a push, an admin or an import would, each as one row, counts with it.
async function applyChange(
  trx: Trx,
  stored: StoredWorld,
  world: ReferenceWorld,
  { what, person, at, access }: Change,
): Promise<void> {
  const group = world.groups[at % world.groups.length] as ReferenceGroup
  const [org, groupId, accountId] = [trx.orgId, stored.group.get(group.name), stored.account.get(person)]
  if (what === 'active')
    await sql`update accounts set active = not active where org_id = ${org} and id = ${accountId}`.execute(trx)
  if (what === 'other')
    await sql`update accounts set display_name = 'Ada', email = null where org_id = ${org} and id = ${accountId}`.execute(trx)
  if (what === 'grant' && stored.role.has(access)) {
    await sql`insert into grants (org_id, group_id, role_id) values (${org}, ${groupId}, ${stored.role.get(access)}) on conflict do nothing`.execute(
      trx,
    )
  }
  if (what !== 'pushed' && what !== 'effective' && what !== 'both') return
  if (group.isApart && what !== 'pushed') return
  const { effective, pushed = effective } = group
  const both = what === 'both' || group.pushed === undefined
  const next = {
    pushed: pushed.has(person) !== (what === 'pushed' || both),
    effective: effective.has(person) !== (what === 'effective' || both),
  }
  await sql`delete from memberships where org_id = ${org} and group_id = ${groupId} and account_id = ${accountId}`.execute(trx)
  if (next.pushed || next.effective) {
    await sql`insert into memberships (org_id, group_id, account_id, pushed, effective) values (${org}, ${groupId}, ${accountId}, ${next.pushed}, ${next.effective})`.execute(
      trx,
    )
  }
  await sql`
    update groups set (member_count, add_count, remove_count) = (
      select count(*) filter (where effective), count(*) filter (where pushed and not effective), count(*) filter (where effective and not pushed)
      from memberships where org_id = ${org} and group_id = ${groupId})
    where org_id = ${org} and id = ${groupId}`.execute(trx)
}

// The answer as a person can read it: who is added and removed, what is lost and gained, warnings.
async function answers(reader: Reader, stored: StoredWorld): Promise<Map<string, { answer: string; fingerprint: string }>> {
  const { items } = await listReviews(reader, stored.directoryId, { state: 'all' }, { sort: 'name' })
  const found = new Map<string, { answer: string; fingerprint: string }>()
  for (const {
    group,
    members: { unchanged: _, ...members },
    access,
    warnings,
    fingerprint,
    state,
  } of items) {
    const people = (await peopleOf(reader, [group.id], 'all', { sort: 'name' })).items
    const bare = people.map(({ person, groups, lost, gained, leftWithNone }) => [
      person.userName,
      person.active || groups[0]?.change === 'removed',
      groups,
      [lost, gained].map((of) => of.map(({ site, product, role }) => [site, product, role])),
      leftWithNone,
    ])
    found.set(group.id, { answer: JSON.stringify([state, members, access, warnings, bare]), fingerprint })
  }
  const ids = items.map(({ group }) => group.id)
  const { fingerprint, ...together } = await effectOf(reader, ids)
  const people = (await peopleOf(reader, ids, 'all', { sort: 'name' })).items.map(({ person, lost, gained, leftWithNone }) => [
    person.userName,
    lost.map(({ site, product, role, isJoint }) => [site, product, role, isJoint]),
    gained.map(({ site, product, role }) => [site, product, role]),
    leftWithNone,
  ])
  const alone = [...found.values()].map(({ answer }) => answer)
  return found.set('together', { answer: JSON.stringify([alone, together, people]), fingerprint })
}

const idsOf = (stored: StoredWorld, groups: readonly ReferenceGroup[]): ProvisionedGroupId[] =>
  groups.flatMap(({ name }) => stored.pushed.get(name) ?? [])

const membersOf = ({ effective, pushed = effective }: ReferenceGroup) => ({
  added: pushed.difference(effective).size,
  removed: effective.difference(pushed).size,
  unchanged: effective.intersection(pushed).size,
})

const countsOf = ({ lost, gained, peopleLosing, peopleGaining, leftWithNone }: ReferenceEffect) => ({
  lost: lost.length,
  gained: gained.length,
  peopleLosing: peopleLosing.length,
  peopleGaining: peopleGaining.length,
  leftWithNone: leftWithNone.length,
})

function warningsOf(world: ReferenceWorld, group: ReferenceGroup, effect: ReferenceEffect): string[] {
  const { effective, pushed = effective } = group
  const counts = {
    last_admin: lastAdmins(world, [group], effect).length,
    left_with_nothing: effect.leftWithNone.length,
    empty: effective.size > 0 && pushed.size === 0 ? effective.size : 0,
    inactive: [...pushed.difference(effective)].filter((person) => !world.people.get(person)?.active).length,
  }
  return Object.entries(counts).flatMap(([code, count]) => (count > 0 ? [`${code} ${count}`] : []))
}

function lastAdmins(world: ReferenceWorld, groups: readonly ReferenceGroup[], effect: ReferenceEffect): string[] {
  const lost = new Set(effect.lost.map((pair) => pair.split('|')[1] ?? '').filter((access) => access.endsWith('/admin')))
  return [...lost].filter(
    (access) =>
      !world.groups.some((group) => {
        const { effective, pushed = effective, grants } = group
        return (
          grants.includes(access) &&
          [...(groups.includes(group) ? pushed : effective)].some((person) => world.people.get(person)?.active)
        )
      }),
  )
}

async function sync(trx: Trx, id: ProvisionedGroupId, keeps = false): Promise<void> {
  const group = sql`(select group_id from provisioned_groups where org_id = ${trx.orgId} and id = ${id})`
  if (!keeps) await sql`delete from memberships where org_id = ${trx.orgId} and group_id = ${group} and not pushed`.execute(trx)
  await sql`update memberships set effective = true where org_id = ${trx.orgId} and group_id = ${group}`.execute(trx)
}

const over = new Error('rolled back')

// Each organization is written, asked and forgotten.
async function rolledBack(
  db: Parameters<typeof inTransaction>[0],
  scope: Parameters<typeof inTransaction>[1],
  work: (trx: Trx) => Promise<void>,
): Promise<void> {
  await inTransaction(db, scope, async (trx) => {
    await work(trx)
    throw over
  }).catch((error) => {
    if (error !== over) throw error
  })
}
