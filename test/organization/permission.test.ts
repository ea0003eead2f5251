import { describe } from 'vitest'
import { addGrant, ensureRole, removeGrant, setDefault } from '../../src/organization/access.ts'
import { listGrants } from '../../src/organization/access-lists.ts'
import {
  changeGroup,
  createGroup,
  deleteGroup,
  findGroup,
  lockChangeableGroup,
  setProtected,
  updateGroup,
} from '../../src/organization/groups.ts'
import {
  askedOfAccount,
  askedOfGroup,
  type GroupStanding,
  whyNotChangeAccount,
  whyNotChangeGroup,
} from '../../src/organization/permission.ts'
import { expect, test } from '../support/world.ts'

const unmanaged: GroupStanding = { name: 'Engineering', managedBy: null, pairedWith: null, isProtected: false }

describe('what may be done to a group depends on whose it is', () => {
  const everything = [...askedOfGroup]
  test.for<[string, Partial<GroupStanding>, string[]]>([
    ['one that no directory pushes: everything', {}, everything],
    [
      'one that waits for review: everything but default access',
      { pairedWith: 'Okta' },
      everything.filter((change) => change !== 'make_default'),
    ],
    [
      'one that is protected: everything but to delete it',
      { isProtected: true },
      everything.filter((change) => change !== 'delete'),
    ],
    ['one that a directory manages: grants alone, which no push touches', { managedBy: 'Okta', pairedWith: 'Okta' }, ['grant']],
  ])('%s', ([, standing, allowed]) => {
    expect(askedOfGroup.filter((change) => whyNotChangeGroup(change, { ...unmanaged, ...standing }) === undefined)).toEqual(
      allowed,
    )
  })
})

test('what may be done to a person whom a directory owns is to protect them', () => {
  expect(
    askedOfAccount.filter((change) => whyNotChangeAccount(change, { userName: 'ada', ownedBy: 'Okta' }) === undefined),
  ).toEqual(['protect'])
  expect(
    askedOfAccount.filter((change) => whyNotChangeAccount(change, { userName: 'ada', ownedBy: null }) === undefined),
  ).toEqual([...askedOfAccount])
})

test('every way to change a managed group asks', async ({ inOrg, org }) => {
  const okta = await org.directory({ name: 'Okta' })
  const id = await inOrg(async (trx) => {
    const made = await createGroup(trx, { name: 'Engineering' })
    await changeGroup(trx, made, { managedBy: okta.id })
    return made
  })
  const refused = { code: 'managed_by_directory', message: 'Managed by Okta. Change it there.' }
  await expect(inOrg((trx) => updateGroup(trx, id, { name: 'Other' }))).rejects.toMatchObject(refused)
  await expect(inOrg((trx) => updateGroup(trx, id, { description: 'Other' }))).rejects.toMatchObject(refused)
  await expect(inOrg((trx) => setProtected(trx, id, true))).rejects.toMatchObject(refused)
  await expect(inOrg((trx) => lockChangeableGroup(trx, id))).rejects.toMatchObject(refused)
  await expect(inOrg((trx) => deleteGroup(trx, { ...unmanaged, id, managedBy: 'Okta' }))).rejects.toMatchObject(refused)
  expect(await inOrg((trx) => findGroup(trx, id))).toMatchObject({ name: 'Engineering', description: null, isProtected: false })
})

test('what changes nothing is asked of nobody and writes nothing', async ({ inOrg, org }) => {
  const okta = await org.directory({ name: 'Okta' })
  await inOrg(async (trx) => {
    const id = await createGroup(trx, { name: 'Engineering', description: 'Builds' })
    await changeGroup(trx, id, { managedBy: okta.id })
    const entries = () => trx.selectFrom('log_entries').select('id').where('org_id', '=', trx.orgId).execute()
    const before = await entries()
    await updateGroup(trx, id, { name: ' Engineering ', description: 'Builds' })
    await setProtected(trx, id, false)
    expect(await entries()).toEqual(before)
  })
})

test('a product may have several default access groups, and each can be stopped', async ({ inOrg }) => {
  await inOrg(async (trx) => {
    const roleId = await ensureRole(trx, { site: 'acme', product: 'wiki', role: 'user' })
    const [a, b] = [await createGroup(trx, { name: 'A' }), await createGroup(trx, { name: 'B' })]
    await addGrant(trx, { groupId: a, roleId, isDefault: true })
    await addGrant(trx, { groupId: b, roleId, isDefault: false })
    await setDefault(trx, b, roleId, true)
    expect((await listGrants(trx, {}, { isDefault: true })).items.map(({ group }) => group.name)).toEqual(['A', 'B'])
    await setDefault(trx, a, roleId, false)
    await removeGrant(trx, b, roleId)
    expect((await listGrants(trx, {})).items).toMatchObject([{ group: { name: 'A' }, isDefault: false }])
  })
})

test('roles of one name are one role, however they are written and however many are asked for at once', async ({ inOrg }) => {
  const names = [
    { site: 'Acme', product: 'Wiki', role: 'User' },
    { site: 'ACME', product: 'wiki ', role: 'user' },
    { site: 'acme', product: 'WIKI', role: 'USER' },
  ]
  const ids = await Promise.all(names.map((name) => inOrg((trx) => ensureRole(trx, name))))
  expect(new Set(ids).size).toBe(1)
})
