import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, answer } from './api.ts'
import { type ExitCode, exit, Failure } from './failure.ts'
import type { Listed, Run, RunGroup } from './shapes.ts'
import type { Output } from './views/output.ts'
import { progress } from './views/progress.ts'
import { leftOutLine } from './views/runs.ts'

const everyMs = { first: 150, most: 1_000 }

/**
 * Shows a run's progress until it ends, or as it waits for approval. A request that is lost is sent again, for `patienceMs`: the run goes on in the server meanwhile.
 * @throws Failure interrupted, on Ctrl-C; failed, where the server is heard of no more
 */
export async function watchRun(api: Api, id: string, out: Output, patienceMs = 60_000): Promise<Run> {
  const bar = progress(out, 'Syncing')
  const interrupted = new AbortController()
  const { signal } = interrupted
  const stop = () => interrupted.abort()
  process.once('SIGINT', stop)
  const goesOn = (code: ExitCode, why: string) =>
    new Failure(code, `${why}: ${id}`, `Watch it: muster runs watch ${id}     Stop it: muster runs stop ${id}`)
  const lookAt = () => answer<Run>(api.GET('/api/v1/runs/{run}', { params: { path: { run: id } }, signal }))
  try {
    for (let pause = everyMs.first; ; pause = Math.min(pause * 1.5, everyMs.most)) {
      const run = await patiently(lookAt, out, signal, patienceMs)
      if (run === undefined)
        throw goesOn(
          exit.failed,
          `The server was not heard of for ${patienceMs / 1_000} s. The run goes on where the server does`,
        )
      const { total, synced, skipped, failed } = run.groups
      bar.show(
        synced + skipped + failed,
        total,
        [failed > 0 ? `${failed} failed` : '', out.canDraw ? 'Ctrl-C stops watching, not the run' : '']
          .filter((part) => part !== '')
          .join('  '),
      )
      if (run.finishedAt !== null || run.state === 'awaiting_approval') return run
      await sleep(pause, undefined, { signal })
    }
  } catch (error) {
    throw signal.aborted ? goesOn(exit.interrupted, 'The run goes on in the server') : error
  } finally {
    process.off('SIGINT', stop)
    bar.end()
  }
}

/** Asks until there is an answer, less and less often; undefined where none comes for so long. */
async function patiently<T>(ask: () => Promise<T>, out: Output, signal: AbortSignal, patienceMs: number): Promise<T | undefined> {
  let lostAt: number | undefined
  for (let pause = 250; ; pause = Math.min(pause * 2, 5_000)) {
    try {
      return await ask()
    } catch (error) {
      if (signal.aborted || isAnswer(error)) throw error
      if (lostAt === undefined) out.say(`${(error as Error).message} Asking again; the run goes on.`)
      lostAt ??= performance.now()
      if (performance.now() + pause - lostAt > patienceMs) return undefined
      await sleep(pause, undefined, { signal })
    }
  }
}

// All else is no answer: not reached, cut off in the middle, restarting, too busy.
function isAnswer(error: unknown): boolean {
  const { status } = ((error instanceof Failure && error.problem) || { status: 503 }) as { status: number }
  return status < 500 && status !== 429
}

/** Says on stderr which groups a run left out and why, and sets the exit code that tells scripts; also that it waits for approval. */
export async function tellWhatIsMissing(api: Api, run: Run, out: Output): Promise<void> {
  if (run.state === 'awaiting_approval') {
    process.exitCode = exit.awaitsApproval
    return
  }
  const { skipped, failed } = run.groups
  if (skipped + failed === 0) return
  process.exitCode = exit.runIncomplete
  for (const result of ['failed', 'skipped'] as const) {
    if (run.groups[result] === 0) continue
    const query = { result, limit: shownGroups }
    const { items } = await answer<Listed<RunGroup>>(
      api.GET('/api/v1/runs/{run}/groups', { params: { path: { run: run.id }, query } }),
    )
    for (const group of items) out.say(leftOutLine(group, out))
  }
  if (Math.max(skipped, failed) > shownGroups) out.say(`All of them: muster runs show ${run.id}`)
}

const shownGroups = 5
