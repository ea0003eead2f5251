import fc from 'fast-check'
import { sql } from 'kysely'
import type { Trx } from '../../src/database/connection.ts'
import {
  type AccountId,
  type DirectoryId,
  newId,
  type ProvisionedGroupId,
  type ProvisionedUserId,
} from '../../src/database/ids.ts'
import { insertAccount } from '../../src/organization/accounts.ts'
import { insertGroup } from '../../src/organization/groups.ts'
import { nameKey } from '../../src/organization/name-key.ts'
import { filterSql } from '../../src/provisioning/filter-sql.ts'
import { insertProvisionedGroups } from '../../src/provisioning/groups.ts'
import { membersMatching } from '../../src/provisioning/pushed-members.ts'
import { groupPage, userPage } from '../../src/provisioning/read.ts'
import { provisionUsers } from '../../src/provisioning/users.ts'
import type { Attribute } from '../../src/scim/attributes.ts'
import { type Filter, parseFilter } from '../../src/scim/filter.ts'
import { matches } from '../../src/scim/match.ts'
import { rfcs } from '../../src/scim/quirks.ts'
import { type StoredUser, userResource } from '../../src/scim/representation.ts'
import { userOf } from '../../src/scim/resource.ts'
import { groupType, type ResourceType, userType } from '../../src/scim/schemas.ts'
import { readObject } from '../../src/scim/values.ts'
import { anyText, anyUserAttributes, anyUserFilter } from '../scim/any-filter.ts'
import { expect, test } from '../support/world.ts'

const names = ['ada@b.c', 'ADA', 'Straße', 'bob_b', 'a%c', 'b\\', '"quoted"', '日本', 'é']
const anyUsers = fc.tuple(
  ...names.map((userName) => fc.tuple(fc.constant(userName), anyUserAttributes, fc.option(anyText), fc.boolean())),
)

// User names are compared by name key, all else by lower case.
const fold = (text: string, attribute: Attribute) => (attribute.name === 'userName' ? nameKey(text) : text.toLowerCase())
const filterOf = (type: ResourceType, text: string) => parseFilter(type, text, rfcs)
const everybody = { paging: { startIndex: 1, count: 1_000 } }

test('a filter finds the same users in SQL as in memory', async ({ org, inOrg }) => {
  const { id: directoryId } = await org.directory()
  const accountIds = await inOrg((trx) =>
    Promise.all(names.map((name, at) => insertAccount(trx, { userName: name, email: `p${at}@b.c`, ownedBy: directoryId }))),
  )
  await fc.assert(
    fc.asyncProperty(anyUsers, fc.array(anyUserFilter, { minLength: 20, maxLength: 20 }), async (people, filters) => {
      await inOrg(async (trx) => {
        await trx.deleteFrom('provisioned_users').where('org_id', '=', trx.orgId).execute()
        await Promise.all(people.map((person, at) => push(trx, directoryId, accountIds[at], person)))
        const { items } = await userPage(trx, directoryId, everybody, false)
        for (const filter of filters) expect(await namesFromSql(trx, directoryId, filter)).toEqual(namesFromMemory(items, filter))
      })
    }),
    { numRuns: 25 },
  )
})

async function push(
  trx: Trx,
  directoryId: DirectoryId,
  accountId: AccountId | undefined,
  [userName, attributes, externalId, active]: [string, object, string | null, boolean],
): Promise<ProvisionedUserId> {
  if (accountId === undefined) throw new Error('There is an account for each name.')
  const read =
    readObject([...userType.attributes, ...userType.extensions], { userName, externalId, active, ...attributes }, rfcs) ?? {}
  const [id] = await provisionUsers(trx, [
    { directoryId, input: userOf(read), accountId, matchedBy: 'created', state: 'synced', reasons: [] },
  ])
  return id as ProvisionedUserId
}

async function namesFromSql(trx: Trx, directoryId: DirectoryId, filter: Filter): Promise<string[]> {
  const { items, total } = await userPage(trx, directoryId, { ...everybody, filter }, false)
  expect(total).toBe(items.length)
  return items.map((user) => user.userName)
}

const namesFromMemory = (users: StoredUser[], filter: Filter) =>
  users.filter((user) => matches(filter, userResource(user, ''), fold)).map((user) => user.userName)

