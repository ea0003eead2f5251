import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import type { SyncChoice } from '../database/tables.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { isFilling } from './warnings.ts'

/** A piece of SQL. The pieces here are common table expressions, without `with`, that later ones build on by name. */
export type Sql = RawBuilder<unknown>

/** Membership `m` has a difference: word for word the condition of the index of differences, which then serves. */
export const differs: Sql = sql`m.pushed <> m.effective`

/**
 * What would become of groups, as SQL that all of a review is computed from, whatever proposes it.
 * `selected`: one row a unit: id, group_id, name, standing (what of its state belongs to the answer), member_count, is_filling;
 * `changing`: the memberships that would come into force (`gives`) or end: id, group_id, account_id. A group that is still to be made has none
 * (null): it has no grants.
 */
export interface Proposed {
  selected: Sql
  changing: Sql
}

/**
 * What is chosen for a group. `linkTo`: it is linked to this group first, and the choice is about that one; `people`: the members whom it is
 * about, where not all; `newName`: of a group that is renamed.
 */
export interface Chosen {
  choice: SyncChoice
  linkTo?: GroupId | undefined
  people?: readonly AccountId[] | undefined
  newName?: string | undefined
}

/** What is chosen for groups where it is not `overwrite`. */
export type Choices = ReadonlyMap<ProvisionedGroupId, Chosen>

/** These groups with what is chosen for each, as SQL: `given` (id, choice, link_to, people). */
export function givenChoices(ids: readonly ProvisionedGroupId[], choices: Choices = new Map()): Sql {
  const people = ids.flatMap((id) => (choices.get(id)?.people ?? []).map((account) => ({ id, account })))
  return sql`(
    select g.id, g.choice, g.link_to, p.people
    from unnest(${ids}::uuid[], ${ids.map((id) => choices.get(id)?.choice ?? 'overwrite')}::text[],
      ${ids.map((id) => choices.get(id)?.linkTo ?? null)}::uuid[]) as g(id, choice, link_to)
    left join (
      select of, array_agg(account) as people
      from unnest(${people.map(({ id }) => id)}::uuid[], ${people.map(({ account }) => account)}::uuid[]) as named(of, account) group by of
    ) as p on p.of = g.id) as given`
}

/** Whether a difference `m` becomes true by the choice of row `s` (choice, people). */
export const isChosen: Sql = sql`(
  s.choice = 'overwrite' or s.choice = 'merge' and m.pushed
  or s.choice = 'drop_kept' and m.waiting = 'kept' and (s.people is null or m.account_id = any(s.people)))`

/**
 * What links bring: rows (id, group_id, account_id, pushed), for rows `linked` (id, link_from, group_id, choice) of pushed groups that go from
 * one group to another: who is pushed and not in that one yet, and who is in it and not pushed.
 */
export const linkedDifferences = (reader: Reader, linked: Sql): Sql => sql`
  select s.id, s.group_id, m.account_id, m.pushed
  from (select * from ${linked} where link_from is not null) s
  cross join lateral (
    select account_id, bool_or(is_pushed) as pushed
    from (
      select account_id, true as is_pushed from memberships where org_id = ${reader.orgId} and group_id = s.link_from and pushed
      union all
      select account_id, false from memberships where org_id = ${reader.orgId} and group_id = s.group_id and effective
    ) met group by account_id having count(*) = 1 offset 0
  ) m
  where s.choice = 'overwrite' or s.choice = 'merge' and m.pushed`

/**
 * A sync of these pushed groups, whatever their state, each as chosen: the differences of the two truths that the choice makes true, read
 * through their index. Here as in all that a review is made of, tables are looked up by key, row by row (offset 0), and expressions meet in
 * windows, set operations and hashes: a planner that has no statistics of the organization would else read all of a table for each row.
 */
export function syncOf(reader: Reader, ids: readonly ProvisionedGroupId[], choices?: Choices): Proposed {
  const org = reader.orgId
  return {
    selected: sql`
    selected as materialized (
      select p.id, coalesce(given.link_to, p.group_id) as group_id, case when given.link_to is not null then p.group_id end as link_from, p.name, p.state,
        concat_ws('|', p.group_id, p.state, array_to_string(p.reasons, ','), nullif(given.choice, 'overwrite'), given.link_to) as standing,
        given.choice, given.people, o.member_count, ${isFilling} as is_filling
      from ${givenChoices(ids, choices)}
      cross join lateral (select * from provisioned_groups where org_id = ${org} and id = given.id offset 0) p
      cross join lateral (select quiet_seconds from directories where org_id = ${org} and id = p.directory_id offset 0) d
      -- Apart: of an expression over columns the planner does not know that it leaks nothing, and under row-level security reads all groups.
      cross join lateral (select coalesce(given.link_to, p.group_id) as id offset 0) w
      cross join lateral (select member_count from groups where org_id = ${org} and id = w.id offset 0) o
    )`,
    changing: sql`
    changing as (
      select s.id, s.group_id, m.account_id, m.pushed as gives
      from selected s
      cross join lateral (
        select account_id, pushed, waiting from memberships m where org_id = ${org} and group_id = s.group_id and ${differs} offset 0
      ) m
      where s.link_from is null and ${isChosen}
      union all ${linkedDifferences(reader, sql`selected`)}
      union all
      select s.id, null, m.account_id, true
      from selected s
      cross join lateral (select account_id from memberships where org_id = ${org} and group_id = s.group_id and pushed offset 0) m
      where s.choice = 'rename_existing'
    )`,
  }
}

/** `changing` with who each row concerns, as `differing`. */
export const differing = (reader: Reader, { selected, changing }: Proposed): Sql => sql`
  ${selected},
  ${changing},
  differing as materialized (
    select c.id, c.group_id, c.account_id, c.gives, a.active
    from changing c
    cross join lateral (select active from accounts where org_id = ${reader.orgId} and id = c.account_id offset 0) a
  )`

export const memberChanges = ['changes', 'added', 'removed', 'unchanged', 'all'] as const
/** Which members of a review are asked for; `changes`: added and removed. */
type MemberChange = (typeof memberChanges)[number]

export interface ReviewedMember {
  id: AccountId
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
  change: 'added' | 'removed' | 'unchanged'
}

/** Who would be added to a group, removed from it, and who stays: a page of it, searched by user name, e-mail and name. */
export function reviewedMembers(
  reader: Reader,
  id: ProvisionedGroupId,
  change: MemberChange,
  listing: Listing,
): Promise<Listed<ReviewedMember>> {
  return list(reader, listing, {
    columns: sql`a.id, a.user_name as "userName", a.email, a.display_name as "displayName", a.active,
      case when m.pushed and m.effective then 'unchanged' when m.pushed then 'added' else 'removed' end as change`,
    from: sql`provisioned_groups p
      join memberships m on m.org_id = ${reader.orgId} and m.group_id = p.group_id and ${rowsOf[change]}
      join accounts a on a.org_id = ${reader.orgId} and a.id = m.account_id
      where p.org_id = ${reader.orgId} and p.id = ${id} and ${found(listing, 'a.user_name_key', 'a.email_key', 'lower(a.display_name)')}`,
    sorts: { userName: 'a.user_name_key', change: 'change' },
    usual: 'change',
    last: 'a.user_name_key, a.id',
  })
}

const rowsOf: Record<MemberChange, Sql> = {
  changes: differs,
  added: sql`${differs} and m.pushed`,
  removed: sql`${differs} and not m.pushed`,
  unchanged: sql`m.pushed and m.effective`,
  all: sql`true`,
}
