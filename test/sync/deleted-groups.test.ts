import { sql } from 'kysely'
import { purgeExpired } from '../../src/provisioning/deleted-groups.ts'
import { everywhere } from '../../src/server/workers.ts'
import { expect, test as story } from '../support/story.ts'
import { syncing } from './syncing.ts'

const test = story.extend<{ admin: ReturnType<typeof syncing> }>({
  admin: async ({ api, okta }, use) => use(syncing(api, okta.directory.id)),
})

const role = 'acme/wiki/user'

test('with deleted groups: unmanage a synced group stays, with its members and grants, and what waited is settled', async ({
  acme,
  api,
  okta,
}) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Crew', members: ['ada', 'bob'] })
  await acme.grants('Crew', role)
  expect(await okta.deletes('Crew')).toBe(204)
  expect((await api('GET', '/groups/Crew')).body).toMatchObject({
    managedBy: null,
    pushedBy: null,
    memberCount: 2,
    grantCount: 1,
  })
  expect(await acme.accessOf('ada')).toEqual([role])
})

test('with deleted groups: delete a synced group goes at once, with members and access; its name is free', async ({
  acme,
  api,
  okta,
}) => {
  expect((await api('PATCH', '/directories/okta', { deletedGroups: 'delete' })).body.deletedGroups).toBe('delete')
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Crew', members: ['ada', 'bob'] })
  await acme.grants('Crew', role)
  expect(await okta.deletes('Crew')).toBe(204)
  expect((await api('GET', '/groups/Crew')).status).toBe(404)
  expect(await acme.accessOf('ada')).toEqual([])
  expect((await api('GET', '/people/ada/groups')).body.items).toEqual([])
  expect((await api('GET', '/grants')).body.items).toEqual([])
  const [{ id: request }] = (await api('GET', '/directories/okta/requests?method=DELETE')).body.items
  expect((await api('GET', `/directories/okta/requests/${request}`)).body.outcome).toContain(
    'the group "Crew" was deleted; removed ada, bob',
  )
  expect((await api('POST', '/groups', { name: 'Crew' })).status).toBe(201)
})

test('with deleted groups: delete a group that is not synced goes, and the existing one never notices', async ({
  acme,
  api,
  okta,
}) => {
  await api('PATCH', '/directories/okta', { deletedGroups: 'delete' })
  await acme.has({ group: 'Kept', members: ['ada'] })
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Kept', members: ['bob'] })
  expect(await okta.deletes('Kept')).toBe(204)
  expect(await acme.membersOf('Kept')).toEqual(['ada'])
})

test('the same name pushed again is offered what the deleted group had, after review, never silently', async ({
  acme,
  admin,
  api,
  okta,
}) => {
  await api('PATCH', '/directories/okta', { deletedGroups: 'delete' })
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Crew', members: ['ada'] })
  const { id } = (await api('GET', '/groups/Crew')).body
  await acme.grants('Crew', role)
  await okta.deletes('Crew')

  expect(await okta.pushes({ group: 'crew', members: ['ada', 'bob'] })).toBe(201)
  expect(await okta.stateOf('crew')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })
  expect(await acme.accessOf('bob')).toEqual([])
  const review = (await api('GET', '/directories/okta/reviews')).body.items[0]
  expect(review).toMatchObject({
    existing: null,
    members: { added: 2, removed: 0, unchanged: 0 },
    access: { gained: 2, lost: 0 },
    productAccess: [{ site: 'acme', product: 'wiki', role: 'user' }],
  })

  await admin.syncs(['crew'])
  expect(await okta.stateOf('crew')).toEqual({ state: 'synced', reasons: [] })
  expect((await api('GET', '/groups/crew')).body).toMatchObject({ id, name: 'crew', managedBy: { name: 'okta' }, memberCount: 2 })
  expect(await acme.accessOf('bob')).toEqual([role])
  await okta.removes('crew', ['bob'])
  expect(await acme.accessOf('bob')).toEqual([])
})

test('a deleted group stands in nobody’s way: a synced group may take its name, and the policy refuse refuses nobody for it', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Gone', members: ['ada'] })
  await acme.has({ group: 'Gone too', members: ['ada'] })
  await acme.deletes('Gone')
  await acme.deletes('Gone too')
  await okta.pushes({ group: 'Other' })
  await okta.renames('Other', 'Gone')
  expect(await okta.stateOf('Gone')).toEqual({ state: 'synced', reasons: [] })
  await api('PATCH', '/directories/okta', { conflictPolicy: 'refuse' })
  expect(await okta.pushes({ group: 'Gone too' })).toBe(201)
  expect(await okta.stateOf('Gone too')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })
})