test('every comparison of every attribute is answered, or refused as invalidFilter', async ({ org, inOrg }) => {
  const { id } = await org.directory()
  const paths = [userType, groupType].flatMap((type) =>
    [...type.attributes, ...type.extensions].flatMap((attribute) => [
      { type, path: attribute.name },
      ...(attribute.subAttributes ?? []).map((sub) => ({
        type,
        path: `${attribute.name}${attribute.name.startsWith('urn:') ? ':' : '.'}${sub.name}`,
      })),
    ]),
  )
  const outcomes = await inOrg(async (trx) => {
    const tried: string[] = []
    for (const { type, path } of paths) {
      for (const rest of [
        'pr',
        'eq "x"',
        'eq "2026-01-01T00:00:00Z"',
        'ne "x"',
        'co "x"',
        'gt "x"',
        'eq true',
        'ne null',
        'gt 5',
      ])
        tried.push(await outcome(trx, id, type, `${path} ${rest}`))
    }
    return new Set(tried)
  })
  expect([...outcomes].sort()).toEqual(['answered', 'invalidFilter', 'sensitive'])
})

async function outcome(trx: Trx, directoryId: DirectoryId, type: typeof userType, text: string): Promise<string> {
  let condition: ReturnType<typeof filterSql>
  try {
    condition = filterSql(type, filterOf(type, text), { orgId: trx.orgId, directoryId, seen: 'pushed' })
  } catch (error) {
    return (error as { scimType?: string }).scimType ?? String(error)
  }
  const from =
    type.name === 'User' ? sql`provisioned_users u` : sql`(select *, id as place, 'pushed' as shown from provisioned_groups) g`
  await sql`select from ${from} where directory_id = ${directoryId} and ${condition}`.execute(trx)
  return 'answered'
}

test('schemas, state, reasons and counts are asked for like any attribute', async ({ org, inOrg }) => {
  const { id } = await org.directory()
  const sync = 'urn:muster:params:scim:schemas:extension:sync:1.0:Group'
  const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
  await inOrg(async (trx) => {
    for (const [userName, more] of [
      ['plain', {}],
      ['employee', { [enterprise]: { department: 'd' } }],
    ] as const) {
      const accountId = await insertAccount(trx, { userName, email: null, ownedBy: id })
      await push(trx, id, accountId, [userName, more, null, true])
    }
    const users = async (text: string) => namesFromSql(trx, id, filterOf(userType, text))
    expect(await users(`schemas eq "${enterprise}"`)).toEqual(['employee'])
    expect(await users(`not (schemas co "enterprise")`)).toEqual(['plain'])
    expect(await users(`schemas ne "${enterprise}"`)).toEqual(['plain'])
    expect(await users('schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"')).toEqual(['plain', 'employee'])
    const groupId = await insertGroup(trx, { name: 'G' })
    const group = { id: newId<ProvisionedGroupId>(), name: 'G', externalId: null, groupId }
    await insertProvisionedGroups(trx, id, [{ ...group, state: 'blocked', reasons: ['protected'] }])
    const groups = async (text: string) =>
      (await groupPage(trx, { id, offerExistingGroups: 'off' }, { ...everybody, filter: filterOf(groupType, text) })).items.map(
        (one) => one.displayName,
      )
    expect(await groups(`${sync}:reasons eq "protected"`)).toEqual(['G'])
    expect(await groups(`${sync}:reasons eq "name_taken"`)).toEqual([])
    expect(await groups(`${sync}:members.added eq 0 and ${sync}:members.unchanged lt 1`)).toEqual(['G'])
    expect(await groups(`schemas eq "${sync}"`)).toEqual(['G'])
  })
})

