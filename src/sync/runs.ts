import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, isId, newId, type ProvisionedGroupId, type RunId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import type { Jobs } from '../database/jobs.ts'
import type { RunKind, RunResult, RunState, SyncChoice } from '../database/tables.ts'
import { planForSets } from '../database/transaction.ts'
import { appendLog, appendLogs } from '../organization/log.ts'
import { Refusal } from '../organization/refusal.ts'
import type { Chosen } from '../review/differences.ts'
import type { Effect } from '../review/effect.ts'
import type { Expectation } from '../review/expected-in-run.ts'
import { runEffects } from './happened.ts'

// The only writer of runs and of their groups.

/** Why a group of a run was not synced. */
export type SkipReason =
  | 'blocked'
  | 'filling'
  | 'empty'
  | 'already_synced'
  | 'no_longer_needs_review'
  | 'gone'
  | 'review_changed'
  | 'run_stopped'
  | 'not_approved'
  | 'not_possible'
  | 'nothing_kept'
  | 'not_ready'
  | 'needs_review'

/** What became of a group in a run. `busy`: others held it for too long; `error`: anything else that was thrown. */
export type GroupOutcome =
  | { result: 'synced'; reason: null; detail: null; added: number; removed: number }
  | { result: 'skipped'; reason: SkipReason; detail: string | null }
  | { result: 'failed'; reason: 'busy' | 'error'; detail: string }

export const skipped = (reason: SkipReason, detail: string | null = null): GroupOutcome => ({ result: 'skipped', reason, detail })

/** What a run says to each of its groups. */
export interface RunTerms {
  id: RunId
  kind: RunKind
  directoryId: DirectoryId
  acceptIncomplete: boolean
  acceptEmpty: boolean
}

/** A run as its groups are done: `links`: whether some of them are linked to other groups first. */
export interface RunUnderWay extends RunTerms {
  links: boolean
}

/** What a run was expected to do, as it was reviewed: kept beside what happened. */
export type Foreseen = Omit<Effect, 'fingerprint'> & { blocked: number }

export interface NewRun {
  kind: RunKind
  /** The run that this one undoes. */
  undoes?: RunId
  directoryId: DirectoryId
  /** Of the groups for which nothing else is chosen. */
  choice: SyncChoice
  acceptIncomplete: boolean
  acceptEmpty: boolean
  note: string | null
  fingerprint: string
  foreseen: Foreseen
  /** The run whose groups are tried again. */
  retryOf?: RunId | undefined
  /** Where it needs approval: how long it waits for that. */
  approval: { expiresHours: number } | null
  /** In the order in which they are synced. One with an outcome is done before the run begins. */
  groups: ({
    id: ProvisionedGroupId
    name: string
    expected: Expectation
    outcome?: GroupOutcome | undefined
    cut?: string
  } & Chosen)[]
}

