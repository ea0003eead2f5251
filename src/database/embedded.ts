import { accessSync, constants, existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { CannotStart } from './cannot-start.ts'
import { type Binaries, findBinaries } from './embedded-binaries.ts'
import { createCluster, startPostmaster } from './embedded-start.ts'
import {
  answers,
  isAlive,
  type Postmaster,
  processesOf,
  readPostmaster,
  removeLeftovers,
  socketFolderPrefix,
  superuser,
} from './postmaster.ts'

export interface EmbeddedOptions {
  /** The data folder; the cluster lies in `postgres` in it. Made if it is not there. */
  folder: string
  /** Server settings for this start, over those of postgresql.conf. */
  settings?: Record<string, string>
  /** Told in a line what happened: the server was taken over, died and was started again. */
  onEvent?: (line: string) => void
}

/** The PostgreSQL of a data folder, running. */
export interface Embedded {
  /** How the application connects: as `muster`, which owns the database of that name and is no superuser. */
  readonly connection: { host: string; port: number; user: string; database: string; ssl: false }
  readonly how: 'created' | 'started' | 'taken over' | 'visited'
  /** The server's process id as of now: another one after it died and was started again. */
  pid(): number
  /** Stops PostgreSQL (a visitor: nothing). */
  stop(): Promise<void>
}

/**
 * Starts the PostgreSQL of a data folder, or takes over the one that a killed process of ours left running, and holds
 * it: started again if it dies, refused to anyone else for as long as this process lives.
 * @throws CannotStart, among others where another process holds the folder
 */
export async function ownEmbedded({ folder, settings = {}, onEvent = () => {} }: EmbeddedOptions): Promise<Embedded> {
  const binaries = await findBinaries()
  const cluster = clusterOf(folder)
  const created = createCluster(cluster, binaries)
  let { postmaster, how } = await findOrStart(cluster, binaries, settings)
  let holder = await hold(cluster, postmaster)
  let isStopping = false
  await createApplication(holder)
  watch()
  if (how === 'taken over') onEvent(`Took over the running PostgreSQL of ${dirname(cluster)} (process ${postmaster.pid}).`)

  // The connection that holds the folder ends when PostgreSQL dies: the one sign that needs no asking.
  function watch(): void {
    holder.on('end', () => {
      if (!isStopping) void startAgain()
    })
  }
  async function startAgain(): Promise<void> {
    onEvent('PostgreSQL ended unexpectedly and is started again.')
    for (let waitMs = 50; !isStopping; waitMs = Math.min(waitMs * 2, 10_000)) {
      try {
        postmaster = (await findOrStart(cluster, binaries, settings, postmaster.socketFolder)).postmaster
        holder = await hold(cluster, postmaster)
        watch()
        onEvent(`PostgreSQL runs again (process ${postmaster.pid}).`)
        return
      } catch (error) {
        onEvent((error as Error).message)
        await sleep(waitMs, undefined, { ref: false })
      }
    }
  }

  return {
    connection: connectionAt(postmaster),
    how: created === 'created' ? 'created' : how,
    pid: () => postmaster.pid,
    stop: async () => {
      isStopping = true
      await stopPostmaster(cluster, postmaster)
      await holder.end().catch(() => {})
    },
  }
}

/**
 * The PostgreSQL of a data folder for a second process (a command beside the running server): connects to the running
 * one and leaves it; where none runs, starts it and stops it again.
 * @throws CannotStart
 */
export async function visitEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const cluster = clusterOf(options.folder)
  const postmaster = await findRunning(cluster)
  if (!postmaster) return ownEmbedded(options)
  return { connection: connectionAt(postmaster), how: 'visited', pid: () => postmaster.pid, stop: async () => {} }
}

function clusterOf(given: string): string {
  const folder = resolve(given)
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK | constants.X_OK)
    const cluster = join(realpathSync(folder), 'postgres')
    return existsSync(cluster) ? realpathSync(cluster) : cluster
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    const why =
      code === 'ENOSPC'
        ? 'the disk is full: free some space and start again'
        : code === 'ENOTDIR' || code === 'EEXIST'
          ? 'a file is in the way: choose another folder by MUSTER_DATA'
          : `it is not writable (${code}): give it to the user who runs Muster, or choose another by MUSTER_DATA`
    throw new CannotStart(`The data folder ${folder} cannot be used: ${why}.`)
  }
}

