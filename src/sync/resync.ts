import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import { isId, type ProvisionedGroupId, type ProvisionedUserId } from '../database/ids.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import type { DirectoryContext } from '../provisioning/directories.ts'
import { follows, lockConcerned } from '../provisioning/groups.ts'
import { heldActOf } from '../provisioning/held-acts.ts'
import { lockWithConcerned } from '../provisioning/linking.ts'
import { adoptersWord, applyOwnersWord, lockAccountInForce, ownership, settleOwner } from '../provisioning/ownership.ts'
import { settleNames, settlePairing } from '../provisioning/pairing.ts'
import { resolveUnknownMembers } from '../provisioning/unknown-members.ts'
import { lockProvisionedUser, lockUsersOf } from '../provisioning/users.ts'
import { joinGroups, namesOf } from './receive-user.ts'

export interface ResyncRequest {
  /** One pushed group or one pushed user, by SCIM id or name; else all that may come to something else. */
  group?: string | undefined
  user?: string | undefined
  /** Where the page before ended. */
  after?: string | undefined
}

/** What was looked at again, and what became of it: the log's entries of this act. */
export interface Resynced {
  groups: number
  people: number
  changes: { entry: string; action: string; name: string | null }[]
  /** Where to go on; null at the end. */
  next: string | null
}

// As many as one transaction holds for a fraction of a second.
const atOnce = 200

/**
 * Judges afresh, from what is stored, a group, a person or all of a directory (behaviour.md, «A directory's life»): names that have become
 * free or taken, member values that are users by now, accounts that nobody owns, the owner's word. Again and it changes nothing.
 * @throws Refusal `not_found`
 */
export async function resync(trx: Trx, directory: DirectoryContext, request: ResyncRequest): Promise<Resynced> {
  const { group, user } = request
  const before = await lastEntry(trx)
  const one = group !== undefined || user !== undefined
  const groups = one
    ? group === undefined
      ? []
      : [await idOf<ProvisionedGroupId>(trx, directory, 'group', group)]
    : await groupsToJudge(trx, directory, request.after)
  const isFull = !one && groups.length === atOnce
  const users = one
    ? user === undefined
      ? []
      : [await idOf<ProvisionedUserId>(trx, directory, 'user', user)]
    : isFull
      ? []
      : await usersToJudge(trx, directory, request.after)
  // One at a time: what becomes of one decides what the next may share.
  for (const id of groups) await resyncGroup(trx, id)
  for (const id of users) await resyncUser(trx, directory, id)
  return {
    groups: groups.length,
    people: users.length,
    changes: await changesOf(trx, before),
    next: one ? null : isFull ? `g${groups.at(-1)}` : users.length === atOnce ? `u${users.at(-1)}` : null,
  }
}

async function resyncGroup(trx: Trx, id: ProvisionedGroupId): Promise<void> {
  const group = await lockWithConcerned(trx, id)
  if (group.state === 'ignored') return
  if (follows(group.state)) await settleNames(trx, [group.nameKey])
  else await settlePairing(trx, group, {})
}

async function resyncUser(trx: Trx, directory: DirectoryContext, id: ProvisionedUserId): Promise<void> {
  await lockUsersOf(trx, id)
  const { accountId, input, state } = await lockProvisionedUser(trx, directory.id, id)
  await joinGroups(trx, directory, accountId, await resolveUnknownMembers(trx, directory.id, namesOf(input)), input)
  if (state === 'ready') return
  await settleOwner(trx, accountId)
  const account = await lockAccountInForce(trx, accountId)
  if (!ownership(account, directory.id).owns) return
  // What waits, or was rejected, is decided by who decides it.
  const isHeld = (await heldActOf(trx, accountId)) !== undefined
  await applyOwnersWord(
    trx,
    directory.id,
    account,
    { ...adoptersWord(directory.id, input), ...(isHeld ? { active: account.active } : {}) },
    'switch_off',
  )
}

