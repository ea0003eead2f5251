import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { parse, stringify } from 'yaml'
import { type Api, answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { exit, Failure } from '../../failure.ts'
import { addListOptions, type ListOptions, listQuery, printList, wholeNumber } from '../../lists.ts'
import { environment } from '../../profile.ts'
import type { Listed } from '../../shapes.ts'
import type { Output } from '../../views/output.ts'
import { print } from '../../views/output.ts'
import { type Column, table } from '../../views/table.ts'

type Row = Record<string, unknown>
const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
const nameOf = (value: unknown): string => text((value as { name?: unknown } | null)?.name)
const column = (title: string, value: (row: Row) => unknown): Column<Row> => ({
  title,
  value: (row) => text(value(row)),
  mayShrink: true,
})
const rowsAs = (columns: Column<Row>[]) => (rows: Row[], out: Output) => table(rows, columns, out)

function lists(what: string, description: string, ask: (api: Api, query: object) => Promise<never>, columns: Column<Row>[]) {
  return addListOptions(new Command(what).description(description)).action(async (options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    printList(out, await answer<Listed<Row>>(ask(api, listQuery(options))), rowsAs(columns), 'There is none yet.')
  })
}

export const pushSources = lists(
  'sources',
  'what the server reads people and groups from',
  (api, query) => api.GET('/api/v1/push/sources', { params: { query } }) as Promise<never>,
  [
    column('name', ({ name }) => name),
    column('kind', ({ settings }) => (settings as Row).kind),
    column('groups', ({ counts }) => (counts as Row | null)?.groups),
    column('people', ({ counts }) => (counts as Row | null)?.people),
    column('error', ({ error }) => error),
  ],
)
export const pushTargets = lists(
  'targets',
  'where the server pushes groups to',
  (api, query) => api.GET('/api/v1/push/targets', { params: { query } }) as Promise<never>,
  [
    column('name', ({ name }) => name),
    column('source', ({ source }) => nameOf(source)),
    column('url', ({ url }) => url),
    column('active', ({ mappings }) => (mappings as Row).active),
    column('errors', ({ mappings }) => (mappings as Row).error),
  ],
)
export const pushRules = lists(
  'rules',
  'the rules that map groups by themselves',
  (api, query) => api.GET('/api/v1/push/rules', { params: { query } }) as Promise<never>,
  [
    column('name', ({ name }) => name),
    column('target', ({ target }) => nameOf(target)),
    column('mappings', ({ mappings }) => mappings),
  ],
)
export const pushMappings = lists(
  'mappings',
  'the groups that are pushed, and how far they are',
  (api, query) => api.GET('/api/v1/push/mappings', { params: { query } }) as Promise<never>,
  [
    column('group', ({ sourceName }) => sourceName),
    column('target', ({ target }) => nameOf(target)),
    column('state', ({ state }) => state),
    column('members', ({ memberCount }) => memberCount),
    column('error', ({ error }) => error),
  ],
)

export const pushDrift = new Command('drift')
  .description('what became other in a target since it was pushed, by nobody here; a plan puts it right')
  .argument('<target>')
  .option('--detailed-exitcode', 'exit 2 where there is any')
  .action(async (target: string, options: { detailedExitcode?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const listed = await answer<Listed<Row>>(api.GET('/api/v1/push/targets/{target}/drift', { params: { path: { target } } }))
    const columns = [
      column('group', ({ name }) => name),
      column('now', ({ isGone, renamedTo }) => (isGone ? 'gone' : renamedTo)),
      column('only there', ({ onlyInTarget }) => (onlyInTarget as string[]).join(', ')),
      column('missing there', ({ missingInTarget }) => (missingInTarget as string[]).join(', ')),
    ]
    printList(out, listed, rowsAs(columns), 'Nothing became other.')
    if (options.detailedExitcode && listed.total > 0) process.exitCode = exit.changes
  })

interface StoredPlan {
  id: string
  state: string
  fingerprint: string
  stops: string[]
  error: string | null
  totals: { groups: Record<string, number>; people: Record<string, number>; members: Record<string, number> }
  result: { counted: { source: Row; target: Row; differences: number } } | null
}
const planLine = ({ totals, stops, fingerprint, id, state }: StoredPlan): string =>
  [
    `Plan ${id}, ${state}: groups ${totals.groups.create} to create, ${totals.groups.update} to change, ${totals.groups.delete} to delete; members +${totals.members.added} −${totals.members.removed}.`,
    ...stops.map((stop) => `Stopped: ${stop}`),
    `Fingerprint ${fingerprint}`,
  ].join('\n')

/** Plans a stored push, and with `--yes` sends it and waits for its end. */
export const runStoredPush = new Command('run')
  .description('plan a push that the server keeps; with --yes also send it, and count both sides')
  .argument('<target>')
  .option('--yes', 'send it')
  .option('--allow-removals <n>', 'take up to so many away, where the push guard would not', wholeNumber, 0)
  .action(async (target: string, options: { yes?: true; allowRemovals: number }, command: Command) => {
    const { api, out } = await contextOf(command)
    const { allowRemovals } = options
    const plan = await answer<StoredPlan>(api.POST('/api/v1/push/plans', { body: { target, allowRemovals } }))
    if (!options.yes || plan.stops.length > 0) {
      print(out, plan, planLine)
      if (plan.stops.length > 0) process.exitCode = exit.refused
      return
    }
    const params = { path: { plan: plan.id } }
    await answer(api.POST('/api/v1/push/plans/{plan}/apply', { params, body: { fingerprint: plan.fingerprint } }))
    const ended = await endOf(async () => answer<StoredPlan>(api.GET('/api/v1/push/plans/{plan}', { params })))
    print(out, ended, (value) => {
      const counted = value.result?.counted
      const both = counted
        ? `\nsource ${counted.source.groups} groups = target ${counted.target.groups}, ${counted.differences} differ.`
        : ''
      return `${planLine(value)}${both}${value.error === null ? '' : `\n${value.error}`}`
    })
    if (ended.state !== 'done') process.exitCode = exit.runIncomplete
  })

async function endOf(read: () => Promise<StoredPlan>): Promise<StoredPlan> {
  for (;;) {
    const plan = await read()
    if (!['queued', 'running'].includes(plan.state)) return plan
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

export const exportStoredPushes = new Command('export')
  .description('sources, targets, rules and mappings of the server as one YAML file, without secrets')
  .action(async (_: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(out, await answer<object>(api.GET('/api/v1/push/configuration')), (value) => stringify(value))
  })

export const importStoredPushes = new Command('import')
  .description('make what a YAML file names be so, all or nothing; what it does not name stays')
  .argument('<file>')
  .action(async (file: string, _: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const body = parse(readFileSync(file, 'utf8')) as never
    await answer(api.PUT('/api/v1/push/configuration', { body }))
    out.say('Done. Secrets are not in the file: muster push secret source NAME, muster push secret target NAME.')
  })

/** Gives a source or a target its secret, from the environment: it is in no history of a shell. */
export const setPushSecret = new Command('secret')
  .description('give a stored source or target its secret, from MUSTER_SOURCE_SECRET or MUSTER_TARGET_TOKEN')
  .argument('<what>', 'source or target')
  .argument('<name>')
  .action(async (what: string, name: string, _: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const { sourceSecret, targetToken } = environment()
    const secret = what === 'source' ? sourceSecret : targetToken
    if (secret === undefined)
      throw new Failure(
        exit.usage,
        'There is no secret to give.',
        'Set MUSTER_SOURCE_SECRET for a source, MUSTER_TARGET_TOKEN for a target.',
      )
    if (what === 'source') {
      const { settings } = await answer<{ settings: unknown }>(
        api.GET('/api/v1/push/sources/{source}', { params: { path: { source: name } } }),
      )
      await answer(
        api.PUT('/api/v1/push/sources/{source}', { params: { path: { source: name } }, body: { settings, secret } as never }),
      )
    } else {
      const params = { path: { target: name } }
      const have = await answer<Row & { source: { name: string } }>(api.GET('/api/v1/push/targets/{target}', { params }))
      const { url, profile, ca, isPaused, everyMinutes, appliesByItself } = have
      const body = { source: have.source.name, url, profile, ca, isPaused, everyMinutes, appliesByItself, secret } as never
      await answer(api.PUT('/api/v1/push/targets/{target}', { params, body }))
    }
    out.say(`The secret of ${name} is sealed.`)
  })
