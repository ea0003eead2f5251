import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reader } from '../../src/database/connection.ts'
import { reading } from '../../src/database/transaction.ts'
import { effectOf } from '../../src/review/effect.ts'
import { expectedInRun } from '../../src/review/expected-in-run.ts'
import { listReviews, reviewFacets } from '../../src/review/review.ts'
import { chosenGroups, presetGroups } from '../../src/review/selection.ts'
import { effectOnAccess, lostInRun, type ReferenceGroup, reviewedGroups, safeSet, sampleWorld } from '../support/reference.ts'
import { test as base, expect } from '../support/world.ts'
import { type StoredWorld, storeWorld } from './stored-world.ts'

const expected = JSON.parse(readFileSync(join(import.meta.dirname, '../../sample/kubernetes-org/expected.json'), 'utf8'))
const world = sampleWorld()
const groups = new Map(reviewedGroups(world).map((group) => [group.name, group]))

const test = base.extend<{ sample: StoredWorld; read: <T>(work: (reader: Reader) => Promise<T>) => Promise<T> }>({
  sample: async ({ inOrg, org }, use) => {
    const { id } = await org.directory()
    await use(await inOrg((trx) => storeWorld(trx, world, id)))
  },
  read: async ({ db, org }, use) => use((work) => reading(db, org.scope, work)),
})

const figures = ({ access }: Awaited<ReturnType<typeof effectOf>>) => ({
  access_lost: access.lost,
  access_gained: access.gained,
  users_losing_access: access.peopleLosing,
  users_gaining_access: access.peopleGaining,
  users_left_with_no_access: access.leftWithNone,
})

test('what all groups do together is as expected, to the last figure', async ({ sample, read }) => {
  const { effect, blocked } = await read(async (reader) => {
    const chosen = await chosenGroups(reader, sample.directoryId, { mode: 'filter', filter: {} })
    return { effect: await effectOf(reader, chosen.ids), blocked: chosen.blocked }
  })
  expect(figures(effect)).toEqual(expected.sync_all)
  expect({ groups: effect.groups, blocked, jointLosses: effect.access.jointLosses, ...effect.members }).toEqual({
    groups: expected.needs_review,
    blocked: expected.blocked_default_access,
    jointLosses: expected.joint_losses,
    added: expected.members_added,
    removed: expected.members_removed,
  })
  expect(effect.warnings.find(({ code }) => code === 'guard_passed')).toEqual({ code: 'guard_passed', groups: 11 })
  expect(effect.matrix.filter(({ site }) => site === 'etcd-io').map(({ role, lost, gained }) => [role, lost, gained])).toEqual([
    ['admin', 2, 5],
    ['maintain', 10, 9],
  ])
})

test('every single review says what a second computation says', async ({ sample, read }) => {
  const { total, items } = await read((reader) => listReviews(reader, sample.directoryId, {}, {}))
  expect(total).toBe(expected.needs_review)
  for (const { group, members, access } of items) {
    const reference = groups.get(group.name) as ReferenceGroup
    const { effective, pushed = effective } = reference
    const effect = effectOnAccess(world, [reference])
    expect({ name: group.name, members, access }).toEqual({
      name: group.name,
      members: {
        added: pushed.difference(effective).size,
        removed: effective.difference(pushed).size,
        unchanged: effective.intersection(pushed).size,
      },
      access: {
        lost: effect.lost.length,
        gained: effect.gained.length,
        peopleLosing: effect.peopleLosing.length,
        peopleGaining: effect.peopleGaining.length,
        leftWithNone: effect.leftWithNone.length,
      },
    })
  }
  const losing = items.filter(({ access }) => access.lost > 0)
  expect(items.reduce((sum, { access }) => sum + access.lost, 0)).toBe(expected.single_reviews.access_lost)
  expect(losing).toHaveLength(expected.single_reviews.groups_losing)
  expect(items.length - losing.length).toBe(expected.single_reviews.groups_losing_nothing)
  expect(items.filter(({ access }) => access.lost === 0 && access.gained === 0)).toHaveLength(
    expected.single_reviews.groups_without_effect,
  )
  expect(items.filter(({ members }) => members.added === 0 && members.removed === 0)).toHaveLength(
    expected.without_member_changes,
  )
  expect(items.slice(0, losing.length)).toEqual(losing)
})

test('groups that take nothing alone take six accesses together; the safe set takes none', async ({ sample, read }) => {
  const { alone, together, safe, effect } = await read(async (reader) => {
    const { items } = await listReviews(reader, sample.directoryId, {}, {})
    const harmless = items.filter(({ access }) => access.lost === 0).map(({ group }) => group.id)
    const preset = await presetGroups(reader, sample.directoryId, 'takes_nothing')
    return {
      alone: harmless.length,
      together: await effectOf(reader, harmless),
      safe: preset,
      effect: await effectOf(reader, preset.ids),
    }
  })
  expect(alone).toBe(493)
  expect(figures(together)).toEqual(expected.groups_losing_nothing_together)
  expect({ groups: safe.ids.length, ...figures(effect) }).toEqual(expected.takes_nothing)
  expect(safe.ids.map(sample.nameOf).sort()).toEqual(
    safeSet(world, [...groups.values()])
      .map(({ name }) => name)
      .sort(),
  )
  expect(safe.dropped.map(({ group }) => group.name)).toHaveLength(4)
})

test('the groups without effect on access have none together either', async ({ sample, read }) => {
  const { preset, effect } = await read(async (reader) => {
    const found = await presetGroups(reader, sample.directoryId, 'no_access_effect')
    return { preset: found, effect: await effectOf(reader, found.ids) }
  })
  expect({ groups: preset.ids.length, ...figures(effect) }).toEqual(expected.no_access_effect)
  expect(preset.dropped).toEqual([])
})

test('facets count what each choice would leave', async ({ sample, read }) => {
  const facets = await read((reader) => reviewFacets(reader, sample.directoryId, {}))
  expect(facets).toMatchObject({
    total: 667,
    state: { needs_review: 667, blocked: 8, held: 0, ignored: 0 },
    effect: { takes: 174, gives: 157, none: 431 },
    members: { none: 281, additions: 78, removals: 308 },
    warning: { guard_passed: 11, last_admin: expect.any(Number), left_with_nothing: 0, empty: 1 },
  })
  const takes = await read((reader) => reviewFacets(reader, sample.directoryId, { effect: 'takes', site: 'etcd-io' }))
  const [listed, elsewhere] = await read(async (reader) => [
    await listReviews(reader, sample.directoryId, { effect: 'takes', site: 'etcd-io' }, { limit: 1 }),
    await listReviews(reader, sample.directoryId, { effect: 'gives', site: 'etcd-io' }, { limit: 1 }),
  ])
  expect([takes.total, takes.effect.takes, takes.effect.gives]).toEqual([listed?.total, listed?.total, elsewhere?.total])
})

test('what a run expects of each group is what a second computation says', async ({ sample, read }) => {
  const ids = [...groups.keys()].map((name) => sample.pushed.get(name)).filter((id) => id !== undefined)
  const expectations = await read((reader) => expectedInRun(reader, { groupIds: ids, pending: ids }))
  for (const [id, { lost }] of expectations) {
    const group = groups.get(sample.nameOf(id)) as ReferenceGroup
    expect([group.name, lost.map(sample.pair).sort()]).toEqual([group.name, lostInRun(world, [...groups.values()], group)])
  }
  expect(new Set([...expectations.values()].flatMap(({ lost }) => lost)).size).toBe(expected.sync_all.access_lost)
})