async function idOf<Id extends string>(trx: Trx, { id }: DirectoryContext, kind: 'group' | 'user', asked: string): Promise<Id> {
  const [table, key] = kind === 'group' ? ['provisioned_groups', 'name_key'] : ['provisioned_users', 'user_name_key']
  const { rows } = await sql<{ id: Id }>`
    select id from ${sql.table(table)} where org_id = ${trx.orgId} and directory_id = ${id}
      and (id = ${isId(asked) ? asked : null}::uuid or ${sql.ref(key)} = ${nameKey(asked)}) limit 1`.execute(trx)
  if (rows[0] === undefined) throw new Refusal('not_found', `There is no such ${kind} in this directory.`)
  return rows[0].id
}

/** Those whose state rests on a name, and no run has in hand. */
async function groupsToJudge(trx: Trx, { id }: DirectoryContext, after = ''): Promise<ProvisionedGroupId[]> {
  if (after.startsWith('u')) return []
  const { rows } = await sql<{ id: ProvisionedGroupId }>`
    select id from provisioned_groups
    where org_id = ${trx.orgId} and directory_id = ${id} and (${cursor(after)}::uuid is null or id > ${cursor(after)}::uuid)
      and (state in ('needs_review', 'blocked', 'ready') or 'name_taken' = any(reasons))
    order by id limit ${atOnce}`.execute(trx)
  await lockConcerned(trx, { pushedIds: rows.map((row) => row.id) })
  return rows.map((row) => row.id)
}

/** Those whom a group awaits, and those whose account is not what the directory may say of it. */
async function usersToJudge(trx: Trx, { id }: DirectoryContext, after = ''): Promise<ProvisionedUserId[]> {
  const from = after.startsWith('u') ? cursor(after) : null
  const { rows } = await sql<{ id: ProvisionedUserId }>`
    select u.id from provisioned_users u
    cross join lateral (select * from accounts where org_id = ${trx.orgId} and id = u.account_id offset 0) a
    where u.org_id = ${trx.orgId} and u.directory_id = ${id} and (${from}::uuid is null or u.id > ${from}::uuid)
      and (u.state <> 'ready' and a.observed_by is null and (
          a.owned_by is null and not a.is_protected or a.owned_by = ${id} and a.active <> u.active
          or a.is_protected <> (u.state = 'blocked') or (a.owned_by <> ${id}) <> ('managed_elsewhere' = any(u.reasons)))
        or exists (
          select from unknown_members x join provisioned_groups p on p.org_id = ${trx.orgId} and p.id = x.provisioned_group_id
          where x.org_id = ${trx.orgId} and x.value in (u.user_name, u.external_id) and p.directory_id = ${id} offset 0))
    order by u.id limit ${atOnce}`.execute(trx)
  return rows.map((row) => row.id)
}

const cursor = (after: string): string | null => (isId(after.slice(1)) ? after.slice(1) : null)

const shownAtMost = 1_000

// What comes after it is of this transaction, or of others beside it.
async function lastEntry(trx: Trx): Promise<string> {
  const { rows } = await sql<{ last: string }>`
    select coalesce(max(id), 0)::text as last from log_entries where org_id = ${trx.orgId}`.execute(trx)
  return rows[0]?.last ?? '0'
}

async function changesOf(trx: Trx, before: string): Promise<Resynced['changes']> {
  const { rows } = await sql<Resynced['changes'][number]>`
    select l.id::text as entry, l.action, coalesce(l.facts ->> 'name', l.facts ->> 'userName', l.facts ->> 'user',
      (select name from groups where org_id = ${trx.orgId} and id = l.subject)) as name
    from log_entries l where l.org_id = ${trx.orgId} and l.id > ${before}::bigint and l.xid = pg_current_xact_id() order by l.id limit ${shownAtMost}`.execute(
    trx,
  )
  return rows
}