const connectionAt = ({ socketFolder }: Postmaster) =>
  ({ host: socketFolder, port: 5432, user: 'muster', database: 'muster', ssl: false }) as const

async function findRunning(cluster: string): Promise<Postmaster | undefined> {
  for (;;) {
    const postmaster = readPostmaster(cluster)
    const answer = postmaster ? await answers(cluster, postmaster) : 'no'
    if (answer === 'yes') return postmaster
    if (answer === 'no') return undefined
    await sleep(20)
  }
}

async function findOrStart(
  cluster: string,
  binaries: Binaries,
  settings: Record<string, string>,
  formerSocketFolder?: string,
): Promise<{ postmaster: Postmaster; how: 'started' | 'taken over' }> {
  // Orphaned backends of a killed server, or a server that another process starts at this moment: both pass soon.
  const deadline = Date.now() + 10_000
  for (;;) {
    const running = await findRunning(cluster)
    if (running) return { postmaster: running, how: 'taken over' }
    const postmaster = await startPostmaster(cluster, binaries, settings, formerSocketFolder)
    if (postmaster) return { postmaster, how: 'started' }
    const living = processesOf(cluster)
    if (living.length === 0 && !(await findRunning(cluster))) removeLeftovers(cluster)
    else if (Date.now() > deadline) {
      throw new CannotStart(
        `PostgreSQL processes of ${dirname(cluster)} run but do not answer (${living.join(', ')}): end them with kill, then start again.`,
      )
    }
    await sleep(50)
  }
}

// `must` in ASCII: an advisory lock of the database `postgres`, freed by the kernel and PostgreSQL when its holder dies.
const ownership = 0x6d757374

async function hold(cluster: string, postmaster: Postmaster): Promise<Client> {
  const client = superuser(postmaster.socketFolder, `muster ${process.pid}`)
  client.on('error', () => {})
  await client.connect()
  // An owner that was killed a moment ago is still being cleaned up.
  for (let tries = 0; tries < 12; tries++) {
    const { rows } = await client.query<{ held: boolean }>(`select pg_try_advisory_lock(${ownership}) as held`)
    if (rows[0]?.held) return client
    await sleep(50)
  }
  const { rows } = await client.query<{ application_name: string; since: Date }>(
    `select application_name, backend_start as since from pg_locks join pg_stat_activity using (pid)
     where locktype = 'advisory' and objid = ${ownership} and granted`,
  )
  await client.end()
  const owner = rows[0]
  const who = owner
    ? `process ${owner.application_name.replace('muster ', '')}, since ${owner.since.toISOString()}`
    : 'another process'
  throw new CannotStart(
    `The data folder ${dirname(cluster)} is in use by ${who}: stop that one, or give this one a folder of its own by MUSTER_DATA.`,
  )
}

async function createApplication(holder: Client): Promise<void> {
  const { rows } = await holder.query<{ role: boolean; database: boolean }>(
    `select exists (select from pg_roles where rolname = 'muster') as role,
            exists (select from pg_database where datname = 'muster') as database`,
  )
  if (!rows[0]?.role) await holder.query('create role muster login')
  if (!rows[0]?.database) await holder.query('create database muster owner muster')
}

// Fast shutdown while the folder is still held, so that nobody takes over a server that is about to end.
async function stopPostmaster(cluster: string, { pid, socketFolder }: Postmaster): Promise<void> {
  if (readPostmaster(cluster)?.pid === pid && isAlive(pid)) process.kill(pid, 'SIGINT')
  // Its pid file goes a moment before it does.
  while (processesOf(cluster).includes(pid)) await sleep(10)
  if (basename(socketFolder).startsWith(socketFolderPrefix)) rmSync(socketFolder, { recursive: true, force: true })
}
