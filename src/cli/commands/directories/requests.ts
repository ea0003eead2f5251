import { Command, Option } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { exit, Failure } from '../../failure.ts'
import { wholeNumber } from '../../lists.ts'
import type { RequestDetail, Requests } from '../../shapes.ts'
import { print } from '../../views/output.ts'
import { requestList, requestView } from '../../views/requests.ts'

interface Options {
  group?: string
  person?: string
  failed?: true
  method?: Method
  search?: string
  since?: string
  until?: string
  before?: string
  limit: number
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
type Method = (typeof methods)[number]

const list = new Command('list')
  .description('what the provider sent in the last 30 days, the newest first, and what became of it')
  .argument('<directory>')
  .option('--group <name>', 'only requests about this group; a name or an id')
  .option('--person <name>', 'only requests about this person; a user name, an e-mail or an id')
  .option('--failed', 'only requests that were refused or failed')
  .addOption(new Option('--method <method>', 'only these').choices(methods))
  .option('--search <text>', 'only where path, what was asked, error or client contain this')
  .option('--since <time>', 'from this moment on, RFC 3339')
  .option('--until <time>', 'before this moment, RFC 3339')
  .option('--before <id>', 'those before this request')
  .option('--limit <n>', 'how many to show, 1000 at most', wholeNumber, 30)
  .action(async (directory: string, options: Options, command: Command) => {
    const { failed, limit, group, person, method, search, since, until, before } = options
    if (limit < 1 || limit > 1_000)
      throw new Failure(exit.usage, 'The request log shows 1 to 1000 at once.', 'Go on with --before ID')
    const { api, out } = await contextOf(command)
    const given = Object.entries({ group, person, method, search, since, until, before }).filter(
      ([, value]) => value !== undefined,
    )
    const query = { ...Object.fromEntries(given), limit, ...(failed ? { status: 'failed' as const } : {}) }
    const found = await answer<Requests>(
      api.GET('/api/v1/directories/{directory}/requests', { params: { path: { directory }, query } }),
    )
    print(out, found, ({ items }) => requestList(items, out))
    if (found.items.length === 0) out.say('There are none.')
    if (found.next !== null) out.say(`There are more: --before ${found.next}`)
  })

const show = new Command('show')
  .description('what became of a request, step by step')
  .argument('<directory>')
  .argument('<request>', 'its id, as listed, or the X-Request-Id of its answer')
  .action(async (directory: string, request: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const found = await answer<RequestDetail>(
      api.GET('/api/v1/directories/{directory}/requests/{request}', { params: { path: { directory, request } } }),
    )
    print(out, found, requestView)
  })

export const directoryRequests = new Command('requests')
  .description('the requests that a provider sent')
  .addCommand(list, { isDefault: true })
  .addCommand(show)
