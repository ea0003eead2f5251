import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type GroupId, isId, type ProvisionedGroupId, type RunId } from '../database/ids.ts'
import type { RunKind, RunResult, RunState, SyncChoice } from '../database/tables.ts'
import { writeCsv } from '../organization/csv.ts'
import { found, type Listed, type Listing, orderBy, page } from '../organization/listing.ts'
import { type Foreseen, type Happened, noSuchRun } from './runs.ts'

/** A run as it stands: what it has done, beside what was foreseen. */
export interface Run {
  id: RunId
  kind: RunKind
  /** The run that this one undoes, and the last that undid this one. */
  undoes: RunId | null
  undoneBy: RunId | null
  state: RunState
  /** The directory's name. */
  directory: string
  choice: SyncChoice
  note: string | null
  /** The run whose groups it tries again, and those that try its own. */
  retryOf: RunId | null
  retriedBy: RunId[]
  createdBy: string
  createdAt: Date
  startedAt: Date | null
  /** When its last group was done; of a run that was stopped, null until it has. */
  finishedAt: Date | null
  groups: { total: number } & Record<RunResult, number>
  members: { added: number; removed: number }
  /** What truly happened to access, net; nothing until the run has ended. */
  access: Happened
  foreseen: Foreseen
  fingerprint: string
  /** Of a run that needs approval, or needed it. */
  approval: Approval | null
}

interface Approval {
  expiresAt: string
  /** Who approved, rejected or withdrew it; `system` where it expired. */
  decidedBy: string | null
  decidedAt: string | null
  comment: string | null
  /** Whoever reads this asked for it: only they withdraw it, and only others approve or reject it. */
  isOwn: boolean
}

const nothing: Happened = { lost: 0, gained: 0, peopleLosing: 0, peopleGaining: 0, leftWithNone: 0 }

interface RunRow extends Omit<Run, 'groups' | 'members' | 'access'> {
  groupCount: number
  synced: number
  skipped: number
  failed: number
  added: number
  removed: number
  happened: Happened | null
}

/** The runs of the organization, the newest first. */
export async function listRuns(reader: Reader, filter: { state?: RunState | undefined }, listing: Listing): Promise<Listed<Run>> {
  const which = sql`${searched(reader, listing)} and (${filter.state ?? null}::text is null or r.state = ${filter.state ?? null}::text)`
  const sorted = orderBy(
    listing.sort,
    { createdAt: 'r.created_at', groups: 'r.group_count', state: 'r.state' },
    '-createdAt',
    'r.id desc',
  )
  const {
    rows: [counted],
  } = await sql<{ total: number }>`
    select count(*)::integer as total from ${runsAndDirectories} where ${which}`.execute(reader)
  return { total: counted?.total ?? 0, items: await runs(reader, which, sql`${sorted} ${page(listing)}`) }
}

/** One run. @throws Refusal `not_found`, the same for a foreign one */
export async function findRun(reader: Reader, id: string): Promise<Run> {
  const [run] = await runs(reader, sql`r.org_id = ${reader.orgId} and r.id = ${isId(id) ? id : null}::uuid`, sql``)
  if (run === undefined) throw noSuchRun()
  return run
}

const runsAndDirectories = sql`runs r join directories d on d.org_id = r.org_id and d.id = r.directory_id`

const searched = (reader: Reader, listing: Listing): RawBuilder<unknown> =>
  sql`r.org_id = ${reader.orgId} and ${found(listing, 'd.name_key', 'lower(r.created_by)', 'lower(r.note)')}`

// The last entry that a run writes says what it did to access: the log's index by run finds it at once.
async function runs(reader: Reader, which: RawBuilder<unknown>, paged: RawBuilder<unknown>): Promise<Run[]> {
  const { rows } = await sql<RunRow>`
    select r.id, r.kind, r.undoes, (select u.id from runs u where u.org_id = r.org_id and u.undoes = r.id order by u.id desc limit 1) as "undoneBy", r.state, d.name as directory, r.choice, r.note, r.retry_of as "retryOf",
      array(select y.id from runs y where y.org_id = r.org_id and y.retry_of = r.id order by y.id) as "retriedBy", r.created_by as "createdBy", r.created_at as "createdAt",
      r.started_at as "startedAt", r.finished_at as "finishedAt", r.foreseen, r.fingerprint,
      r.group_count as "groupCount", r.synced_count as synced, r.skipped_count as skipped, r.failed_count as failed,
      members.added, members.removed,
      case when r.approval_expires_at is not null then json_build_object('expiresAt', r.approval_expires_at, 'decidedBy', r.decided_by,
        'decidedAt', r.decided_at, 'comment', r.decision_comment, 'isOwn', r.created_by = ${reader.scope.actor}) end as approval,
      case when r.finished_at is not null then (
        select l.facts -> 'access' from log_entries l where l.org_id = r.org_id and l.run_id = r.id and l.action = 'run.finished' order by l.id desc limit 1
      ) end as happened
    from ${runsAndDirectories}
    cross join lateral (
      select coalesce(sum(added_count), 0)::integer as added, coalesce(sum(removed_count), 0)::integer as removed
      from run_groups x where x.org_id = r.org_id and x.run_id = r.id
    ) members
    where ${which} ${paged}`.execute(reader)
  return rows.map(({ groupCount: total, synced, skipped, failed, added, removed, happened, ...run }) => ({
    ...run,
    groups: { total, synced, skipped, failed },
    members: { added, removed },
    access: happened ?? nothing,
  }))
}

