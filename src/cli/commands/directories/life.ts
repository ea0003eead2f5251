import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import type { DirectoryLife, Observation, Resynced, Run, TakeOver } from '../../shapes.ts'
import { lifeView, observationView, resetView, resyncedView, takeOverView } from '../../views/directory-life.ts'
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

export const takeOver = new Command('take-over')
  .description('take over the groups of an old directory: equal ones without a review; the old one is disconnected')
  .argument('<directory>')
  .requiredOption('--from <old>', 'the old directory, connected or disconnected')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it comes to, change nothing')
  .option('--note <text>', 'why; kept with the run')
  .action(async (directory: string, { from, yes, dryRun, note }: LiveOptions & { from: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    const found = await answer<TakeOver>(
      api.GET('/api/v1/directories/{directory}/take-over', { params: { path: { directory }, query: { from } } }),
    )
    if (dryRun) return print(out, found, takeOverView)
    await confirmedBy({ typed: found.directory.name, shown: takeOverView(found), isYes: yes === true }, out)
    const started = await answer<Run>(
      api.POST('/api/v1/directories/{directory}/take-over', {
        params: { path: { directory: found.directory.id }, header: { 'idempotency-key': randomUUID() } },
        body: { from: found.from.id, fingerprint: found.fingerprint, ...(note === undefined ? {} : { note }) },
      }),
    )
    const run = await watchRun(api, started.id, out)
    print(out, run, runView)
    await tellWhatIsMissing(api, run, out)
  })

export const resyncDirectory = new Command('resync')
  .description('judge what a directory pushed afresh, from what is stored; says what became other')
  .argument('<directory>')
  .option('--group <group>', 'one pushed group, by SCIM id or name')
  .option('--user <user>', 'one pushed user, by SCIM id or user name')
  .action(async (directory: string, { group, user }: { group?: string; user?: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    const all: Resynced = { groups: 0, people: 0, changes: [], next: null }
    do {
      const page = await answer<Resynced>(
        api.POST('/api/v1/directories/{directory}/resync', {
          params: { path: { directory } },
          body: {
            ...(group === undefined ? {} : { group }),
            ...(user === undefined ? {} : { user }),
            ...(all.next === null ? {} : { after: all.next }),
          },
        }),
      )
      all.groups += page.groups
      all.people += page.people
      all.changes.push(...page.changes)
      all.next = page.next
    } while (all.next !== null)
    print(out, all, resyncedView)
  })

export const resetDirectory = new Command('reset')
  .description('forget all that an observing directory pushed, and begin again')
  .argument('<directory>')
  .option('-y, --yes', 'do not ask')
  .action(async (directory: string, { yes }: { yes?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { directory }
    const found = await answer<Observation>(api.GET('/api/v1/directories/{directory}/observation', { params: { path } }))
    await confirmedBy({ typed: found.name, shown: resetView(found), isYes: yes === true }, out)
    const done = await answer<DirectoryLife>(api.POST('/api/v1/directories/{directory}/reset', { params: { path } }))
    print(out, done, ({ name }) => `${name} begins again. It is paused until all that it pushed is forgotten.`)
  })
