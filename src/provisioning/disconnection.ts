import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Db, Reader, Trx } from '../database/connection.ts'
import type { DirectoryId, GroupId, OrgId, ProvisionedGroupId, ProvisionedUserId } from '../database/ids.ts'
import type { JobData, Jobs } from '../database/jobs.ts'
import { inTransaction } from '../database/transaction.ts'
import { accountsOwnedBy, forgetAccounts, handOverAccounts } from '../organization/accounts.ts'
import { deleteGroupRows, unmanageGroups } from '../organization/groups.ts'
import { appendLog, appendLogs } from '../organization/log.ts'
import { forgetPushed } from '../organization/memberships.ts'
import { nameKey } from '../organization/name-key.ts'
import { lockGroups } from '../organization/permission.ts'
import { Refusal } from '../organization/refusal.ts'
import { findDirectory, listDirectories, lockToDisconnect, observes, setDisconnected, setPaused } from './directories.ts'
import { deleteProvisionedGroups, heldGroups, lockConcerned } from './groups.ts'
import { forgetHeldActs } from './held-acts.ts'
import { leaveAllNests } from './nesting.ts'
import { settleNames } from './pairing.ts'
import { revokeAllTokens } from './tokens.ts'
import { forgetAllUnknownMembers } from './unknown-members.ts'
import { forgetUsers, lockUsersOfAccounts, nextOwners, takeOverUsers } from './users.ts'

/** What disconnecting a directory comes to. Nothing that is in force changes. */
export interface Disconnection {
  /** `unmanaged`: synced, they stay with members and grants; `dropped`: the others, of which only what was pushed goes. */
  groups: { pushed: number; unmanaged: number; dropped: number }
  /** Members who stay, in the groups that are unmanaged; differences that are dropped: pushed and not in force, and the other way round. */
  members: { staying: number; additions: number; removals: number; unknown: number }
  /** `released`: accounts that it owns and that stay as they are. */
  people: { pushed: number; released: number }
  /** Pushed groups of other directories that have waited behind it, and can be reviewed then. */
  reviewable: number
  tokens: number
  fingerprint: string
}

/** What disconnecting would come to: counts, read in one statement. */
export async function disconnectionOf(reader: Reader, id: DirectoryId): Promise<Disconnection> {
  const org = reader.orgId
  const { rows } = await sql<Omit<Disconnection, 'fingerprint'>>`
    with mine as materialized (
      select p.id, p.name_key, p.state in ('synced', 'held') as is_synced, o.name_key as group_key, o.member_count, o.add_count, o.remove_count
      from provisioned_groups p join groups o on o.org_id = ${org} and o.id = p.group_id
      where p.org_id = ${org} and p.directory_id = ${id}
    ),
    names as (select name_key from mine union select group_key from mine)
    select json_build_object('pushed', count(*), 'unmanaged', count(*) filter (where is_synced),
        'dropped', count(*) filter (where not is_synced)) as groups,
      json_build_object('staying', coalesce(sum(member_count) filter (where is_synced), 0), 'additions', coalesce(sum(add_count), 0),
        'removals', coalesce(sum(remove_count), 0), 'unknown', (select count(*) from mine m cross join lateral (
          select from unknown_members u where u.org_id = ${org} and u.provisioned_group_id = m.id offset 0) u)) as members,
      json_build_object('pushed', (select count(*) from provisioned_users where org_id = ${org} and directory_id = ${id}),
        'released', (select count(*) from accounts where org_id = ${org} and owned_by = ${id})) as people,
      (select count(*)::integer from names n cross join lateral (
        select from provisioned_groups q where q.org_id = ${org} and q.name_key = n.name_key and q.directory_id <> ${id}
          and q.reasons = array['managed_elsewhere'] offset 0) q) as reviewable,
      (select count(*)::integer from directory_tokens
        where org_id = ${org} and directory_id = ${id} and revoked_at is null and expires_at > now()) as tokens
    from mine`.execute(reader)
  const [figures] = rows
  if (figures === undefined) throw new Error('An aggregate answers one row.')
  return {
    ...figures,
    fingerprint: createHash('sha256')
      .update(`${id} ${JSON.stringify(figures)}`)
      .digest('hex'),
  }
}