/** Stores a run that waits to be done, or to be approved, and all its groups in one statement. */
export async function insertRun(trx: Trx, run: NewRun): Promise<RunId> {
  const id = newId<RunId>()
  const { groups, approval } = run
  await trx
    .insertInto('runs')
    .values({
      org_id: trx.orgId,
      id,
      kind: run.kind,
      undoes: run.undoes ?? null,
      state: approval ? 'awaiting_approval' : 'queued',
      ...(approval ? { approval_expires_at: sql<Date>`now() + make_interval(hours => ${approval.expiresHours}::integer)` } : {}),
      directory_id: run.directoryId,
      choice: run.choice,
      accept_incomplete: run.acceptIncomplete,
      accept_empty: run.acceptEmpty,
      note: run.note,
      fingerprint: run.fingerprint,
      foreseen: JSON.stringify(run.foreseen),
      group_count: groups.length,
      skipped_count: groups.filter(({ outcome }) => outcome).length,
      created_by: trx.scope.actor,
      retry_of: run.retryOf ?? null,
    })
    .execute()
  const people = groups.map((group) => (group.people ? JSON.stringify(group.people) : null))
  await sql`
    insert into run_groups (org_id, run_id, unit_id, position, name, choice, link_to, new_name, people, cut, expected, result, reason, detail, finished_at)
    select ${trx.orgId}::uuid, ${id}::uuid, id, position, name, choice, link_to, new_name,
      case when people is not null then (select array_agg(value::uuid) from jsonb_array_elements_text(people::jsonb)) end,
      cut, expected, result, reason, detail, case when result is not null then now() end
    from unnest(${groups.map((group) => group.id)}::uuid[], ${groups.map(({ name }) => name)}::text[],
      ${groups.map(({ choice }) => choice)}::text[], ${groups.map(({ linkTo }) => linkTo ?? null)}::uuid[], ${groups.map(({ newName }) => newName ?? null)}::text[], ${people}::text[], ${groups.map(({ cut }) => cut ?? null)}::bigint[],
      ${groups.map(({ expected }) => JSON.stringify(expected))}::text[], ${groups.map(({ outcome }) => outcome?.result ?? null)}::text[],
      ${groups.map(({ outcome }) => outcome?.reason ?? null)}::text[], ${groups.map(({ outcome }) => outcome?.detail ?? null)}::text[])
      with ordinality as given(id, name, choice, link_to, new_name, people, cut, expected, result, reason, detail, position)`.execute(
    trx,
  )
  await appendLog(trx, {
    action: approval ? 'run.approval_asked' : 'run.started',
    subject: id,
    directoryId: run.directoryId,
    runId: id,
    facts: {
      kind: run.kind,
      choice: run.choice,
      groups: groups.length,
      fingerprint: run.fingerprint,
      note: run.note,
      ...(approval ? { ...approval, peopleLosing: run.foreseen.access.peopleLosing } : {}),
    },
  })
  return id
}

/** Takes up into a run that is under way the groups of its directory that are ready and not in it yet. */
export async function addReadyGroups(trx: Trx, { id, directoryId }: RunTerms): Promise<void> {
  await sql`
    with added as (
      insert into run_groups (org_id, run_id, unit_id, position, name, choice, expected)
      select p.org_id, ${id}, p.id, (select coalesce(max(position), 0) from run_groups where org_id = ${trx.orgId} and run_id = ${id})
        + row_number() over (order by p.name_key, p.id), p.name, 'overwrite', ${JSON.stringify({ digest: '', lost: [] } satisfies Expectation)}
      from provisioned_groups p where p.org_id = ${trx.orgId} and p.directory_id = ${directoryId} and p.state = 'ready'
      on conflict do nothing returning 1
    )
    update runs set group_count = group_count + (select count(*) from added) where org_id = ${trx.orgId} and id = ${id}`.execute(
    trx,
  )
}

/** A run is over that may not be done as it was reviewed: what it has not done is skipped. */
export async function giveUpRun(trx: Trx, { id, directoryId }: RunTerms, reason: SkipReason, detail: string): Promise<void> {
  await sql`
    update run_groups x set result = 'skipped', reason = ${reason}, detail = ${detail}, added_count = 0, removed_count = 0,
      finished_at = clock_timestamp()
    where x.org_id = ${trx.orgId} and x.run_id = ${id} and ${waits}`.execute(trx)
  await sql`update runs set state = 'stopped' where org_id = ${trx.orgId} and id = ${id} and finished_at is null`.execute(trx)
  await appendLog(trx, { action: 'run.stopped', subject: id, directoryId, runId: id, facts: { reason, detail } })
}

/** Whether a run is being done, and the fingerprint of what was reviewed: its row held. */
export async function heldRun(trx: Trx, id: RunId): Promise<{ isUnderWay: boolean; fingerprint: string }> {
  const { rows } = await sql<{ isUnderWay: boolean; fingerprint: string }>`
    select state = 'running' as "isUnderWay", fingerprint from runs where org_id = ${trx.orgId} and id = ${id} for key share`.execute(
    trx,
  )
  return rows[0] ?? { isUnderWay: false, fingerprint: '' }
}

