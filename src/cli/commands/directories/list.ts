import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import type { Directory, Listed } from '../../shapes.ts'
import { directoryList } from '../../views/directories.ts'

export const listDirectories = addListOptions(new Command('list').description('the directories')).action(
  async (options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    const listed = await answer<Listed<Directory>>(api.GET('/api/v1/directories', { params: { query: listQuery(options) } }))
    printList(out, listed, directoryList, 'There is no directory yet. Make one: muster directories create okta --provider okta')
  },
)
