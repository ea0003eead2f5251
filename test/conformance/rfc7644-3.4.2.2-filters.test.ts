import fc from 'fast-check'
import { nameKey } from '../../src/organization/name-key.ts'
import type { Attribute } from '../../src/scim/attributes.ts'
import { type Filter, printFilter } from '../../src/scim/filter.ts'
import { matches } from '../../src/scim/match.ts'
import { anyFilterByGroups, anyGroupFilter } from '../scim/any-filter.ts'
import { expect, type Provider, test } from '../support/story.ts'
import { urn } from './samples.ts'

type Resource = Record<string, unknown> & { id: string }

// Names of users and groups are compared by name key, all else by lower case.
const fold = (text: string, { name }: Attribute) =>
  ['userName', 'displayName', 'display'].includes(name) ? nameKey(text) : text.toLowerCase()

async function found(client: Provider, path: string, filter: string): Promise<string[]> {
  const { status, body } = await client.request('POST', `${path}/.search`, { filter, attributes: ['id'] })
  expect(status, filter).toBe(200)
  expect(body.totalResults).toBe(body.Resources.length)
  return body.Resources.map((one: Resource) => one.id)
}

const everything = async (client: Provider, path: string, attributes: string): Promise<Resource[]> =>
  (await client.request('GET', `${path}?attributes=${attributes}`)).body.Resources

async function world(client: Provider) {
  await client.knows('ada', 'Bob', 'cyd', 'Straße')
  await client.request('PATCH', `/Users/${client.idOfPerson('cyd')}`, {
    schemas: [urn.patch],
    Operations: [{ op: 'add', path: 'emails', value: [{ type: 'home', value: 'ADA@example.org' }] }],
  })
  await client.pushes({ group: 'Sales', members: ['ada', 'Bob'] })
  await client.pushes({ group: 'sales east', members: ['ada', 'nobody'] })
  await client.pushes({ group: 'Empty' })
  await client.pushes({ group: 'All', members: ['ada', 'Bob', 'cyd', 'Straße'] })
  const users = await everything(client, '/Users', 'userName,emails,groups')
  const groups = await everything(
    client,
    '/Groups',
    `displayName,externalId,members.value,members.display,members.type,meta,${urn.sync}`,
  )
  const texts = [
    'ada',
    'a',
    'USER',
    'Group',
    'direct',
    'Sales',
    'SALES EAST',
    'all',
    'STRASSE',
    'ada@example.org',
    'synced',
    'work',
    urn.group,
  ]
  return { users, groups, text: fc.constantFrom(...texts, ...users.map((one) => one.id), ...groups.map((one) => one.id)) }
}

const idsOf = (resources: Resource[], filter: Filter) =>
  resources.filter((one) => matches(filter, one, fold)).map((one) => one.id)

test('any filter of groups, members and all, finds over HTTP what it finds in memory', async ({ client }) => {
  const { groups, text } = await world(client)
  await fc.assert(
    fc.asyncProperty(anyGroupFilter(text), async (filter) => {
      expect(await found(client, '/Groups', printFilter(filter)), printFilter(filter)).toEqual(idsOf(groups, filter))
    }),
    { numRuns: 150 },
  )
})

test('any filter of users by their groups and addresses finds over HTTP what it finds in memory', async ({ client }) => {
  const { users, text } = await world(client)
  await fc.assert(
    fc.asyncProperty(anyFilterByGroups(text), async (filter) => {
      expect(await found(client, '/Users', printFilter(filter)), printFilter(filter)).toEqual(idsOf(users, filter))
    }),
    { numRuns: 150 },
  )
})

test('an address is found as long as somebody has it: after a change, and not after it was taken away', async ({ client }) => {
  await client.knows('ada', 'bob')
  const [ada, bob] = [client.idOfPerson('ada'), client.idOfPerson('bob')]
  const patch = (id: string, ...Operations: unknown[]) =>
    client.request('PATCH', `/Users/${id}`, { schemas: [urn.patch], Operations })
  await patch(ada, { op: 'add', path: 'emails', value: [{ type: 'home', value: 'Shared@example.com' }] })
  await patch(bob, { op: 'replace', path: 'emails', value: [{ type: 'work', value: 'shared@EXAMPLE.com' }] })
  for (const filter of ['emails eq "SHARED@example.com"', 'emails.value eq "shared@example.com"'])
    expect(await found(client, '/Users', filter)).toEqual([ada, bob])
  expect(await found(client, '/Users', 'emails[type eq "work" and value eq "shared@example.com"]')).toEqual([bob])
  expect(await found(client, '/Users', 'emails.value eq "bob@example.org"')).toEqual([])
  expect(await found(client, '/Users', 'not (emails.value eq "shared@example.com")')).toEqual([])
  await patch(ada, { op: 'remove', path: 'emails[type eq "home"]' })
  expect(await found(client, '/Users', 'emails.value eq "shared@example.com" or userName eq "ada"')).toEqual([ada, bob])
  expect(await found(client, '/Users', 'emails.value eq "shared@example.com"')).toEqual([bob])
  await client.deletesPerson('bob')
  expect(await found(client, '/Users', 'emails.value eq "shared@example.com"')).toEqual([])
})
