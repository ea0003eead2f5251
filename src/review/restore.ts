import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type AccountId, type GroupId, isId, type ProvisionedGroupId, type RunId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import { later, type Moment } from '../organization/moment.ts'
import { fieldsBefore, groupFieldsThen, membersChanged } from '../organization/past.ts'
import type { Proposed, Sql } from './differences.ts'

/** A group, and the first entry of the log about it that is undone: it is put back to what it was before that one. */
export interface Cut {
  groupId: GroupId
  entry: string
}

/** The cut of a group that is put back to a moment; undefined where nothing was done to it since. */
export async function cutAt(reader: Reader, groupId: GroupId, moment: Moment): Promise<Cut | undefined> {
  const { rows } = await sql<Cut>`
    select ${groupId}::uuid as "groupId", min(l.id)::text as entry
    from (${subjectsOf(reader, sql`select ${groupId}::uuid as id`)}) s
    cross join lateral (
      select id from log_entries l where l.org_id = ${reader.orgId} and l.subject = s.subject and ${later(moment)} order by id limit 1
    ) l
    having count(*) > 0`.execute(reader)
  return rows[0]
}

/** The cuts of the groups that a run changed: before what it did first to each; those that it made first, so that names are free. */
export async function cutsOfRun(reader: Reader, runId: string): Promise<Cut[]> {
  const { rows } = await sql<Cut>`
    with done as materialized (
      select subject, min(id) as id from log_entries where org_id = ${reader.orgId} and run_id = ${isId(runId) ? runId : null}::uuid group by subject
    )
    select o.id as "groupId", min(done.id)::text as entry
    from done
    cross join lateral (
      select done.subject as id
      union select group_id from provisioned_groups where org_id = ${reader.orgId} and id = done.subject
    ) of_it
    cross join lateral (select id, created_at from groups where org_id = ${reader.orgId} and id = of_it.id offset 0) o
    group by o.id, o.created_at order by o.created_at desc, o.id`.execute(reader)
  return rows
}

// A group, and the pushed one that is paired with it: what is done to either is done to both.
const subjectsOf = (reader: Reader, groups: Sql): Sql => sql`
  select g.id, g.id as subject from (${groups}) g
  union all
  select g.id, p.id from (${groups}) g cross join lateral (
    select id from provisioned_groups where org_id = ${reader.orgId} and group_id = g.id offset 0
  ) p`

const given = (cuts: readonly Cut[]): Sql => sql`
  select id, cut from unnest(${cuts.map(({ groupId }) => groupId)}::uuid[], ${cuts.map(({ entry }) => entry)}::bigint[]) as given(id, cut)`

/** What a group is, or was, besides its members. */
export interface Standing {
  name: string
  isInForce: boolean
  /** The directory that manages it, by name. */
  managedBy: string | null
  /** Of the pushed group that is paired with it. */
  state: GroupState | null
  reasons: GroupReason[]
}

/** What a pushed group was. */
export interface PushedThen {
  state: GroupState
  reasons: GroupReason[]
  isLinked: boolean
  keepsName: boolean
}

/** A group that is put back. */
export interface Restored {
  id: GroupId
  pushedId: ProvisionedGroupId | null
  /** Another group that the pushed one was paired with then, and how. */
  pairedThen: (PushedThen & { groupId: GroupId }) | null
  /** Of the pushed one, where it was paired with this group. */
  pushedThen: PushedThen | null
  now: Standing
  /** Null: there was no such group. */
  was: Standing | null
  /** Whether it was deleted then, and could be restored. */
  wasDeleted: boolean
}

