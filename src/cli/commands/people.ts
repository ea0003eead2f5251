import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { historyCommand } from '../history.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../lists.ts'
import { addPastOptions, type PastOptions } from '../past.ts'
import type { AccessChange, AccessOfPerson, Listed, Person } from '../shapes.ts'
import { accessChangeList, accessList, personList, personView } from '../views/organization.ts'
import { print } from '../views/output.ts'
import { deletedPeople, restorePerson } from './people/deleted.ts'

const list = addListOptions(new Command('list').description('the organization’s people')).action(
  async (options: ListOptions, command: Command) => {
    const { api, out } = await contextOf(command)
    printList(
      out,
      await answer<Listed<Person>>(api.GET('/api/v1/people', { params: { query: listQuery(options) } })),
      personList,
      'Nobody matches.',
    )
  },
)

const show = new Command('show')
  .description('a person')
  .argument('<person>', 'user name, e-mail or id')
  .action(async (person: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    print(out, await answer<Person>(api.GET('/api/v1/people/{person}', { params: { path: { person } } })), personView)
  })

const access = addListOptions(
  addPastOptions(
    new Command('access')
      .description('what a person may do, or could, and through which groups')
      .argument('<person>', 'user name, e-mail or id'),
  ),
  0, // Short, and half of what somebody may do is a wrong answer.
).action(async (person: string, { at, since, ...options }: ListOptions & PastOptions, command: Command) => {
  const { api, out } = await contextOf(command)
  const path = { person }
  if (since !== undefined) {
    const query = { ...listQuery(options), since }
    const found = api.GET('/api/v1/people/{person}/access/changes', { params: { path, query } })
    return printList(out, await answer<Listed<AccessChange>>(found), accessChangeList, 'No other access than then.')
  }
  const query = { ...listQuery(options), ...(at === undefined ? {} : { at }) }
  const found = api.GET('/api/v1/people/{person}/access', { params: { path, query } })
  printList(out, await answer<Listed<AccessOfPerson>>(found), accessList, 'No access.')
})

const history = historyCommand('a person', '<person>', (api, person, query) =>
  api.GET('/api/v1/people/{person}/history', { params: { path: { person }, query } }),
)

export const people = new Command('people')
  .description('the organization’s people: {list|show|access|history|deleted|restore}')
  .addCommand(list)
  .addCommand(show)
  .addCommand(access)
  .addCommand(history)
  .addCommand(deletedPeople)
  .addCommand(restorePerson)
