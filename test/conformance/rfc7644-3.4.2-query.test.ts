import { expect, type Provider, test } from '../support/story.ts'
import { sample, urn } from './samples.ts'

const people = [
  {
    userName: 'bjensen',
    title: 'Tour Guide',
    userType: 'Employee',
    name: { familyName: "O'Malley" },
    emails: [{ type: 'work', value: 'bjensen@example.com' }],
  },
  {
    userName: 'jsmith',
    title: 'Intern',
    userType: 'Intern',
    name: { familyName: 'Smith' },
    emails: [{ type: 'work', value: 'j@example.org' }],
    ims: [{ type: 'xmpp', value: 'j@foo.com' }],
  },
  { userName: 'Mandy', userType: 'Employee', emails: [{ type: 'home', value: 'm@example.com' }] },
]

async function queried(client: Provider) {
  for (const person of people) await client.request('POST', '/Users', { schemas: [urn.user], ...person })
  return async (query: string | object) => {
    const { status, body } =
      typeof query === 'string'
        ? await client.request('GET', `/Users?${query}`)
        : await client.request('POST', '/Users/.search', query)
    return status === 200 ? body : { status, scimType: body.scimType }
  }
}
const names = ({ Resources }: { Resources?: { userName: string }[] }) => (Resources ?? []).map((one) => one.userName)

test('a list says how many there are, where it begins and how many it has; nothing found is 200 and empty', async ({
  client,
}) => {
  const query = await queried(client)
  const example = sample('rfc7644-3.4.2-list_response-partial_attributes')
  const answer = await query('attributes=userName&sortBy=userName&count=2')
  expect(answer).toMatchObject({ schemas: example.schemas, totalResults: 3, startIndex: 1, itemsPerPage: 2 })
  expect(Object.keys(answer.Resources[0]).sort()).toEqual([...Object.keys(example.Resources[0]), 'schemas'].sort())
  expect(await query({ filter: 'userName eq "nobody"' })).toEqual({
    schemas: [urn.list],
    totalResults: 0,
    startIndex: 1,
    itemsPerPage: 0,
    Resources: [],
  })
})

test('§3.4.2.2: the example filters, every operator, precedence, and what is false for who has no value', async ({ client }) => {
  const query = await queried(client)
  const found = async (filter: string) => names(await query({ filter })).sort()
  const expected: Record<string, string[]> = {
    'userName Eq "bjensen"': ['bjensen'],
    'name.familyName co "O\'Malley"': ['bjensen'],
    'userName sw "J"': ['jsmith'],
    'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"': ['jsmith'],
    'title pr': ['bjensen', 'jsmith'],
    'not (title pr)': ['Mandy'],
    'meta.lastModified gt "2011-05-13T04:42:34Z"': ['Mandy', 'bjensen', 'jsmith'],
    'meta.lastModified lt "2011-05-13T04:42:34Z"': [],
    'title pr and userType eq "Employee"': ['bjensen'],
    'title pr or userType eq "Intern"': ['bjensen', 'jsmith'],
    'schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"': ['Mandy', 'bjensen', 'jsmith'],
    'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")': ['Mandy', 'bjensen'],
    'userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")': [],
    'userType eq "Employee" and (emails.type eq "work")': ['bjensen'],
    'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]': ['bjensen'],
    'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]': ['bjensen', 'jsmith'],
    'userName ew "SMITH"': ['jsmith'],
    'userName ne "jsmith"': ['Mandy', 'bjensen'],
    'userName gt "c"': ['Mandy', 'jsmith'],
    'userName ge "jsmith" and userName le "mandy"': ['Mandy', 'jsmith'],
    'userName lt "c"': ['bjensen'],
    'userName eq "x" and userName pr or userName eq "mandy"': ['Mandy'],
    'userName eq "mandy" or userName eq "x" and userName pr': ['Mandy'],
    'active eq true and title ne "intern"': ['Mandy', 'bjensen'],
    'emails[not (type eq "work")]': ['Mandy'],
    'id eq "x"': [],
  }
  for (const [filter, who] of Object.entries(expected)) expect(await found(filter), filter).toEqual(who)
  for (const wrong of [
    'userName',
    'userName eq',
    'userName xx "a"',
    'eq "a"',
    '(userName pr',
    'userName pr)',
    'userName pr and',
    'nope pr',
    'active gt true',
    'userName eq 5',
    'meta.created co "x"',
    'not userName pr',
  ])
    expect(await query({ filter: wrong }), wrong).toEqual({ status: 400, scimType: 'invalidFilter' })
})

test('§3.4.2.3: sorted both ways, without regard to case, who has no value last; by what there is not it is a 400', async ({
  client,
}) => {
  const query = await queried(client)
  expect(names(await query('sortBy=userName'))).toEqual(['bjensen', 'jsmith', 'Mandy'])
  expect(names(await query('sortBy=userName&sortOrder=descending'))).toEqual(['Mandy', 'jsmith', 'bjensen'])
  expect(names(await query('sortBy=title&sortOrder=ascending'))).toEqual(['jsmith', 'bjensen', 'Mandy'])
  expect(names(await query('sortBy=name.familyName'))).toEqual(['bjensen', 'jsmith', 'Mandy'])
  expect(names(await query('sortBy=emails.value'))).toEqual(['bjensen', 'jsmith', 'Mandy'])
  expect(await query('sortBy=nope')).toEqual({ status: 400, scimType: 'invalidPath' })
})

test('§3.4.2.4: pages add up to the whole; startIndex below 1 is 1, a negative count 0', async ({ client }) => {
  const query = await queried(client)
  const pages = await Promise.all([1, 2, 3].map((at) => query(`sortBy=userName&startIndex=${at}&count=1`)))
  expect(pages.flatMap(names)).toEqual(['bjensen', 'jsmith', 'Mandy'])
  expect(await query('startIndex=-5&count=1')).toMatchObject({ startIndex: 1, itemsPerPage: 1, totalResults: 3 })
  expect(await query('count=0')).toMatchObject({ itemsPerPage: 0, totalResults: 3, Resources: [] })
  expect(await query('count=-1')).toMatchObject({ itemsPerPage: 0, totalResults: 3, Resources: [] })
  expect(await query('startIndex=99')).toMatchObject({ startIndex: 99, itemsPerPage: 0, totalResults: 3, Resources: [] })
  expect(await query('startIndex=x')).toEqual({ status: 400, scimType: 'invalidValue' })
})

test('§3.4.2.1: the root asks for users and groups at once', async ({ client }) => {
  await queried(client)
  await client.pushes({ group: 'Smiths' })
  const found = async (filter: string) => {
    const { body } = await client.request('GET', `/?filter=${encodeURIComponent(filter)}`)
    return body.Resources.map((one: { meta: { resourceType: string } }) => one.meta.resourceType).sort()
  }
  expect(await found('meta.resourceType eq "Group"')).toEqual(['Group'])
  expect(await found('userName eq "jsmith" or displayName sw "smith"')).toEqual(['Group', 'User'])
})

test('what the server does not know in a query is ignored', async ({ client }) => {
  const query = await queried(client)
  expect((await query('nope=1&aadOptscim062020&attributes=nope')).totalResults).toBe(3)
})
