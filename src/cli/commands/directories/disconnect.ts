import { Command } from 'commander'
import { answer } from '../../api.ts'
import { confirmedBy } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import type { DisconnectedDirectory, Disconnection, Listed } from '../../shapes.ts'
import { disconnectedList, disconnectionView } from '../../views/directories.ts'
import { print } from '../../views/output.ts'

export const disconnectDirectory = new Command('disconnect')
  .description('end a connection: groups, members and access stay as they are, and the provider changes them no more')
  .argument('<directory>')
  .option('-y, --yes', 'do not ask')
  .option('--dry-run', 'show what it comes to, change nothing')
  .action(async (directory: string, { yes, dryRun }: { yes?: true; dryRun?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const found = await answer<Disconnection>(
      api.GET('/api/v1/directories/{directory}/disconnection', { params: { path: { directory } } }),
    )
    if (dryRun) return print(out, found, disconnectionView)
    await confirmedBy({ typed: found.name, shown: disconnectionView(found), isYes: yes === true }, out)
    const done = await answer<Disconnection>(
      api.POST('/api/v1/directories/{directory}/disconnect', {
        params: { path: { directory: found.id } },
        body: { fingerprint: found.fingerprint },
      }),
    )
    print(out, done, () => '')
    out.say(
      `${done.name} is disconnected: its tokens open nothing. Its groups are let go of in the background: muster directories disconnected`,
    )
  })

export const disconnectedDirectories = addListOptions(
  new Command('disconnected').description('connections that were ended, and what is not let go of yet'),
).action(async (options: ListOptions, command: Command) => {
  const { api, out } = await contextOf(command)
  const listed = await answer<Listed<DisconnectedDirectory>>(
    api.GET('/api/v1/disconnected-directories', { params: { query: listQuery(options) } }),
  )
  printList(out, listed, disconnectedList, 'No directory was disconnected.')
})
