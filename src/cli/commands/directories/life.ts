import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import type { DirectoryLife, Observation, Run } from '../../shapes.ts'
import { lifeView, observationView } from '../../views/directory-life.ts'
import { print } from '../../views/output.ts'
import { runView } from '../../views/runs.ts'
import { tellWhatIsMissing, watchRun } from '../../watch-run.ts'

export const observation = new Command('observation')
  .description('what a directory comes to, over all that it pushed, before it goes live')
  .argument('<directory>')
  .action(async (directory: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { directory }
    print(
      out,
      await answer<Observation>(api.GET('/api/v1/directories/{directory}/observation', { params: { path } })),
      observationView,
    )
  })

interface LiveOptions {
  yes?: true
  dryRun?: true
  note?: string
}

export const goLive = new Command('go-live')
  .description('let what an observing directory pushed become effective: its people, and the groups whose names are free')
  .argument('<directory>')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it comes to, change nothing')
  .option('--note <text>', 'why; kept with the run')
  .action(async (directory: string, { yes, dryRun, note }: LiveOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    const found = await answer<Observation>(
      api.GET('/api/v1/directories/{directory}/observation', { params: { path: { directory } } }),
    )
    if (dryRun) return print(out, found, observationView)
    await confirmedBy({ typed: found.name, shown: observationView(found), isYes: yes === true }, out)
    const started = await answer<Run>(
      api.POST('/api/v1/directories/{directory}/go-live', {
        params: { path: { directory: found.id }, header: { 'idempotency-key': randomUUID() } },
        body: { fingerprint: found.fingerprint, ...(note === undefined ? {} : { note }) },
      }),
    )
    const run = await watchRun(api, started.id, out)
    print(out, run, runView)
    await tellWhatIsMissing(api, run, out)
  })

export const pauseDirectory = new Command('pause')
  .description('answer a provider’s writes with 503 until it is resumed; it reads on')
  .argument('<directory>')
  .action(async (directory: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { directory }
    print(out, await answer<DirectoryLife>(api.POST('/api/v1/directories/{directory}/pause', { params: { path } })), lifeView)
  })

export const resumeDirectory = new Command('resume')
  .description('let a paused directory go on')
  .argument('<directory>')
  .action(async (directory: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { directory }
    print(out, await answer<DirectoryLife>(api.POST('/api/v1/directories/{directory}/resume', { params: { path } })), lifeView)
  })
