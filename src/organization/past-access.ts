import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type AccountId, type GroupId, isId, type RoleId } from '../database/ids.ts'
import { accessColumns, accessOrder, accessSorts, type PersonAccess, type RoleHolder } from './access-lists.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { later, type Moment } from './moment.ts'
import { nameKey } from './name-key.ts'
import { grantsThen, groupFieldsThen, groupsThen, membersThen, peopleThen } from './past.ts'
import { Refusal } from './refusal.ts'

type Sql = RawBuilder<unknown>

/** What is other now than it was then: there is now and was not, or was and is not. */
export const changes = ['gained', 'lost'] as const
export type Change = (typeof changes)[number]

/** Something that was gained or lost since, with the groups through which it was had then, and those through which it is had now. */
export interface Since {
  change: Change
  throughThen: string[]
  throughNow: string[]
}

/** What a person could do at a moment, and through which groups, by the names they had then. */
export const accessOfPersonAt = (
  reader: Reader,
  accountId: AccountId,
  moment: Moment,
  listing: Listing,
): Promise<Listed<PersonAccess>> => rolesOf(reader, accountId, moment, listing, wasHad)

/** What a person may do now and could not at a moment, and the other way round. */
export const accessChangesOfPerson = (
  reader: Reader,
  accountId: AccountId,
  moment: Moment,
  listing: Listing,
): Promise<Listed<Omit<PersonAccess, 'through'> & Since>> => rolesOf(reader, accountId, moment, listing, isOther)

/** Who had a role at a moment, and through which groups, by the names they had then. */
export const peopleOfRoleAt = (reader: Reader, roleId: RoleId, moment: Moment, listing: Listing): Promise<Listed<RoleHolder>> =>
  holdersOf(reader, roleId, moment, listing, wasHad)

/** Who has a role now and had not at a moment, and the other way round. */
export const changesOfRole = (
  reader: Reader,
  roleId: RoleId,
  moment: Moment,
  listing: Listing,
): Promise<Listed<Omit<RoleHolder, 'through'> & Since>> => holdersOf(reader, roleId, moment, listing, isOther)

/** Which of what is met is asked for, and what of it. */
interface Asked {
  columns: Sql
  which: Sql
}

const names = (then: boolean) =>
  sql`coalesce(array_agg(group_name order by group_name) filter (where is_then = ${then}::boolean), '{}')`
const wasHad: Asked = { columns: sql`${names(true)} as through`, which: sql`bool_or(is_then)` }
const isOther: Asked = {
  columns: sql`case when bool_or(is_then) then 'lost' else 'gained' end as change, ${names(true)} as "throughThen", ${names(false)} as "throughNow"`,
  which: sql`(bool_and(is_then) or not bool_or(is_then))`,
}

function rolesOf<T>(
  reader: Reader,
  accountId: AccountId,
  moment: Moment,
  listing: Listing,
  { columns, which }: Asked,
): Promise<Listed<T>> {
  const person = sql`${accountId}::uuid`
  const groups = sql`select group_id as id from members_then`
  const met = sql`
    with ${groupsThen(reader, moment, person)}, ${grantsThen(reader, moment, groups)}, ${groupFieldsThen(reader, moment, groups)},
    ${peopleThen(reader, moment, sql`select ${person} as id`)}
    ${thenAndNow(reader, nowOfPerson(reader, person))}`
  return list(reader, listing, {
    columns: sql`${accessColumns}, ${columns}`,
    from: sql`(${met}) met
      join product_roles r on r.org_id = ${reader.orgId} and r.id = met.role_id
      join products p on p.org_id = r.org_id and p.id = r.product_id
      join sites s on s.org_id = p.org_id and s.id = p.site_id
      where ${found(listing, 's.name_key', 'p.name_key', 'r.name_key')}
      group by s.id, s.name, s.name_key, p.id, p.name, p.name_key, r.id, r.name, r.name_key, r.is_administrative having ${which}`,
    sorts: accessSorts,
    usual: 'site',
    last: accessOrder,
    inHashes: true,
  })
}

function holdersOf<T>(
  reader: Reader,
  roleId: RoleId,
  moment: Moment,
  listing: Listing,
  { columns, which }: Asked,
): Promise<Listed<T>> {
  const role = sql`${roleId}::uuid`
  const granted = sql`select id from ever_granted`
  const groups = sql`select distinct group_id as id from grants_then where role_id = ${role}`
  const met = sql`
    with ever_granted as materialized (${everGranted(reader, moment, roleId)}), ${grantsThen(reader, moment, granted)},
    ${groupFieldsThen(reader, moment, groups)}, ${membersThen(reader, moment, groups)},
    ${peopleThen(reader, moment, sql`select distinct account_id as id from members_then`)}
    select * from (${thenAndNow(reader, nowOfRole(reader, role))}) met where role_id = ${role}`
  return list(reader, listing, {
    columns: sql`a.id, a.user_name as "userName", a.email, a.display_name as "displayName", ${columns}`,
    from: sql`(${met}) met cross join lateral (select * from accounts where org_id = ${reader.orgId} and id = met.account_id offset 0) a
      where ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}
      group by a.id, a.user_name, a.user_name_key, a.email, a.email_key, a.display_name having ${which}`,
    sorts: { name: 'a.user_name_key', email: 'a.email_key' },
    usual: 'name',
    last: 'a.id',
    inHashes: true,
  })
}

