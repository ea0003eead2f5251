import type { Trx } from '../../src/database/connection.ts'
import type { ProvisionedGroupId } from '../../src/database/ids.ts'
import { freeName, freeNames } from '../../src/provisioning/free-names.ts'
import { lockWithConcerned } from '../../src/provisioning/linking.ts'
import { keepName, renameExisting } from '../../src/provisioning/waiting-names.ts'
import { expect, type Provider, test } from '../support/story.ts'

test('the existing group takes a free name, and the synced group the one that waited', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Taken', members: ['bob'] })
  await acme.grants('Taken', 'site/wiki/user')
  await okta.knows('ada')
  await okta.pushes({ group: 'Mine', members: ['ada'] })
  await okta.renames('Mine', 'Taken')
  expect(await inOrg(rename(okta, 'Taken'))).toEqual({ before: 'Taken', after: 'Taken (2)' })
  expect(await okta.stateOf('Taken')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Taken')).toEqual(['ada'])
  expect(await acme.membersOf('Taken (2)')).toEqual(['bob'])
  expect(await acme.accessOf('bob')).toEqual(['site/wiki/user'])
})

test('the existing group of a review keeps members and grants under another name; the pushed one gets a group of its own', async ({
  acme,
  okta,
  inOrg,
}) => {
  await acme.has({ group: 'Team', members: ['bob'] })
  await acme.grants('Team', 'site/wiki/user')
  await okta.knows('ada')
  await okta.pushes({ group: 'Team', members: ['ada'] })
  expect(await inOrg(rename(okta, 'Team', 'Team of old'))).toEqual({ before: 'Team', after: 'Team of old' })
  expect(await okta.stateOf('Team')).toEqual({ state: 'synced', reasons: [] })
  expect(await acme.membersOf('Team')).toEqual(['ada'])
  expect(await acme.membersOf('Team of old')).toEqual(['bob'])
  expect(await acme.accessOf('bob')).toEqual(['site/wiki/user'])
  expect(await acme.accessOf('ada').catch(() => [])).toEqual([])
})

test('a group that is managed, reviewed against another push, protected or default access keeps its name', async ({
  acme,
  okta,
  entra,
  inOrg,
}) => {
  for (const group of ['Default', 'Protected', 'Reviewed']) await acme.has({ group, members: [] })
  await acme.grants('Default', 'site/wiki/user', { isDefault: true })
  await acme.protects('Protected')
  await entra.pushes({ group: 'Reviewed' })
  await entra.pushes({ group: 'Managed' })
  await okta.pushes({ group: 'Mine' })
  const refusals = [
    ['Default', 'default_access_group'],
    ['Protected', 'protected'],
    ['Reviewed', 'paired_with_directory'],
    ['Managed', 'managed_by_directory'],
  ] as const
  let name = 'Mine'
  for (const [to, code] of refusals) {
    await okta.renames(name, to)
    name = to
    await expect(inOrg(rename(okta, to)), to).rejects.toMatchObject({ code })
  }
  await okta.renames(name, 'Mine')
  await expect(inOrg(rename(okta, 'Mine'))).rejects.toMatchObject({ code: 'name_not_waiting' })
})

test('a name that is given to the existing group must be a name, and free', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Taken', members: [] })
  await acme.has({ group: 'Other', members: [] })
  await okta.pushes({ group: 'Taken' })
  await expect(inOrg(rename(okta, 'Taken', ' OTHER '))).rejects.toMatchObject({ code: 'name_taken' })
  await expect(inOrg(rename(okta, 'Taken', 'taken'))).rejects.toMatchObject({ code: 'name_taken' })
  await expect(inOrg(rename(okta, 'Taken', ' '))).rejects.toMatchObject({ code: 'invalid_value' })
})

test('a kept name is settled until the provider gives another one', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Taken', members: [] })
  await acme.has({ group: 'Taken too', members: [] })
  await okta.pushes({ group: 'Mine' })
  await okta.renames('Mine', 'Taken')
  const id = okta.idOf('Taken') as ProvisionedGroupId
  await inOrg((trx) => keepName(trx, id))
  expect(await okta.stateOf('Taken')).toEqual({ state: 'synced', reasons: [] })
  await acme.deletes('Taken')
  expect(await acme.membersOf('Mine')).toEqual([])
  await expect(inOrg((trx) => keepName(trx, id))).rejects.toMatchObject({ code: 'name_not_waiting' })
  expect(await okta.renames('Taken', 'Taken too')).toBe(204)
  expect(await okta.stateOf('Taken too')).toEqual({ state: 'synced', reasons: ['name_taken'] })
  expect(await okta.renames('Taken too', 'Free')).toBe(204)
  expect(await acme.membersOf('Free')).toEqual([])
})

test('a PUT renames like a PATCH, and the log has the name before and after', async ({ acme, okta, inOrg }) => {
  await acme.has({ group: 'Taken', members: [] })
  await okta.knows('ada')
  await okta.pushes({ group: 'One', members: ['ada'] })
  const put = (displayName: string) => okta.request('PUT', `/Groups/${okta.idOf('One')}`, { displayName })
  expect((await put('Two')).body.displayName).toBe('Two')
  expect(await acme.membersOf('Two')).toEqual(['ada'])
  expect((await put('Taken')).body.displayName).toBe('Taken')
  expect(await okta.stateOf('One')).toEqual({ state: 'synced', reasons: ['name_taken'] })
  expect(await acme.membersOf('Two')).toEqual(['ada'])
  await acme.deletes('Taken')
  expect(await acme.membersOf('Taken')).toEqual(['ada'])
  const renamed = await inOrg((trx) =>
    trx.selectFrom('log_entries').select('facts').where('action', '=', 'group.renamed').orderBy('id').execute(),
  )
  expect(renamed.map(({ facts }) => facts)).toMatchObject([
    { before: { name: 'One' }, after: { name: 'Two' } },
    { before: { name: 'Two' }, after: { name: 'Taken' } },
  ])
})

test('a proposed name is one that no group has and no provider pushed', async ({ acme, okta, entra, inOrg }) => {
  for (const group of ['Crew', 'crew  (2)', 'Crew (4)', 'Crew (5)', 'Old']) await acme.has({ group, members: [] })
  await acme.deletes('Crew (5)')
  await entra.pushes({ group: 'Crew (3)' })
  await okta.pushes({ group: 'Old' })
  const long = 'ß'.repeat(255)
  expect(await inOrg((trx) => freeNames(trx, ['Crew', 'CREW', 'Nobody', long]))).toEqual(
    new Map([
      ['Crew', 'Crew (6)'],
      ['CREW', 'CREW (6)'],
      ['Nobody', 'Nobody (2)'],
      [long, `${'ß'.repeat(123)} (2)`],
    ]),
  )
  expect(await inOrg((trx) => freeName(trx, 'Old'))).toBe('Old (2)')
})

const rename = (okta: Provider, group: string, newName?: string) => async (trx: Trx) =>
  renameExisting(trx, await lockWithConcerned(trx, okta.idOf(group) as ProvisionedGroupId), newName)
