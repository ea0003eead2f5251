import fc from 'fast-check'
import { sql } from 'kysely'
import type { Reader } from '../../src/database/connection.ts'
import type { AccountId, GroupId, RoleId } from '../../src/database/ids.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { noteLogPeople } from '../../src/organization/log-people.ts'
import { momentOf } from '../../src/organization/moment.ts'
import {
  accessChangesOfPerson,
  accessOfPersonAt,
  changesOfMembers,
  changesOfRole,
  membersAt,
  peopleOfRoleAt,
} from '../../src/organization/past-access.ts'
import { purgeExpired } from '../../src/provisioning/deleted-groups.ts'
import { expect, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

const groups = ['Admins', 'Readers', 'Writers', 'Élan']
const people = ['ada', 'bob', 'cyd', 'dan']
const roles = ['site/wiki/admin', 'site/wiki/read', 'other/git/write']

const name = fc.constantFrom(...groups)
const some = fc.subarray(people)
const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant('pushes' as const), group: name, members: some }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('replaces' as const), group: name, members: some }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('adds' as const), group: name, members: some }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('grants' as const), group: name, role: fc.constantFrom(...roles) }) },
  fc.record({ what: fc.constant('revokes' as const), group: name, role: fc.constantFrom(...roles) }),
  fc.record({ what: fc.constant('makes' as const), group: name, members: some }),
  fc.record({ what: fc.constant('renames' as const), group: name, to: name }),
  fc.record({ what: fc.constant('pushes a name' as const), group: name, to: name }),
  fc.record({ what: fc.constant('takes back' as const), group: name }),
  fc.record({ what: fc.constant('deletes' as const), group: name }),
  fc.record({
    what: fc.constant('switches' as const),
    person: fc.constantFrom(...people),
    on: fc.constantFrom('on' as const, 'off' as const),
  }),
  fc.record({ what: fc.constant('syncs' as const) }),
  fc.record({ what: fc.constant('purges' as const) }),
  fc.record({ what: fc.constant('notes' as const) }),
)
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

test('what was so at any moment is what the log says, whatever was done since', { timeout: 240_000 }, async ({
  acme,
  api,
  db,
  okta,
  org,
}) => {
  await acme.has({ group: 'Everyone', members: people })
  await okta.knows(...people)
  const groupPath = (group: string) => `/groups/${encodeURIComponent(group)}`
  const perform = async (act: Act): Promise<unknown> => {
    switch (act.what) {
      case 'pushes':
        return okta.pushes(act)
      case 'replaces':
        return okta.replaces(act.group, act.members)
      case 'adds':
        return acme.adds(act.group, act.members)
      case 'grants': {
        const [site, product, role] = act.role.split('/')
        return api('POST', '/grants', { group: act.group, site, product, role })
      }
      case 'revokes':
        return api('DELETE', `/grants/${encodeURIComponent(act.group)}/${encodeURIComponent(act.role)}`)
      case 'makes':
        await api('POST', '/groups', { name: act.group })
        return acme.adds(act.group, act.members)
      case 'renames':
        return acme.renames(act.group, act.to)
      case 'pushes a name':
        return okta.renames(act.group, act.to)
      case 'takes back':
        return okta.deletes(act.group)
      case 'deletes':
        return acme.deletes(act.group)
      case 'switches':
        return okta.switches(act.person, act.on)
      case 'syncs': {
        const { asks, ended } = syncing(api, okta.directory.name)
        const { status, body } = await asks('all', { acceptEmpty: true })
        return status === 202 && ended(body.id)
      }
      case 'purges':
        return inTransaction(db, org.scope, async (trx) => {
          await sql`update groups set deleted_at = now() - interval '31 days' where org_id = ${org.id} and deleted_at is not null`.execute(
            trx,
          )
          await purgeExpired(trx)
        })
      case 'notes':
        while (await inTransaction(db, org.scope, noteLogPeople));
        return inTransaction(db, org.scope, noteLogPeople)
      default:
        return act satisfies never
    }
  }

  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 14 }), async (acts) => {
      const seen: { moments: string[]; was: Shown }[] = []
      for (const act of acts) {
        await perform(act)
        seen.push(
          await reading(db, org.scope, async (reader) => ({ moments: await momentsNow(reader), was: await shownNow(reader) })),
        )
      }
      await reading(db, org.scope, async (reader) => {
        const now = await shownNow(reader)
        for (const { moments, was } of seen) for (const moment of moments) await compare(reader, moment, was, now)
      })
      expect(groupPath('a')).toBe('/groups/a')
    }),
    { numRuns: Number(process.env.RUNS ?? 8) },
  )
})

