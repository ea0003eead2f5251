import { type RawBuilder, sql } from 'kysely'
import type { DirectoryId, OrgId } from '../database/ids.ts'
import { isOf } from './key-sql.ts'

/** Which members of groups are looked into: those that were pushed; those in force, where groups are offered with them; none. */
export type SeenMembers = 'pushed' | 'effective' | 'hidden'

/** Whose users and groups a filter is asked of. */
export interface Whose {
  orgId: OrgId
  directoryId: DirectoryId
  seen: SeenMembers
}

/** How an account `m` of a pushed group `h` is in it: by itself, or with a group that is. */
export const wayIn = sql`case when h.is_nested and not ${isDirect(sql`h.id`)} then 'indirect' else 'direct' end`

/** The groups that a `provisioned_users u` is pushed into, as rows `pushed` (value, display, type). */
export const groupsOfUser = sql`(
  select h.id as value, h.name_key as display, ${wayIn} as type
  from memberships m join provisioned_groups h on h.org_id = m.org_id and h.group_id = m.group_id
  where m.org_id = u.org_id and m.account_id = u.account_id and m.pushed and h.directory_id is not distinct from u.directory_id
) as pushed`

/** The people in a row `g` of groups (read.ts), as rows `pushed` (value, display, type): of a group in a nest those whom the provider named. */
export const peopleOfGroup: Record<SeenMembers, RawBuilder<unknown>> = {
  pushed: people(sql`m.pushed and (g.shown <> 'direct' or ${isDirect(sql`g.id`)})`),
  effective: people(sql`m.effective`),
  hidden: people(sql`false`),
}

/** The groups in a row `g` of groups, likewise. Only one that is shown `direct` has any. */
export const groupsOfGroup = sql`(
  select c.id as value, c.name_key as display, 'Group'::text as type, c.id as account_id
  from nested_groups n join provisioned_groups c on c.org_id = n.org_id and c.id = n.child_id
  where n.org_id = g.org_id and n.parent_id = g.id
) as pushed`

function people(which: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(
    select p.id as value, p.user_name_key as display, 'User'::text as type, m.account_id
    from memberships m join provisioned_users p on p.org_id = m.org_id and p.account_id = m.account_id
    where m.org_id = g.org_id and m.group_id = g.group_id and ${which} and p.directory_id is not distinct from g.directory_id
  ) as pushed`
}

function isDirect(groupId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`exists (
    select from direct_members d
    where d.org_id = m.org_id and d.provisioned_group_id = ${groupId} and d.account_id = m.account_id)`
}

/** That a `provisioned_users u` may be in a group of which `matching` says something by its rows `pushed`: found by index, if that picks few. */
export const mayBeIn = ({ orgId, directoryId }: Whose, matching: RawBuilder<boolean>): RawBuilder<boolean> => sql<boolean>`
  u.account_id = any(array(
    select m.account_id
    from (
      select h.group_id, h.id as value, h.name_key as display, null::text as type
      from provisioned_groups h where h.org_id = ${orgId} and ${isOf(directoryId, sql`h.directory_id`)}
    ) as pushed join memberships m on m.org_id = ${orgId} and m.group_id = pushed.group_id
    where ${matching} and m.pushed))`

/** That a row `g` of groups may have a member of whom `matching` says something, likewise: a person in force or pushed, or a group. */
export const mayHave = ({ orgId, directoryId }: Whose, matching: RawBuilder<boolean>): RawBuilder<boolean> => sql<boolean>`
  g.group_id = any(array(
    select m.group_id
    from ${usersAsMembers({ orgId, directoryId })} join memberships m on m.org_id = ${orgId} and m.account_id = pushed.account_id
    where ${matching}
    union all
    select h.group_id
    from (
      select c.id, c.id as value, c.name_key as display, null::text as type
      from provisioned_groups c where c.org_id = ${orgId} and ${isOf(directoryId, sql`c.directory_id`)}
    ) as pushed join nested_groups n on n.org_id = ${orgId} and n.child_id = pushed.id
    join provisioned_groups h on h.org_id = ${orgId} and h.id = n.parent_id
    where ${matching}))`

/** That a row `pushed` of people in a group may be one of whom `matching` says something, likewise. */
export const mayBe = (
  whose: Pick<Whose, 'orgId' | 'directoryId'>,
  matching: RawBuilder<boolean>,
): RawBuilder<boolean> => sql<boolean>`
  pushed.account_id = any(array(select pushed.account_id from ${usersAsMembers(whose)} where ${matching}))`

const usersAsMembers = ({ orgId, directoryId }: Pick<Whose, 'orgId' | 'directoryId'>) => sql`(
  select p.account_id, p.id as value, p.user_name_key as display, null::text as type
  from provisioned_users p where p.org_id = ${orgId} and ${isOf(directoryId, sql`p.directory_id`)}
) as pushed`
