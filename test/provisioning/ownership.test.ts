import { sql } from 'kysely'
import type { AccountId, ProvisionedGroupId, ProvisionedUserId } from '../../src/database/ids.ts'
import { updateAccount } from '../../src/organization/accounts.ts'
import { insertGroup } from '../../src/organization/groups.ts'
import { movePushed } from '../../src/organization/memberships.ts'
import { findDirectory } from '../../src/provisioning/directories.ts'
import { lockProvisionedGroup, settingState } from '../../src/provisioning/groups.ts'
import { lockProvisionedUser } from '../../src/provisioning/users.ts'
import { receiveNewUser } from '../../src/sync/receive-user.ts'
import type { Client } from '../support/clients.ts'
import { expect, test } from '../support/story.ts'
import { someoneWaits } from '../support/waiting.ts'

test('an account whose owner deletes its user goes to the next directory that pushed the person', async ({
  acme,
  api,
  okta,
  entra,
}) => {
  await okta.knows('ada')
  await entra.knows('ada')
  expect(await userOf(api, 'entra')).toMatchObject({ reasons: ['managed_elsewhere'] })
  await okta.deletesPerson('ada')
  expect(await acme.person('ada')).toMatchObject({ active: true, ownedBy: { name: 'entra' } })
  expect(await userOf(api, 'entra')).toMatchObject({ state: 'synced', reasons: [] })
  await entra.switches('ada', 'off')
  expect(await acme.person('ada')).toMatchObject({ active: false })
  await entra.deletesPerson('ada')
  expect(await acme.person('ada')).toMatchObject({ active: false, ownedBy: null })
})

test('an account goes to the next directory as that one knows the person: switched off where it is so there', async ({
  acme,
  okta,
  entra,
}) => {
  await okta.knows('ada')
  await entra.knows('ada')
  await entra.switches('ada', 'off')
  await okta.deletesPerson('ada')
  expect(await acme.person('ada')).toMatchObject({ active: false, ownedBy: { name: 'entra' } })
})

test('another directory than the owner deletes its user: the account stays as it is', async ({ acme, okta, entra }) => {
  await okta.knows('ada')
  await entra.knows('ada')
  await entra.deletesPerson('ada')
  expect(await acme.person('ada')).toMatchObject({ active: true, ownedBy: { name: 'okta' } })
  await okta.switches('ada', 'off')
  expect(await acme.person('ada')).toMatchObject({ active: false })
})

test('a protected account that its owner deletes stays on, and is the organization’s own', async ({ acme, api, okta, entra }) => {
  await okta.knows('ada')
  await entra.knows('ada')
  await api('PATCH', '/people/ada', { isProtected: true })
  await okta.deletesPerson('ada')
  expect(await acme.person('ada')).toMatchObject({ active: true, ownedBy: null, isProtected: true })
  expect(await userOf(api, 'entra')).toMatchObject({ state: 'blocked', reasons: ['protected'] })
  expect((await api('PATCH', '/people/ada', { displayName: 'Ada' })).status).toBe(200)
  await api('PATCH', '/people/ada', { isProtected: false })
  expect(await acme.person('ada')).toMatchObject({ ownedBy: { name: 'entra' } })
  expect(await userOf(api, 'entra')).toMatchObject({ state: 'synced', reasons: [] })
})

for (const [what, act] of [
  ['switched off', 'switches'],
  ['deleted', 'deletesPerson'],
] as const) {
  test(`a person who is ${what} while the account becomes protected stays on`, async ({ acme, okta, inOrg, db }) => {
    await okta.knows('ada')
    const { id } = await acme.person('ada')
    let acting: Promise<unknown> | undefined
    await inOrg(async (trx) => {
      await updateAccount(trx, id as AccountId, { isProtected: true })
      acting = okta[act]('ada', 'off')
      await someoneWaits(db)
    })
    await acting
    expect(await acme.person('ada')).toMatchObject({ active: true, isProtected: true })
  })
}

test('of two directories that adopt an account at once, one owns it', async ({ acme, api, okta, entra, inOrg, db }) => {
  await api('POST', '/people', { userName: 'ada', email: 'ada@example.org' })
  let acting: Promise<unknown> | undefined
  await inOrg(async (trx) => {
    const input = { userName: 'ada', externalId: null, active: true, attributes: { userName: 'ada' } }
    await receiveNewUser(trx, await findDirectory(trx, entra.directory.name), input)
    acting = okta.knows('ada')
    await someoneWaits(db)
  })
  await acting
  expect(await acme.person('ada')).toMatchObject({ ownedBy: { name: 'entra' } })
  expect(await userOf(api, 'entra')).toMatchObject({ reasons: [] })
  expect(await userOf(api, 'okta')).toMatchObject({ reasons: ['managed_elsewhere'] })
})

test('two directories that delete a person at once leave the account off and nobody’s', async ({
  acme,
  okta,
  entra,
  inOrg,
  db,
}) => {
  await okta.knows('ada')
  await entra.knows('ada')
  let acting: Promise<unknown> | undefined
  await inOrg(async (trx) => {
    const directory = await findDirectory(trx, okta.directory.name)
    await lockProvisionedUser(trx, directory.id, okta.idOfPerson('ada') as ProvisionedUserId)
    acting = Promise.all([okta.deletesPerson('ada'), entra.deletesPerson('ada')])
    await someoneWaits(db, { many: 2 })
    // Whoever waits for one of the account's users holds none that comes after it.
    const { rows } = await sql`
      select from provisioned_users where org_id = ${trx.orgId} order by id for update nowait`.execute(trx)
    expect(rows).toHaveLength(2)
  })
  expect(await acting).toEqual([204, 204])
  expect(await acme.person('ada')).toMatchObject({ active: false, ownedBy: null })
})

test('a person who is deleted while a group of theirs is paired with another leaves that one', async ({
  acme,
  okta,
  inOrg,
  db,
}) => {
  await acme.has({ group: 'Team', members: [] })
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Team', members: ['ada', 'bob'] })
  let acting: Promise<unknown> | undefined
  await inOrg(async (trx) => {
    const directory = await findDirectory(trx, okta.directory.name)
    const group = await lockProvisionedGroup(trx, directory.id, okta.idOf('Team') as ProvisionedGroupId)
    acting = okta.deletesPerson('ada')
    await someoneWaits(db)
    const to = await insertGroup(trx, { name: 'Team of old' })
    await movePushed(trx, { from: group.groupId, to }, { action: 'group.paired', subject: group.id, directoryId: directory.id })
    await settingState(trx, group.id, { ...group, groupId: to }).execute()
  })
  expect(await acting).toBe(204)
  const { id } = await acme.person('ada')
  const left = await inOrg((trx) => sql`select from memberships where account_id = ${id} and pushed`.execute(trx))
  expect(left.rows).toEqual([])
  expect(await okta.membersOf('Team')).toEqual(['bob'])
})

const userOf = async (api: Client, directory: string) =>
  (await api('GET', `/directories/${directory}/provisioned-users`)).body.items[0]
