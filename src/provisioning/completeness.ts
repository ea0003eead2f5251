import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId } from '../database/ids.ts'
import { nameWaits } from './waiting-name-list.ts'

/** Provisioned users or groups of a directory, by state; `received` is all of them. */
export interface StateCounts {
  received: number
  synced: number
  needsReview: number
  blocked: number
  held: number
  ignored: number
}

/** Whether all that a directory pushed is in force, and what is missing if not. */
export interface Completeness {
  groups: StateCounts
  users: StateCounts
  /** Synced groups whose new name another group has. */
  waitingNamesCount: number
  /** Member values of pushed groups that are no user of the directory. */
  unknownMembersCount: number
  /** Something was pushed, all of it is synced, no member is unknown and no difference waits. */
  complete: boolean
  lastPush: Date | null
}

/** Counts what a directory pushed, by state (behaviour.md, «Complete?»). */
export async function completenessOf(reader: Reader, directory: DirectoryId): Promise<Completeness> {
  const [groups, users, unknown] = await Promise.all([
    groupCounts(reader, directory),
    userCounts(reader, directory),
    unknownMembers(reader, directory),
  ])
  const isSynced = groups.counts.synced === groups.counts.received && users.counts.synced === users.counts.received
  const received = groups.counts.received + users.counts.received
  return {
    groups: groups.counts,
    users: users.counts,
    waitingNamesCount: groups.waitingNames,
    unknownMembersCount: unknown,
    complete: received > 0 && isSynced && unknown === 0 && groups.differences === 0,
    lastPush: later(groups.lastPush, users.lastPush),
  }
}

const byState = sql`
  count(*)::int as received,
  (count(*) filter (where state = 'synced'))::int as synced,
  (count(*) filter (where state = 'needs_review'))::int as "needsReview",
  (count(*) filter (where state = 'blocked'))::int as blocked,
  (count(*) filter (where state = 'held'))::int as held,
  (count(*) filter (where state = 'ignored'))::int as ignored`

async function groupCounts(reader: Reader, directory: DirectoryId) {
  const { rows } = await sql<StateCounts & Beside>`
    select ${byState}, max(greatest(p.created_at, p.members_written_at)) as "lastPush",
      coalesce(sum(g.add_count + g.remove_count + case when g.name = p.name or p.keeps_name then 0 else 1 end), 0)::int as differences,
      (count(*) filter (where ${nameWaits}))::int as "waitingNames"
    from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
    where p.org_id = ${reader.orgId} and p.directory_id = ${directory}`.execute(reader)
  return split(rows)
}

async function userCounts(reader: Reader, directory: DirectoryId) {
  const { rows } = await sql<StateCounts & Beside>`
    select ${byState}, max(updated_at) as "lastPush", 0 as differences, 0 as "waitingNames"
    from provisioned_users where org_id = ${reader.orgId} and directory_id = ${directory}`.execute(reader)
  return split(rows)
}

interface Beside {
  lastPush: Date | null
  differences: number
  waitingNames: number
}

function split(rows: (StateCounts & Beside)[]) {
  const [row] = rows
  if (!row) throw new Error('An aggregate answers one row.')
  const { lastPush, differences, waitingNames, ...counts } = row
  return { counts, lastPush, differences, waitingNames }
}

async function unknownMembers(reader: Reader, directory: DirectoryId): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from unknown_members u
    join provisioned_groups p on p.org_id = u.org_id and p.id = u.provisioned_group_id
    where u.org_id = ${reader.orgId} and p.directory_id = ${directory}`.execute(reader)
  return rows[0]?.count ?? 0
}

const later = (one: Date | null, other: Date | null): Date | null =>
  one === null || (other !== null && other > one) ? other : one
