import { randomUUID } from 'node:crypto'
import { Command, Option } from 'commander'
import { type Api, answer } from '../api.ts'
import { confirmed, confirmedBy, refuseTooMuch } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { addListOptions, type ListOptions, listQuery, printList, wholeNumber } from '../lists.ts'
import { acceptsEmpty, pushedEmpty } from '../selection.ts'
import type { Listed, Preview, Retry, Run, RunGroup, Undo } from '../shapes.ts'
import { print } from '../views/output.ts'
import { previewView, runGroups, runList, runView } from '../views/runs.ts'
import { undoView } from '../views/undo.ts'
import { tellWhatIsMissing, watchRun } from '../watch-run.ts'

const states = ['awaiting_approval', 'queued', 'running', 'finished', 'stopped', 'rejected', 'withdrawn', 'expired'] as const

const list = addListOptions(new Command('list').description('what was synced, the newest first'))
  .addOption(new Option('--state <state>', 'only runs in this state').choices(states))
  .action(async (options: ListOptions & { state?: (typeof states)[number] }, command: Command) => {
    const { api, out } = await contextOf(command)
    const query = { ...listQuery(options), ...(options.state === undefined ? {} : { state: options.state }) }
    printList(
      out,
      await answer<Listed<Run>>(api.GET('/api/v1/runs', { params: { query } })),
      runList,
      options.state === undefined ? 'Nothing was synced yet.' : 'There is none.',
    )
  })

