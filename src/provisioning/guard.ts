import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId } from '../database/ids.ts'
import { type GroupReason, type HeldReason, heldReasons } from '../database/tables.ts'
import type { Act, Action } from '../organization/log.ts'
import { type MembershipChange, type PushedRows, writePushed } from '../organization/memberships.ts'
import { follows, type ProvisionedGroup, pairedWith } from './groups.ts'
import { setState } from './states.ts'

// Removals wait, additions flow (behaviour.md, «The guard»; decision 0044). Every push that takes something comes through here; members alone,
// which are one statement, through the same function of the database (change_memberships, migration 0030).

/**
 * Writes what a push says of members, as `writePushed`. Where it takes too much of a group, its removals there wait, as differences, and the
 * group is held; one of which nothing waits any more is synced again. The caller holds the locks of the pushed groups.
 */
export async function pushMemberships(
  trx: Trx,
  directoryId: DirectoryId,
  rows: PushedRows,
  facts: Act['facts'] = {},
): Promise<MembershipChange> {
  const change = await writePushed(trx, rows, { action: 'members.pushed', directoryId, facts })
  const reason = change.waits.find((wait) => wait.reason !== null)?.reason
  if (reason) await holdAll(trx, reason)
  await settleHeld(trx, change.waits)
  return change
}

/** All that the transaction takes of members from now on waits: another removal of the same request does. */
export async function holdAll(trx: Trx, reason: HeldReason): Promise<void> {
  await sql`select set_config('muster.holds', ${reason}, true)`.execute(trx)
}

/**
 * Does what one request asks for in several statements, or of several groups: where one removal waits, all do. It is done, and if so undone and
 * done again.
 */
export async function asOneRequest<T>(trx: Trx, work: () => Promise<T>): Promise<T> {
  await sql`savepoint one_request`.execute(trx)
  const done = await work()
  const { rows } = await sql<{ holds: HeldReason | '' | null }>`select current_setting('muster.holds', true) as holds`.execute(
    trx,
  )
  const holds = rows[0]?.holds
  if (!holds) return done
  await sql`rollback to savepoint one_request`.execute(trx)
  await holdAll(trx, holds)
  return work()
}

/** Sets the states of groups of which something waits now, and why, or one thing less (null). */
export async function settleHeld(
  trx: Trx,
  waits: readonly { groupId: GroupId; reason: HeldReason | null }[],
  act?: Omit<Act, 'action'>,
): Promise<void> {
  if (waits.length === 0) return
  const groupIds = [...new Set(waits.map(({ groupId }) => groupId))]
  const [paired, stillHeld] = await Promise.all([pairedWith(trx, groupIds), groupsWithHeld(trx, groupIds)])
  for (const group of paired.filter(({ state }) => follows(state))) {
    const come = waits.flatMap(({ groupId, reason }) => (groupId === group.groupId && reason ? [reason] : []))
    const isHeld = come.length > 0 || stillHeld.has(group.groupId)
    const reasons = isHeld ? [...new Set([...group.reasons, ...come])] : withoutHeld(group)
    await setState(trx, group, { state: isHeld ? 'held' : 'synced', reasons }, act)
  }
}

/** The reasons of a group of which nothing waits. */
export const withoutHeld = ({ reasons }: Pick<ProvisionedGroup, 'reasons'>): GroupReason[] =>
  reasons.filter((reason) => !heldReasons.some((held) => held === reason))

async function groupsWithHeld(trx: Trx, groupIds: readonly GroupId[]): Promise<Set<GroupId>> {
  const { rows } = await sql<{ id: GroupId }>`
    select given.id from unnest(${groupIds}::uuid[]) as given(id)
    cross join lateral (
      select from memberships where org_id = ${trx.orgId} and group_id = given.id and waiting = 'held' limit 1
    ) m`.execute(trx)
  return new Set(rows.map(({ id }) => id))
}

