import { setTimeout as sleep } from 'node:timers/promises'
import { fromKysely, PgBoss } from 'pg-boss'
import type { ConnectionOptions, Trx } from './connection.ts'
import type { DirectoryId, OrgId, PushPlanId, ReconciliationId, RunId } from './ids.ts'

/** What each queue's jobs carry. A new queue is a line here and one in `queues`. */
export interface JobData {
  'sync-run': { orgId: OrgId; runId: RunId }
  'let-go-of-directory': { orgId: OrgId; directoryId: DirectoryId; actor: string }
  'reset-directory': { orgId: OrgId; directoryId: DirectoryId; actor: string; goesOn: boolean }
  'overwrite-conflicts': Record<string, never>
  'expire-approvals': Record<string, never>
  'forget-requests': Record<string, never>
  'purge-deleted-groups': Record<string, never>
  'note-log-people': Record<string, never>
  'seal-log': Record<string, never>
  'push-plan': { orgId: OrgId; planId: PushPlanId }
  'scheduled-pushes': Record<string, never>
  'compare-list': { orgId: OrgId; reconciliationId: ReconciliationId; actor: string }
  'forget-lists': Record<string, never>
  'forget-notices': Record<string, never>
}
export type QueueName = keyof JobData

/** Work that goes on after the request: kept in the database (schema `jobs`), done by whichever node takes it. */
export interface Jobs {
  /** Enqueues in the caller's transaction: no job without its commit. */
  send<Q extends QueueName>(trx: Trx, queue: Q, data: JobData[Q]): Promise<void>
  /** Hands each job of the queue to `handler`, one at a time on this node. A job whose handler throws, or whose node dies, is tried again: act once in spite of it. `signal` is aborted when the job is lost or the node stops. */
  work<Q extends QueueName>(queue: Q, handler: (data: JobData[Q], signal: AbortSignal) => Promise<void>): Promise<void>
  /** Takes no more jobs and waits for those under way (15 s at most); jobs can still be sent. */
  rest(): Promise<void>
  /** Rests, then closes its connections; a job that is still under way is lost, and tried again. */
  stop(): Promise<void>
}

const graceMs = 15_000

// A worker that was killed is noticed after 10 s without a heartbeat; minutes at pg-boss's defaults.
const queues: Record<QueueName, { retryLimit: number; retryDelay: number; expireInSeconds: number; heartbeatSeconds: number }> = {
  'sync-run': { retryLimit: 20, retryDelay: 1, expireInSeconds: 24 * 3600, heartbeatSeconds: 10 },
  'let-go-of-directory': { retryLimit: 20, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'reset-directory': { retryLimit: 20, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'compare-list': { retryLimit: 20, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'forget-notices': { retryLimit: 2, retryDelay: 60, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'forget-lists': { retryLimit: 2, retryDelay: 60, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'push-plan': { retryLimit: 20, retryDelay: 5, expireInSeconds: 24 * 3600, heartbeatSeconds: 10 },
  'scheduled-pushes': { retryLimit: 0, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'seal-log': { retryLimit: 0, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'overwrite-conflicts': { retryLimit: 0, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'expire-approvals': { retryLimit: 0, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'forget-requests': { retryLimit: 2, retryDelay: 60, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'purge-deleted-groups': { retryLimit: 2, retryDelay: 60, expireInSeconds: 3600, heartbeatSeconds: 10 },
  'note-log-people': { retryLimit: 0, retryDelay: 1, expireInSeconds: 3600, heartbeatSeconds: 10 },
}

/** Jobs that come by themselves, each on one node: minute and hour in UTC, as cron writes them. */
const scheduled: Partial<Record<QueueName, string>> = {
  'forget-requests': '17 * * * *',
  'purge-deleted-groups': '37 * * * *',
  'note-log-people': '* * * * *',
  'forget-lists': '47 * * * *',
  'forget-notices': '57 * * * *',
  'seal-log': '* * * * *',
  'scheduled-pushes': '* * * * *',
  'overwrite-conflicts': '* * * * *',
  'expire-approvals': '* * * * *',
}

/** Starts the queue with connections of its own: pg-boss's polling does not wait behind requests, nor they behind it. */
export async function startJobs(connection: ConnectionOptions, onError: (error: Error) => void = () => {}): Promise<Jobs> {
  const { maxConnections: _, onIdleError: __, ...where } = connection
  const boss = new PgBoss({
    ...where,
    schema: 'jobs',
    max: 3,
    application_name: 'muster jobs',
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    useListenNotify: true,
  })
  boss.on('error', onError)
  await boss.start()
  for (const [name, options] of Object.entries(queues)) await boss.createQueue(name, { ...options, notify: true })
  for (const [name, cron] of Object.entries(scheduled)) await boss.schedule(name, cron, {})

  const resting = async () => {
    const idle = Promise.all(Object.keys(queues).map((queue) => boss.offWork(queue, { wait: true })))
    await Promise.race([idle, sleep(graceMs, undefined, { ref: false })])
  }
  let rested: Promise<void> | undefined
  const rest = () => {
    rested ??= resting()
    return rested
  }

  return {
    send: async (trx, queue, data) => {
      const id = await boss.send(queue, data, { db: fromKysely(trx) })
      if (id === null) throw new Error(`The queue ${queue} took no job.`)
    },
    work: async (queue, handler) => {
      const options = { heartbeatRefreshSeconds: 5, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 2 }
      await boss.work<JobData[typeof queue]>(queue, options, async ([job]) => {
        if (job) await handler(job.data, job.signal)
      })
    },
    rest,
    stop: async () => {
      await rest()
      // The least that pg-boss waits: the time of grace is over.
      await boss.stop({ graceful: true, timeout: 1_000, close: true })
    },
  }
}
