import type { FastifyServerOptions } from 'fastify'
import type { Db } from '../database/connection.ts'
import type { Jobs } from '../database/jobs.ts'
import type { SecretKeys } from '../database/secrets.ts'
import type { AuditKey } from '../organization/audit-key.ts'
import type { Reach } from '../outgoing/address.ts'

/** What the HTTP server is put together from. */
export interface Parts {
  db: Db
  /** Where people and providers reach this server, without a slash at its end: `https://muster.example.org`. */
  publicUrl: string
  jobs: Pick<Jobs, 'send'>
  version: string
  /** SCIM requests a second that a directory may send; 0: no limit. Usually 50. */
  scimRate?: number
  /** What heads of the log are signed with; without it they are not. */
  auditKey?: AuditKey | undefined
  /** What secrets at rest are sealed with: a server has them; what only describes or measures routes does not. */
  secrets?: SecretKeys
  /** Where requests of ours may go; nothing private if not said. */
  reach?: Reach
  logger?: FastifyServerOptions['logger']
  /** Whether requests are kept for the request log: off only where a benchmark asks what that costs. */
  keepRequests?: boolean
  /** Milliseconds that only go forward; tests put their own in. */
  clock?: () => number
  /** Answers are compared with their schemas, and one that differs is a 500: on in tests. */
  checkAnswers?: boolean
}
