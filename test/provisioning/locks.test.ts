import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import type { GroupId, ProvisionedGroupId } from '../../src/database/ids.ts'
import { findDirectory, lockDirectory } from '../../src/provisioning/directories.ts'
import { lockProvisionedGroup } from '../../src/provisioning/groups.ts'
import { keepUnknownMembers, recordUnknownMembers } from '../../src/provisioning/unknown-members.ts'
import { expect, type Organization, type Provider, test } from '../support/story.ts'
import { someoneWaits } from '../support/waiting.ts'

type Act = (parties: { acme: Organization; entra: Provider }) => Promise<unknown>

// Who holds a group of the organization while it waits for a push of it, is waited for by that push (rule 12).
const acts: [string, Act][] = [
  ['protects a group', ({ acme }) => acme.protects('Engineering')],
  ['renames it', ({ acme }) => acme.renames('Engineering', 'Elsewhere')],
  ['deletes it', ({ acme }) => acme.deletes('Engineering')],
  ['changes its default access', ({ acme }) => acme.stopsDefault('Engineering', 'site/product/user')],
  ['pushes another group onto its name', ({ entra }) => entra.renames('Other', 'Engineering')],
]

for (const [name, act] of acts) {
  test(`who ${name} waits for pushes of it before holding it`, async ({ acme, okta, entra, inOrg, db }) => {
    await acme.has({ group: 'Engineering', members: ['ada'] })
    await acme.grants('Engineering', 'site/product/user', { isDefault: true })
    await entra.pushes({ group: 'Other' })
    await okta.pushes({ group: 'Engineering' })
    let acting: Promise<unknown> | undefined
    await inOrg(async (trx) => {
      await lockProvisionedGroup(
        trx,
        (await findDirectory(trx, okta.directory.name)).id,
        okta.idOf('Engineering') as ProvisionedGroupId,
      )
      acting = act({ acme, entra })
      await someoneWaits(db)
      await takeGroup(trx, 'engineering')
    })
    await acting
  })
}

test('who first writes to an offered group, its name with it, waits for the directory before holding pushes of the name', async ({
  acme,
  okta,
  entra,
  inOrg,
  db,
}) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  await okta.pushes({ group: 'Engineering' })
  const found = await entra.request('GET', `/Groups?filter=${encodeURIComponent('displayName eq "Engineering"')}`)
  let acting: Promise<{ status: number }> | undefined
  await inOrg(async (trx) => {
    await lockDirectory(trx, (await findDirectory(trx, entra.directory.name)).id)
    acting = entra.request('PUT', `/Groups/${found.body.Resources[0].id}`, { displayName: 'Engineering' })
    await someoneWaits(db)
    await sql`select from provisioned_groups where org_id = ${trx.orgId} for update nowait`.execute(trx)
  })
  expect((await acting)?.status).toBe(200)
})

// 55P03 where somebody holds it.
const takeGroup = (trx: Trx, key: string) =>
  sql<{ id: GroupId }>`
    select id from groups where org_id = ${trx.orgId} and name_key = ${key} and effective for no key update nowait`.execute(trx)

test('a list of many unknown members is replaced by another one in no more than a moment', async ({ okta, inOrg }) => {
  await okta.pushes({ group: 'G' })
  const groupId = okta.idOf('G') as ProvisionedGroupId
  const values = (what: string) => Array.from({ length: 40_000 }, (_, at) => `${what}-${at}`)
  await inOrg(async (trx) => {
    const directory = await findDirectory(trx, okta.directory.name)
    await recordUnknownMembers(
      trx,
      directory,
      groupId,
      values('old').map((value) => ({ value })),
    )
    // Compared each with each it takes a minute.
    await sql`set local statement_timeout = '5s'`.execute(trx)
    expect(await keepUnknownMembers(trx, directory.id, groupId, [...values('new'), 'old-7'])).toBe(39_999)
  })
})
