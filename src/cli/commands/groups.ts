import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../lists.ts'
import type { Group, Listed, Person } from '../shapes.ts'
import { groupList, groupView, personList } from '../views/organization.ts'
import { print } from '../views/output.ts'

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

const members = addListOptions(new Command('members').description('who is in a group').argument('<group>', 'name or id')).action(
  async (group: string, options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    const listed = await answer<Listed<Person>>(
      api.GET('/api/v1/groups/{group}/members', { params: { path: { group }, query: listQuery(options) } }),
    )
    printList(out, listed, personList, 'Nobody.')
  },
)

export const groups = new Command('groups')
  .description('the organization’s groups: {list|show|members}')
  .addCommand(list)
  .addCommand(show)
  .addCommand(members)
