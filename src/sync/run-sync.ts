import type { Db, Scope, Trx } from '../database/connection.ts'
import { isAway, sqlState } from '../database/errors.ts'
import type { OrgId, ProvisionedGroupId, RunId } from '../database/ids.ts'
import type { RunKind } from '../database/tables.ts'
import { inTransaction, reading } from '../database/transaction.ts'
import { Refusal } from '../organization/refusal.ts'
import { goLive, goLiveGroup } from './go-live.ts'
import {
  addProgress,
  finishRun,
  type GroupOutcome,
  type PendingGroup,
  type Progress,
  pendingGroups,
  type RunUnderWay,
  recordOutcome,
  takeUpRun,
} from './runs.ts'
import { syncGroup, syncTogether } from './sync-group.ts'
import { takeOverGroup } from './take-over.ts'
import { undoGroup, undoTogether } from './undo-run.ts'
import { decideOne, decideTogether } from './waiting.ts'

// As many as keep two cores busy: the database works on some while this process prepares others. They are few enough to leave
// connections of the pool (10) to requests.
const lanes = 4
// A page is what is known of a run at a time, and how often its counters move.
const pageSize = 100

export interface Circumstances {
  /** Aborted when the job is lost or the node stops: ends after the groups under way. */
  signal?: AbortSignal
  /** Told what a group's transaction threw that is no refusal. */
  onError?: (error: unknown) => void
  /** Told after each group. */
  onGroup?: (id: ProvisionedGroupId, outcome: GroupOutcome) => void
}

/**
 * Does a run, or goes on with it where it stopped: one transaction a group, and one for those that rest on one another.
 * Several may be at the same run: none does what another does.
 * @throws where the database is away or `signal` is aborted: the job is to be tried again
 */
export async function runSync(
  db: Db,
  { orgId, runId }: { orgId: OrgId; runId: RunId },
  circumstances: Circumstances = {},
): Promise<void> {
  const run = await inTransaction(db, { orgId, actor: 'system' }, (trx) => takeUpRun(trx, runId))
  if (run === undefined) return
  // The log names who asked for the run.
  const work: Work = { db, scope: { orgId, actor: run.createdBy }, run, circumstances }
  if (run.kind === 'go_live') await inTransaction(db, work.scope, (trx) => goLive(trx, run))
  // First what nobody else is at; then what is left, behind whoever is at it, as long as one that was done lets another be done.
  for (let others: 'skip' | 'wait' = 'skip'; ; others = 'wait') {
    const done = await syncPending(work, others)
    if (await inTransaction(db, work.scope, (trx) => finishRun(trx, runId))) return
    if (done === 0 && others === 'wait') await syncLeft(work)
  }
}

interface Work {
  db: Db
  scope: Scope
  run: RunUnderWay
  circumstances: Circumstances
}

/** One pass over what waits, in the order of turns; answers how many groups were done. */
async function syncPending(work: Work, others: 'skip' | 'wait'): Promise<number> {
  const { db, scope, run } = work
  let done = 0
  for (let after = 0; ; ) {
    const groups = await reading(db, scope, (reader) => pendingGroups(reader, run.id, after, pageSize))
    const last = groups.at(-1)
    if (last === undefined) return done
    done += await syncPage(work, groups, others)
    after = last.position
  }
}

async function syncPage(work: Work, groups: PendingGroup[], others: 'skip' | 'wait'): Promise<number> {
  const {
    db,
    scope,
    run,
    circumstances: { signal, onGroup },
  } = work
  const progress: Progress = { synced: 0, skipped: 0, failed: 0 }
  const queue = groups.values()
  let isLost = false
  const lane = async () => {
    for (const group of queue) {
      if (isLost || signal?.aborted) return
      try {
        const outcome = await syncOne(work, group, others)
        if (outcome === undefined || outcome === 'later') continue
        progress[outcome.result]++
        onGroup?.(group.id, outcome)
      } catch (error) {
        isLost = true
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(lanes, groups.length) }, lane))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
  await inTransaction(db, scope, (trx) => addProgress(trx, run.id, progress))
  signal?.throwIfAborted()
  return progress.synced + progress.skipped + progress.failed
}

/** What is left rests on one another, or waits for what does: all of it at once. If that throws, none of it is synced. */
async function syncLeft({ db, scope, run, circumstances }: Work): Promise<void> {
  const groups = await reading(db, scope, (reader) => pendingGroups(reader, run.id, 0, null))
  const together = run.kind === 'restore' ? undoTogether : run.kind === 'held' ? decideTogether : syncTogether
  const outcomes = await inTransaction(db, scope, (trx) => together(trx, run, groups)).catch((error) => {
    if (isAway(error)) throw error
    if (!(error instanceof Refusal)) circumstances.onError?.(error)
    return inTransaction(db, scope, async (trx) => {
      const failed = new Map<ProvisionedGroupId, GroupOutcome>()
      for (const { id } of groups) failed.set(id, await recordOutcome(trx, run.id, id, failure(error)))
      return failed
    })
  })
  for (const [id, outcome] of outcomes) circumstances.onGroup?.(id, outcome)
}

type Turn = (
  trx: Trx,
  run: RunUnderWay,
  group: PendingGroup,
  others: 'skip' | 'wait',
) => Promise<GroupOutcome | 'later' | undefined>

/** What a run does to a group, in the transaction of its turn. */
const turns: Record<RunKind, Turn> = {
  sync: syncGroup,
  drop_kept: syncGroup,
  restore: undoGroup,
  go_live: goLiveGroup,
  take_over: takeOverGroup,
  held: (trx, run, unit) => decideOne(trx, run, unit),
}

async function syncOne(
  { db, scope, run, circumstances }: Work,
  group: PendingGroup,
  others: 'skip' | 'wait',
): Promise<GroupOutcome | 'later' | undefined> {
  try {
    return await inTransaction(db, scope, (trx) => turns[run.kind](trx, run, group, others))
  } catch (error) {
    // The name is free once the group that has it is put back, too.
    if (run.kind === 'restore' && error instanceof Refusal && error.code === 'name_taken') return 'later'
    // Not the group's fault: the whole job is tried again when the database is back.
    if (isAway(error)) throw error
    if (!(error instanceof Refusal)) circumstances.onError?.(error)
    return inTransaction(db, scope, (trx) => recordOutcome(trx, run.id, group.id, failure(error)))
  }
}

/** What is said of a group whose transaction threw: what a person can act on, never SQL. */
function failure(error: unknown): GroupOutcome {
  if (error instanceof Refusal) return { result: 'failed', reason: 'error', detail: error.message }
  const state = sqlState(error)
  if (state === '55P03' || state === '57014' || state === '40001' || state === '40P01') {
    return { result: 'failed', reason: 'busy', detail: 'Others changed this group or its members all the time. Sync it again.' }
  }
  const code = state === undefined ? '' : ` (${state})`
  return {
    result: 'failed',
    reason: 'error',
    detail: `It could not be synced${code}; nothing of it was changed. The server's log says why.`,
  }
}
