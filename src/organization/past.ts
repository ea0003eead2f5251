import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { entriesOfPerson } from './log-people.ts'
import { later, type Moment } from './moment.ts'

// What was in force at a moment, as SQL: the present, less what the log says was done later. Each is a list of common table expressions
// over rows `groups` or `people` of ids. Later entries are looked up subject by subject (offset 0), so that the work grows with what
// was changed since, and with what is answered. Present and past rows meet in a group, not in a join: how many entries there are is not
// known to the planner, and it would join them one by one.

type Sql = RawBuilder<unknown>

/** Since when: a moment; or `cut`, for rows that have an entry each (`cut`), which is the first that is undone. */
export type Since = Moment | 'cut'
const isSince = (since: Since): Sql => (since === 'cut' ? sql`l.id >= s.cut` : later(since))

/** Entries `l` about subjects `s.id`, later than the moment. */
const laterOf = (reader: Reader, moment: Since, subjects: Sql, columns: Sql, which: Sql): Sql => sql`
  (${subjects}) s cross join lateral (
    select ${columns} from log_entries l where l.org_id = ${reader.orgId} and l.subject = s.id and ${isSince(moment)} and ${which} offset 0
  ) l`

// As the index log_entries_of_facts has it (migration 0014).
const isOfFacts = sql`l.action not like 'members.%'`

/** `changed_members` (group_id, account_id, was): who has come into these groups (rows of id) or gone, and whether they were in it before. */
export const membersChanged = (reader: Reader, moment: Since, groups: Sql): Sql => sql`
  changed_members as materialized (
    select distinct on (s.id, c.account_id) s.id as group_id, c.account_id, c.was
    from ${laterOf(reader, moment, groups, sql`l.id, l.added, l.removed`, sql`(l.added is not null or l.removed is not null)`)}
    cross join lateral (select unnest(l.removed) as account_id, true as was union all select unnest(l.added), false) c
    order by s.id, c.account_id, l.id
  )`

/** `members_then` (group_id, account_id): who was effectively in these groups (rows of id). */
export const membersThen = (reader: Reader, moment: Since, groups: Sql): Sql => sql`
  ${membersChanged(reader, moment, groups)},
  members_then as materialized (
    select group_id, account_id
    from (
      select group_id, account_id, was from changed_members
      union all
      select s.id, m.account_id, null from (${groups}) s cross join lateral (
        select account_id from memberships where org_id = ${reader.orgId} and group_id = s.id and effective offset 0
      ) m
    ) met
    group by group_id, account_id having coalesce(bool_or(was), true)
  )`

/** `members_then` (group_id, account_id): in which groups one person was effectively. */
export const groupsThen = (reader: Reader, moment: Moment, accountId: Sql): Sql => sql`
  changed_groups as materialized (
    select distinct on (l.subject) l.subject as group_id, l.was
    from (
      select l.id, l.subject, coalesce(${accountId} = any(l.removed), false) as was from (${entriesOfPerson(reader, accountId, moment)}) l
      where ${accountId} = any(l.added) or ${accountId} = any(l.removed)
    ) l
    order by l.subject, l.id
  ),
  members_then as materialized (
    select group_id, ${accountId} as account_id
    from (
      select group_id, was from changed_groups
      union all
      select group_id, null from memberships where org_id = ${reader.orgId} and account_id = ${accountId} and effective
    ) met
    group by group_id having coalesce(bool_or(was), true)
  )`

