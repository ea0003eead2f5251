import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { CannotStart } from '../database/cannot-start.ts'
import { startJobs } from '../database/jobs.ts'
import { migrate } from '../database/migrate.ts'
import { type OpenDatabase, openDatabase } from '../database/open.ts'
import { buildApp } from '../http/app.ts'
import { readAllowList } from '../outgoing/address.ts'
import { outgoing } from '../outgoing/request.ts'
import { findAuditKey } from './audit-key.ts'
import { publicUrlAt, type ServerConfig } from './config.ts'
import { setupLink } from './first-link.ts'
import { makeFirstOwner } from './first-token.ts'
import { mailBy } from './mail.ts'
import { findSecretKeys } from './secret-key.ts'
import { startTelling } from './tell.ts'
import { resumeRuns, startWorkers } from './workers.ts'

/** A server that takes requests. */
export interface RunningServer {
  /** Where it listens. */
  url: string
  /** Logs what nobody handled. */
  logError(error: unknown): void
  /** `/readyz` says 503, requests under way are finished and runs end after the groups they are at (both at once, 15 s at most), all is closed. */
  stop(): Promise<void>
}

/** This Muster's version, as its package says. */
export const version: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version

const drainMs = 15_000

/**
 * Starts everything: database, migrations, jobs, HTTP. Whatever was started is stopped again if a later part cannot.
 * @param say what a person at the terminal should read, a line each
 * @throws CannotStart
 */
export async function startServer(config: ServerConfig, say: (line: string) => void = console.log): Promise<RunningServer> {
  const stopping = new AbortController()
  const closers: (() => Promise<unknown>)[] = []
  const stop = async () => {
    stopping.abort(new Error('The node stops; the run is gone on with when it, or another, is there.'))
    while (closers.length > 0) await closers.pop()?.()
  }
  try {
    const database = await openDatabase(config.database, { onEvent: say })
    closers.push(database.close)
    const secrets = findSecretKeys(config)
    const reach = readAllowList(config.outgoingAllow)
    await prepare(database, config, say)
    // pg-boss goes on by itself when the database does; what it meets meanwhile is news, not an end.
    const jobs = await startJobs(database.connection, (error) => say(`The job queue met an error and goes on: ${error.message}`))
    closers.push(jobs.stop)
    const port = config.port === 0 ? await freePort(config.host) : config.port
    const url = publicUrlAt(config.host, port)
    const app = await buildApp({
      db: database.db,
      jobs,
      version,
      scimRate: config.scimRate,
      auditKey: findAuditKey(config, say),
      secrets,
      reach,
      publicUrl: config.publicUrl ?? url,
      // Plain lines for people go to standard output, the log beside them.
      logger: config.logLevel === 'silent' ? false : { level: config.logLevel, stream: process.stderr },
    })
    // At once, not one after the other: 15 s is all that an orchestrator may leave. A request may still send a job: the queue is closed after.
    closers.push(() => Promise.all([drain(app), jobs.rest()]))
    await startWorkers(database.db, jobs, {
      signal: stopping.signal,
      secrets,
      reach,
      onError: (error) => app.log.error({ err: error }, 'a job met an error'),
    })
    await resumeRuns(database.db, jobs)
    closers.push(
      startTelling(
        database.db,
        {
          keys: secrets,
          outgoing: outgoing({ reach, timeoutMs: 30_000 }),
          sendMail: mailBy(config.smtpUrl, config.mailFrom),
          publicUrl: config.publicUrl ?? url,
        },
        (error) => app.log.error({ err: error }, 'somebody could not be told'),
      ),
    )
    await listen(app, config.host, port)
    say(`Muster ${version} listens on ${url}${config.publicUrl === undefined ? '' : `, known as ${config.publicUrl}`}`)
    const setup = await setupLink(database.db)
    if (setup)
      say(
        `There is no organization yet. Open this once, within 10 minutes, to make it: ${config.publicUrl ?? url}${setup.path}\nLater, in another terminal: npx muster admin link`,
      )
    return { url, stop, logError: (error) => app.log.fatal({ err: error }, 'not handled') }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepare(database: OpenDatabase, config: ServerConfig, say: (line: string) => void): Promise<void> {
  say(`Database: ${database.where}`)
  for (const warning of database.warnings) say(`Warning: ${warning}`)
  const applied = await migrate(database.connection)
  if (applied.length > 0) say(`Migrated: ${applied.join(', ')}`)
  if (config.adminToken !== undefined) {
    const made = await makeFirstOwner(database.db, config.org, config.adminToken)
    if (made) say(`Made the organization ${made.org} with MUSTER_ADMIN_TOKEN as its owner's token.`)
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new CannotStart(
        `Port ${port} of ${host} is in use by another program: stop that one, or choose another port by PORT.`,
      )
    if (code === 'EACCES') throw new CannotStart(`Port ${port} may not be used by this user: choose one from 1024 up by PORT.`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new CannotStart(`${host} is no address of this machine: correct HOST.`)
    throw error
  }
}

async function drain(app: FastifyInstance): Promise<void> {
  app.drain()
  const late = setTimeout(() => app.server.closeAllConnections(), drainMs)
  // A connection that was busy when closing began stays open after its answer, waiting for another request.
  const idle = setInterval(() => app.server.closeIdleConnections(), 50)
  await app.close()
  clearTimeout(late)
  clearInterval(idle)
}

// The public URL is part of every resource and must be known before listening.
async function freePort(host: string): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, host, resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No port was given.')
  return address.port
}
