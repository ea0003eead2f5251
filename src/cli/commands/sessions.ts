import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../lists.ts'
import type { Listed, Session } from '../shapes.ts'
import { sessionList } from '../views/admins.ts'

const list = addListOptions(new Command('list').description('the browsers in which one is signed in'))
  .option('--everybody', 'everybody’s; for owners')
  .action(async ({ everybody, ...options }: ListOptions & { everybody?: true }, command: Command) => {
    const { api, out } = await contextOf(command)
    const query = { ...listQuery(options), ...(everybody ? { everybody } : {}) }
    printList(out, await answer<Listed<Session>>(api.GET('/api/v1/sessions', { params: { query } })), sessionList)
  })

const end = new Command('end')
  .description('sign a browser out')
  .argument('<session>', 'its id, as listed')
  .action(async (session: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.DELETE('/api/v1/sessions/{session}', { params: { path: { session } } }))
    out.say('Ended.')
  })

export const sessions = new Command('sessions')
  .description('who is signed in to the console, where: {list|end}')
  .addCommand(list, { isDefault: true })
  .addCommand(end)