/**
 * Disconnects a directory: no token of it opens anything from now on, and no new user or group of it can come in. What it pushed is let
 * go of by a job, group by group as they are in force.
 * @throws Refusal `not_found`, `review_changed`, `run_under_way`
 */
export async function disconnect(
  trx: Trx,
  jobs: Pick<Jobs, 'send'>,
  directory: { id: DirectoryId; name: string },
  fingerprint: string,
): Promise<Disconnection> {
  const { id, name } = directory
  await lockToDisconnect(trx, id)
  await refuseWhereRunIsUnderWay(trx, directory)
  const now = await disconnectionOf(trx, id)
  if (now.fingerprint !== fingerprint)
    throw new Refusal(
      'review_changed',
      `What disconnecting ${name} comes to has changed. Nothing was done. Look at the new figures, then go on with their fingerprint.`,
      { fingerprint: now.fingerprint, disconnection: now },
    )
  const { fingerprint: _, ...foreseen } = now
  await appendLog(trx, { action: 'directory.disconnected', subject: id, directoryId: id, facts: { name, ...foreseen } })
  await revokeAllTokens(trx, id)
  await setDisconnected(trx, id)
  await forgetHeldActs(trx, id)
  await jobs.send(trx, 'let-go-of-directory', { orgId: trx.orgId, directoryId: id, actor: trx.scope.actor })
  return now
}

