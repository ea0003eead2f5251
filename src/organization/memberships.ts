import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, GroupId } from '../database/ids.ts'
import { type Act, logColumns } from './log.ts'

/** How many memberships a change touched, by truth. Nothing touched: nothing was written, the log included. */
export interface MembershipChange {
  added: number
  removed: number
  pushedAdded: number
  pushedRemoved: number
  /** How many memberships were said to be, and not to be, whether that changed anything. */
  said: { toBe: number; notToBe: number }
}

/** An admin's word, or an import's: accounts become members. Where a pushed group shares the rows, what was pushed stays; elsewhere both truths are one. */
export function addMembers(
  trx: Trx,
  pairs: readonly { groupId: GroupId; accountId: AccountId }[],
  act: Act,
): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`
    select given.group_id, account_id, case when p.id is null then true end as pushed, true as effective
    from unnest(${pairs.map((pair) => pair.groupId)}::uuid[], ${pairs.map((pair) => pair.accountId)}::uuid[]) as given(group_id, account_id)
    left join provisioned_groups p on p.org_id = ${trx.orgId} and p.group_id = given.group_id`,
  )
}

/** An admin's word: memberships end. Where a pushed group shares the rows, what was pushed stays, as a difference. */
export function removeMembers(
  trx: Trx,
  pairs: readonly { groupId: GroupId; accountId: AccountId }[],
  act: Act,
): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`
    select given.group_id, account_id, case when p.id is null then false end as pushed, false as effective
    from unnest(${pairs.map((pair) => pair.groupId)}::uuid[], ${pairs.map((pair) => pair.accountId)}::uuid[]) as given(group_id, account_id)
    left join provisioned_groups p on p.org_id = ${trx.orgId} and p.group_id = given.group_id`,
  )
}

/** What a push says, as SQL: rows (group_id, account_id, pushed, follow), each pair once; `follow`: the effective truth follows at once. */
export type PushedRows = RawBuilder<unknown>

/**
 * Writes what a push says, in one statement: the pushed truth, and the effective one where it follows. Costs what was said costs,
 * whatever the group's size.
 * @param options `touch`: an update of the provider's side, made in the same statement where a membership changed; `addsOnly`: no row says
 * that somebody is no member, so that nothing need be prepared to be deleted
 */
export function writePushed(
  trx: Trx,
  rows: PushedRows,
  act: Act,
  options: { touch?: RawBuilder<unknown> | undefined; addsOnly?: boolean } = {},
): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`select group_id, account_id, pushed, case when follow then pushed end as effective from (${rows}) as said`,
    options,
  )
}

/** Sync: makes the effective members of a group the pushed ones. Reads and writes the differences only. */
export function applyPushed(trx: Trx, groupId: GroupId, act: Act): Promise<MembershipChange> {
  return write(trx, act, differences(trx, [groupId], sql`pushed as pushed, pushed as effective`))
}

/** The provider lets go of groups: what it pushed is forgotten, both truths are what is in force. */
export function forgetPushed(trx: Trx, groupIds: readonly GroupId[], act: Act): Promise<MembershipChange> {
  return write(trx, act, differences(trx, groupIds, sql`effective as pushed, effective as effective`))
}

/** Moves the pushed truth from one group to another, as a pairing changes; what is effective in either stays. */
export function movePushed(trx: Trx, { from, to }: { from: GroupId; to: GroupId }, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`
    select ${to}::uuid as group_id, account_id, coalesce(source.pushed, false) as pushed, null::boolean as effective
    from (select account_id, pushed from memberships where org_id = ${trx.orgId} and group_id = ${from} and pushed) as source
    full join (select account_id from memberships where org_id = ${trx.orgId} and group_id = ${to}) as target using (account_id)
    union all
    select group_id, account_id, effective, effective from memberships
    where org_id = ${trx.orgId} and group_id = ${from} and pushed <> effective`,
  )
}

/** Sets or ends the pushed memberships of one account in some groups. */
export function setPushedOf(
  trx: Trx,
  accountId: AccountId,
  pushed: boolean,
  groups: readonly { groupId: GroupId; follow: boolean }[],
  act: Act,
): Promise<MembershipChange> {
  const groupIds = groups.map((group) => group.groupId)
  const follow = groups.map((group) => group.follow)
  const rows = sql`
    select group_id, ${accountId}::uuid as account_id, ${pushed}::boolean as pushed, follow
    from unnest(${groupIds}::uuid[], ${follow}::boolean[]) as given(group_id, follow)`
  return writePushed(trx, rows, act)
}