/**
 * Why a push of the directory may not switch this account off by itself; null where it may. Whoever asks does it in the same transaction:
 * those who ask of one directory do so one after the other.
 */
export async function whySwitchOffWaits(trx: Trx, directoryId: DirectoryId, accountId: AccountId): Promise<HeldReason | null> {
  const roles = sql`
    select distinct g.role_id from (select group_id from memberships where org_id = ${trx.orgId} and account_id = ${accountId} and effective offset 0) m
    cross join lateral (select role_id from grants where org_id = ${trx.orgId} and group_id = m.group_id offset 0) g`
  if (await isLastHolder(trx, roles, sql`null::uuid[], array[${accountId}::uuid]`)) return 'last_admin'
  return isPastLimit(trx, directoryId, {
    taken: 'account.switched_off',
    gone: 'user.deleted',
    all: sql`provisioned_users`,
    limit: sql`guard_people`,
    percent: sql`guard_people_percent`,
  })
}

/** The same of a group that a push deletes with what it pushed. */
export async function whyDeletionWaits(trx: Trx, directoryId: DirectoryId, groupId: GroupId): Promise<HeldReason | null> {
  const roles = sql`
    select role_id from grants where org_id = ${trx.orgId} and group_id = ${groupId} and exists (
      select from memberships m where m.org_id = ${trx.orgId} and m.group_id = ${groupId} and m.effective
        and (select active from accounts a where a.org_id = ${trx.orgId} and a.id = m.account_id))`
  if (await isLastHolder(trx, roles, sql`array[${groupId}::uuid], null::uuid[]`)) return 'last_admin'
  return isPastLimit(trx, directoryId, {
    taken: 'group.deleted',
    gone: 'group.provision_deleted',
    all: sql`provisioned_groups`,
    limit: sql`guard_groups`,
    percent: sql`guard_groups_percent`,
  })
}

async function isLastHolder(trx: Trx, roles: RawBuilder<unknown>, taken: RawBuilder<unknown>): Promise<boolean> {
  const { rows } = await sql<{ isLast: boolean }>`
    select leaves_without_holder(${trx.orgId}, role_id, ${taken}) as "isLast"
    from (
      select r.id as role_id from (${roles}) g
      cross join lateral (select id from product_roles where org_id = ${trx.orgId} and id = g.role_id and is_administrative offset 0) r
      order by r.id
    ) administrative`.execute(trx)
  return rows.some(({ isLast }) => isLast)
}

interface Counted {
  /** What the log calls a removal that a push did. */
  taken: Action
  /** What it calls that one of `all` is pushed no more. */
  gone: Action
  all: RawBuilder<unknown>
  limit: RawBuilder<unknown>
  percent: RawBuilder<unknown>
}

/** Whether one more within the hour is more than the number and the percentage of the directory's allow, whichever is more. */
async function isPastLimit(trx: Trx, directoryId: DirectoryId, counted: Counted): Promise<'guard_passed' | null> {
  const { taken, gone, all, limit, percent } = counted
  // One after the other: two who both see room for one more must not both take it.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`muster guard ${taken} ${directoryId}`}, 0))`.execute(trx)
  const within = (action: Action) => sql`(
    select count(*) from log_entries
    where org_id = ${trx.orgId} and directory_id = ${directoryId} and action = ${sql.lit(action)} and run_id is null and at > now() - interval '1 hour')`
  const { rows } = await sql<{ isPast: boolean }>`
    select case when t.n < d.number then false
      -- counted only where it decides
      else (t.n + 1) * 100 > d.percent * (
        (select count(*) from ${all} where org_id = ${trx.orgId} and directory_id = ${directoryId}) + ${within(gone)}) end as "isPast"
    from (select ${limit} as number, ${percent} as percent from directories where org_id = ${trx.orgId} and id = ${directoryId}) d
    cross join (select ${within(taken)} as n) t`.execute(trx)
  return rows[0]?.isPast ? 'guard_passed' : null
}
