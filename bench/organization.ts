import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type Db, type Scope } from '../src/database/connection.ts'
import { ownEmbedded } from '../src/database/embedded.ts'
import { newId, type OrgId } from '../src/database/ids.ts'
import { migrate } from '../src/database/migrate.ts'
import { inTransaction } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory, type Directory } from '../src/provisioning/directories.ts'
import { createDirectoryToken } from '../src/provisioning/tokens.ts'

/** A server in a process of its own on an embedded PostgreSQL of its own, durable as in production. */
export interface BenchOrganization {
  db: Db
  connection: ConnectionOptions
  scope: Scope
  directory: Directory
  token: string
  url: string
  /** The server's process. */
  pid: number | undefined
}

export async function withBenchOrganization(
  options: { scimRate: number },
  work: (bench: BenchOrganization) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
  const embedded = await ownEmbedded({ folder, settings: { shared_buffers: '512MB', max_wal_size: '4GB' } })
  try {
    await migrate(embedded.connection)
    const db = connect(embedded.connection)
    const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
    const { directory, token } = await inTransaction(db, scope, async (trx) => {
      await createOrganization(trx, { slug: 'bench' })
      const directory = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0, guardMembersPercent: 100 })
      return { directory, token: (await createDirectoryToken(trx, directory.id)).secret }
    })
    const server = fork(new URL('./server.ts', import.meta.url), [
      JSON.stringify({ connection: embedded.connection, ...options }),
    ])
    const [url] = (await once(server, 'message')) as [string]
    try {
      await work({ db, connection: embedded.connection, scope, directory, token, url, pid: server.pid })
    } finally {
      server.kill()
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
      await db.close()
    }
  } finally {
    await embedded.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
export const ratio = (a: number, b: number): string => (a / b).toFixed(2)
export const ids = <T>(count: number): T[] => Array.from({ length: count }, () => newId() as T)
export const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T