/** `grants_then` (group_id, role_id, is_default): what was granted to these groups (rows of id). */
export const grantsThen = (reader: Reader, moment: Moment, groups: Sql): Sql => sql`
  changed_grants as materialized (
    select distinct on (group_id, role_id) group_id, role_id, was, is_default
    from (
      select l.id, s.id as group_id, g.role_id, l.facts ? 'before' as was, g.is_default
      from ${laterOf(reader, moment, groups, sql`l.id, l.action, l.facts`, isOfFacts)}
      cross join lateral (
        select (l.facts ->> 'roleId')::uuid as role_id, (l.facts -> 'before' ->> 'isDefault')::boolean as is_default where l.action like 'grant.%'
        union all
        select (each ->> 'roleId')::uuid, (each ->> 'isDefault')::boolean from jsonb_array_elements(l.facts -> 'grants') each
      ) g
    ) said order by group_id, role_id, id
  ),
  grants_then as materialized (
    select group_id, role_id, coalesce(bool_or(is_default) filter (where was), bool_or(is_default)) as is_default
    from (
      select group_id, role_id, was, is_default from changed_grants
      union all
      select s.id, g.role_id, null, g.is_default from (${groups}) s cross join lateral (
        select role_id, is_default from grants where org_id = ${reader.orgId} and group_id = s.id offset 0
      ) g
    ) met
    group by group_id, role_id having coalesce(bool_or(was), true)
  )`

/** `people_then` (account_id, user_name, email, display_name, active): these people (rows of id) who were there, as they were. */
export const peopleThen = (reader: Reader, moment: Moment, people: Sql): Sql => sql`
  ${fieldsBefore(reader, moment, { name: 'people_before', subjects: people, actions: sql`l.action like 'account.%'` })},
  people_then as materialized (
    select a.id as account_id, ${field('user_name', 'userName')}, ${field('email')}, ${field('display_name', 'displayName')},
      ${field('active', 'active', 'boolean')}
    from (${people}) s
    cross join lateral (select * from accounts where org_id = ${reader.orgId} and id = s.id offset 0) a
    left join people_before b on b.id = s.id
    where b.was is distinct from false
  )`

/** `groups_then` (group_id, name, description, effective, managed_by, is_protected): these groups (rows of id) that were there, as they were. */
export const groupFieldsThen = (reader: Reader, moment: Since, groups: Sql): Sql => sql`
  ${fieldsBefore(reader, moment, { name: 'groups_before', subjects: groups, actions: sql`l.action like 'group.%'` })},
  groups_then as materialized (
    select s.id as group_id, ${field('name')}, ${field('description')}, ${field('effective', 'effective', 'boolean')},
      ${field('managed_by', 'managedBy', 'uuid')}, ${field('is_protected', 'isProtected', 'boolean')}
    from (${groups}) s
    left join lateral (select * from groups where org_id = ${reader.orgId} and id = s.id offset 0) a on true
    left join groups_before b on b.id = s.id
    where coalesce(b.was, a.id is not null)
  )`

/**
 * `name` (id, was, fields): of each subject with later entries, whether it was there, and the fields that were other than they are: each as
 * the first later entry that speaks of it has it before.
 */
export const fieldsBefore = (reader: Reader, moment: Since, of: { name: string; subjects: Sql; actions: Sql }): Sql => {
  const name = sql.raw(of.name)
  return sql`
  ${name} as materialized (
    select id, bool_and(was) filter (where nth = 1) as was, coalesce(jsonb_object_agg(key, value) filter (where key is not null), '{}') as fields
    from (
      select s.id, l.facts ? 'before' as was, each.key, each.value,
        dense_rank() over (partition by s.id order by l.id) as nth,
        row_number() over (partition by s.id, each.key order by l.id) as nth_of_field
      from ${laterOf(reader, moment, of.subjects, sql`l.id, l.facts`, sql`${isOfFacts} and ${of.actions} and (l.facts ? 'before' or l.facts ? 'after')`)}
      left join lateral jsonb_each(l.facts -> 'before') each on true
    ) said
    where nth_of_field = 1
    group by id
  )`
}

/** A column of `a` as it was by the fields of `b`. */
const field = (column: string, name = column, type = 'text'): Sql =>
  sql`case when b.fields ? ${sql.lit(name)} then (b.fields ->> ${sql.lit(name)})::${sql.raw(type)} else a.${sql.raw(column)} end as ${sql.raw(column)}`
