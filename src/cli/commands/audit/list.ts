import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { exit, Failure } from '../../failure.ts'
import { wholeNumber } from '../../lists.ts'
import type { AuditEntries } from '../../shapes.ts'
import { auditList } from '../../views/audit.ts'
import { print } from '../../views/output.ts'

interface Options {
  actor?: string
  action?: string
  subject?: string
  directory?: string
  run?: string
  request?: string
  since?: string
  until?: string
  oldestFirst?: true
  after?: string
  limit: number
}

export const listAudit = new Command('list')
  .description('what was changed, by whom, the newest first')
  .option('--actor <who>', 'only by this one: token:NAME, directory:NAME or system')
  .option('--action <action>', 'only this action (group.renamed), or all of a kind (group)')
  .option('--subject <name>', 'only what was done to this one; a name or an id')
  .option('-d, --directory <name>', 'only of this directory')
  .option('--run <id>', 'only in this run')
  .option('--request <id>', 'only by this request')
  .option('--since <time>', 'from this moment on, RFC 3339')
  .option('--until <time>', 'before this moment, RFC 3339')
  .option('--oldest-first', 'the oldest first')
  .option('--after <id>', 'go on behind this entry')
  .option('--limit <n>', 'how many to show, 1000 at most', wholeNumber, 30)
  .action(async (options: Options, command: Command) => {
    const { limit, oldestFirst, actor, action, subject, directory, run, request, since, until, after } = options
    if (limit < 1 || limit > 1_000)
      throw new Failure(
        exit.usage,
        'The log shows 1 to 1000 at once.',
        'Go on with --after ID, or have all of it: muster audit export',
      )
    const { api, out } = await contextOf(command)
    const given = Object.entries({ actor, action, subject, directory, run, request, since, until, after }).filter(
      ([, value]) => value !== undefined,
    )
    const query = { ...Object.fromEntries(given), limit, ...(oldestFirst ? { sort: 'id' as const } : {}) }
    const found = await answer<AuditEntries>(api.GET('/api/v1/audit', { params: { query } }))
    print(out, found, ({ items }) => auditList(items, out))
    if (found.items.length === 0) out.say('There are none.')
    if (found.next !== null) out.say(`There are more: --after ${found.next}`)
  })
