import { sql } from 'kysely'
import { inTransaction } from '../../src/database/transaction.ts'
import { directoryEver } from '../../src/provisioning/directories.ts'
import { resendDisconnections } from '../../src/provisioning/disconnection.ts'
import { receiveNewGroup } from '../../src/sync/receive-group.ts'
import { receiveNewUser } from '../../src/sync/receive-user.ts'
import type { Client } from '../support/clients.ts'
import { expect, test } from '../support/story.ts'

const role = 'acme/wiki/user'

/** Looks at what it would come to, does that, and waits until nothing is left. */
async function disconnects(api: Client, directory: string) {
  const { body: shown } = await api('GET', `/directories/${directory}/disconnection`)
  const answer = await api('POST', `/directories/${directory}/disconnect`, { fingerprint: shown.fingerprint })
  expect(answer.status, JSON.stringify(answer.body)).toBe(202)
  expect(answer.body).toEqual(shown)
  await nothingLeft(api)
  return shown
}

const nothingLeft = (api: Client) =>
  expect
    .poll(async () => (await api('GET', '/disconnected-directories')).body.items[0]?.left, { timeout: 20_000, interval: 20 })
    .toEqual({ groups: 0, people: 0 })

test('disconnect: groups become unmanaged with members and grants, people stay as they are, tokens open nothing, shown first', async ({
  acme,
  api,
  okta,
}) => {
  await acme.has({ group: 'Reviewed', members: ['ada', 'eve'] })
  await acme.grants('Reviewed', role)
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'Synced', members: ['ada', 'bob', 'nobody'] })
  await acme.grants('Synced', role)
  await okta.pushes({ group: 'Empty' })
  await okta.pushes({ group: 'Reviewed', members: ['ada', 'cyd'] })
  await okta.switches('cyd', 'off')
  const inForce = async () => ({
    members: [await acme.membersOf('Synced'), await acme.membersOf('Reviewed'), await acme.membersOf('Empty')],
    access: [await acme.accessOf('ada'), await acme.accessOf('bob'), await acme.accessOf('cyd'), await acme.accessOf('eve')],
    active: [(await acme.person('ada')).active, (await acme.person('cyd')).active],
    grants: (await api('GET', '/grants')).body,
  })
  const before = await inForce()
  expect(before.active).toEqual([true, false])

  const shown = await disconnects(api, 'okta')
  expect(shown).toMatchObject({
    name: 'okta',
    groups: { pushed: 3, unmanaged: 2, dropped: 1 },
    members: { staying: 2, additions: 1, removals: 1, unknown: 1 },
    people: { pushed: 3, released: 3 },
    reviewable: 0,
    tokens: 1,
  })
  expect(await inForce()).toEqual(before)
  for (const group of ['Synced', 'Reviewed', 'Empty'])
    expect((await api('GET', `/groups/${group}`)).body).toMatchObject({ managedBy: null, pushedBy: null })
  expect((await acme.person('ada')).ownedBy).toBeNull()
  expect((await acme.adds('Synced', ['eve'])).status).toBeLessThan(300)
  expect((await okta.request('GET', '/Users')).status).toBe(401)
  expect(await okta.pushes({ group: 'Another' })).toBe(401)
  expect((await api('GET', '/directories/okta')).status).toBe(404)
  expect((await api('GET', '/directories')).body.total).toBe(0)
  // What it did, and what was sent with its tokens, is still told.
  expect((await api('GET', '/directories/okta/history')).body.items[0].text).toBe('No directory owns it.')
  expect((await api('GET', '/directories/okta/requests')).body.items[0]).toMatchObject({ status: 401 })
  expect((await api('POST', '/directories/okta/disconnect', { fingerprint: shown.fingerprint })).status).toBe(404)
})

test('what is other than was shown is not disconnected; nor is a directory in the middle of a run', async ({
  api,
  inOrg,
  okta,
}) => {
  const { fingerprint } = (await api('GET', '/directories/okta/disconnection')).body
  await okta.pushes({ group: 'New' })
  const stale = await api('POST', '/directories/okta/disconnect', { fingerprint })
  expect(stale).toMatchObject({
    status: 409,
    body: { type: 'urn:muster:problem:review_changed', disconnection: { groups: { pushed: 1 } } },
  })
  await inOrg((trx) =>
    sql`insert into runs (org_id, id, kind, state, directory_id, choice, fingerprint, foreseen, group_count, created_by)
      values (${trx.orgId}, gen_random_uuid(), 'sync', 'stopped', ${okta.directory.id}, 'overwrite', 'f', '{}', 0, 'system')`.execute(
      trx,
    ),
  )
  const busy = await api('POST', '/directories/okta/disconnect', { fingerprint: stale.body.fingerprint })
  expect(busy).toMatchObject({ status: 409, body: { type: 'urn:muster:problem:run_under_way' } })
  expect((await okta.request('GET', '/Users')).status).toBe(200)
})

