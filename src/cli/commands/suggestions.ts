import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { chosenDirectory } from '../directory.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../lists.ts'
import { inDirectory } from '../selection.ts'
import type { Listed, Suggestion } from '../shapes.ts'
import { suggestionList } from '../views/names.ts'

type OfDirectory = { directory?: string }

const list = addListOptions(
  new Command('list')
    .description('pushed groups that may be existing ones of other names')
    .option('-d, --directory <name>', 'the directory; not needed where there is only one')
    .option('--rejected', 'those that somebody said are not the same'),
).action(async (options: ListOptions & OfDirectory & { rejected?: true }, command: Command) => {
  const { api, out } = await contextOf(command)
  const directory = await chosenDirectory(api, options.directory)
  const query = { ...listQuery(options), ...(options.rejected ? { rejected: true } : {}) }
  const listed = await answer<Listed<Suggestion>>(
    api.GET('/api/v1/directories/{directory}/suggestions', { params: { path: { directory }, query } }),
  )
  printList(out, listed, suggestionList, 'No group looks like another one.')
  if (listed.items.length > 0 && !options.rejected)
    out.say(
      'Link one for review: muster reviews link GROUP --to EXISTING. Not the same: muster suggestions reject GROUP EXISTING',
    )
})

const pair = (name: string, description: string) =>
  new Command(name)
    .description(description)
    .argument('<group>', 'name or id of the pushed group')
    .argument('<existing>', 'name or id of the existing group')
    .option('-d, --directory <name>', 'the directory, where several push a group of that name')

const path = '/api/v1/reviews/{group}/not-the-same/{existing}'

const reject = pair('reject', 'remember that two groups are not the same').action(
  async (group: string, existing: string, options: OfDirectory, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.PUT(path, { params: { path: { group, existing }, query: inDirectory(options) } }))
    out.say(`${existing} is not suggested for ${group} again.`)
  },
)

const allow = pair('allow', 'forget that they are not the same').action(
  async (group: string, existing: string, options: OfDirectory, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.DELETE(path, { params: { path: { group, existing }, query: inDirectory(options) } }))
    out.say(`${existing} may be suggested for ${group} again.`)
  },
)

export const suggestions = new Command('suggestions')
  .description('pushed groups that may be existing ones of other names: {list|reject|allow}')
  .addCommand(list)
  .addCommand(reject)
  .addCommand(allow)
