import type { Trx } from '../../src/database/connection.ts'
import type { GroupId, ProvisionedGroupId } from '../../src/database/ids.ts'
import { findGroup } from '../../src/organization/groups.ts'
import { linkByHand, unlink } from '../../src/provisioning/linking.ts'
import { expect, type Provider, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

test('a pushed group is linked to another group, whatever its name, and then needs review against that one', async ({
  acme,
  okta,
  inOrg,
}) => {
  await acme.has({ group: 'Designers', members: ['ada'] })
  await acme.has({ group: 'Design', members: ['bob', 'cyd'] })
  await okta.knows('ada', 'bob', 'dee')
  await okta.pushes({ group: 'Designers', members: ['bob', 'dee'] })
  await inOrg(link(okta, 'Designers', 'Design'))
  expect(await okta.stateOf('Designers')).toEqual({ state: 'needs_review', reasons: ['linked'] })
  expect(await okta.membersOf('Designers')).toEqual(['bob', 'dee'])
  expect(await acme.membersOf('Design')).toEqual(['bob', 'cyd'])
  expect(await acme.membersOf('Designers')).toEqual(['ada'])
  expect(await okta.adds('Designers', ['ada'])).toBe(204)
  expect(await acme.membersOf('Design')).toEqual(['bob', 'cyd'])
  expect(await changes(inOrg, 'Design')).toEqual({ add: 2, remove: 1 })
  expect(await changes(inOrg, 'Designers')).toEqual({ add: 0, remove: 0 })
})

test('the group that is left is as it was, and any other push of its name meets it', async ({ acme, okta, entra, inOrg }) => {
  await acme.has({ group: 'Designers', members: ['ada', 'bob'] })
  await acme.has({ group: 'Design', members: [] })
  await okta.knows('bob', 'dee')
  await okta.pushes({ group: 'Designers', members: ['bob', 'dee'] })
  await entra.pushes({ group: 'Designers' })
  await entra.pushes({ group: 'Design' })
  expect(await entra.stateOf('Designers')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  await entra.deletes('Design')
  await inOrg(link(okta, 'Designers', 'Design'))
  expect(await acme.membersOf('Designers')).toEqual(['ada', 'bob'])
  expect(await entra.stateOf('Designers')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  await entra.pushes({ group: 'Design' })
  expect(await entra.stateOf('Design')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
})

test('no name undoes a link: neither the old one that becomes free, nor a new one that the provider gives', async ({
  acme,
  okta,
  inOrg,
}) => {
  await acme.has({ group: 'Designers', members: ['ada'] })
  await acme.has({ group: 'Design', members: ['bob'] })
  await okta.pushes({ group: 'Designers' })
  await inOrg(link(okta, 'Designers', 'Design'))
  await acme.renames('Designers', 'Artists')
  expect(await okta.stateOf('Designers')).toEqual({ state: 'needs_review', reasons: ['linked'] })
  expect(await okta.renames('Designers', 'Artists')).toBe(204)
  expect(await okta.stateOf('Artists')).toEqual({ state: 'needs_review', reasons: ['linked'] })
  await acme.renames('Design', 'Drawing')
  expect(await okta.stateOf('Artists')).toEqual({ state: 'needs_review', reasons: ['linked'] })
  await acme.protects('Drawing')
  expect(await okta.stateOf('Artists')).toEqual({ state: 'blocked', reasons: ['protected'] })
  await acme.protects('Drawing', false)
  expect(await okta.stateOf('Artists')).toEqual({ state: 'needs_review', reasons: ['linked'] })
  await acme.deletes('Drawing')
  expect(await okta.stateOf('Artists')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('a group that is linked to is offered to its directory no more', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Designers', members: [] })
  await acme.has({ group: 'Design', members: [] })
  await okta.pushes({ group: 'Designers' })
  const shown = async () =>
    (await okta.request('GET', '/Groups')).body.Resources.map(({ displayName }: { displayName: string }) => displayName).sort()
  expect(await shown()).toEqual(['Design', 'Designers'])
  await inOrg(link(okta, 'Designers', 'Design'))
  expect(await shown()).toEqual(['Designers'])
})

test('a synced link takes the pushed name, if that is free', async ({ acme, api, okta, entra, inOrg }) => {
  await acme.has({ group: 'Design', members: ['ada'] })
  await acme.has({ group: 'Art', members: ['ada'] })
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Art', members: ['ada', 'bob'] })
  await inOrg(link(okta, 'Art', 'Design'))
  await entra.pushes({ group: 'Design' })
  await acme.renames('Art', 'Arts')
  await syncing(api, okta.directory.name).syncs(['Art'])
  expect(await okta.stateOf('Art')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Art')).toEqual(['ada', 'bob'])
  expect(await entra.stateOf('Design')).toEqual({ state: 'synced', reasons: [] })
})

test('a synced link whose pushed name is taken keeps its name, and the new one waits', async ({ acme, api, okta, inOrg }) => {
  await acme.has({ group: 'Design', members: ['ada'] })
  await acme.has({ group: 'Art', members: [] })
  await okta.knows('bob')
  await okta.pushes({ group: 'Art', members: ['bob'] })
  await inOrg(link(okta, 'Art', 'Design'))
  await syncing(api, okta.directory.name).syncs(['Art'])
  expect(await okta.stateOf('Art')).toEqual({ state: 'synced', reasons: ['name_taken'] })
  expect(await acme.membersOf('Design')).toEqual(['bob'])
  await acme.deletes('Art')
  expect(await okta.stateOf('Art')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Art')).toEqual(['bob'])
})

test('a link whose name is kept before it is synced keeps it, free or not', async ({ acme, api, okta, inOrg }) => {
  await acme.has({ group: 'Design', members: ['ada'] })
  await acme.has({ group: 'Art', members: [] })
  await okta.knows('bob')
  await okta.pushes({ group: 'Art', members: ['bob'] })
  await inOrg(link(okta, 'Art', 'Design'))
  expect((await api('PUT', '/reviews/Art/name', { choice: 'keep' })).status).toBe(200)
  await acme.renames('Art', 'Arts')
  await syncing(api, okta.directory.name).syncs(['Art'])
  expect(await okta.stateOf('Art')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Design')).toEqual(['bob'])
})

test('a synced group that is linked elsewhere leaves its group unmanaged, with its members', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Taken', members: ['bob'] })
  await okta.knows('ada')
  await okta.pushes({ group: 'Mine', members: ['ada'] })
  await okta.renames('Mine', 'Taken')
  await inOrg(link(okta, 'Taken', 'Taken'))
  expect(await okta.stateOf('Taken')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Mine')).toEqual(['ada'])
  expect((await acme.adds('Mine', ['cyd'])).status).toBeLessThan(300)
  expect(await acme.membersOf('Taken')).toEqual(['bob'])
  expect(await okta.membersOf('Taken')).toEqual(['ada'])
})

test('an unlinked group meets the group of its own name again', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Designers', members: ['ada'] })
  await acme.has({ group: 'Design', members: ['bob'] })
  await okta.knows('cyd')
  await okta.pushes({ group: 'Designers', members: ['cyd'] })
  await inOrg(link(okta, 'Designers', 'Design'))
  await inOrg((trx) => unlink(trx, okta.idOf('Designers') as ProvisionedGroupId))
  expect(await okta.stateOf('Designers')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await changes(inOrg, 'Design')).toEqual({ add: 0, remove: 0 })
  expect(await changes(inOrg, 'Designers')).toEqual({ add: 1, remove: 1 })
  await expect(inOrg((trx) => unlink(trx, okta.idOf('Designers') as ProvisionedGroupId))).rejects.toThrow('linked to no group')
})

test('an unlinked synced group belongs to the organization, and its push needs review', async ({ acme, okta, inOrg }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Mine', members: ['ada'] })
  await inOrg((trx) => unlink(trx, okta.idOf('Mine') as ProvisionedGroupId))
  expect(await okta.stateOf('Mine')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Mine')).toEqual(['ada'])
  expect((await acme.adds('Mine', ['bob'])).status).toBeLessThan(300)
})

test('a group that is managed, reviewed against another push, protected or default access cannot be linked to', async ({
  acme,
  okta,
  entra,
  inOrg,
}) => {
  for (const group of ['Default', 'Protected', 'Reviewed', 'Art']) await acme.has({ group, members: [] })
  await acme.grants('Default', 'site/wiki/user', { isDefault: true })
  await acme.protects('Protected')
  await entra.pushes({ group: 'Reviewed' })
  await entra.pushes({ group: 'Managed' })
  await okta.pushes({ group: 'Art' })
  const refusals = [
    ['Default', 'default_access_group'],
    ['Protected', 'protected'],
    ['Reviewed', 'paired_with_directory'],
    ['Managed', 'managed_by_directory'],
  ]
  for (const [group, code] of refusals) {
    await expect(inOrg(link(okta, 'Art', group as string)), group).rejects.toMatchObject({ code })
  }
  expect(await okta.stateOf('Art')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('the log says what a group was paired with before and after', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Designers', members: [] })
  await acme.has({ group: 'Design', members: [] })
  await okta.pushes({ group: 'Designers' })
  await inOrg(link(okta, 'Designers', 'Design'))
  await inOrg((trx) => unlink(trx, okta.idOf('Designers') as ProvisionedGroupId))
  const entries = await inOrg((trx) =>
    trx
      .selectFrom('log_entries')
      .select(['action', 'facts'])
      .where('action', 'in', ['group.linked', 'group.unlinked'])
      .orderBy('id')
      .execute(),
  )
  expect(entries).toMatchObject([
    { action: 'group.linked', facts: { name: 'Designers', from: { name: 'Designers' }, to: { name: 'Design' } } },
    { action: 'group.unlinked', facts: { name: 'Designers', from: { name: 'Design' }, to: null } },
  ])
})

type InOrg = <T>(work: (trx: Trx) => Promise<T>) => Promise<T>

const link = (okta: Provider, group: string, to: string) => async (trx: Trx) =>
  linkByHand(trx, okta.idOf(group) as ProvisionedGroupId, (await findGroup(trx, to)).id satisfies GroupId)

const changes = (inOrg: InOrg, group: string) =>
  inOrg((trx) =>
    trx
      .selectFrom('groups')
      .select(['add_count as add', 'remove_count as remove'])
      .where('name', '=', group)
      .where('effective', '=', true)
      .executeTakeFirstOrThrow(),
  )