/** What there is, in the words of the lists. */
interface Shown {
  accounts: AccountId[]
  groups: GroupId[]
  roles: RoleId[]
  /** `account role` → names of groups. */
  access: Record<string, string[]>
  /** `group` → accounts. */
  members: Record<string, string[]>
}

async function momentsNow(reader: Reader): Promise<string[]> {
  const { rows } = await sql<{ at: string; id: string }>`
    select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
      (select max(id)::text from log_entries where org_id = ${reader.orgId}) as id`.execute(reader)
  return rows.flatMap(({ at, id }) => [at, id])
}

async function shownNow(reader: Reader): Promise<Shown> {
  const org = reader.orgId
  const ids = async <T>(table: string) =>
    (await sql<{ id: T }>`select id from ${sql.table(table)} where org_id = ${org} order by id`.execute(reader)).rows.map(
      ({ id }) => id,
    )
  const access = await sql<{ key: string; names: string[] }>`
    select m.account_id || ' ' || g.role_id as key, array_agg(o.name order by o.name) as names
    from memberships m
    join groups o on o.org_id = ${org} and o.id = m.group_id and o.effective
    join grants g on g.org_id = ${org} and g.group_id = m.group_id
    join accounts a on a.org_id = ${org} and a.id = m.account_id and a.active
    where m.org_id = ${org} and m.effective group by 1 order by 1`.execute(reader)
  const members = await sql<{ key: string; names: string[] }>`
    select group_id as key, array_agg(account_id::text order by account_id) as names from memberships where org_id = ${org} and effective group by 1`.execute(
    reader,
  )
  const object = (rows: { key: string; names: string[] }[]) => Object.fromEntries(rows.map(({ key, names }) => [key, names]))
  return {
    accounts: await ids('accounts'),
    groups: await ids('groups'),
    roles: await ids('product_roles'),
    access: object(access.rows),
    members: object(members.rows),
  }
}

async function compare(reader: Reader, asked: string, was: Shown, now: Shown): Promise<void> {
  const moment = await momentOf(reader, asked)
  const access: Record<string, string[]> = {}
  const held: Record<string, string[]> = {}
  const differing = new Map<string, string>()
  const alsoDiffering = new Map<string, string>()
  for (const account of now.accounts) {
    for (const { roleId, through } of (await accessOfPersonAt(reader, account, moment, {})).items)
      access[`${account} ${roleId}`] = through.toSorted()
    for (const { roleId, change } of (await accessChangesOfPerson(reader, account, moment, {})).items)
      differing.set(`${account} ${roleId}`, change)
  }
  for (const role of now.roles) {
    for (const { id, through } of (await peopleOfRoleAt(reader, role, moment, {})).items)
      held[`${id} ${role}`] = through.toSorted()
    for (const { id, change } of (await changesOfRole(reader, role, moment, {})).items) alsoDiffering.set(`${id} ${role}`, change)
  }
  const sorted = (object: Record<string, string[]>) =>
    Object.fromEntries(Object.entries(object).map(([key, list]) => [key, list.toSorted()]))
  expect(access).toEqual(sorted(was.access))
  expect(held).toEqual(sorted(was.access))
  const expected = new Map([
    ...Object.keys(was.access)
      .filter((key) => !(key in now.access))
      .map((key) => [key, 'lost'] as const),
    ...Object.keys(now.access)
      .filter((key) => !(key in was.access))
      .map((key) => [key, 'gained'] as const),
  ])
  expect(differing).toEqual(expected)
  expect(alsoDiffering).toEqual(expected)
  for (const group of was.groups) {
    const then = (await membersAt(reader, group, moment, {})).items.map(({ id }) => id as string).sort()
    expect(then).toEqual((was.members[group] ?? []).toSorted())
    const here = new Set(now.members[group] ?? [])
    const changed = (await changesOfMembers(reader, group, moment, {})).items
    expect(
      changed
        .filter(({ change }) => change === 'lost')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(then.filter((id) => !here.has(id)).sort())
    expect(
      changed
        .filter(({ change }) => change === 'gained')
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...here].filter((id) => !then.includes(id)).sort())
  }
}
