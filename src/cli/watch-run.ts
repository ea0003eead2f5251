import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, answer } from './api.ts'
import { exit, Failure } from './failure.ts'
import type { Listed, Run, RunGroup } from './shapes.ts'
import type { Output } from './views/output.ts'
import { progress } from './views/progress.ts'
import { leftOutLine } from './views/runs.ts'

const everyMs = { first: 150, most: 1_000 }

/** Shows a run's progress until it ends. @throws Failure interrupted, on Ctrl-C: the run goes on in the server */
export async function watchRun(api: Api, id: string, out: Output): Promise<Run> {
  const bar = progress(out, 'Syncing')
  const interrupted = new AbortController()
  const stop = () => interrupted.abort()
  process.once('SIGINT', stop)
  try {
    for (let pause = everyMs.first; ; pause = Math.min(pause * 1.5, everyMs.most)) {
      const run = await answer<Run>(api.GET('/api/v1/runs/{run}', { params: { path: { run: id } } }))
      const { total, synced, skipped, failed } = run.groups
      bar.show(
        synced + skipped + failed,
        total,
        [failed > 0 ? `${failed} failed` : '', out.canDraw ? 'Ctrl-C stops watching, not the run' : '']
          .filter((part) => part !== '')
          .join('  '),
      )
      if (run.finishedAt !== null) return run
      await sleep(pause, undefined, { signal: interrupted.signal })
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
    throw new Failure(
      exit.interrupted,
      `The run goes on in the server: ${id}`,
      `Watch it: muster runs watch ${id}     Stop it: muster runs stop ${id}`,
    )
  } finally {
    process.off('SIGINT', stop)
    bar.end()
  }
}

/** Says on stderr which groups a run left out and why, and sets the exit code that tells scripts. */
export async function tellWhatIsMissing(api: Api, run: Run, out: Output): Promise<void> {
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
