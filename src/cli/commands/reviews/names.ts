import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { chosenDirectory } from '../../directory.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import { inDirectory } from '../../selection.ts'
import type { Listed, SettledName, WaitingName } from '../../shapes.ts'
import { settledName, waitingNames } from '../../views/names.ts'
import { print } from '../../views/output.ts'

type OfDirectory = { directory?: string }

export const namesThatWait = addListOptions(
  new Command('names')
    .description('new names of synced groups that other groups have')
    .option('-d, --directory <name>', 'the directory; not needed where there is only one'),
).action(async (options: ListOptions & OfDirectory, command: Command) => {
  const { api, out } = await contextOf(command)
  const directory = await chosenDirectory(api, options.directory)
  const listed = await answer<Listed<WaitingName>>(
    api.GET('/api/v1/directories/{directory}/names', { params: { path: { directory }, query: listQuery(options) } }),
  )
  printList(out, listed, waitingNames, 'No name waits.')
})

export const renameExisting = new Command('rename-existing')
  .description('give the group that has a synced group’s new name another one, so that the new name is taken')
  .argument('<group>', 'name or id of the pushed group')
  .option('--new-name <name>', 'the other group’s new name; a free one like its own if not said')
  .option('-d, --directory <name>', 'the directory, where several push a group of that name')
  .action(async (group: string, options: OfDirectory & { newName?: string }, command: Command) => {
    const { newName } = options
    await settle(group, options, { choice: 'rename_existing', ...(newName === undefined ? {} : { newName }) }, command)
  })

export const keepName = new Command('keep-name')
  .description('have a synced group keep its name, until the provider gives it another one')
  .argument('<group>', 'name or id of the pushed group')
  .option('-d, --directory <name>', 'the directory, where several push a group of that name')
  .action((group: string, options: OfDirectory, command: Command) => settle(group, options, { choice: 'keep' }, command))

async function settle(
  group: string,
  options: OfDirectory,
  body: { choice: 'keep' } | { choice: 'rename_existing'; newName?: string },
  command: Command,
): Promise<void> {
  const { api, out } = await contextOf(command)
  const params = { path: { group }, query: inDirectory(options) }
  print(out, await answer<SettledName>(api.PUT('/api/v1/reviews/{group}/name', { params, body })), settledName)
}