/** Each (account_id, role_id, group_name) through which there was an access then, and is now: of `now`, rows (group_id, account_id, role_id). */
const thenAndNow = (reader: Reader, now: Sql): Sql => sql`
  select m.account_id, g.role_id, o.name as group_name, true as is_then
  from members_then m
  join grants_then g on g.group_id = m.group_id
  join groups_then o on o.group_id = m.group_id
  join people_then p on p.account_id = m.account_id and p.active
  union all
  select now.account_id, now.role_id, o.name, false
  from (${now}) now
  cross join lateral (select name from groups where org_id = ${reader.orgId} and id = now.group_id and effective offset 0) o
  cross join lateral (select from accounts where org_id = ${reader.orgId} and id = now.account_id and active offset 0) a`

/** What a person may do now: by look-ups (offset 0), whatever the tables' statistics. */
const nowOfPerson = (reader: Reader, person: Sql): Sql => sql`
  select m.group_id, m.account_id, g.role_id from memberships m
  cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = m.group_id offset 0) g
  where m.org_id = ${reader.orgId} and m.account_id = ${person} and m.effective`

/** Who has a role now, likewise. */
const nowOfRole = (reader: Reader, role: Sql): Sql => sql`
  select g.group_id, m.account_id, g.role_id from grants g
  cross join lateral (select account_id from memberships where org_id = ${reader.orgId} and group_id = g.group_id and effective offset 0) m
  where g.org_id = ${reader.orgId} and g.role_id = ${role}`

/** The groups (id) that have a grant of a role, or had one since: as the index log_entries_of_grants finds them (migration 0014). */
const everGranted = (reader: Reader, moment: Moment, roleId: RoleId): Sql => sql`
  select group_id as id from grants where org_id = ${reader.orgId} and role_id = ${roleId}
  union
  select l.subject from log_entries l
  where l.org_id = ${reader.orgId} and ${later(moment)} and (l.action like 'grant.%' or l.facts ? 'grants')
    and (l.facts ->> 'roleId' = ${roleId} or l.facts -> 'grants' @> ${JSON.stringify([{ roleId }])}::jsonb)`

/** A person who was in a group at a moment, or came or went since. */
export interface MemberThen {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
}

/**
 * A group that is in force, by id or name, or one that has been deleted, by its id or the name it had at last.
 * @throws Refusal `not_found`
 */
export async function groupEver(reader: Reader, idOrName: string): Promise<{ id: GroupId; name: string }> {
  const id = isId(idOrName) ? idOrName : null
  const { rows } = await sql<{ id: GroupId; name: string }>`
    (select id, name, id = ${id}::uuid as is_id, true as is_there from groups
      where org_id = ${reader.orgId} and effective and (id = ${id}::uuid or name_key = ${nameKey(idOrName)}))
    union all
    (select l.subject, l.facts -> 'before' ->> 'name', l.subject = ${id}::uuid, false from log_entries l
      where l.org_id = ${reader.orgId} and l.facts ? 'grants' and l.action = 'group.deleted'
        and (l.subject = ${id}::uuid or l.facts -> 'before' ->> 'name' = ${idOrName})
      order by l.id desc limit 1)
    order by is_id desc nulls last, is_there desc limit 1`.execute(reader)
  if (rows[0] === undefined) throw new Refusal('not_found', 'There is no such group.', { group: idOrName })
  return rows[0]
}

/** Who was effectively in a group at a moment. */
export const membersAt = (reader: Reader, groupId: GroupId, moment: Moment, listing: Listing): Promise<Listed<MemberThen>> =>
  membersMet(reader, groupId, moment, listing, { columns: sql`bool_or(is_then) as "wasMember"`, which: sql`bool_or(is_then)` })

/** Who has come into a group since a moment, and who has gone. */
export const changesOfMembers = (
  reader: Reader,
  groupId: GroupId,
  moment: Moment,
  listing: Listing,
): Promise<Listed<MemberThen & { change: Change }>> =>
  membersMet(reader, groupId, moment, listing, {
    columns: sql`case when bool_or(is_then) then 'lost' else 'gained' end as change`,
    which: isOther.which,
  })

function membersMet<T>(
  reader: Reader,
  groupId: GroupId,
  moment: Moment,
  listing: Listing,
  { columns, which }: Asked,
): Promise<Listed<T>> {
  const met = sql`
    with ${membersThen(reader, moment, sql`select ${groupId}::uuid as id`)}
    select account_id, true as is_then from members_then
    union all
    select account_id, false from memberships where org_id = ${reader.orgId} and group_id = ${groupId} and effective`
  return list(reader, listing, {
    columns: sql`a.id, a.user_name as "userName", a.email, a.display_name as "displayName", a.active, ${columns}`,
    from: sql`(${met}) met cross join lateral (select * from accounts where org_id = ${reader.orgId} and id = met.account_id offset 0) a
      where ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}
      group by a.id, a.user_name, a.user_name_key, a.email, a.email_key, a.display_name, a.active having ${which}`,
    sorts: { name: 'a.user_name_key', email: 'a.email_key', displayName: 'lower(a.display_name)', active: 'a.active' },
    usual: 'name',
    last: 'a.id',
    inHashes: true,
  })
}
