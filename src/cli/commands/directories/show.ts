import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import type { DirectoryDetail } from '../../shapes.ts'
import { directoryView } from '../../views/directories.ts'
import { print } from '../../views/output.ts'

export const showDirectory = new Command('show')
  .description('a directory: its settings, what it pushed, and whether all of it is in force')
  .argument('<directory>')
  .action(async (directory: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(
      out,
      await answer<DirectoryDetail>(api.GET('/api/v1/directories/{directory}', { params: { path: { directory } } })),
      directoryView,
    )
  })
