import { type RawBuilder, sql } from 'kysely'
import type { Db, Reader, Scope, Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId, ProvisionedGroupId } from '../database/ids.ts'
import type { HeldReason } from '../database/tables.ts'
import { together } from '../database/together.ts'
import { inOneStatement } from '../database/transaction.ts'
import { type Act, logArguments } from './log.ts'

/** How many memberships a change touched, by truth. Nothing touched: nothing was written, the log included. */
export interface MembershipChange {
  added: number
  removed: number
  pushedAdded: number
  pushedRemoved: number
  /** The groups of which the guard has what this takes wait, and why; those of whose memberships one waits no more (null). */
  waits: { groupId: GroupId; reason: HeldReason | null }[]
  /** How many memberships were said to be, and not to be, whether that changed anything. */
  said: { toBe: number; notToBe: number }
}

type Pairs = readonly { groupId: GroupId; accountId: AccountId }[]

/** An admin's word, or an import's: accounts become members. Where a pushed group shares the rows, what was pushed stays; elsewhere both truths are one. */
export const addMembers = (trx: Trx, pairs: Pairs, act: Act): Promise<MembershipChange> => write(trx, act, said(trx, pairs, true))

/** An admin's word: memberships end. Where a pushed group shares the rows, what was pushed stays, as a difference. */
export const removeMembers = (trx: Trx, pairs: Pairs, act: Act): Promise<MembershipChange> =>
  write(trx, act, said(trx, pairs, false))

const said = (trx: Trx, pairs: Pairs, isMember: boolean): RawBuilder<unknown> => sql`
  select given.group_id, account_id, case when p.id is null then ${isMember}::boolean end as pushed, ${isMember}::boolean as effective
  from unnest(${pairs.map((pair) => pair.groupId)}::uuid[], ${pairs.map((pair) => pair.accountId)}::uuid[]) as given(group_id, account_id)
  left join provisioned_groups p on p.org_id = ${trx.orgId} and p.group_id = given.group_id`

/** What a push says, as SQL: rows (group_id, account_id, pushed, follow), each pair once; `follow`: the effective truth follows at once. */
export type PushedRows = RawBuilder<unknown>

/** Writes what a push says: the pushed truth, and the effective one where it follows. Costs what was said costs, whatever the group's size. */
export function writePushed(trx: Trx, rows: PushedRows, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`select group_id, account_id, pushed, case when follow then pushed end as effective from (${rows}) as said_of`,
  )
}

/** A push of members alone: users of the directory by id, each once. */
export interface MembersPush {
  scope: Scope
  directoryId: DirectoryId
  id: ProvisionedGroupId
  added: readonly string[]
  removed: readonly string[]
}

/** @returns whether it is done; nothing is, where a member is unknown, there is no such group, or it is locked */
export type PushMembers = (push: MembersPush) => Promise<boolean>

/** Pushes of members alone, those that come at the same time together: one statement, which is a transaction of its own (push_members, migration 0030). */
export function pushMembersTogether(db: Db): PushMembers {
  const push = together((pushes: MembersPush[]) => pushAtOnce(db, pushes), {
    subject: ({ id }) => id,
    size: ({ added, removed }) => added.length + removed.length,
    most: 200,
  })
  return (one) => push(`${one.directoryId} ${one.scope.actor}`, one)
}

async function pushAtOnce(db: Db, pushes: MembersPush[]): Promise<boolean[]> {
  const [{ scope, directoryId }] = pushes as [MembersPush]
  const members = pushes.flatMap(({ added, removed }, at) => [
    ...added.map((id) => ({ push: at + 1, id, pushed: true })),
    ...removed.map((id) => ({ push: at + 1, id, pushed: false })),
  ])
  const values = [
    scope.orgId,
    scope.actor,
    directoryId,
    pushes.map(({ id }) => id),
    pushes.map((push) => push.scope.requestId ?? null),
    members.map(({ push }) => push),
    members.map(({ id }) => id),
    members.map(({ pushed }) => pushed),
  ]
  const [row] = await inOneStatement<{ done: boolean[] }>(
    db,
    'select push_members($1, $2, $3, $4, $5, $6, $7, $8) as done',
    values,
  )
  return row?.done ?? []
}

/** Sync: makes the effective members of a group the pushed ones. Reads and writes the differences only. */
export function applyPushed(trx: Trx, groupId: GroupId, act: Act): Promise<MembershipChange> {
  return write(trx, act, differences(trx, [groupId], sql`pushed as pushed, pushed as effective`))
}

/**
 * The same as parts of a larger statement, which makes the group a managed one and holds its lock: one row of the group is written once.
 * `written`: expressions, of which the last, `changed`, is one row (`added`, `removed`: account ids); `counts`: the group's, from it;
 * `logged`: the entry about it.
 */
