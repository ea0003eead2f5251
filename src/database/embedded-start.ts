import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CannotStart } from './cannot-start.ts'
import { type Binaries, type RunAs, runAs, runAsInNewFolder } from './embedded-binaries.ts'
import { isAlive, type Postmaster, readPostmaster, socketFolderPrefix, socketName } from './postmaster.ts'

// Written into postgresql.conf once, where an operator may change them.
const defaults = {
  shared_buffers: '256MB',
  max_connections: '100',
  random_page_cost: '1.1',
  max_wal_size: '2GB',
  // Plans are kept, and those of a first push are for empty tables, by whatever index, until the tables are analyzed.
  autovacuum_naptime: '5s',
  jit: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

/** Makes the cluster's folder unless it is there. Two at once make one: the first to rename its own wins. */
export function createCluster(cluster: string, binaries: Binaries): 'created' | 'existed' {
  // Somebody else's folder cannot be looked into, and must not pass for an empty one.
  if (existsSync(cluster)) runAs(cluster)
  if (existsSync(join(cluster, 'PG_VERSION'))) return 'existed'
  removeUnfinished(cluster)
  const unfinished = `${cluster}.new-${process.pid}`
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  try {
    const as = runAsInNewFolder(unfinished, binaries)
    const [command, args] = commandLine(as, binaries.initdb, [
      '-D',
      unfinished,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--locale=C.UTF-8',
      '--no-instructions',
      ...Object.entries(defaults).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ])
    const made = spawnSync(command, args, { ...idsOf(as), encoding: 'utf8' })
    if (made.error) throw made.error
    if (made.status !== 0) throw explain(`${made.stdout}${made.stderr}`, cluster)
    renameSync(unfinished, cluster)
    return 'created'
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (existsSync(join(cluster, 'PG_VERSION'))) return 'existed'
    throw error
  }
}

function removeUnfinished(cluster: string): void {
  const prefix = `${cluster}.new-`
  for (const name of readdirSync(dirname(cluster)).map((entry) => join(dirname(cluster), entry))) {
    if (name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length)))) rmSync(name, { recursive: true, force: true })
  }
}

/**
 * Starts PostgreSQL on the folder and waits until it takes connections. It outlives this process (a `kill -9` of ours
 * must not end it) and is not reached by a Ctrl-C meant for us.
 * @returns undefined where another server of this folder is there, or seems to be
 * @throws CannotStart
 */
export async function startPostmaster(
  cluster: string,
  binaries: Binaries,
  settings: Record<string, string>,
  formerSocketFolder?: string,
): Promise<Postmaster | undefined> {
  const as = runAs(cluster)
  const socketFolder = socketFolderFor(cluster, as, formerSocketFolder)
  const [command, args] = commandLine(as, binaries.postgres, [
    '-D',
    cluster,
    '-k',
    socketFolder,
    '-h',
    '',
    '-c',
    'unix_socket_permissions=0700',
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ])
  const logPath = logOf(cluster)
  rotate(logPath)
  const log = openSync(logPath, 'a')
  const logStart = fstatSync(log).size
  const child = spawn(command, args, { ...idsOf(as), cwd: cluster, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw new CannotStart(`PostgreSQL cannot be run here (${(error as Error).message}): it needs glibc; else set DATABASE_URL.`)
  }
  child.unref()
  // Crash recovery may take long; a dead child says so at once.
  while (child.exitCode === null && child.signalCode === null) {
    const postmaster = readPostmaster(cluster)
    if (postmaster?.ready && postmaster.pid === child.pid) return postmaster
    await sleep(5)
  }
  if (socketFolder !== cluster) rmSync(socketFolder, { recursive: true, force: true })
  const said = readFileSync(logPath).subarray(logStart).toString()
  if (
    /FATAL: .*(lock file ".*" already exists|pre-existing shared memory block|bogus data in lock file|lock file ".*" is empty)/.test(
      said,
    )
  )
    return undefined
  throw explain(said, cluster)
}

/** Where the embedded server writes what it has to say. */
export const logOf = (cluster: string): string => `${cluster}.log`

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > 8 * 1024 * 1024) renameSync(path, `${path}.1`)
}

// Started again in the middle of our life, it must be found where the pool looks for it.
function socketFolderFor(cluster: string, as: RunAs, former?: string): string {
  if (Buffer.byteLength(join(cluster, `${socketName}.lock`)) <= 107) return cluster
  const folder = former ?? mkdtempSync(join(tmpdir().length < 60 ? tmpdir() : '/tmp', socketFolderPrefix))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid)
  return folder
}

function commandLine(as: RunAs, program: string, args: string[]): [command: string, args: string[]] {
  const [command = program, ...rest] = [...as.before, program, ...args]
  return [command, rest]
}

const idsOf = ({ uid, gid }: RunAs): { uid?: number; gid?: number } =>
  uid === undefined || gid === undefined ? {} : { uid, gid }

function explain(said: string, cluster: string): CannotStart {
  const folder = dirname(cluster)
  if (/No space left on device|Disk quota exceeded/.test(said)) {
    return new CannotStart(`The disk that holds ${folder} is full: free some space and start again.`)
  }
  if (/Read-only file system|Permission denied/.test(said)) {
    return new CannotStart(
      `PostgreSQL may not write in ${folder}: give the folder to the user who runs Muster, or set MUSTER_DATA.`,
    )
  }
  const version = said.match(/initialized by PostgreSQL version (\d+)/)?.[1]
  if (version) {
    return new CannotStart(
      `The data folder ${folder} was made by PostgreSQL ${version}, which the PostgreSQL of this Muster cannot read: go back to the Muster that made it, or move its data by DATABASE_URL and pg_dump.`,
    )
  }
  if (/shared memory|Cannot allocate memory/.test(said)) {
    return new CannotStart(
      `PostgreSQL found too little memory: free some, or lower shared_buffers in ${cluster}/postgresql.conf.`,
    )
  }
  const nameless = said.match(/could not look up effective user ID (\d+)/)?.[1]
  if (nameless) {
    return new CannotStart(
      `PostgreSQL needs a user with a name, and user ${nameless} has none: add it to /etc/passwd, or set DATABASE_URL.`,
    )
  }
  const lines = said.split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((each) => /FATAL|PANIC|error:/.test(each)) ?? lines.at(-1)
  const reason = line?.replace(/^.*?(FATAL|PANIC|error):\s*/, '')
  return new CannotStart(`PostgreSQL did not start${reason ? `: ${reason}` : ''}. See ${logOf(cluster)}.`)
}