test('a time of any year is compared', async ({ org, inOrg }) => {
  const { id } = await org.directory()
  await inOrg(async (trx) => {
    for (const year of ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-14:00', '2026-02-28'])
      await userPage(trx, id, { ...everybody, filter: filterOf(userType, `meta.created gt "${year}"`) }, false)
  })
})

test('what providers look up by is found by index in a large directory, people and groups, whatever else is asked', async ({
  org,
  inOrg,
}) => {
  const { id: directoryId } = await org.directory()
  await inOrg(async (trx) => {
    await sql`
      with made as (
        insert into accounts (org_id, id, user_name, user_name_key, owned_by)
        select ${trx.orgId}::uuid, gen_random_uuid(), 'u' || n, 'u' || n, ${directoryId}::uuid from generate_series(1, 5000) n returning id, user_name
      )
      insert into provisioned_users (org_id, id, directory_id, external_id, user_name, user_name_key, attributes, account_id, matched_by, state)
      select ${trx.orgId}::uuid, gen_random_uuid(), ${directoryId}::uuid, user_name, user_name, user_name, '{}', id, 'created', 'synced' from made`.execute(
      trx,
    )
    await sql`
      with made as (
        insert into groups (org_id, id, name, name_key, managed_by)
        select ${trx.orgId}::uuid, gen_random_uuid(), 'g' || n, 'g' || n, ${directoryId}::uuid from generate_series(1, 5000) n returning id, name
      )
      insert into provisioned_groups (org_id, id, directory_id, external_id, name, name_key, group_id, state)
      select ${trx.orgId}::uuid, gen_random_uuid(), ${directoryId}::uuid, name, name, name, id, 'synced' from made`.execute(trx)
    await sql`analyze provisioned_users, provisioned_groups`.execute(trx)
    // As `reading` has it, which plans for the values it is called with.
    for (const way of ['seqscan', 'hashjoin', 'mergejoin']) await sql`set local ${sql.raw(`enable_${way}`)} = on`.execute(trx)
    const id = newId<ProvisionedUserId>()
    const lookUps: [ResourceType, string[]][] = [
      [
        userType,
        [
          'userName eq "U17"',
          'userName eq "U17" and active eq true',
          'externalId eq "u17"',
          `id eq "${id}"`,
          'emails eq "a@b.c"',
          'emails.value eq "a@b.c" and active eq true',
          'emails[type eq "work" and value eq "A@b.c"]',
          'meta.lastModified gt "2999-01-01T00:00:00Z"',
          `groups.value eq "${id}"`,
          'groups[display eq "g17"]',
          `groups[type eq "direct" and value eq "${id}"] and userName sw "u"`,
        ],
      ],
      [
        groupType,
        [
          'displayName eq "G17"',
          'externalId eq "g17"',
          `id eq "${id}"`,
          `members eq "${id}"`,
          `members.value eq "${id}" and displayName co "g"`,
          `members[value eq "${id}"]`,
          'members.display eq "u17"',
        ],
      ],
    ]
    for (const [type, texts] of lookUps) {
      for (const text of texts) {
        const condition = filterSql(type, filterOf(type, text), { orgId: trx.orgId, directoryId, seen: 'pushed' })
        const from =
          type === userType
            ? sql`provisioned_users`
            : sql`(select *, id as place, case when is_nested then 'direct' else 'pushed' end as shown from provisioned_groups)`
        const at = sql.ref(type === userType ? 'u' : 'g')
        const { rows } = await sql<{ 'QUERY PLAN': string }>`
          explain select * from ${from} as ${at} where ${at}.org_id = ${trx.orgId} and ${at}.directory_id = ${directoryId} and ${condition}`.execute(
          trx,
        )
        const plan = rows.map((row) => row['QUERY PLAN'])
        // The table itself is looked into by more of an index than the directory, and nothing is read whole.
        const scan = plan.findIndex((line) => / on provisioned_(users u|groups)( |$)/.test(line))
        const conditions = plan.slice(scan).find((line) => line.includes('Index Cond'))
        expect(conditions?.replaceAll(/\((org_id|directory_id) = /g, ''), `${text}\n${plan.join('\n')}`).toMatch(/\(\w+ [=>]/)
        expect(plan.join('\n'), text).not.toContain('Seq Scan')
      }
    }
  })
})

test('a member who is named by a filter is looked up in a group of thousands', async ({ org, inOrg }) => {
  const { id: directoryId } = await org.directory()
  await inOrg(async (trx) => {
    const groupId = await insertGroup(trx, { name: 'G', managedBy: directoryId })
    const id = newId<ProvisionedGroupId>()
    await insertProvisionedGroups(trx, directoryId, [{ id, groupId, name: 'G', externalId: null, state: 'synced', reasons: [] }])
    await sql`
      with made as (
        insert into accounts (org_id, id, user_name, user_name_key)
        select ${trx.orgId}::uuid, gen_random_uuid(), 'm' || n, 'm' || n from generate_series(1, 3000) n returning id, user_name
      ),
      users as (
        insert into provisioned_users (org_id, id, directory_id, user_name, user_name_key, attributes, account_id, matched_by, state)
        select ${trx.orgId}::uuid, gen_random_uuid(), ${directoryId}::uuid, user_name, user_name, '{}', id, 'created', 'synced' from made
      )
      insert into memberships (org_id, group_id, account_id, pushed, effective) select ${trx.orgId}::uuid, ${groupId}::uuid, id, true, true from made`.execute(
      trx,
    )
    const read = async () => {
      const { rows } = await sql<{ n: number }>`
        select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as n from pg_stat_xact_user_tables
        where relname in ('memberships', 'provisioned_users')`.execute(trx)
      return rows[0]?.n ?? 0
    }
    const before = await read()
    const found = await membersMatching(trx, directoryId, id, parseElementFilter('display eq "M17" and type eq "User"'))
    expect(found).toHaveLength(1)
    expect((await read()) - before).toBeLessThan(50)
  })
})

function parseElementFilter(text: string): Filter {
  const filter = filterOf(groupType, `members[${text}]`)
  if (filter.kind !== 'element') throw new Error('This is a filter of elements.')
  return filter.term
}