/** Takes a group's place in a run that is under way; what was foreseen of it, or undefined where it is done already, or the run was stopped. */
export async function takePlace(trx: Trx, runId: RunId, id: ProvisionedGroupId): Promise<Expectation | undefined> {
  const { rows } = await sql<{ expected: string }>`
    select x.expected from run_groups x
    where x.org_id = ${trx.orgId} and x.run_id = ${runId} and x.unit_id = ${id} and ${waits}
      and exists (select from runs r where r.org_id = ${trx.orgId} and r.id = ${runId} and r.state = 'running')
    for update of x`.execute(trx)
  return rows[0] && JSON.parse(rows[0].expected)
}

/** A group `x` of a run that is not done. Not «is null», which would be looked up among all that wait instead of by the group's key. */
export const waits: RawBuilder<boolean> = sql`coalesce(x.result, '') = ''`

/** Moves the run's cursor past a group, once: in the group's own transaction, so that both are so or neither. */
export async function recordOutcome(
  trx: Trx,
  runId: RunId,
  id: ProvisionedGroupId,
  outcome: GroupOutcome,
): Promise<GroupOutcome> {
  await recording(trx, runId, id, outcome).execute(trx)
  return outcome
}

/** The same as a part of a larger statement. */
export function recording(trx: Trx, runId: RunId, id: ProvisionedGroupId, outcome: GroupOutcome): RawBuilder<unknown> {
  const { added, removed } = outcome.result === 'synced' ? outcome : { added: 0, removed: 0 }
  return sql`
    update run_groups x set result = ${outcome.result}, reason = ${outcome.reason}, detail = ${outcome.detail},
      added_count = ${added}, removed_count = ${removed}, finished_at = clock_timestamp()
    where x.org_id = ${trx.orgId} and x.run_id = ${runId} and x.unit_id = ${id} and ${waits}`
}

/** Takes up a run that waits or that was left in the middle; undefined where it has ended, or is not approved. Its counters are made right. */
export async function takeUpRun(trx: Trx, id: RunId): Promise<(RunUnderWay & { createdBy: string }) | undefined> {
  const { rows } = await sql<RunUnderWay & { createdBy: string }>`
    update runs set state = case when state = 'queued' then 'running' else state end, started_at = coalesce(started_at, now()), ${countsOf(trx, id)}
    where org_id = ${trx.orgId} and id = ${id} and finished_at is null and state <> 'awaiting_approval'
    returning id, kind, directory_id as "directoryId", accept_incomplete as "acceptIncomplete", accept_empty as "acceptEmpty",
      created_by as "createdBy",
      exists (select from run_groups x where x.org_id = ${trx.orgId} and x.run_id = ${id} and x.link_to is not null) as links`.execute(
    trx,
  )
  return rows[0]
}

/** A group of a run that waits, with what was chosen for it. */
export interface PendingGroup extends Chosen {
  /** `unit_id`: what each part of the run is about, by its kind. */
  id: ProvisionedGroupId
  /** The first entry of the log about it that is undone. */
  cut?: string | null
  position: number
}

/** The next groups of a run that wait, after a position, in order; of a run that was stopped none do. @param limit null: all */
export async function pendingGroups(reader: Reader, id: RunId, after: number, limit: number | null): Promise<PendingGroup[]> {
  const { rows } = await sql<PendingGroup>`
    select x.unit_id as id, x.position, x.choice, x.link_to as "linkTo", x.new_name as "newName", x.people, x.cut from run_groups x
    where x.org_id = ${reader.orgId} and x.run_id = ${id} and x.result is null and x.position > ${after}
      and exists (select from runs r where r.org_id = ${reader.orgId} and r.id = ${id} and r.state = 'running')
    order by x.position limit ${limit}`.execute(reader)
  return rows
}

