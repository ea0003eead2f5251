import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { type Api, answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { exit, Failure } from '../failure.ts'
import { partsOf } from '../list-parts.ts'
import { addListOptions, type ListOptions, listQuery, printList, wholeNumber } from '../lists.ts'
import type { ComparedGroup, ComparedMember, Findings, Listed, Reconciliation } from '../shapes.ts'
import { counted } from '../views/numbers.ts'
import { type Output, print } from '../views/output.ts'
import { comparedGroups, comparedMembers, findingsView } from '../views/reconcile.ts'

interface Options extends ListOptions {
  file?: string
  groups?: number
  memberships?: number
  members?: true
  group?: string
  finding?: 'missing' | 'extra'
  check?: true
}

export const reconcile = addListOptions(
  new Command('reconcile')
    .description('compare a provider’s own list with what it pushed: what is missing here, extra here, differs')
    .argument('<directory>')
    .option('--file <file>', 'the list: CSV with the columns group,user_name, or .json; without it the last comparison is shown')
    .option('--groups <n>', 'how many groups the list has: if it has others, nothing is concluded', wholeNumber)
    .option('--memberships <n>', 'how many memberships it has, likewise', wholeNumber)
    .option('--members', 'show members instead of groups')
    .option('--group <name>', 'show the members of this group')
    .option('--finding <what>', 'only missing, or only extra')
    .option('--check', 'end with 2 where something differs'),
).action(async (directory: string, options: Options, command: Command) => {
  const { api, out } = await contextOf(command)
  const path = { directory }
  if (options.file !== undefined) await send(api, out, directory, options)
  const { found } = await answer<Reconciliation>(api.GET('/api/v1/directories/{directory}/reconciliation', { params: { path } }))
  if (found === null)
    throw new Failure(
      exit.failed,
      `No list of ${directory} was compared yet.`,
      `Compare one: muster reconcile ${directory} --file groups.csv`,
    )
  const finding = options.finding === undefined ? {} : { finding: options.finding }
  if (options.members || options.group !== undefined) {
    const query = { ...listQuery(options), ...finding, ...(options.group === undefined ? {} : { group: options.group }) }
    const members = await answer<Listed<ComparedMember>>(
      api.GET('/api/v1/directories/{directory}/reconciliation/members', { params: { path, query } }),
    )
    printList(out, members, comparedMembers, 'No members differ.')
  } else {
    await showGroups(api, out, directory, found, { ...listQuery(options), ...finding })
  }
  if (options.check && !found.isEqual) process.exitCode = exit.changes
})

async function showGroups(api: Api, out: Output, directory: string, found: Findings, query: object): Promise<void> {
  const groups = await answer<Listed<ComparedGroup>>(
    api.GET('/api/v1/directories/{directory}/reconciliation/groups', { params: { path: { directory }, query } }),
  )
  if (out.json) return print(out, { ...found, groups }, () => '')
  out.data(findingsView(found))
  if (groups.items.length > 0) printList(out, groups, comparedGroups)
  if (found.differing > 0) out.say(`Who differs: muster reconcile ${directory} --members`)
}

async function send(api: Api, out: Output, directory: string, { file = '', groups, memberships }: Options): Promise<void> {
  const { id } = await answer<{ id: string }>(
    api.POST('/api/v1/directories/{directory}/lists', { params: { path: { directory } }, body: {} }),
  )
  let parts = 0
  for await (const { line, body } of partsOf(file)) {
    parts++
    const path = { directory, list: id, part: parts }
    try {
      await answer(api.PUT('/api/v1/directories/{directory}/lists/{list}/parts/{part}', { params: { path }, body }))
    } catch (error) {
      throw error instanceof Failure && line > 0
        ? new Failure(error.code, error.message, `Lines are counted from line ${line} of ${file}. ${error.advice}`)
        : error
    }
  }
  await answer(
    api.POST('/api/v1/directories/{directory}/lists/{list}/compare', {
      params: { path: { directory, list: id } },
      body: {
        parts,
        ...(groups === undefined ? {} : { groupCount: groups }),
        ...(memberships === undefined ? {} : { membershipCount: memberships }),
      },
    }),
  )
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 2_000)) {
    const { underWay } = await answer<Reconciliation>(
      api.GET('/api/v1/directories/{directory}/reconciliation', { params: { path: { directory } } }),
    )
    if (underWay?.id !== id) return
    if (waitMs === 2_000) out.say(`${counted(underWay.comparedGroups, 'group')} of ${underWay.groups} compared`)
    await sleep(waitMs)
  }
}