// groups_then, pushed_before and `standings`: one row a group, with what it is and what it was.
const standings = (reader: Reader, cuts: readonly Cut[]): Sql => sql`
  ${groupFieldsThen(reader, 'cut', given(cuts))},
  ${fieldsBefore(reader, 'cut', {
    name: 'pushed_before',
    subjects: sql`
      select p.id, s.cut from (${given(cuts)}) s
      cross join lateral (select id from provisioned_groups where org_id = ${reader.orgId} and group_id = s.id offset 0) p`,
    actions: sql`l.action like 'group.%'`,
  })},
  standings as materialized (
    select s.id, p.id as pushed_id, o.name, o.effective, o.managed_by, o.member_count, p.state, p.reasons,
      coalesce(${wasDeleted(reader)}, false) as was_deleted, g.group_id is not null as was_there, g.name as name_then, g.effective as effective_then, g.managed_by as managed_then,
      -- paired with it then, too: else nothing is known of what was
      p.id is not null and b.was is distinct from false and coalesce(b.fields ->> 'groupId', s.id::text) = s.id::text as was_paired,
      nullif((b.fields ->> 'groupId')::uuid, s.id) as paired_then,
      coalesce((b.fields ->> 'isLinked')::boolean, p.is_linked) as is_linked_then, coalesce((b.fields ->> 'keepsName')::boolean, p.keeps_name) as keeps_name_then,
      coalesce(b.fields ->> 'state', p.state) as state_then,
      case when b.fields ? 'reasons' then array(select jsonb_array_elements_text(b.fields -> 'reasons')) else p.reasons end as reasons_then
    from (${given(cuts)}) s
    cross join lateral (select * from groups where org_id = ${reader.orgId} and id = s.id offset 0) o
    left join groups_then g on g.group_id = s.id
    left join lateral (select id, state, reasons, is_linked, keeps_name from provisioned_groups where org_id = ${reader.orgId} and group_id = s.id offset 0) p on true
    left join pushed_before b on b.id = p.id
  )`

const pushedThen: Sql = sql`'state', state_then, 'reasons', coalesce(reasons_then, '{}'), 'isLinked', is_linked_then, 'keepsName', keeps_name_then`

// What brought it into force first was that it was restored.
const wasDeleted = (reader: Reader): Sql => sql`(
  select l.action = 'group.restored' from log_entries l
  where l.org_id = ${reader.orgId} and l.subject = s.id and l.id >= s.cut and l.action like 'group.%' and l.facts -> 'before' ? 'effective'
  order by l.id limit 1)`

/** What is put back, group by group. */
export async function restoredGroups(reader: Reader, cuts: readonly Cut[]): Promise<Restored[]> {
  const { rows } = await sql<Restored>`
    with ${standings(reader, cuts)}
    select id, pushed_id as "pushedId", case when paired_then is not null then json_build_object('groupId', paired_then, ${pushedThen}) end as "pairedThen",
      case when was_paired then json_build_object(${pushedThen}) end as "pushedThen",
      json_build_object('name', name, 'isInForce', effective, 'managedBy', ${directoryName(reader, sql`managed_by`)}, 'state', state, 'reasons', coalesce(reasons, '{}')) as now,
      case when was_there then json_build_object('name', name_then, 'isInForce', effective_then, 'managedBy', ${directoryName(reader, sql`managed_then`)},
        'state', case when was_paired then state_then end, 'reasons', case when was_paired then coalesce(reasons_then, '{}') else '{}' end) end as was,
      was_deleted as "wasDeleted"
    from standings order by id`.execute(reader)
  return rows
}

const directoryName = (reader: Reader, id: Sql): Sql =>
  sql`(select d.name from directories d where d.org_id = ${reader.orgId} and d.id = ${id})`

/** Groups put back: who was in them then comes back, who was not goes. */
export function restoreOf(reader: Reader, cuts: readonly Cut[]): Proposed {
  return {
    selected: sql`
    ${standings(reader, cuts)},
    selected as materialized (
      select id, id as group_id, name, concat_ws('|', 'restore', effective, managed_by, state, array_to_string(reasons, ','), was_there,
          to_json(name_then), effective_then, managed_then, was_paired, state_then, array_to_string(reasons_then, ',')) as standing,
        member_count, false as is_filling
      from standings
    )`,
    changing: sql`
    ${membersChanged(reader, 'cut', given(cuts))},
    changing as (
      select c.group_id as id, c.group_id, c.account_id, c.was as gives
      from changed_members c
      left join lateral (
        select effective from memberships where org_id = ${reader.orgId} and group_id = c.group_id and account_id = c.account_id offset 0
      ) m on true
      where c.was <> coalesce(m.effective, false)
    )`,
  }
}

