import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { type StoredWorld, storeWorld } from '../review/stored-world.ts'
import { effectOnAccess, reviewedGroups, sampleWorld } from '../support/reference.ts'
import { test as base, expect } from '../support/world.ts'
import { syncing } from './syncing.ts'

const expected = JSON.parse(readFileSync(join(import.meta.dirname, '../../sample/kubernetes-org/expected.json'), 'utf8'))
const world = sampleWorld()

const test = base.extend<{ sample: StoredWorld }>({
  sample: async ({ inOrg, org }, use) => {
    const { id } = await org.directory()
    await use(await inOrg((trx) => storeWorld(trx, world, id)))
  },
})

test('sync all: every group is what was pushed, and what happened is what an independent computation says', async ({
  sample,
  api,
  inOrg,
}) => {
  const admin = syncing(api, sample.directoryId)
  // One group was pushed empty over its one member.
  const run = await admin.syncs('all', { acceptEmpty: true })
  const { sync_all: all } = expected
  expect(run).toMatchObject({
    state: 'finished',
    groups: { total: 667, synced: 667, skipped: 0, failed: 0 },
    members: { added: expected.members_added, removed: expected.members_removed },
    access: {
      lost: all.access_lost,
      gained: all.access_gained,
      peopleLosing: all.users_losing_access,
      peopleGaining: all.users_gaining_access,
      leftWithNone: all.users_left_with_no_access,
    },
    foreseen: { groups: 667, blocked: expected.blocked_default_access },
  })
  expect(run.foreseen.access).toEqual({ ...run.access, jointLosses: expected.joint_losses })

  const { members, differences } = await inOrg(async (trx) => ({
    members: (
      await sql<{ group: string; person: string }>`
      select g.name as group, a.user_name as person from memberships m
      join groups g on g.org_id = m.org_id and g.id = m.group_id
      join accounts a on a.org_id = m.org_id and a.id = m.account_id
      where m.org_id = ${trx.orgId} and m.effective`.execute(trx)
    ).rows,
    differences: (
      await sql<{ blocked: boolean }>`
      select p.state = 'blocked' as blocked from memberships m join provisioned_groups p on p.org_id = m.org_id and p.group_id = m.group_id
      where m.org_id = ${trx.orgId} and m.pushed <> m.effective`.execute(trx)
    ).rows,
  }))
  const now = Map.groupBy(members, ({ group }) => group)
  for (const { name, pushed } of reviewedGroups(world)) {
    expect([name, (now.get(name) ?? []).map(({ person }) => person).sort()]).toEqual([name, [...(pushed ?? [])].sort()])
  }
  expect(differences.filter(({ blocked }) => !blocked)).toEqual([])
})

test('without a word about empty groups, the one that was pushed empty over its member is skipped', async ({ sample, api }) => {
  const admin = syncing(api, sample.directoryId)
  const { id, groups, foreseen } = await admin.syncs('all')
  expect(groups).toEqual({ total: 667, synced: 666, skipped: 1, failed: 0 })
  expect(foreseen.warnings).toContainEqual({ code: 'empty', groups: 1 })
  expect((await admin.resultsOf(id)).filter((result) => !result.endsWith(': synced'))).toEqual([
    'kubernetes/sig-multicluster-test-failures: skipped, empty',
  ])
})

test('the losses and gains that each group had part in are those of a second computation', async ({ sample, api }) => {
  const admin = syncing(api, sample.directoryId)
  const run = await admin.syncs('all', { acceptEmpty: true })
  const groups = reviewedGroups(world)
  const { lost, gained } = effectOnAccess(world, groups)
  const [allLost, allGained] = [new Set(lost), new Set(gained)]
  const { body } = await api('GET', `/runs/${run.id}/groups?limit=0`)
  const told = new Map(body.items.map(({ group, access }: { group: { name: string }; access: unknown }) => [group.name, access]))
  for (const { name, effective, pushed = effective, grants } of groups) {
    const pairs = (people: ReadonlySet<string>, among: Set<string>) =>
      [...people].flatMap((person) => grants.filter((access) => among.has(`${person}|${access}`))).length
    expect([name, told.get(name)]).toEqual([
      name,
      { lost: pairs(effective.difference(pushed), allLost), gained: pairs(pushed.difference(effective), allGained) },
    ])
  }
})

test('merge of all takes nothing from anybody and keeps 669; dropping the kept gives the end that overwrite gives', async ({
  sample,
  api,
  inOrg,
}) => {
  const admin = syncing(api, sample.directoryId)
  const groups = reviewedGroups(world)
  const merged = groups.map((group) => ({ ...group, pushed: group.effective.union(group.pushed ?? group.effective) }))
  const { gained, peopleGaining } = effectOnAccess({ ...world, groups: replaced(merged) }, merged)
  const run = await admin.syncs('all', { defaultChoice: 'merge' })
  expect(run).toMatchObject({
    groups: { total: 667, synced: 667 },
    members: { added: expected.members_added, removed: 0 },
    access: { lost: 0, gained: gained.length, peopleLosing: 0, peopleGaining: peopleGaining.length },
  })
  const { body: kept } = await api('GET', `/directories/${sample.directoryId}/kept?limit=1`)
  expect(kept.total).toBe(expected.members_removed)
  const dropped = await admin.syncs('all', { kind: 'drop_kept' })
  expect(dropped.members).toEqual({ added: 0, removed: expected.members_removed })
  // What overwrite takes is taken, and what only a kept member's access hid is lost now, not gained before.
  const { sync_all: all } = expected
  expect(dropped.access.lost - (run.access.gained - all.access_gained)).toBe(all.access_lost)
  const different = await inOrg(
    async (trx) =>
      (
        await sql<{ name: string }>`
        select p.name from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
        where p.org_id = ${trx.orgId} and p.state <> 'blocked' and (g.add_count > 0 or g.remove_count > 0)`.execute(trx)
      ).rows,
  )
  expect(different).toEqual([])
})

const replaced = (some: ReturnType<typeof reviewedGroups>) => {
  const by = new Map(some.map((group) => [group.name, group]))
  return world.groups.map((group) => by.get(group.name) ?? group)
}
