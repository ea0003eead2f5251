import type { Db, Scope } from '../database/connection.ts'
import { newId, type OrgId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import { inTransaction, reading } from '../database/transaction.ts'
import { runSync } from '../sync/run-sync.ts'
import { resendRuns } from '../sync/runs.ts'

export interface WorkerOptions {
  /** Aborted when the node begins to stop: a run ends after the groups it is at. */
  signal?: AbortSignal
  /** Told what went wrong in a job and was not the job's end. */
  onError?: (error: unknown) => void
}

/** Which function does which job. */
export async function startWorkers(db: Db, jobs: Jobs, { signal, onError = console.error }: WorkerOptions = {}): Promise<void> {
  await jobs.work('sync-run', (run, lost) =>
    runSync(db, run, { signal: signal ? AbortSignal.any([lost, signal]) : lost, onError }),
  )
}

/** Sends the jobs of the runs that no job may be left for, in every organization: asked at each start. */
export async function resumeRuns(db: Db, jobs: Pick<Jobs, 'send'>): Promise<void> {
  const system = (orgId: OrgId): Scope => ({ orgId, actor: 'system' })
  // The organizations can be read from any organization's transaction, their runs from their own only.
  const organizations = await reading(db, system(newId<OrgId>()), (reader) =>
    reader.selectFrom('organizations').select('id').orderBy('id').execute(),
  )
  for (const { id } of organizations) await inTransaction(db, system(id), (trx) => resendRuns(trx, jobs))
}
