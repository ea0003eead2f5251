import type { Db } from '../database/connection.ts'
import type { Jobs } from '../database/jobs.ts'
import { runSync } from '../sync/run-sync.ts'

/** Which function does which job. `onError` is told what went wrong in a job and was not the job's end. */
export async function startWorkers(db: Db, jobs: Jobs, onError: (error: unknown) => void = console.error): Promise<void> {
  await jobs.work('sync-run', (run, signal) => runSync(db, run, { signal, onError }))
}
