import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { processesOf } from '../../src/database/postmaster.ts'
import { root } from './source-files.ts'

/** A program of ours in a process of its own. */
export interface Program {
  pid: number
  /** Everything it printed up to now, both streams. */
  printed(): string
  /** Waits for a line it prints (or has printed). @throws where it ends without */
  says(pattern: RegExp): Promise<string>
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ exitCode: number | null }>
  /** Waits for the end. */
  ended(): Promise<{ exitCode: number | null }>
}

/** Runs a TypeScript file of the project; killed when the test is over. */
export function runProgram(path: string, args: string[] = [], env: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, [join(root, path), ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      tell()
    })
  const closed = once(child, 'close').then(tell)
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return {
    pid: child.pid ?? 0,
    printed: () => lines.join('\n'),
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = lines.find((each) => pattern.test(each))
          if (line === undefined && !hasEnded(child)) return
          listeners.delete(look)
          if (line === undefined) reject(new Error(`It ended without saying ${pattern}:\n${lines.join('\n')}`))
          else resolve(line)
        }
        listeners.add(look)
        look()
      }),
    end: async (signal) => {
      child.kill(signal)
      await closed
      return { exitCode: child.exitCode }
    },
    ended: async () => {
      await closed
      return { exitCode: child.exitCode }
    },
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** A data folder of one test's own, that PostgreSQL can be run in; its processes are ended with the test. */
export function dataFolder(name = 'data'): string {
  const parent = mkdtempSync(join(tmpdir(), `muster-test-${process.pid}-`))
  chmodSync(parent, 0o711)
  const folder = join(parent, name)
  onTestFinished(() => {
    for (const pid of processesOf(join(folder, 'postgres'))) killIfThere(pid)
    rmSync(parent, { recursive: true, force: true, maxRetries: 5 })
  })
  return folder
}

// A server whose program was killed ends by itself, at any moment.
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