/** Ends every membership of a group, in both truths, so that the log names who was in it before it is deleted. */
export function clearMembers(trx: Trx, groupId: GroupId, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`
    select group_id, account_id, false as pushed, false as effective from memberships where org_id = ${trx.orgId} and group_id = ${groupId}`,
  )
}

function differences(trx: Trx, groupIds: readonly GroupId[], truths: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select group_id, account_id, ${truths} from memberships
    where org_id = ${trx.orgId} and group_id = any(${groupIds}::uuid[]) and pushed <> effective`
}

/**
 * The one statement that writes memberships: from `given` (group_id, account_id, pushed, effective; null leaves a truth as it is)
 * come the rows, the groups' counts and one log entry a group. A row with neither truth is deleted. The caller holds the groups' locks.
 */
async function write(
  trx: Trx,
  act: Act,
  given: RawBuilder<unknown>,
  { touch, addsOnly = false }: { touch?: RawBuilder<unknown> | undefined; addsOnly?: boolean } = {},
): Promise<MembershipChange> {
  const deleted = sql`,
    deleted as (
      delete from memberships using changed
      where memberships.org_id = ${trx.orgId} and memberships.group_id = changed.group_id and memberships.account_id = changed.account_id
        and not changed.pushed and not changed.effective
    )`
  const { rows } = await sql<MembershipChange>`
    with given as materialized (${given}),
    changed as materialized (
      select given.group_id, given.account_id,
        coalesce(have.pushed, false) as had_pushed, coalesce(have.effective, false) as had_effective,
        coalesce(given.pushed, have.pushed, false) as pushed, coalesce(given.effective, have.effective, false) as effective
      from given
      left join lateral (
        select pushed, effective from memberships
        where org_id = ${trx.orgId} and group_id = given.group_id and account_id = given.account_id
        -- keeps the look-up a look-up: a join over the whole group would cost what the group costs
        offset 0
      ) as have on true
      where coalesce(given.pushed, have.pushed, false) <> coalesce(have.pushed, false)
        or coalesce(given.effective, have.effective, false) <> coalesce(have.effective, false)
    ),
    written as (
      insert into memberships (org_id, group_id, account_id, pushed, effective)
      select ${trx.orgId}::uuid, group_id, account_id, pushed, effective from changed where pushed or effective
      on conflict (org_id, group_id, account_id) do update set pushed = excluded.pushed, effective = excluded.effective, waiting = null,
        since = case when memberships.effective = excluded.effective then memberships.since else now() end
    )${addsOnly ? sql`` : deleted},
    by_group as materialized (
      select group_id,
        count(*) filter (where effective) - count(*) filter (where had_effective) as members,
        count(*) filter (where pushed and not effective) - count(*) filter (where had_pushed and not had_effective) as to_add,
        count(*) filter (where effective and not pushed) - count(*) filter (where had_effective and not had_pushed) as to_remove,
        array_agg(account_id) filter (where effective and not had_effective) as added,
        array_agg(account_id) filter (where had_effective and not effective) as removed,
        array_agg(account_id) filter (where pushed and not had_pushed) as pushed_added,
        array_agg(account_id) filter (where had_pushed and not pushed) as pushed_removed
      from changed group by group_id
    ),
    counted as (
      update groups set member_count = member_count + members, add_count = add_count + to_add, remove_count = remove_count + to_remove
      from by_group where groups.org_id = ${trx.orgId} and groups.id = by_group.group_id and (members <> 0 or to_add <> 0 or to_remove <> 0)
    ),
    logged as (
      insert into log_entries (org_id, actor, request_id, action, directory_id, run_id, facts, subject, added, removed, pushed_added, pushed_removed)
      select ${logColumns(trx, act)}, group_id, added, removed, pushed_added, pushed_removed from by_group order by group_id
    )${touch ? sql`, touched as (${touch} and exists (select from changed))` : sql``}
    select coalesce(sum(cardinality(added)), 0)::integer as "added", coalesce(sum(cardinality(removed)), 0)::integer as "removed",
      coalesce(sum(cardinality(pushed_added)), 0)::integer as "pushedAdded", coalesce(sum(cardinality(pushed_removed)), 0)::integer as "pushedRemoved",
      (select json_build_object('toBe', count(*) filter (where pushed), 'notToBe', count(*) filter (where not pushed)) from given) as said
    from by_group`.execute(trx)
  return rows[0] as MembershipChange
}