test('of two directories that push the name of a deleted group the first is offered it; a group that takes the name comes before it', async ({
  acme,
  okta,
  entra,
}) => {
  await acme.has({ group: 'Gone', members: ['ada'] })
  await acme.deletes('Gone')
  await okta.pushes({ group: 'Gone' })
  await entra.pushes({ group: 'Gone' })
  expect(await okta.stateOf('Gone')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })
  expect(await entra.stateOf('Gone')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  await okta.deletes('Gone')
  expect(await entra.stateOf('Gone')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })
  await acme.has({ group: 'Gone', members: ['ada'] })
  expect(await entra.stateOf('Gone')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
})

test('a deleted default access group is offered to no push', async ({ acme, okta }) => {
  await acme.has({ group: 'Everybody', members: ['ada'] })
  await acme.grants('Everybody', role, { isDefault: true })
  await acme.deletes('Everybody')
  await okta.pushes({ group: 'Everybody' })
  expect(await okta.stateOf('Everybody')).toEqual({ state: 'blocked', reasons: ['default_access_group'] })
})

test('after 30 days a deleted group goes for good, and the push that waited for its name gets it, without its grants', async ({
  acme,
  api,
  db,
  inOrg,
  okta,
}) => {
  await okta.knows('bob')
  for (const group of ['Gone', 'Forgotten', 'Young']) {
    await acme.has({ group, members: ['ada'] })
    await acme.grants(group, role)
    await acme.deletes(group)
  }
  await okta.pushes({ group: 'Gone', members: ['bob'] })
  const purge = () => everywhere(db, purgeExpired, new AbortController().signal)
  await purge()
  expect(await okta.stateOf('Gone')).toEqual({ state: 'needs_review', reasons: ['deleted_before'] })

  await inOrg((trx) =>
    sql`update groups set deleted_at = now() - interval '30 days' where org_id = ${trx.orgId} and name <> 'Young' and deleted_at is not null`.execute(
      trx,
    ),
  )
  await purge()
  expect(await okta.stateOf('Gone')).toEqual({ state: 'synced', reasons: [] })
  expect((await api('GET', '/groups/Gone')).body).toMatchObject({ memberCount: 1, grantCount: 0, managedBy: { name: 'okta' } })
  expect(await acme.accessOf('bob')).toEqual([])
  const left = await inOrg((trx) =>
    trx.selectFrom('groups').select('name').where('org_id', '=', trx.orgId).where('deleted_at', 'is not', null).execute(),
  )
  expect(left).toEqual([{ name: 'Young' }])
})

test('an admin is shown what deleting a group takes, and what restoring it gives; it comes back as it was', async ({
  acme,
  api,
}) => {
  await acme.has({ group: 'Crew', members: ['ada', 'bob', 'cyd'] })
  await acme.has({ group: 'Other', members: ['bob'] })
  await acme.grants('Crew', role)
  await acme.grants('Crew', 'acme/wiki/admin')
  await acme.grants('Other', role)
  await api('PATCH', '/people/cyd', { active: false })
  const before = (await api('GET', '/groups/Crew')).body
  const { takes } = (await api('GET', '/groups/Crew/deletion')).body
  expect(takes).toMatchObject({
    members: 3,
    inactive: 1,
    access: { accesses: 3, people: 2, withNoOther: 1 },
    roles: [
      { role: 'admin', people: 2, isLastHolder: true },
      { role: 'user', people: 1, isLastHolder: false },
    ],
  })

  await acme.adds('Crew', ['dee'])
  const stale = await api('DELETE', `/groups/Crew?fingerprint=${takes.fingerprint}`)
  expect(stale).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:review_changed', effect: { members: 4 } } })
  await api('PATCH', '/groups/Crew/members', { remove: ['dee'] })
  expect((await api('DELETE', `/groups/Crew?fingerprint=${takes.fingerprint}`)).status).toBe(204)
  expect(await acme.accessOf('ada')).toEqual([])

  const listed = (await api('GET', '/deleted-groups')).body
  expect(listed).toMatchObject({
    total: 1,
    items: [{ id: before.id, name: 'Crew', memberCount: 3, grantCount: 2, deletedBy: 'token:tests owner', pushedBy: null }],
  })
  const { deletedAt, restorableUntil } = listed.items[0]
  expect(Date.parse(restorableUntil) - Date.parse(deletedAt)).toBe(30 * 24 * 3_600_000)
  const { restores } = (await api('GET', '/deleted-groups/crew')).body
  expect(restores).toEqual(takes)

  expect((await api('POST', '/deleted-groups/Crew/restore', { fingerprint: 'another' })).status).toBe(409)
  const restored = await api('POST', '/deleted-groups/Crew/restore', { fingerprint: restores.fingerprint })
  expect(restored).toMatchObject({ status: 200, body: { id: before.id, name: 'Crew', memberCount: 3, grantCount: 2 } })
  expect((await api('GET', '/groups/Crew')).body).toEqual({ ...before, updatedAt: expect.any(String) })
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'bob', 'cyd'])
  expect(await acme.accessOf('ada')).toEqual(['acme/wiki/admin', role])
  expect((await api('GET', '/deleted-groups')).body.total).toBe(0)
  expect((await api('POST', '/deleted-groups/Crew/restore', { fingerprint: restores.fingerprint })).status).toBe(404)
})

