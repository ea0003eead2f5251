import type { Db, Scope, Trx } from '../database/connection.ts'
import { newId, type OrgId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import type { SecretKeys } from '../database/secrets.ts'
import { inTransaction, reading } from '../database/transaction.ts'
import { forgetNotices } from '../notify/notices.ts'
import { noteLogPeople } from '../organization/log-people.ts'
import { sealLog } from '../organization/seal-log.ts'
import { type Reach, readAllowList } from '../outgoing/address.ts'
import { purgeExpired } from '../provisioning/deleted-groups.ts'
import { forgetAllOfDirectory, letGoOfDirectory, resendDisconnections } from '../provisioning/disconnection.ts'
import { forgetLists, resendComparisons, runComparison } from '../provisioning/reconcile.ts'
import { forgetRequests } from '../provisioning/requests.ts'
import { runPush } from '../push/run-push.ts'
import { planDuePushes } from '../push/scheduled.ts'
import { expireApprovals } from '../sync/approvals.ts'
import { overwriteConflicts } from '../sync/overwrite-conflicts.ts'
import { runSync } from '../sync/run-sync.ts'
import { resendRuns } from '../sync/runs.ts'

export interface WorkerOptions {
  /** Aborted when the node begins to stop: a run ends after the groups it is at. */
  signal?: AbortSignal
  /** What opens the secrets of pushes, and where these may go: without them pushes wait. */
  secrets?: SecretKeys | undefined
  reach?: Reach | undefined
  /** Told what went wrong in a job and was not the job's end. */
  onError?: (error: unknown) => void
}

/** Which function does which job. */
export async function startWorkers(
  db: Db,
  jobs: Jobs,
  { signal, onError = console.error, secrets, reach }: WorkerOptions = {},
): Promise<void> {
  const until = (lost: AbortSignal) => (signal ? AbortSignal.any([lost, signal]) : lost)
  await jobs.work('sync-run', (run, lost) => runSync(db, run, { signal: until(lost), onError }))
  if (secrets) await startPushWorkers(db, jobs, { keys: secrets, reach: reach ?? readAllowList(''), until, onError })
  await jobs.work('seal-log', async (_, lost) => sealEverywhere(db, until(lost)))
  await jobs.work('overwrite-conflicts', async (_, lost) => everywhere(db, (trx) => overwriteConflicts(trx, jobs), until(lost)))
  await jobs.work('expire-approvals', async (_, lost) => everywhere(db, expireApprovals, until(lost)))
  await jobs.work('let-go-of-directory', (directory, lost) => letGoOfDirectory(db, directory, until(lost)))
  await jobs.work('compare-list', (list, lost) => runComparison(db, list, until(lost)))
  await jobs.work('forget-lists', async (_, lost) => everywhere(db, forgetLists, until(lost)))
  await jobs.work('reset-directory', (directory, lost) => forgetAllOfDirectory(db, directory, until(lost)))
  await jobs.work('forget-notices', async (_, lost) => everywhere(db, forgetNotices, until(lost)))
  await jobs.work('forget-requests', async (_, lost) => everywhere(db, forgetRequests, until(lost)))
  await jobs.work('purge-deleted-groups', async (_, lost) => everywhere(db, purgeExpired, until(lost)))
  await jobs.work('note-log-people', async (_, lost) => everywhere(db, noteLogPeople, until(lost)))
}

/** Pushes need what opens their secrets: without it they wait for a node that has it. */
async function startPushWorkers(
  db: Db,
  jobs: Jobs,
  {
    keys,
    reach,
    until,
    onError,
  }: { keys: SecretKeys; reach: Reach; until: (lost: AbortSignal) => AbortSignal; onError: (error: unknown) => void },
): Promise<void> {
  const worldIn = (scope: Scope) => ({ db, scope, keys, reach })
  await jobs.work('push-plan', ({ orgId, planId }, lost) => runPush(worldIn({ orgId, actor: 'system' }), planId, until(lost)))
  await jobs.work('scheduled-pushes', async (_, lost) => {
    for (const scope of await organizations(db))
      await planDuePushes(worldIn(scope), (trx, planId) => jobs.send(trx, 'push-plan', { orgId: scope.orgId, planId }), {
        signal: until(lost),
        onError,
      })
  })
}

/** Sends the jobs of the runs, the disconnections and the lists to compare that no job may be left for, in every organization: asked at each start. */
export async function resumeRuns(db: Db, jobs: Pick<Jobs, 'send'>): Promise<void> {
  for (const scope of await organizations(db))
    await inTransaction(db, scope, (trx) =>
      Promise.all([resendRuns(trx, jobs), resendDisconnections(trx, jobs), resendComparisons(trx, jobs)]),
    )
}

// The next minute comes before one that waits longer is of any use.
const sealWithinMs = 50_000

/** Seals the log of every organization. */
async function sealEverywhere(db: Db, signal: AbortSignal): Promise<void> {
  await sealLog(db, await organizations(db), { signal, patienceMs: sealWithinMs })
}

/** Does in every organization what is done a piece at a time, until nothing is left: many short transactions. What is left at the end of an hour, the next one does. */
export async function everywhere(db: Db, piece: (trx: Trx) => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (const scope of await organizations(db)) {
    while (!signal.aborted && (await inTransaction(db, scope, piece)));
  }
}

// The organizations can be read from any organization's transaction, what they have from their own only.
export function organizations(db: Db): Promise<Scope[]> {
  return reading(db, { orgId: newId<OrgId>(), actor: 'system' }, async (reader) => {
    const rows = await reader.selectFrom('organizations').select('id').orderBy('id').execute()
    return rows.map(({ id }) => ({ orgId: id, actor: 'system' }))
  })
}