test('other directories’ groups that waited behind it become reviewable by themselves; people go to who pushed them next, unchanged', async ({
  acme,
  api,
  okta,
  entra,
}) => {
  await okta.knows('ada')
  await entra.knows('ada')
  await entra.switches('ada', 'off')
  await okta.pushes({ group: 'Shared', members: ['ada'] })
  await okta.pushes({ group: 'Mine', members: ['ada'] })
  await entra.pushes({ group: 'Shared', members: [] })
  expect(await entra.stateOf('Shared')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  expect((await disconnects(api, 'okta')).reviewable).toBe(1)
  expect(await entra.stateOf('Shared')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Shared')).toEqual(['ada'])
  expect(await acme.person('ada')).toMatchObject({ active: true, ownedBy: { name: 'entra' } })
  await entra.request('PATCH', `/Users/${entra.idOfPerson('ada')}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'title', value: 'Captain' }],
  })
  expect(await acme.person('ada')).toMatchObject({ active: false })
})

test('a later directory of the same name meets what was left as any unmanaged group', async ({ acme, api, okta, connects }) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew', members: ['ada'] })
  await disconnects(api, 'okta')
  const again = await connects('okta')
  expect(again.directory.name).toBe('okta')
  await again.knows('ada')
  expect(await again.pushes({ group: 'Crew', members: ['ada'] })).toBe(201)
  expect(await again.stateOf('Crew')).toEqual({ state: 'needs_review', reasons: ['name_taken'] })
  expect(await acme.membersOf('Crew')).toEqual(['ada'])
  expect((await api('GET', '/disconnected-directories')).body).toMatchObject({ total: 1, items: [{ name: 'okta' }] })
})

test('groups that hold groups are let go of too, with all who are in force in them', async ({ acme, api, client }) => {
  await client.knows('ada', 'bob')
  await client.pushes({ group: 'Child', members: ['ada'] })
  const child = client.idOf('Child')
  await client.request('POST', '/Groups', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: 'Parent',
    members: [{ value: child, type: 'Group' }, { value: client.idOfPerson('bob') }],
  })
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob'])
  await disconnects(api, 'other')
  expect(await acme.membersOf('Parent')).toEqual(['ada', 'bob'])
  expect(await acme.membersOf('Child')).toEqual(['ada'])
})

test('a push whose token another node still believes stores nothing once the directory is disconnected', async ({
  api,
  db,
  okta,
  org,
  inOrg,
}) => {
  await okta.knows('ada')
  await disconnects(api, 'okta')
  // As that node has it: who asks was found before.
  const directory = await inOrg((trx) => directoryEver(trx, okta.directory.id))
  const late = [
    inTransaction(db, org.scope, (trx) =>
      receiveNewGroup(trx, directory, { displayName: 'Late', externalId: null, members: [] }),
    ),
    inTransaction(db, org.scope, (trx) =>
      receiveNewUser(trx, directory, { userName: 'late', externalId: null, active: true, attributes: { userName: 'late' } }),
    ),
  ]
  for (const push of late) await expect(push).rejects.toMatchObject({ code: 'directory_disconnected' })
  expect((await api('GET', '/groups')).body.total).toBe(0)
  expect((await api('GET', '/people?search=late')).body.total).toBe(0)
})

test('a disconnection whose job was lost is sent again', async ({ api, inOrg, okta }) => {
  await okta.pushes({ group: 'Crew' })
  await inOrg(async (trx) => {
    await sql`update directories set disconnected_at = now() where org_id = ${trx.orgId} and id = ${okta.directory.id}`.execute(
      trx,
    )
    await sql`insert into log_entries (org_id, actor, action, subject) values (${trx.orgId}, 'token:ada', 'directory.disconnected', ${okta.directory.id})`.execute(
      trx,
    )
  })
  const sent: unknown[] = []
  await inOrg((trx) => resendDisconnections(trx, { send: async (_, queue, data) => void sent.push([queue, data]) }))
  expect(sent).toEqual([
    ['let-go-of-directory', { orgId: expect.any(String), directoryId: okta.directory.id, actor: 'token:ada' }],
  ])
  expect((await api('GET', '/disconnected-directories')).body.items[0].left).toEqual({ groups: 1, people: 0 })
})

test('requests that arrive while a directory is disconnected are answered or refused with 401, and nothing of them is left', async ({
  acme,
  api,
  okta,
  inOrg,
}) => {
  await okta.knows('ada')
  await okta.pushes({ group: 'Crew', members: ['ada'] })
  const { fingerprint } = (await api('GET', '/directories/okta/disconnection')).body
  // Members of a synced group change no figure of it; new groups and users do, and come behind it.
  const before = Array.from({ length: 10 }, () => okta.request('PUT', `/Groups/${okta.idOf('Crew')}`, groupOf('Crew')))
  const disconnecting = api('POST', '/directories/okta/disconnect', { fingerprint })
  const after = Array.from({ length: 20 }, (_, at) =>
    at % 2 === 0
      ? okta.request('POST', '/Groups', groupOf(`Late ${at}`))
      : okta.request('POST', '/Users', { userName: `late${at}`, active: true, emails: [{ value: `late${at}@example.org` }] }),
  )
  const answers = await Promise.all([...before, ...after])
  const first = await disconnecting
  // A group that came in time is another figure: then it is refused, and asked again.
  if (first.status === 409)
    expect((await api('POST', '/directories/okta/disconnect', { fingerprint: first.body.fingerprint })).status).toBe(202)
  else expect(first.status).toBe(202)
  for (const { status, body } of answers) expect([200, 201, 204, 401, 404], JSON.stringify(body)).toContain(status)
  await nothingLeft(api)
  const left = await inOrg(async (trx) => {
    const { rows } = await sql<{ groups: number; users: number; managed: number; owned: number }>`
      select (select count(*)::integer from provisioned_groups where org_id = ${trx.orgId}) as groups,
        (select count(*)::integer from provisioned_users where org_id = ${trx.orgId}) as users,
        (select count(*)::integer from groups where org_id = ${trx.orgId} and managed_by is not null) as managed,
        (select count(*)::integer from accounts where org_id = ${trx.orgId} and owned_by is not null) as owned`.execute(trx)
    return rows[0]
  })
  expect(left).toEqual({ groups: 0, users: 0, managed: 0, owned: 0 })
  expect(await acme.membersOf('Crew')).toEqual(['ada'])

  function groupOf(displayName: string) {
    return {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName,
      members: [{ value: okta.idOfPerson('ada') }],
    }
  }
})