test('a deleted group whose name is taken is restored under another one; that is said', async ({ acme, api }) => {
  await acme.has({ group: 'Crew', members: ['ada'] })
  await acme.deletes('Crew')
  await acme.has({ group: 'crew', members: ['bob'] })
  const { restores } = (await api('GET', '/deleted-groups/Crew')).body
  const refused = await api('POST', '/deleted-groups/Crew/restore', { fingerprint: restores.fingerprint })
  expect(refused).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:name_taken', free: 'Crew (2)' } })
  expect(refused.body.detail).toContain('under another name, such as "Crew (2)"')
  const restored = await api('POST', '/deleted-groups/Crew/restore', { fingerprint: restores.fingerprint, name: 'Crew (2)' })
  expect(restored.body).toMatchObject({ name: 'Crew (2)', memberCount: 1 })
  expect(await acme.membersOf('crew')).toEqual(['bob'])
})

test('a group restored while a push is offered it is compared with that push, and nothing pushed is lost', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Crew', members: ['ada', 'bob'] })
  await acme.grants('Crew', role)
  await acme.deletes('Crew')
  await okta.knows('bob', 'cyd')
  await okta.pushes({ group: 'Crew', members: ['bob', 'cyd'] })
  const { restores, pushedBy } = (await api('GET', '/deleted-groups/Crew')).body
  expect(pushedBy).toMatchObject({ name: 'okta' })
  expect((await api('POST', '/deleted-groups/Crew/restore', { fingerprint: restores.fingerprint })).status).toBe(200)
  expect(await okta.stateOf('Crew')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Crew')).toEqual(['ada', 'bob'])
  expect((await api('GET', '/directories/okta/reviews')).body.items[0]).toMatchObject({
    members: { added: 1, removed: 1, unchanged: 1 },
    existing: { name: 'Crew', memberCount: 2 },
  })
})

test('what is deleted for good is gone: the push that waited has a free name, and nothing can be restored', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Crew', members: ['ada'] })
  await acme.grants('Crew', role)
  await acme.deletes('Crew')
  await okta.knows('bob')
  await okta.pushes({ group: 'Crew', members: ['bob'] })
  expect((await api('DELETE', '/deleted-groups/Crew')).status).toBe(204)
  expect(await okta.stateOf('Crew')).toEqual({ state: 'synced', reasons: [] })
  expect((await api('GET', '/groups/Crew')).body).toMatchObject({ memberCount: 1, grantCount: 0 })
  const gone = await api('GET', '/deleted-groups/Crew')
  expect(gone).toMatchObject({ status: 404, body: { detail: expect.stringContaining('for 30 days') } })
})

test('what was deleted more than 30 days ago is not restored, whether the job has been there or not', async ({
  acme,
  api,
  inOrg,
}) => {
  await acme.has({ group: 'Crew', members: ['ada'] })
  await acme.deletes('Crew')
  const { id, restores } = (await api('GET', '/deleted-groups/Crew')).body
  await inOrg((trx) =>
    sql`update groups set deleted_at = now() - interval '30 days' where org_id = ${trx.orgId} and id = ${id}`.execute(trx),
  )
  const late = await api('POST', `/deleted-groups/${id}/restore`, { fingerprint: restores.fingerprint })
  expect(late).toMatchObject({ status: 404, body: { detail: expect.stringContaining('for 30 days') } })
})

test('of two admins who restore a group at once one does, and the other is told', async ({ acme, api }) => {
  await acme.has({ group: 'Crew', members: ['ada'] })
  await acme.deletes('Crew')
  const { fingerprint } = (await api('GET', '/deleted-groups/Crew')).body.restores
  const both = await Promise.all([1, 2].map(() => api('POST', '/deleted-groups/Crew/restore', { fingerprint })))
  expect(both.map(({ status }) => status).sort()).toEqual([200, 404])
  expect(await acme.membersOf('Crew')).toEqual(['ada'])
})

test('who restores a group and who pushes its name at the same moment both have what they did', async ({ acme, api, okta }) => {
  await okta.knows('ada', 'bob')
  for (let round = 0; round < 10; round++) {
    const group = `Crew ${round}`
    await api('POST', '/groups', { name: group })
    await api('PATCH', `/groups/${group}/members`, { add: ['ada'] })
    await acme.deletes(group)
    const { fingerprint } = (await api('GET', `/deleted-groups/${group}`)).body.restores
    const [restored, pushed] = await Promise.all([
      api('POST', `/deleted-groups/${group}/restore`, { fingerprint }),
      okta.pushes({ group, members: ['bob'] }),
    ])
    expect([restored.status, pushed]).toEqual([200, 201])
    expect(await okta.stateOf(group)).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
    expect(await acme.membersOf(group)).toEqual(['ada'])
    expect(await okta.membersOf(group)).toEqual(['bob'])
  }
})
