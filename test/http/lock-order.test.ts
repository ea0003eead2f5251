import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import type { ProvisionedGroupId } from '../../src/database/ids.ts'
import { findDirectory } from '../../src/provisioning/directories.ts'
import { lockProvisionedGroup } from '../../src/provisioning/groups.ts'
import type { Answer, Client } from '../support/clients.ts'
import { expect, test } from '../support/story.ts'
import { someoneWaits } from '../support/waiting.ts'

const members = 'group,user_name\nEngineering,bob\n'
const access = 'site,product,role,group,default\nsite,product,user,Engineering,false\n'

// Who holds a group of the organization while it waits for a push of it, is waited for by that push (rule 12).
const acts: [string, number, (api: Client) => Promise<Answer>][] = [
  ['changes members of a group', 200, (api) => api('PATCH', '/groups/Engineering/members', { add: ['bob'] })],
  ['renames and protects it', 200, (api) => api('PATCH', '/groups/Engineering', { name: 'Elsewhere', isProtected: true })],
  ['imports members of it', 200, (api) => api('POST', '/imports', { members })],
  ['imports access of it', 200, (api) => api('POST', '/imports', { access })],
  ['creates another of its name', 409, (api) => api('POST', '/groups', { name: 'engineering' })],
]

for (const [name, status, act] of acts) {
  test(`who ${name} waits for pushes of it before holding it`, async ({ acme, okta, api, inOrg, db }) => {
    await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
    await api('PATCH', '/groups/Engineering/members', { remove: ['bob'] })
    await okta.pushes({ group: 'Engineering' })
    let acting: Promise<Answer> | undefined
    await inOrg(async (trx) => {
      const { id } = await findDirectory(trx, okta.directory.name)
      await lockProvisionedGroup(trx, id, okta.idOf('Engineering') as ProvisionedGroupId)
      let isDone = false
      acting = act(api).finally(() => {
        isDone = true
      })
      expect(await someoneWaits(db, { isOver: () => isDone }), 'it did not wait').toBe(true)
      await takeGroup(trx, 'engineering')
    })
    expect((await acting)?.status).toBe(status)
  })
}

test('an import that waits for another one holds no push meanwhile', async ({ acme, okta, api, inOrg, db }) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await okta.pushes({ group: 'Engineering' })
  let second: Promise<Answer> | undefined
  await inOrg(async (trx) => {
    await sql`select from organizations where id = ${trx.orgId} for no key update`.execute(trx)
    second = api('POST', '/imports', { members })
    expect(await someoneWaits(db)).toBe(true)
    expect(await okta.renames('Engineering', 'Engineers')).toBe(204)
  })
  expect((await second)?.status).toBe(200)
})

// 55P03 where somebody holds it.
const takeGroup = (trx: Trx, key: string) =>
  sql`select id from groups where org_id = ${trx.orgId} and name_key = ${key} and effective for no key update nowait`.execute(trx)
