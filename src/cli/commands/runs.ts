import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../lists.ts'
import type { Listed, Run, RunGroup } from '../shapes.ts'
import { print } from '../views/output.ts'
import { runGroups, runList, runView } from '../views/runs.ts'
import { tellWhatIsMissing, watchRun } from '../watch-run.ts'

const list = addListOptions(new Command('list').description('what was synced, the newest first')).action(
  async (options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    printList(
      out,
      await answer<Listed<Run>>(api.GET('/api/v1/runs', { params: { query: listQuery(options) } })),
      runList,
      'Nothing was synced yet.',
    )
  },
)

const show = new Command('show')
  .description('a run, and what became of the groups that were not synced')
  .argument('<run>')
  .action(async (id: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
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

export const runs = new Command('runs')
  .description('what was synced: {list|show|watch|stop}')
  .addCommand(list)
  .addCommand(show)
  .addCommand(watch)
  .addCommand(stop)
