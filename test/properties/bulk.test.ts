import fc from 'fast-check'
import { sql } from 'kysely'
import type { Db, Scope } from '../../src/database/connection.ts'
import { newId, type OrgId } from '../../src/database/ids.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { insertAccount } from '../../src/organization/accounts.ts'
import { addMembers } from '../../src/organization/memberships.ts'
import { createOrganization } from '../../src/organization/organizations.ts'
import { createDirectory } from '../../src/provisioning/directories.ts'
import { createGroup } from '../../src/provisioning/existing-groups.ts'
import { createDirectoryToken } from '../../src/provisioning/tokens.ts'
import type { Client } from '../support/clients.ts'
import { expect, test } from '../support/world.ts'

/** What one operation is about; numbers choose among what was made before it. */
const spec = fc.record({
  userName: fc.constantFrom('ada', 'Ada', 'bob', 'cyd', 'root', 'new 1', 'new 2', 'new 3', 'new 4'),
  email: fc.constantFrom(undefined, 'ada@example.org', 'shared@example.org', 'new@example.org', 'other@example.org'),
  externalId: fc.constantFrom(undefined, undefined, 'x1', 'new 2'),
  name: fc.constantFrom('Taken', 'taken', 'Free 1', 'Free 2', 'Free 3', 'Free 4'),
  active: fc.boolean(),
  whom: fc.array(fc.nat(20), { maxLength: 3 }),
  which: fc.nat(20),
  strangers: fc.subarray(['x1', 'new 2', 'nobody']),
})
type Spec = typeof spec extends fc.Arbitrary<infer T> ? T : never

const kinds = [
  'a user is made',
  'a group is made',
  'members are added',
  'members are removed',
  'a group is renamed',
  'a group is replaced',
  'a group is deleted',
  'a user is changed',
  'a user is replaced',
  'a user is deleted',
  'nonsense',
] as const

// The same kind several times on end, as providers send it.
const blocks = fc.array(fc.record({ kind: fc.constantFrom(...kinds), specs: fc.array(spec, { minLength: 1, maxLength: 6 }) }), {
  minLength: 1,
  maxLength: 8,
})

interface Operation {
  method: string
  path: string
  bulkId?: string
  data?: Record<string, unknown>
}

/** Operations that refer to what others made by `bulkId:N`, N their place. */
function operationsOf(given: { kind: (typeof kinds)[number]; specs: Spec[] }[]): Operation[] {
  const made: { [Kind in 'user' | 'group']: number[] } = { user: [], group: [] }
  const operations: Operation[] = []
  const oneOf = (kind: 'user' | 'group', which: number) => {
    const place = made[kind][which % Math.max(1, made[kind].length)]
    return place === undefined ? 'none' : `bulkId:${place}`
  }
  for (const { kind, one } of given.flatMap(({ kind, specs }) => specs.map((one) => ({ kind, one })))) {
    const members = [...new Set(one.whom.map((which) => oneOf('user', which)).concat(one.strangers))].map((value) => ({ value }))
    const emails = one.email === undefined ? {} : { emails: [{ value: one.email, primary: true }] }
    const manager = oneOf('user', one.which)
    const person = {
      userName: one.userName,
      ...(one.externalId === undefined ? {} : { externalId: one.externalId }),
      ...emails,
      active: one.active,
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { manager: { value: manager } },
    }
    const user = `/Users/${oneOf('user', one.which)}`
    const group = `/Groups/${oneOf('group', one.which)}`
    const patch = (path: string, ...Operations: unknown[]): Operation => ({ method: 'PATCH', path, data: { Operations } })
    const operation: Operation = {
      'a user is made': { method: 'POST', path: '/Users', data: person },
      'a group is made': { method: 'POST', path: '/Groups', data: { displayName: one.name, members } },
      'members are added': patch(group, { op: 'add', path: 'members', value: members }),
      'members are removed': patch(
        group,
        ...members.map(({ value }) => ({ op: 'remove', path: `members[value eq "${value}"]` })),
      ),
      'a group is renamed': patch(group, { op: 'replace', path: 'displayName', value: one.name }),
      'a group is replaced': { method: 'PUT', path: group, data: { displayName: one.name, members } },
      'a group is deleted': { method: 'DELETE', path: group },
      'a user is changed': patch(user, { op: 'replace', value: { active: one.active, displayName: one.name } }),
      'a user is replaced': { method: 'PUT', path: user, data: person },
      'a user is deleted': { method: 'DELETE', path: user },
      nonsense: { method: 'POST', path: '/Users', data: { active: one.active } },
    }[kind]
    if (operation.method === 'POST') {
      operation.bulkId = String(operations.length)
      made[operation.path === '/Users' ? 'user' : 'group'].push(operations.length)
    }
    operations.push(operation)
  }
  return operations
}

