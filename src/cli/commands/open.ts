import { spawn } from 'node:child_process'
import { Command } from 'commander'
import { contextOf } from '../context.ts'
import { print } from '../views/output.ts'

const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open'

export const open = new Command('open')
  .description('open the console in the browser, on a page of it: muster open runs')
  .argument('[page]', 'directories, runs, groups, people, access, audit, settings …')
  .action(async (page: string | undefined, _options: object, command: Command) => {
    const { api, out, connection } = await contextOf(command)
    const { data } = await api.GET('/api/v1/session')
    const org = data?.organization.slug
    const url = org === undefined ? connection.server : `${connection.server}/o/${org}${page === undefined ? '' : `/${page}`}`
    print(out, { url }, () => url)
    if (!out.forPeople) return
    // Without a desktop there is nothing to open it with: the address was printed.
    spawn(opener, [url], { stdio: 'ignore', detached: true })
      .on('error', () => {})
      .unref()
  })
