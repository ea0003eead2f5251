import { Command } from 'commander'
import { type Api, answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { Failure } from '../failure.ts'
import { accessesNamed, addListOptions, type ListOptions, listQuery, type NamedAccess, printList } from '../lists.ts'
import { addPastOptions, type PastOptions } from '../past.ts'
import type { Holder, HolderChange, Listed, Why } from '../shapes.ts'
import { holderChangeList, holderList } from '../views/organization.ts'
import { print } from '../views/output.ts'
import { whyView } from '../views/why.ts'

const why = new Command('why')
  .description('why a person has an access, or why not')
  .argument('<person>', 'user name, e-mail or id')
  .argument('<access>', 'SITE/PRODUCT/ROLE')
  .action(async (person: string, access: string, _options: object, command: Command) => {
    const readings = accessesNamed(access)
    const { api, out } = await contextOf(command)
    print(out, await whyOf(api, person, readings), whyView)
  })

// Names may hold slashes: the first reading that there is, or what is said of the likeliest.
async function whyOf(api: Api, person: string, [reading, next, ...others]: [NamedAccess, ...NamedAccess[]]): Promise<Why> {
  try {
    return await answer<Why>(api.GET('/api/v1/people/{person}/access/why', { params: { path: { person }, query: reading } }))
  } catch (error) {
    if (!(error instanceof Failure) || next === undefined || !isNoSuchRole(error)) throw error
    return whyOf(api, person, [next, ...others]).catch((other) => {
      throw other instanceof Failure && isNoSuchRole(other) ? error : other
    })
  }
}

const isNoSuchRole = ({ problem, message }: Failure) =>
  (problem as { status?: number } | undefined)?.status === 404 && /role/.test(message)

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