export interface ApplyingPushed {
  written: RawBuilder<unknown>
  counts: Record<'member_count' | 'add_count' | 'remove_count', RawBuilder<number>>
  logged: RawBuilder<unknown>
}

/** @param keeps who is in force and not pushed stays, as kept */
export function applyingPushed(trx: Trx, groupId: GroupId, keeps: boolean, act: Act): ApplyingPushed {
  const differing = sql`org_id = ${trx.orgId} and group_id = ${groupId} and pushed <> effective`
  const went = keeps
    ? sql`update memberships set waiting = 'kept' where ${differing} and effective and waiting is null`
    : sql`delete from memberships where ${differing} and effective returning account_id`
  return {
    written: sql`
      came as (update memberships set effective = true, waiting = null, since = now() where ${differing} and pushed returning account_id),
      went as (${went}),
      changed as materialized (
        select array(select account_id from came) as added, ${keeps ? sql`'{}'::uuid[]` : sql`array(select account_id from went)`} as removed
      )`,
    counts: {
      member_count: sql`groups.member_count + cardinality(changed.added) - cardinality(changed.removed)`,
      add_count: sql`groups.add_count - cardinality(changed.added)`,
      remove_count: sql`groups.remove_count - cardinality(changed.removed)`,
    },
    logged: sql`select ${trx.orgId}::uuid, ${trx.scope.actor}, ${trx.scope.requestId ?? null}, ${act.action}, ${groupId}::uuid, ${act.directoryId ?? null}::uuid,
      ${act.runId ?? null}::uuid, ${JSON.stringify(act.facts ?? {})}::jsonb, nullif(added, '{}'), nullif(removed, '{}'), null::uuid[], null::uuid[]
      from changed where added <> '{}' or removed <> '{}'`,
  }
}

/**
 * Puts a group back: `rows` (account_id, effective) are in force, or not. Where a pushed group shares the rows, what was pushed stays;
 * elsewhere both truths are one.
 * @param waits what then differs from what is pushed waits, so that no push of the same undoes it: these people as kept, all others as held;
 * null: nothing waits
 */
export async function putBackMembers(
  trx: Trx,
  groupId: GroupId,
  rows: RawBuilder<unknown>,
  waits: { kept: readonly AccountId[] } | null,
  act: Act,
): Promise<MembershipChange> {
  const given = sql`
    select ${groupId}::uuid as group_id, account_id, case when p.id is null then effective end as pushed, effective
    from (${rows}) as given left join provisioned_groups p on p.org_id = ${trx.orgId} and p.group_id = ${groupId}`
  const waiting = () =>
    waits
      ? haveWait(trx, groupId, waits.kept)
      : sql`update memberships set waiting = null, held_at = null
        where org_id = ${trx.orgId} and group_id = ${groupId} and pushed <> effective and waiting is not null`.execute(trx)
  // Sent together, one after the other: what waits is what then differs.
  const [change] = await Promise.all([write(trx, act, given), waiting()])
  return change
}

/** What differs from what is pushed waits, so that no push of the same undoes it: these people as kept, all others as held. */
export async function haveWait(trx: Trx, groupId: GroupId, kept: readonly AccountId[]): Promise<void> {
  const isKept = sql`account_id = any(${kept}::uuid[])`
  await sql`
    update memberships set waiting = case when ${isKept} then 'kept' else 'held' end, held_at = case when ${isKept} then null else now() end
    where org_id = ${trx.orgId} and group_id = ${groupId} and pushed <> effective and (waiting is null or waiting = 'held' and ${isKept})`.execute(
    trx,
  )
}

/** How many members of a group a merge kept, as SQL: read through their index. */
export const keptIn = (reader: Reader, groupId: RawBuilder<unknown>): RawBuilder<number> => sql`(
  select count(*) from memberships where org_id = ${reader.orgId} and group_id = ${groupId} and waiting = 'kept')::integer`

/** Ends the memberships that a merge kept: of these people, or of all. */
export function dropKept(trx: Trx, groupId: GroupId, people: readonly AccountId[] | null, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`${differences(trx, [groupId], sql`pushed as pushed, pushed as effective`)} and waiting = 'kept'
      and (${people}::uuid[] is null or account_id = any(${people}::uuid[]))`,
  )
}

/** What waits in a group is allowed, of these people or all: what is pushed comes into force. */
export function applyHeld(trx: Trx, groupId: GroupId, people: readonly AccountId[] | null, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`${differences(trx, [groupId], sql`pushed as pushed, pushed as effective`)} and waiting = 'held'
      and (${people}::uuid[] is null or account_id = any(${people}::uuid[]))`,
  )
}