export type Progress = Record<RunResult, number>

/**
 * Counts up what was done, for who watches. While the run goes on the counters may be short (a worker was killed before it counted) or high
 * (a worker took the run up, and counted afresh, between another's groups and their being counted): the run's end counts afresh.
 */
export async function addProgress(trx: Trx, id: RunId, { synced, skipped: left, failed }: Progress): Promise<void> {
  await sql`
    update runs set synced_count = synced_count + ${synced}, skipped_count = skipped_count + ${left}, failed_count = failed_count + ${failed}
    where org_id = ${trx.orgId} and id = ${id} and finished_at is null`.execute(trx)
}

const countsOf = (trx: Trx, id: RunId) => sql`(synced_count, skipped_count, failed_count) = (
  select count(*) filter (where result = 'synced'), count(*) filter (where result = 'skipped'), count(*) filter (where result = 'failed')
  from run_groups x where x.org_id = ${trx.orgId} and x.run_id = ${id})`

/**
 * Asks a run to stop after the group it is at, and sends its job again: it is ended by that, where the one it had is lost or nobody is at it.
 * One that has ended stays as it ended. @throws Refusal `not_found`
 */
export async function stopRun(trx: Trx, jobs: Pick<Jobs, 'send'>, id: string): Promise<RunId> {
  const { rows } = await sql<{ id: RunId; directoryId: DirectoryId; state: RunState; isOver: boolean }>`
    select id, directory_id as "directoryId", state, finished_at is not null as "isOver" from runs
    where org_id = ${trx.orgId} and id = ${isId(id) ? id : null}::uuid for no key update`.execute(trx)
  const [run] = rows
  if (run === undefined) throw noSuchRun()
  if (run.isOver) return run.id
  await jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId: run.id })
  if (run.state === 'stopped') return run.id
  await sql`update runs set state = 'stopped' where org_id = ${trx.orgId} and id = ${run.id}`.execute(trx)
  await appendLog(trx, { action: 'run.stopped', subject: run.id, directoryId: run.directoryId, runId: run.id })
  return run.id
}

/** Sends the job of every run that has not ended: it may have been lost, or tried in vain too often. A run of two jobs is done once. */
export async function resendRuns(trx: Trx, jobs: Pick<Jobs, 'send'>): Promise<RunId[]> {
  const { rows } = await sql<{ id: RunId }>`
    select id from runs where org_id = ${trx.orgId} and finished_at is null and state <> 'awaiting_approval' order by created_at`.execute(
    trx,
  )
  await Promise.all(rows.map(({ id }) => jobs.send(trx, 'sync-run', { orgId: trx.orgId, runId: id })))
  return rows.map(({ id }) => id)
}

/** What can become of a run that waits for approval. */
export type Decision = 'approved' | 'rejected' | 'withdrawn' | 'expired'

/** Records what was decided of runs that wait for approval and that the caller has locked: one that is not approved ends with that. */
export async function recordDecision(
  trx: Trx,
  ids: readonly RunId[],
  decision: Decision,
  comment: string | null = null,
): Promise<void> {
  const { rows } = await sql<{ id: RunId; directoryId: DirectoryId }>`
    with left_out as (
      update run_groups x set result = 'skipped', reason = 'not_approved', added_count = 0, removed_count = 0, finished_at = now()
      where x.org_id = ${trx.orgId} and x.run_id = any(${ids}::uuid[]) and x.result is null and ${decision}::text <> 'approved'
    )
    update runs set decided_by = ${trx.scope.actor}, decided_at = now(), decision_comment = ${comment},
      state = case when ${decision}::text = 'approved' then 'queued' else ${decision} end,
      skipped_count = case when ${decision}::text = 'approved' then skipped_count else group_count end,
      finished_at = case when ${decision}::text <> 'approved' then now() end
    where org_id = ${trx.orgId} and id = any(${ids}::uuid[]) and state = 'awaiting_approval'
    returning id, directory_id as "directoryId"`.execute(trx)
  await appendLogs(
    trx,
    rows.map(({ id, directoryId }) => ({
      action: `run.${decision}` as const,
      subject: id,
      directoryId,
      runId: id,
      facts: comment === null ? {} : { comment },
    })),
  )
}