/**
 * Whom of those who would be in a group that is put back, and are not pushed, a merge kept then: who was in it and not pushed when it was linked
 * by that merge, and whom nothing has touched between; and whom an undo has put back, or linked again, as kept. `isGiven`: who comes back.
 */
export async function keptThen(
  reader: Reader,
  { groupId, entry }: Cut,
  pushedId: ProvisionedGroupId,
): Promise<{ id: AccountId; isGiven: boolean }[]> {
  const org = reader.orgId
  const { selected, changing } = restoreOf(reader, [{ groupId, entry }])
  const { rows } = await sql<{ id: AccountId; isGiven: boolean }>`
    with linked as materialized (
      select l.id, l.facts ->> 'choice' = 'merge' as merged, l.facts -> 'kept' as kept from (
        select id, facts from log_entries
        where org_id = ${org} and subject = ${pushedId} and id < ${entry}::bigint and action = 'group.state_changed'
          and facts #>> '{after,state}' in ('synced', 'held') and facts #>> '{before,state}' not in ('synced', 'held')
        order by id desc limit 1
      ) l
      where (l.facts ->> 'choice' = 'merge' or l.facts ? 'kept') and l.facts #>> '{after,groupId}' = ${groupId}::text
    ),
    ${selected}, ${changing},
    stays as materialized (
      select account_id, bool_or(is_given) as is_given
      from (
        select account_id, false as is_given, pushed from memberships
        where org_id = ${org} and group_id = ${groupId} and pushed <> effective and effective
        union all
        select c.account_id, true, coalesce(m.pushed, false) from changing c
        left join lateral (
          select pushed from memberships where org_id = ${org} and group_id = ${groupId} and account_id = c.account_id offset 0
        ) m on true
        where c.gives
      ) would where not pushed and account_id not in (select account_id from changing where not gives) group by account_id
    ),
    touched as materialized (
      select distinct on (c.account_id) c.account_id, coalesce(l.facts -> 'kept' ? c.account_id::text, false) as is_kept
      from linked
      cross join lateral (
        select * from log_entries where org_id = ${org} and subject = ${groupId} and id > linked.id and id < ${entry}::bigint offset 0
      ) l
      cross join lateral (
        select unnest(l.added) as account_id union all select unnest(l.removed)
        union all select unnest(l.pushed_added) union all select unnest(l.pushed_removed)
      ) c
      order by c.account_id, l.id desc
    ),
    pushed_since as materialized (
      select distinct on (c.account_id) c.account_id, c.was
      from (select * from log_entries where org_id = ${org} and subject = ${groupId} and id >= ${entry}::bigint offset 0) l
      cross join lateral (
        select unnest(l.pushed_added) as account_id, false as was union all select unnest(l.pushed_removed), true
      ) c
      order by c.account_id, l.id
    )
    select s.account_id as id, s.is_given as "isGiven"
    from linked cross join stays s
    left join touched t on t.account_id = s.account_id
    left join pushed_since p on p.account_id = s.account_id
    where coalesce(t.is_kept, linked.merged, linked.kept ? s.account_id::text) and not coalesce(p.was, false)`.execute(reader)
  return rows
}

/** Which entries of each group are undone, by id; but those of the run that is undone, where one is. */
export async function changedSince(reader: Reader, cuts: readonly Cut[], runId: RunId | null): Promise<Map<GroupId, string[]>> {
  const { rows } = await sql<{ id: GroupId; entries: string[] }>`
    select s.id, array_agg(l.id::text order by l.id) as entries
    from (${given(cuts)}) c
    cross join lateral (select * from (${subjectsOf(reader, sql`select c.id`)}) s) s
    cross join lateral (
      select id from log_entries l
      where l.org_id = ${reader.orgId} and l.subject = s.subject and l.id >= c.cut
        and (${runId}::uuid is null or l.run_id is distinct from ${runId}::uuid)
        and l.action not like 'review.%' offset 0
    ) l
    group by s.id`.execute(reader)
  return new Map(rows.map(({ id, entries }) => [id, entries]))
}
