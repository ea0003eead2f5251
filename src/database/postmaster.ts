import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Client } from 'pg'

/** What a server says of itself in `postmaster.pid`. */
export interface Postmaster {
  pid: number
  socketFolder: string
  ready: boolean
}

export const socketName = '.s.PGSQL.5432'
/** How a socket folder outside of the cluster is called: a socket's path has at most 107 bytes. */
export const socketFolderPrefix = 'muster-socket-'

/** Reads `postmaster.pid`; undefined where there is none, or not all of it yet. */
export function readPostmaster(cluster: string): Postmaster | undefined {
  let lines: string[]
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, socketFolder: lines[4] || cluster, ready: lines[7]?.trim() === 'ready' }
}

/** A connection as the embedded server's superuser. Only `embedded.ts` and the tests' set-up use it. */
export function superuser(socketFolder: string, name: string): Client {
  return new Client({
    host: socketFolder,
    port: 5432,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    application_name: name,
    connectionTimeoutMillis: 5_000,
  })
}

/**
 * Whether the server of this folder answers. A process id is no proof (it may be another process by now), and neither
 * is a socket (it may be another folder's): only the server's own word for its data folder is.
 */
export async function answers(cluster: string, { socketFolder }: Postmaster): Promise<'yes' | 'not yet' | 'no'> {
  const client = superuser(socketFolder, 'muster looks')
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    return rows[0]?.data_directory === cluster ? 'yes' : 'no'
  } catch (error) {
    // 57P03: starting up, recovering or shutting down.
    return (error as { code?: string }).code === '57P03' ? 'not yet' : 'no'
  } finally {
    await client.end().catch(() => {})
  }
}

/**
 * Living PostgreSQL processes of this folder. Each has it as its working directory, and a zombie has none, so that a
 * killed server that nobody reaped and a process id that is another program's by now do not count.
 */
export function processesOf(cluster: string): number[] {
  let pids: string[]
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    // No /proc (macOS): the process id in the file is all there is to ask.
    const pid = readPostmaster(cluster)?.pid
    return pid !== undefined && isAlive(pid) ? [pid] : []
  }
  return pids.filter((pid) => isIn(pid, cluster)).map(Number)
}

function isIn(pid: string, cluster: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === cluster && Number(pid) !== process.pid
  } catch {
    return false
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes what a killed server left behind. Only where nothing answers and no process of the folder lives. */
export function removeLeftovers(cluster: string): void {
  const socketFolder = readPostmaster(cluster)?.socketFolder ?? cluster
  for (const name of [socketName, `${socketName}.lock`]) rmSync(join(socketFolder, name), { force: true })
  if (basename(socketFolder).startsWith(socketFolderPrefix)) rmSync(socketFolder, { recursive: true, force: true })
  rmSync(join(cluster, 'postmaster.pid'), { force: true })
}
