import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { exit, Failure } from '../../failure.ts'
import type { Directory } from '../../shapes.ts'
import { settingsView } from '../../views/directories.ts'
import { print } from '../../views/output.ts'
import { addSettingOptions, type SettingOptions, settingsOf } from './settings.ts'

export const setDirectory = addSettingOptions(
  new Command('set').description('change a directory’s settings').argument('<directory>').option('--name <name>', 'a new name'),
).action(async (directory: string, options: SettingOptions & { name?: string }, command: Command) => {
  const body = { ...settingsOf(options), ...(options.name === undefined ? {} : { name: options.name }) }
  if (Object.keys(body).length === 0)
    throw new Failure(exit.usage, 'Nothing is to be changed.', 'Say what: muster directories set --help')
  const { api, out } = await contextOf(command)
  print(
    out,
    await answer<Directory>(api.PATCH('/api/v1/directories/{directory}', { params: { path: { directory } }, body })),
    settingsView,
  )
})
