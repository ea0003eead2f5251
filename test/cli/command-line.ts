import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { root } from '../support/source-files.ts'
import { test as story } from '../support/story.ts'

export interface Ended {
  exitCode: number | null
  stdout: string
  stderr: string
}
/** Types a command, in a pipe: nobody can be asked. */
export type CommandLine = (command: string, given?: { env?: Record<string, string>; input?: string }) => Promise<Ended>

/** The real `bin/muster`, run in an empty folder of the test's own, with no configuration but what is given. */
export function commandLine(env: Record<string, string> = {}): { muster: CommandLine; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'muster-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const muster: CommandLine = (command, given = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(join(root, 'bin/muster'), wordsOf(command), {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder, ...env, ...given.env },
      })
      const ended: Ended = { exitCode: null, stdout: '', stderr: '' }
      child.stdout.on('data', (chunk) => {
        ended.stdout += chunk
      })
      child.stderr.on('data', (chunk) => {
        ended.stderr += chunk
      })
      child.on('error', reject)
      child.on('close', (exitCode) => resolve({ ...ended, exitCode }))
      child.stdin.end(given.input ?? '')
    })
  return { muster, folder }
}

// Words are separated by blanks; one that holds blanks is in double quotes.
const wordsOf = (command: string) => [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** `test` with a command line that is signed in to the test's organization. */
export const test = story.extend<{ muster: CommandLine; folder: string; signedIn: { muster: CommandLine; folder: string } }>({
  signedIn: async ({ server, org }, use) => use(commandLine({ MUSTER_SERVER: server.url, MUSTER_TOKEN: org.adminToken })),
  muster: async ({ signedIn }, use) => use(signedIn.muster),
  folder: async ({ signedIn }, use) => use(signedIn.folder),
})
