import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import {
  type DirectoryId,
  newId,
  type ProductId,
  type ProvisionedGroupId,
  type ProvisionedUserId,
} from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { ensureRoles } from '../../src/organization/access.ts'
import { groupPage, groupsBy, userPage, usersBy } from '../../src/provisioning/read.ts'
import { membersTexts } from '../../src/provisioning/read-members.ts'
import { refuseOutsideProducts } from '../../src/review/products.ts'
import { parseFilter } from '../../src/scim/filter.ts'
import { readGroupPatch } from '../../src/scim/group-patch.ts'
import { rfcs } from '../../src/scim/quirks.ts'
import type { UserInput } from '../../src/scim/resource.ts'
import { groupType, type ResourceType, userType } from '../../src/scim/schemas.ts'
import { receiveGroup, receiveNewGroup } from '../../src/sync/receive-group.ts'
import { receiveNewUser } from '../../src/sync/receive-user.ts'
import { expect, test } from '../support/world.ts'

test('what a key picks is looked up by it, however many there are, and before the database has any statistics', async ({
  org,
  db,
}) => {
  const directory = await org.directory()
  const { people, groups, product } = await inTransaction(db, org.scope, (trx) => seed(trx, directory.id, 1_000))
  const [person, member, group] = [people[700], people[0], groups[700]] as [string, string, ProvisionedGroupId]
  const values = (from: number, count: number) => people.slice(from, from + count).map((value) => ({ value }))
  const asked = (type: ResourceType, text: string) => ({
    filter: parseFilter(type, text, rfcs),
    paging: { startIndex: 1, count: 100 },
  })
  const pushes = (operation: object) => (trx: Trx) =>
    receiveGroup(trx, directory, group, readGroupPatch({ schemas: [patchUrn], Operations: [operation] }, rfcs))
  const finds = (text: string) => (trx: Trx) => userPage(trx, directory.id, asked(userType, text), true)
  const findsGroup = (text: string) => (trx: Trx) => groupPage(trx, directory, asked(groupType, text))
  const parts = { value: true, refBase: undefined, display: true, type: true }
  const toRead = { id: group, groupId: group as never, shown: 'pushed' as const }
  const ada: UserInput = { userName: 'ada', externalId: null, active: true, attributes: { userName: 'ada' } }

  const acts: [string, (trx: Trx) => Promise<unknown>][] = [
    ['a user by id', (trx) => usersBy(trx, directory.id, 'id', [person], true)],
    ['a user by name', (trx) => usersBy(trx, directory.id, 'name', [person], true)],
    ['externalId', finds(`externalId eq "${person}"`)],
    ['userName and more', finds(`userName eq "${person}" and active eq true`)],
    ['emails', finds(`emails.value eq "${person}"`)],
    ['a group by id', (trx) => groupsBy(trx, directory.id, 'id', [group])],
    ['a group by name', (trx) => groupsBy(trx, directory.id, 'name', [group])],
    ['displayName', findsGroup(`displayName eq "${group}"`)],
    ['externalId of a group', findsGroup(`externalId eq "${group}"`)],
    ['members.value', findsGroup(`members.value eq "${member}"`)],
    ['members[value]', findsGroup(`id eq "${group}" and members[value eq "${member}"]`)],
    ['the members of a group', (trx) => membersTexts(trx, directory.id, [toRead], parts)],
    ['adding one', pushes({ op: 'add', path: 'members', value: values(100, 1) })],
    ['adding twenty', pushes({ op: 'add', path: 'members', value: values(100, 20) })],
    ['removing one', pushes({ op: 'remove', path: `members[value eq "${member}"]` })],
    ['removing by name', pushes({ op: 'remove', path: `members[display eq "${member}"]` })],
    ['replacing all by twenty', pushes({ op: 'replace', path: 'members', value: values(100, 20) })],
    ['a new name', pushes({ op: 'replace', path: 'displayName', value: 'New' })],
    ['a new group', (trx) => receiveNewGroup(trx, directory, { displayName: 'Newer', externalId: null, members: values(0, 10) })],
    ['a reviewer’s right', (trx) => refuseOutsideProducts(trx, reviewerOf(product), [{ id: group, to: groups[3] as never }])],
    ['a new user', (trx) => receiveNewUser(trx, directory, ada)],
  ]
  const read: [what: string, count: number][] = []
  for (const [name, act] of acts) {
    await inTransaction(db, org.scope, async (trx) => {
      const before = await rowsRead(trx)
      await act(trx)
      const after = await rowsRead(trx)
      for (const table of ['provisioned_users', 'provisioned_groups', 'memberships', 'grants'])
        read.push([`${name}: rows of ${table}`, (after[table] ?? 0) - (before[table] ?? 0)])
    })
  }
  expect(read.filter(([, count]) => count > 100)).toEqual([])
})

const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

const reviewerOf = (product: ProductId) => ({ role: 'reviewer' as const, accountId: null, products: [product] })

/** So many people and groups, each granted the one role of the one product; the first three are in ten of the groups, the one that is asked for among them. */
async function seed(trx: Trx, directoryId: DirectoryId, count: number) {
  const people = Array.from({ length: count }, () => newId<ProvisionedUserId>())
  const groups = Array.from({ length: count }, () => newId<ProvisionedGroupId>())
  await sql`
    with made as (
      insert into accounts (org_id, id, user_name, user_name_key, owned_by)
      select ${trx.orgId}::uuid, id, id, id, ${directoryId}::uuid from unnest(${people}::uuid[]) id returning id
    )
    insert into provisioned_users (org_id, id, directory_id, external_id, user_name, user_name_key, attributes, account_id, matched_by, state)
    select ${trx.orgId}::uuid, id, ${directoryId}::uuid, id, id, id, '{}', id, 'created', 'synced' from made`.execute(trx)
  await sql`
    with made as (
      insert into groups (org_id, id, name, name_key, managed_by, member_count)
      select ${trx.orgId}::uuid, id, id, id, ${directoryId}::uuid, case when n between 696 and 705 then 3 else 0 end
      from unnest(${groups}::uuid[]) with ordinality as given(id, n) returning id
    )
    insert into provisioned_groups (org_id, id, directory_id, external_id, name, name_key, group_id, state)
    select ${trx.orgId}::uuid, id, ${directoryId}::uuid, id, id, id, id, 'synced' from made`.execute(trx)
  await sql`
    insert into memberships (org_id, group_id, account_id, pushed, effective)
    select ${trx.orgId}::uuid, "group", person, true, true
    from unnest(${groups.slice(695, 705)}::uuid[]) as "group", unnest(${people.slice(0, 3)}::uuid[]) as person`.execute(trx)
  const role = { site: 'acme', product: 'wiki', role: 'user' }
  const roleId = (await ensureRoles(trx, [role])).values().next().value
  await sql`
    insert into grants (org_id, group_id, role_id) select ${trx.orgId}::uuid, id, ${roleId} from unnest(${groups}::uuid[]) id`.execute(
    trx,
  )
  const { rows } = await sql<{ id: ProductId }>`select id from products where org_id = ${trx.orgId}`.execute(trx)
  return { people, groups, product: rows[0]?.id as ProductId }
}

/** How many rows of each table this session has read and not told of yet. */
async function rowsRead(trx: Trx): Promise<Record<string, number>> {
  const { rows } = await sql<{ relname: string; count: number }>`
    select relname, (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as count from pg_stat_xact_user_tables`.execute(trx)
  return Object.fromEntries(rows.map(({ relname, count }) => [relname, count]))
}
