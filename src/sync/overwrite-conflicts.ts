import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import type { DirectoryId, ProvisionedGroupId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import { planForSets } from '../database/transaction.ts'
import { effectOf } from '../review/effect.ts'
import { becomesEmpty, isFilling } from '../review/warnings.ts'
import { startRun } from './start-run.ts'

/**
 * Starts a run over the groups of one directory that its conflict policy has overwritten by itself and that are due (behaviour.md, «A group
 * is pushed», 3): an unmanaged group has their name, they are filled, and were pushed since the policy was set.
 *
 * What an admin has decided, or has to, is left alone: blocked, linked, met by a deleted group, pushed empty over members, synced or ignored
 * once and then put back; for a day also what such a run left out, unless it is pushed again.
 * @returns whether a run was started; another directory may have groups that are due
 */
export async function overwriteConflicts(trx: Trx, jobs: Pick<Jobs, 'send'>): Promise<boolean> {
  const directoryIds = await lockDirectories(trx)
  if (directoryIds.length === 0) return false
  const due = await dueGroups(trx, directoryIds)
  const [directoryId] = due.map((group) => group.directoryId)
  if (directoryId === undefined) return false
  const ids = due.filter((group) => group.directoryId === directoryId).map(({ id }) => id)
  await planForSets(trx)
  const { fingerprint } = await effectOf(trx, ids)
  await startRun(trx, jobs, {
    kind: 'sync',
    directoryId,
    selection: { mode: 'ids', ids },
    choice: 'overwrite',
    fingerprint,
    acceptIncomplete: false,
    acceptEmpty: false,
    note: 'By the conflict policy of the directory: overwrite',
  })
  return true
}

// Who holds one looks at its groups already. Found first, read after: what is read is what the holder before left.
async function lockDirectories(trx: Trx): Promise<DirectoryId[]> {
  const { rows } = await sql<{ id: DirectoryId }>`
    select id from directories where org_id = ${trx.orgId} and conflict_policy = 'overwrite' and disconnected_at is null and not observing
    order by id for no key update skip locked`.execute(trx)
  return rows.map(({ id }) => id)
}

interface DueGroup {
  id: ProvisionedGroupId
  directoryId: DirectoryId
}

async function dueGroups(trx: Trx, directoryIds: readonly DirectoryId[]): Promise<DueGroup[]> {
  const { rows } = await sql<DueGroup>`
    select p.id, p.directory_id as "directoryId" from provisioned_groups p
    cross join lateral (
      select quiet_seconds, conflict_policy_since from directories where org_id = ${trx.orgId} and id = p.directory_id offset 0
    ) d
    cross join lateral (
      select member_count, add_count, remove_count from groups where org_id = ${trx.orgId} and id = p.group_id offset 0
    ) o
    where p.org_id = ${trx.orgId} and p.state = 'needs_review' and p.directory_id = any(${directoryIds}::uuid[])
      and p.reasons = '{name_taken}' and p.created_at >= d.conflict_policy_since and not ${isFilling} and not ${becomesEmpty}
      and not exists (
        select from runs r
        cross join lateral (
          select from run_groups where org_id = ${trx.orgId} and run_id = r.id and unit_id = p.id and result is null offset 0
        ) x
        where r.org_id = ${trx.orgId} and r.finished_at is null
      )
      and not exists (
        select from runs r
        cross join lateral (
          select reason, finished_at from run_groups where org_id = ${trx.orgId} and run_id = r.id and unit_id = p.id offset 0
        ) x
        where r.org_id = ${trx.orgId} and r.created_at > now() - interval '1 day' and r.directory_id = p.directory_id and r.created_by = 'system'
          and x.reason not in ('review_changed', 'busy', 'filling', 'empty') and x.finished_at > coalesce(p.members_written_at, p.created_at)
      )
      and not exists (
        select from log_entries l
        where l.org_id = ${trx.orgId} and l.subject = p.id and l.action = 'group.state_changed'
          and l.facts #>> '{before,state}' in ('synced', 'held', 'ignored')
      )
      -- A policy takes no more unseen than a push may.
      and (o.remove_count = 0 or why_members_are_held(${trx.orgId}, p.directory_id, p.group_id, array(
        select account_id from memberships m where m.org_id = ${trx.orgId} and m.group_id = p.group_id and m.pushed <> m.effective and m.effective
          and (select active from accounts a where a.org_id = ${trx.orgId} and a.id = m.account_id))) is null)
    order by p.directory_id, p.id`.execute(trx)
  return rows
}
