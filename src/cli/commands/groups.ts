import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { historyCommand } from '../history.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../lists.ts'
import { addPastOptions, type PastOptions } from '../past.ts'
import type { Group, Listed, Person, PersonChange } from '../shapes.ts'
import { groupList, groupView, personChangeList, personList } from '../views/organization.ts'
import { print } from '../views/output.ts'
import { deleteGroup } from './groups/delete.ts'
import { deletedGroups } from './groups/deleted.ts'
import { restoreGroup } from './groups/restore.ts'

const list = addListOptions(new Command('list').description('the groups in force')).action(
  async (options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    printList(
      out,
      await answer<Listed<Group>>(api.GET('/api/v1/groups', { params: { query: listQuery(options) } })),
      groupList,
      'No group matches.',
    )
  },
)

const show = new Command('show')
  .description('a group')
  .argument('<group>', 'name or id')
  .action(async (group: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(out, await answer<Group>(api.GET('/api/v1/groups/{group}', { params: { path: { group } } })), groupView)
  })

const members = addListOptions(
  addPastOptions(new Command('members').description('who is, or was, in a group').argument('<group>', 'name or id')),
).action(async (group: string, { at, since, ...options }: ListOptions & PastOptions, command: Command) => {
  const { api, out } = await contextOf(command)
  const path = { group }
  if (since !== undefined) {
    const query = { ...listQuery(options), since }
    const found = api.GET('/api/v1/groups/{group}/members/changes', { params: { path, query } })
    return printList(out, await answer<Listed<PersonChange>>(found), personChangeList, 'Nobody has come or gone.')
  }
  const query = { ...listQuery(options), ...(at === undefined ? {} : { at }) }
  const found = api.GET('/api/v1/groups/{group}/members', { params: { path, query } })
  printList(out, await answer<Listed<Person>>(found), personList, 'Nobody.')
})

const history = historyCommand('a group', '<group>', (api, group, query) =>
  api.GET('/api/v1/groups/{group}/history', { params: { path: { group }, query } }),
)

export const groups = new Command('groups')
  .description('the organization’s groups: {list|show|members|history|delete|deleted|restore}')
  .addCommand(list)
  .addCommand(show)
  .addCommand(members)
  .addCommand(history)
  .addCommand(deleteGroup)
  .addCommand(deletedGroups)
  .addCommand(restoreGroup)