const show = new Command('show')
  .description('a run, and what became of the groups that were not synced')
  .argument('<run>')
  .option('--csv', 'its report instead: a line a group, with what was foreseen')
  .action(async (id: string, { csv }: { csv?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    if (csv) return out.data(await report(api, id))
    const run = await answer<Run>(api.GET('/api/v1/runs/{run}', { params: { path: { run: id } } }))
    print(out, run, runView)
    if (out.json || run.groups.skipped + run.groups.failed === 0) return
    for (const result of ['failed', 'skipped'] as const) {
      if (run.groups[result] === 0) continue
      const groups = await answer<Listed<RunGroup>>(
        api.GET('/api/v1/runs/{run}/groups', { params: { path: { run: id }, query: { result, limit: 100 } } }),
      )
      printList(out, groups, runGroups)
    }
  })

const report = (api: Api, id: string): Promise<string> =>
  answer<string>(
    api.GET('/api/v1/runs/{run}/groups', { params: { path: { run: id }, query: { format: 'csv' } }, parseAs: 'text' }) as never,
  )

interface RetryOptions {
  maxLost?: number
  yes?: true
  acceptIncomplete?: true
  acceptEmpty?: true
  dryRun?: true
  note?: string
}

const retry = new Command('retry')
  .description('sync the groups that a run skipped or failed at, as they were to be then')
  .argument('<run>')
  .option('--max-lost <n>', 'refuse where more accesses would be lost', wholeNumber)
  .option('-y, --yes', 'do not ask')
  .option('--accept-incomplete', 'also groups that are still being filled, or pushed empty over members')
  .option('--accept-empty', 'also groups that were pushed empty over members')
  .option('--dry-run', 'show what would happen and change nothing')
  .option('--note <text>', 'why; kept with the run')
  .action(async (id: string, { maxLost, yes, dryRun, ...terms }: RetryOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { run: id }
    const { selection, ...effect } = await answer<Retry>(api.GET('/api/v1/runs/{run}/retry', { params: { path } }))
    refuseTooMuch(effect, maxLost)
    const { groups, members, access, fingerprint, directory } = effect
    const emptied = acceptsEmpty(terms) ? await pushedEmpty(api, { directory, choices: {}, selection, effect }) : []
    const body = {
      fingerprint,
      effect: { groups, members, access },
      ...(terms.acceptIncomplete ? { acceptIncomplete: true } : {}),
      ...(acceptsEmpty(terms) ? { acceptEmpty: true } : {}),
      ...(terms.note === undefined ? {} : { note: terms.note }),
    }
    const header = { 'idempotency-key': randomUUID() }
    const post = (more: { dryRun?: true }) =>
      answer<Run | Preview>(api.POST('/api/v1/runs/{run}/retry', { params: { path, header }, body: { ...body, ...more } }))
    if (dryRun) return print(out, (await post({ dryRun })) as Preview, (preview) => previewView(preview, emptied))
    await confirmed(effect, emptied, yes === true, out)
    const run = await watchRun(api, ((await post({})) as Run).id, out)
    print(out, run, runView)
    await tellWhatIsMissing(api, run, out)
  })

const watch = new Command('watch')
  .description('follow a run until it ends')
  .argument('<run>')
  .action(async (id: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const run = await watchRun(api, id, out)
    print(out, run, runView)
    await tellWhatIsMissing(api, run, out)
  })

const stop = new Command('stop')
  .description('stop a run after the group it is at; what was synced stays')
  .argument('<run>')
  .action(async (id: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(out, await answer<Run>(api.POST('/api/v1/runs/{run}/stop', { params: { path: { run: id } } })), runView)
  })

const undo = new Command('undo')
  .description('put the groups of a run back to what they were before it, as a run; shows first what that gives and takes')
  .argument('<run>')
  .option('--even-if-changed', 'also groups that were changed since: that is undone with it')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it would do, change nothing')
  .option('--note <text>', 'why; kept with the run')
  .action(async (id: string, { evenIfChanged, yes, dryRun, note }: UndoOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    const path = { run: id }
    const shown = await answer<Undo>(
      api.GET('/api/v1/runs/{run}/undo', { params: { path, query: evenIfChanged ? { evenIfChanged } : {} } }),
    )
    if (dryRun) return print(out, shown, undoView)
    const { access, fingerprint } = shown.effect
    if (access.peopleLosing > 0)
      await confirmedBy({ typed: String(access.peopleLosing), shown: undoView(shown), isYes: yes === true }, out)
    const body = { fingerprint, ...(evenIfChanged ? { evenIfChanged } : {}), ...(note === undefined ? {} : { note }) }
    const header = { 'idempotency-key': randomUUID() }
    const started = await answer<Run>(api.POST('/api/v1/runs/{run}/undo', { params: { path, header }, body }))
    const run = await watchRun(api, started.id, out)
    print(out, run, runView)
    await tellWhatIsMissing(api, run, out)
  })

interface UndoOptions {
  evenIfChanged?: true
  yes?: true
  dryRun?: true
  note?: string
}

const approve = new Command('approve')
  .description('approve a run that somebody else asked for: it goes on, if it still comes to what was asked for')
  .argument('<run>')
  .option('--comment <text>', 'why; kept with the run')
  .action(async (id: string, { comment }: { comment?: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    const body = comment === undefined ? {} : { comment }
    print(out, await answer<Run>(api.POST('/api/v1/runs/{run}/approve', { params: { path: { run: id } }, body })), runView)
    out.say(`Watch it: muster runs watch ${id}`)
  })

const reject = new Command('reject')
  .description('reject a run that somebody else asked for')
  .argument('<run>')
  .requiredOption('--comment <text>', 'why; kept with the run')
  .action(async (id: string, body: { comment: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    const { comment } = body
    print(
      out,
      await answer<Run>(api.POST('/api/v1/runs/{run}/reject', { params: { path: { run: id } }, body: { comment } })),
      runView,
    )
  })

const withdraw = new Command('withdraw')
  .description('withdraw a run of your own that waits for approval')
  .argument('<run>')
  .option('--comment <text>', 'why; kept with the run')
  .action(async (id: string, { comment }: { comment?: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    const body = comment === undefined ? {} : { comment }
    print(out, await answer<Run>(api.POST('/api/v1/runs/{run}/withdraw', { params: { path: { run: id } }, body })), runView)
  })

export const runs = new Command('runs')
  .description('what was synced: {list|show|watch|stop|retry|undo|approve|reject|withdraw}')
  .addCommand(list)
  .addCommand(show)
  .addCommand(watch)
  .addCommand(stop)
  .addCommand(retry)
  .addCommand(undo)
  .addCommand(approve)
  .addCommand(reject)
  .addCommand(withdraw)