/** The same of one account, in whatever groups. */
export function applyHeldOf(trx: Trx, accountId: AccountId, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`
    select group_id, account_id, pushed as pushed, pushed as effective from memberships
    where org_id = ${trx.orgId} and account_id = ${accountId} and waiting = 'held' and pushed <> effective`,
  )
}

/** What waits of one account, in whatever groups, is rejected. @returns the groups */
export async function keepHeldOf(trx: Trx, accountId: AccountId): Promise<GroupId[]> {
  const { rows } = await sql<{ id: GroupId }>`
    update memberships set waiting = 'kept', held_at = null
    where org_id = ${trx.orgId} and account_id = ${accountId} and waiting = 'held' returning group_id as id`.execute(trx)
  return rows.map(({ id }) => id)
}

/** What waits in a group is rejected, of these people or all: it stays as it is, kept, until the provider says otherwise. @returns whose */
export async function keepHeld(trx: Trx, groupId: GroupId, people: readonly AccountId[] | null): Promise<AccountId[]> {
  const { rows } = await sql<{ id: AccountId }>`
    update memberships set waiting = 'kept', held_at = null
    where org_id = ${trx.orgId} and group_id = ${groupId} and waiting = 'held' and (${people}::uuid[] is null or account_id = any(${people}::uuid[]))
    returning account_id as id`.execute(trx)
  return rows.map(({ id }) => id)
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

/** What is pushed of one account in some groups, as rows for `writePushed`: it is in them, or is not. */
export function pushedOf(
  accountId: AccountId,
  pushed: boolean,
  groups: readonly { groupId: GroupId; follow: boolean }[],
): PushedRows {
  const groupIds = groups.map((group) => group.groupId)
  const follow = groups.map((group) => group.follow)
  return sql`
    select group_id, ${accountId}::uuid as account_id, ${pushed}::boolean as pushed, follow
    from unnest(${groupIds}::uuid[], ${follow}::boolean[]) as given(group_id, follow)`
}

/** Rows of account_id, as SQL: accounts become members of a group. Who is no more is passed over. */
export function addMembersOf(trx: Trx, groupId: GroupId, accounts: RawBuilder<unknown>, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`
    select ${groupId}::uuid as group_id, given.account_id, case when p.id is null then true end as pushed, true as effective
    from (${accounts}) as given
    join accounts a on a.org_id = ${trx.orgId} and a.id = given.account_id
    left join provisioned_groups p on p.org_id = ${trx.orgId} and p.group_id = ${groupId}`,
  )
}

/** Ends the membership of all who are in a group that is no more. Where a pushed group shares the rows, what was pushed stays. */
export function endMembers(trx: Trx, groupId: GroupId, act: Act): Promise<MembershipChange> {
  return write(
    trx,
    act,
    sql`
    select m.group_id, m.account_id, case when p.id is null then false end as pushed, false as effective
    from memberships m left join provisioned_groups p on p.org_id = ${trx.orgId} and p.group_id = m.group_id
    where m.org_id = ${trx.orgId} and m.group_id = ${groupId}`,
  )
}

function differences(trx: Trx, groupIds: readonly GroupId[], truths: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select group_id, account_id, ${truths} from memberships
    where org_id = ${trx.orgId} and group_id = any(${groupIds}::uuid[]) and pushed <> effective`
}

/**
 * Writes memberships by the one statement there is for it (change_memberships, migration 0030): from `given` (group_id, account_id, pushed,
 * effective; each pair once; null leaves a truth as it is) come the rows, the groups' counts and one log entry a group. The caller holds
 * the groups' locks.
 */
async function write(trx: Trx, act: Act, given: RawBuilder<unknown>): Promise<MembershipChange> {
  const { rows } = await sql<MembershipChange>`
    with given as materialized (${given}),
    said as materialized (
      select array_agg(group_id) as groups, array_agg(account_id) as accounts, array_agg(pushed) as pushed, array_agg(effective) as effective,
        json_build_object('toBe', count(*) filter (where pushed), 'notToBe', count(*) filter (where not pushed)) as counts
      from given
    )
    select change.added, change.removed, change.pushed_added as "pushedAdded", change.pushed_removed as "pushedRemoved", said.counts as said,
      array(
        select jsonb_build_object('groupId', group_id, 'reason', reason) from unnest(change.held_groups, change.held_reasons) as held(group_id, reason)
        union all select jsonb_build_object('groupId', group_id, 'reason', null) from unnest(change.free_groups) as free(group_id)
      ) as waits
    from said, change_memberships(${logArguments(trx, act)}, said.groups, said.accounts, said.pushed, said.effective) as change`.execute(
    trx,
  )
  return rows[0] as MembershipChange
}