test('a bulk does what its operations do one by one', async ({ db, scim }) => {
  await fc.assert(
    fc.asyncProperty(blocks, async (given) => {
      const operations = operationsOf(given)
      const [first, second] = [await newWorld(db), await newWorld(db)]
      const { body } = await scim('POST', '/Bulk', { Operations: operations }, { token: first.token })
      const statuses = body.Operations.map(({ status }: { status: string }) => Number(status))
      expect(statuses).toEqual(await oneByOne(operations, (...rest) => scim(...rest, { token: second.token })))
      expect(await stateOf(db, first.scope)).toEqual(await stateOf(db, second.scope))
    }),
    { numRuns: 60 },
  )
})

/** Each as a request of its own, with the ids that were answered; what refers to something that was not made is not sent: 409. */
async function oneByOne(operations: Operation[], send: (method: string, path: string, body?: unknown) => ReturnType<Client>) {
  const ids = new Map<string, string>()
  const statuses: number[] = []
  for (const { method, path, data, bulkId } of operations) {
    let isWhole = true
    const sent = JSON.stringify({ path, data: data ?? null }).replace(/bulkId:(\d+)/g, (_all, place: string) => {
      const id = ids.get(place)
      isWhole &&= id !== undefined
      return String(id)
    })
    const request = JSON.parse(sent)
    const { status, body } = isWhole ? await send(method, request.path, request.data ?? undefined) : { status: 409, body: {} }
    statuses.push(status)
    if (status === 201) ids.set(String(bulkId), body.id)
  }
  return statuses
}

/** An organization with people whom a push may match, one of them protected, and a group whose name is taken. */
async function newWorld(db: Db): Promise<{ scope: Scope; token: string }> {
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'tests' }
  return inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: `org-${scope.orgId}` })
    const accounts = [
      { userName: 'ada', email: 'other@example.org' },
      { userName: 'bob', email: 'shared@example.org' },
      { userName: 'cyd', email: 'shared@example.org' },
      { userName: 'dee', email: 'ada@example.org' },
      { userName: 'root', email: 'root@example.org', isProtected: true },
    ]
    const ids = []
    for (const account of accounts) ids.push(await insertAccount(trx, account))
    const groupId = await createGroup(trx, { name: 'Taken' })
    await addMembers(
      trx,
      ids.slice(0, 2).map((accountId) => ({ groupId, accountId })),
      { action: 'members.changed' },
    )
    const directory = await createDirectory(trx, { name: 'okta', provider: 'other', quietSeconds: 0 })
    return { scope, token: (await createDirectoryToken(trx, directory.id)).secret }
  })
}

/** All that is stored, with names in the place of ids. */
async function stateOf(db: Db, scope: Scope) {
  const { labels, state } = await inTransaction(db, scope, async (trx) => {
    const read = async (query: ReturnType<typeof sql>) => (await query.execute(trx)).rows
    const org = trx.orgId
    return {
      labels: (await read(sql`
        select id, 'account ' || user_name as label from accounts where org_id = ${org}
        union all select id, 'user ' || user_name from provisioned_users where org_id = ${org}
        union all select id, 'group ' || name || effective from groups where org_id = ${org}
        union all select id, 'pushed ' || name from provisioned_groups where org_id = ${org}`)) as {
        id: string
        label: string
      }[],
      state: {
        accounts: await read(
          sql`select user_name, email, display_name, active, owned_by is not null as is_owned from accounts where org_id = ${org} order by user_name_key`,
        ),
        users: await read(sql`
          select user_name, external_id, active, attributes, account_id, matched_by, state, reasons, version
          from provisioned_users where org_id = ${org} order by user_name_key`),
        groups: await read(sql`
          select g.name, g.effective, g.managed_by is not null as is_managed, g.member_count, g.add_count, g.remove_count,
            (select json_agg(json_build_array(a.user_name, m.pushed, m.effective) order by a.user_name_key)
              from memberships m join accounts a on a.org_id = m.org_id and a.id = m.account_id
              where m.org_id = g.org_id and m.group_id = g.id) as members,
            p.name as pushed, p.state, p.reasons, p.version,
            (select json_agg(u.value order by u.value) from unknown_members u where u.org_id = p.org_id and u.provisioned_group_id = p.id) as unknown
          from groups g left join provisioned_groups p on p.org_id = g.org_id and p.group_id = g.id
          where g.org_id = ${org} order by g.name_key, p.name_key`),
        log: await read(
          sql`select action, subject, facts, added, removed, pushed_added, pushed_removed from log_entries where org_id = ${org} and actor = 'directory:okta' order by id`,
        ),
      },
    }
  })
  const names = new Map(labels.map(({ id, label }) => [id, label]))
  const text = JSON.stringify(state).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => names.get(id) ?? 'gone')
  // People stand in the order of their ids, which says nothing where these were made at the same moment.
  const inOrder = (_key: string, value: unknown) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string') ? value.toSorted() : value
  const { log, ...rest } = JSON.parse(text) as { log: unknown[] }
  // What is done together is logged kind by kind.
  return { ...rest, log: log.map((entry) => JSON.stringify(entry, inOrder)).sort() }
}