// Its groups would be gone in the middle of it, and what it has not come to yet is not what was shown.
async function refuseWhereRunIsUnderWay(trx: Trx, { id, name }: { id: DirectoryId; name: string }): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from runs where org_id = ${trx.orgId} and directory_id = ${id} and finished_at is null limit 1`.execute(trx)
  if (rows[0] === undefined) return
  throw new Refusal(
    'run_under_way',
    `A run over groups of ${name} has not ended. Stop it, or wait for its end, then disconnect.`,
    {
      run: rows[0].id,
    },
  )
}

/**
 * Lets go of all that a disconnected directory pushed, piece by piece, each a transaction: what was done stays done, and who is at it next goes on.
 * @throws where `signal` is aborted: the job is to be tried again
 */
export async function letGoOfDirectory(
  db: Db,
  { orgId, directoryId, actor }: { orgId: OrgId; directoryId: DirectoryId; actor: string },
  signal: AbortSignal,
): Promise<void> {
  while (await inTransaction(db, { orgId, actor }, (trx) => letGoOfSome(trx, directoryId))) signal.throwIfAborted()
}

/**
 * A directory that observes begins again: all that it pushed is forgotten by a job, and it is paused until that is done.
 * @throws Refusal `not_found`, `not_observing`, `run_under_way`
 */
export async function reset(trx: Trx, jobs: Pick<Jobs, 'send'>, directory: { id: DirectoryId; name: string }): Promise<void> {
  const { id, name } = directory
  await lockToDisconnect(trx, id)
  if (!(await observes(trx, id)))
    throw new Refusal('not_observing', `${name} is live: what it pushed is in force. Disconnect it, if that is meant.`, {
      directory: name,
    })
  await refuseWhereRunIsUnderWay(trx, directory)
  const goesOn = (await findDirectory(trx, id)).pausedAt === null
  await setPaused(trx, id, true)
  await appendLog(trx, { action: 'directory.reset', subject: id, directoryId: id, facts: { name } })
  await jobs.send(trx, 'reset-directory', { orgId: trx.orgId, directoryId: id, actor: trx.scope.actor, goesOn })
}

/** Forgets all that an observing directory pushed, piece by piece, and lets it go on, unless it was paused before, or is disconnected by now. */
export async function forgetAllOfDirectory(
  db: Db,
  { goesOn, ...directory }: JobData['reset-directory'],
  signal: AbortSignal,
): Promise<void> {
  await letGoOfDirectory(db, directory, signal)
  if (!goesOn) return
  await inTransaction(db, directory, async (trx) => {
    const { directoryId } = directory
    if ((await listDirectories(trx, {})).items.some(({ id }) => id === directoryId)) await setPaused(trx, directoryId, false)
  })
}

/** Sends the jobs of disconnected directories of which something is left: theirs may have been lost. */
export async function resendDisconnections(trx: Trx, jobs: Pick<Jobs, 'send'>): Promise<void> {
  const { rows } = await sql<{ directoryId: DirectoryId; actor: string }>`
    select d.id as "directoryId", l.actor from directories d
    cross join lateral (
      select actor from log_entries
      where org_id = d.org_id and subject = d.id and action = 'directory.disconnected' order by id desc limit 1
    ) l
    where d.org_id = ${trx.orgId} and d.disconnected_at is not null
      and (exists (select from provisioned_groups p where p.org_id = d.org_id and p.directory_id = d.id)
        or exists (select from provisioned_users u where u.org_id = d.org_id and u.directory_id = d.id))`.execute(trx)
  await Promise.all(rows.map((row) => jobs.send(trx, 'let-go-of-directory', { orgId: trx.orgId, ...row })))
}

// As many as one transaction holds for a fraction of a second.
const atOnce = 500

async function letGoOfSome(trx: Trx, directoryId: DirectoryId): Promise<boolean> {
  const { rows } = await sql<{ id: ProvisionedGroupId }>`
    select id from provisioned_groups where org_id = ${trx.orgId} and directory_id = ${directoryId} limit ${atOnce}`.execute(trx)
  if (rows.length === 0) return letGoOfPeople(trx, directoryId)
  await letGoOfGroups(
    trx,
    directoryId,
    rows.map(({ id }) => id),
  )
  return true
}

/** As `unpair` does of one group: what is in force stays, and only differences are written. */
async function letGoOfGroups(trx: Trx, directoryId: DirectoryId, ids: readonly ProvisionedGroupId[]): Promise<void> {
  await lockConcerned(trx, { pushedIds: ids })
  const groups = await heldGroups(trx, directoryId, ids)
  const groupIds = groups.map(({ groupId }) => groupId)
  await lockGroups(trx, groupIds)
  await leaveAllNests(trx, directoryId, ids)
  await forgetPushed(trx, groupIds, { action: 'members.pushed', directoryId, facts: { forgotten: true } })
  const names = await unmanageGroups(trx, directoryId, groupIds)
  await forgetAllUnknownMembers(trx, directoryId, ids)
  await deleteProvisionedGroups(trx, ids)
  await deleteGroupRows(
    trx,
    groups.filter(({ isApart }) => isApart).map(({ groupId }): GroupId => groupId),
  )
  await appendLogs(
    trx,
    groups.map(({ id, name, externalId, groupId, state, reasons, isLinked, keepsName }) => ({
      action: 'group.provision_deleted' as const,
      subject: id,
      directoryId,
      facts: { name, before: { name, externalId, groupId, state, reasons, isLinked, keepsName } },
    })),
  )
  await settleNames(trx, [...groups.map((group) => group.nameKey), ...names.map(nameKey)])
}

/** The accounts stay as they are. Each belongs to the directory that pushed the person next, whose word counts from its next push on, else to nobody. */
async function letGoOfPeople(trx: Trx, directoryId: DirectoryId): Promise<boolean> {
  const { rows } = await sql<{ id: ProvisionedUserId }>`
    select id from provisioned_users where org_id = ${trx.orgId} and directory_id = ${directoryId} limit ${atOnce}`.execute(trx)
  const ids = rows.map(({ id }) => id)
  await lockUsersOfAccounts(trx, ids)
  const forgotten = await forgetUsers(trx, directoryId, ids)
  const accountIds = ids.length > 0 ? forgotten : await accountsOwnedBy(trx, directoryId, atOnce)
  await takeOverUsers(trx, await handOverAccounts(trx, directoryId, await nextOwners(trx, accountIds)))
  await forgetAccounts(trx, directoryId, accountIds)
  return accountIds.length > 0
}
