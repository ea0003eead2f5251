import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { accessesNamed, addListOptions, again, type ListOptions, listQuery, printList } from '../lists.ts'
import { addPastOptions, type PastOptions } from '../past.ts'
import type { Holder, HolderChange, Listed } from '../shapes.ts'
import { holderChangeList, holderList } from '../views/organization.ts'
import { print } from '../views/output.ts'
import { whyView } from '../views/why.ts'
import { whyOf } from '../why.ts'

const why = new Command('why')
  .description('why a person has an access, or why not')
  .argument('<person>', 'user name, e-mail or id')
  .argument('<access>', 'SITE/PRODUCT/ROLE')
  .option('--sync <group>', 'say what would be so if this pushed group were synced, or several; all if not said', again)
  .action(async (person: string, access: string, { sync }: { sync?: string[] }, command: Command) => {
    const readings = accessesNamed(access)
    const { api, out } = await contextOf(command)
    print(out, await whyOf(api, person, readings, sync), whyView)
  })

const people = addListOptions(
  addPastOptions(
    new Command('people')
      .description('who has a role, or had it, and through which groups')
      .argument('<access>', 'SITE/PRODUCT/ROLE'),
  ),
).action(async (role: string, { at, since, ...options }: ListOptions & PastOptions, command: Command) => {
  const { api, out } = await contextOf(command)
  const path = { role }
  if (since !== undefined) {
    const query = { ...listQuery(options), since }
    const found = api.GET('/api/v1/roles/{role}/people/changes', { params: { path, query } })
    return printList(out, await answer<Listed<HolderChange>>(found), holderChangeList, 'Nobody has gained or lost it.')
  }
  const query = { ...listQuery(options), ...(at === undefined ? {} : { at }) }
  const found = api.GET('/api/v1/roles/{role}/people', { params: { path, query } })
  printList(out, await answer<Listed<Holder>>(found), holderList, 'Nobody.')
})

export const access = new Command('access').description('who may do what: {people|why}').addCommand(people).addCommand(why)