/** What became of one group. `result` is null while it waits. */
export interface RunGroup {
  group: { id: ProvisionedGroupId; name: string }
  choice: SyncChoice
  /** The group that it is linked to first. */
  linkTo: { id: GroupId; name: string } | null
  result: RunResult | null
  reason: string | null
  detail: string | null
  members: { added: number; removed: number }
  /** The run's net losses and gains that this group had part in; nothing until the run has ended. */
  access: { lost: number; gained: number }
  /** The net losses it was expected to have part in when the run was asked for. */
  foreseen: { lost: number }
  finishedAt: Date | null
}

type RunGroupRow = Pick<RunGroup, 'choice' | 'linkTo' | 'result' | 'reason' | 'detail' | 'finishedAt'> & {
  id: ProvisionedGroupId
  name: string
  added: number
  removed: number
  lost: number
  gained: number
  foreseenLost: number
}

const groupColumns = {
  position: 'x.position',
  name: 'x.name',
  lost: 'x.lost_count',
  gained: 'x.gained_count',
  added: 'x.added_count',
  removed: 'x.removed_count',
  finishedAt: 'x.finished_at',
}

export const groupResults = ['synced', 'skipped', 'failed', 'waiting'] as const

/** A run's groups with what became of each. @throws Refusal `not_found` */
export async function listRunGroups(
  reader: Reader,
  runId: string,
  filter: { result?: (typeof groupResults)[number] | undefined },
  listing: Listing,
): Promise<Listed<RunGroup>> {
  const run = await findRun(reader, runId)
  const which = sql`x.org_id = ${reader.orgId} and x.run_id = ${run.id} and ${found(listing, 'lower(x.name)')}
    and (${filter.result ?? null}::text is null or coalesce(x.result, 'waiting') = ${filter.result ?? null}::text)`
  const {
    rows: [counted],
  } = await sql<{ total: number }>`select count(*)::integer as total from run_groups x where ${which}`.execute(reader)
  const { rows } = await sql<RunGroupRow>`
    select x.unit_id as id, x.name, x.choice,
      (select json_build_object('id', o.id, 'name', o.name) from groups o where o.org_id = x.org_id and o.id = x.link_to) as "linkTo", x.result, x.reason, x.detail, coalesce(x.added_count, 0) as added,
      coalesce(x.removed_count, 0) as removed, coalesce(x.lost_count, 0) as lost, coalesce(x.gained_count, 0) as gained,
      json_array_length(x.expected::json -> 'lost') as "foreseenLost", x.finished_at as "finishedAt"
    from run_groups x where ${which} ${orderBy(listing.sort, groupColumns, 'position', 'x.position')} ${page(listing)}`.execute(
    reader,
  )
  return {
    total: counted?.total ?? 0,
    items: rows.map(({ id, name, added, removed, lost, gained, foreseenLost, ...group }) => ({
      group: { id, name },
      ...group,
      members: { added, removed },
      access: { lost, gained },
      foreseen: { lost: foreseenLost },
    })),
  }
}

/** A run's groups as CSV, a line a group: what was chosen, what became of it, and what was foreseen. */
export const runGroupsCsv = (groups: readonly RunGroup[]): string =>
  writeCsv<RunGroup>(
    {
      group: ({ group }) => group.name,
      id: ({ group }) => group.id,
      choice: ({ choice }) => choice,
      result: ({ result }) => result ?? 'waiting',
      reason: ({ reason }) => reason,
      detail: ({ detail }) => detail,
      members_added: ({ members }) => members.added,
      members_removed: ({ members }) => members.removed,
      access_lost: ({ access }) => access.lost,
      access_gained: ({ access }) => access.gained,
      access_lost_foreseen: ({ foreseen }) => foreseen.lost,
      finished_at: ({ finishedAt }) => finishedAt,
      linked_to: ({ linkTo }) => linkTo?.name,
    },
    groups,
  )
