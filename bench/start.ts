import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { median } from './organization.ts'

// How long the demo takes and what its server weighs then; how long a server takes to start on that folder.
// Linux: memory is read from /proc.

const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
const muster = new URL('../bin/muster', import.meta.url).pathname

try {
  const begun = performance.now()
  const demo = spawn(muster, ['demo', '--data', folder], { stdio: ['ignore', 'pipe', 'ignore'] })
  await lineLike(demo, /^Safe set/)
  console.log(`demo: ${seconds(begun)} s until the review is printed (goal below 20)`)
  console.log(`its process, server and pusher in one: ${residentMb(demo)} MB resident (goal below 200)`)
  await stopped(demo)
  const starts: number[] = []
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    const env = { ...process.env, MUSTER_DATA: folder, PORT: '0', LOG_LEVEL: 'silent' }
    const server = spawn(muster, ['serve'], { stdio: ['ignore', 'pipe', 'ignore'], env })
    await lineLike(server, / listens on /)
    starts.push(Number(seconds(started)))
    await stopped(server)
  }
  console.log(`server start on that folder: ${median(starts)} s (goal below 2)`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function lineLike(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`The process ended before it said ${pattern}.`)))
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => pattern.test(line) && resolve())
  })
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGINT')
  await once(child, 'exit')
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(2)
}

function residentMb({ pid }: ChildProcess): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kb) / 1_024)
}
