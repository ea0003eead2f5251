import { chmodSync, globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { ownEmbedded } from '../../src/database/embedded.ts'
import { startJobs } from '../../src/database/jobs.ts'
import { migrate } from '../../src/database/migrate.ts'
import { isAlive, processesOf } from '../../src/database/postmaster.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The socket folder of the run's PostgreSQL, whose database `muster` is the migrated template. */
    postgres: string
  }
}

const prefix = join(tmpdir(), 'muster-test-')

/** One PostgreSQL a run, in a temporary folder, that forgets what it was told to keep: nothing here outlives the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  removeOrphans()
  const folder = mkdtempSync(`${prefix}${process.pid}-`)
  // So that an unprivileged user can enter, as whom PostgreSQL runs where the tests run as root.
  chmodSync(folder, 0o711)
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    deadlock_timeout: '100ms',
  }
  const postgres = await ownEmbedded({ folder, settings, onEvent: (line) => console.error(line) })
  await migrate(postgres.connection)
  const jobs = await startJobs(postgres.connection)
  await jobs.stop()
  project.provide('postgres', postgres.connection.host)
  return async () => {
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

// A run that was killed leaves its PostgreSQL behind; its folder tells whose it was.
function removeOrphans(): void {
  for (const folder of readdirSync(tmpdir())
    .map((name) => join(tmpdir(), name))
    .filter((path) => path.startsWith(prefix))) {
    const owner = Number(folder.slice(prefix.length).split('-')[0])
    if (isAlive(owner)) continue
    for (const cluster of globSync('{postgres,*/postgres}', { cwd: folder })) {
      for (const pid of processesOf(join(folder, cluster))) process.kill(pid, 'SIGKILL')
    }
    rmSync(folder, { recursive: true, force: true })
  }
}
