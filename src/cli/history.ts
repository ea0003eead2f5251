import { Command } from 'commander'
import { type Api, answer } from './api.ts'
import { contextOf } from './context.ts'
import { exit, Failure } from './failure.ts'
import { wholeNumber } from './lists.ts'
import type { History } from './shapes.ts'
import { historyList } from './views/history.ts'
import { print } from './views/output.ts'

interface Page {
  limit: number
  before?: string
}

/** `history NAME`: what was done to one, the newest first. */
export function historyCommand(
  of: string,
  argument: string,
  ask: (api: Api, name: string, query: Page) => Parameters<typeof answer<History>>[0],
): Command {
  return new Command('history')
    .description(`what was done to ${of}, by whom and why, the newest first`)
    .argument(argument)
    .option('--before <entry>', 'those before this entry')
    .option('--limit <n>', 'how many to show, 1000 at most', wholeNumber, 30)
    .action(async (name: string, { limit, before }: Page, command: Command) => {
      if (limit < 1 || limit > 1_000)
        throw new Failure(exit.usage, 'A history shows 1 to 1000 entries at once.', 'Go on with --before ENTRY')
      const { api, out } = await contextOf(command)
      const found = await answer<History>(ask(api, name, { limit, ...(before === undefined ? {} : { before }) }))
      print(out, found, ({ items }) => historyList(items, out))
      if (found.items.length === 0) out.say('Nothing yet.')
      if (found.next !== null) out.say(`There is more: --before ${found.next}`)
    })
}