export const noSuchRun = (): Refusal => new Refusal('not_found', 'There is no such run. List the runs to see their ids.')

/**
 * Ends a run of which no group waits: counts, and what truly happened to access, in the log's last entry of the run. A stopped run's
 * other groups are skipped.
 * @returns false where groups still wait
 */
export async function finishRun(trx: Trx, id: RunId): Promise<boolean> {
  const {
    rows: [run],
  } = await sql<{ state: RunState; directoryId: DirectoryId; isOver: boolean; waits: boolean }>`
    select state, directory_id as "directoryId", finished_at is not null as "isOver",
      exists (select from run_groups x where x.org_id = ${trx.orgId} and x.run_id = ${id} and x.result is null) as waits
    from runs where org_id = ${trx.orgId} and id = ${id} for no key update of runs`.execute(trx)
  if (run === undefined || run.isOver) return true
  if (run.state !== 'stopped' && run.waits) return false
  if (run.waits) {
    await sql`update run_groups set result = 'skipped', reason = 'run_stopped', added_count = 0, removed_count = 0, finished_at = now()
      where org_id = ${trx.orgId} and run_id = ${id} and result is null`.execute(trx)
  }
  const access = await recordEffects(trx, id)
  const {
    rows: [groups],
  } = await sql<Progress & { total: number }>`
    update runs set state = case when state = 'stopped' then state else 'finished' end, finished_at = clock_timestamp(), ${countsOf(trx, id)}
    where org_id = ${trx.orgId} and id = ${id}
    returning group_count as total, synced_count as synced, skipped_count as skipped, failed_count as failed`.execute(trx)
  await appendLog(trx, {
    action: 'run.finished',
    subject: id,
    directoryId: run.directoryId,
    runId: id,
    facts: { groups, access },
  })
  return true
}

/** What a run did to access: net, over all of it. */
export interface Happened {
  lost: number
  gained: number
  peopleLosing: number
  peopleGaining: number
  leftWithNone: number
}

async function recordEffects(trx: Trx, id: RunId): Promise<Happened> {
  await planForSets(trx)
  const [happened] = await inHashes(
    trx,
    sql<Happened>`
    with ${runEffects(trx, id)},
    recorded as (
      update run_groups x set lost_count = e.lost, gained_count = e.gained
      from run_effects_by_group e
      left join lateral (select p.id from provisioned_groups p where p.org_id = ${trx.orgId} and p.group_id = e.group_id offset 0) p on true
      cross join lateral (
        select r.ctid as place from run_groups r
        where r.org_id = ${trx.orgId} and r.run_id = ${id} and r.unit_id = any(array[p.id, e.group_id]) limit 1
      ) r
      where x.ctid = r.place
    )
    select count(*) filter (where lost)::integer as lost, count(*) filter (where gained)::integer as gained,
      (count(distinct account_id) filter (where lost))::integer as "peopleLosing",
      (count(distinct account_id) filter (where gained))::integer as "peopleGaining",
      (select count(*) from (select distinct account_id from run_effects where lost) l where not exists (
        select from memberships m
        where m.org_id = ${trx.orgId} and m.account_id = l.account_id and m.effective
          and exists (select from grants g where g.org_id = ${trx.orgId} and g.group_id = m.group_id offset 0) offset 0))::integer as "leftWithNone"
    from run_effects`,
  )
  return happened ?? { lost: 0, gained: 0, peopleLosing: 0, peopleGaining: 0, leftWithNone: 0 }
}
