import fc from 'fast-check'
import { sealCursor } from '../../src/http/scim/cursors.ts'
import { readQuery } from '../../src/http/scim/query.ts'
import { cursorKeyOf } from '../../src/provisioning/directories.ts'
import { cursorTimeout } from '../../src/scim/paging.ts'
import { rfcs } from '../../src/scim/quirks.ts'
import { userType } from '../../src/scim/schemas.ts'
import { expect, type Provider, test } from '../support/story.ts'
import { urn } from './samples.ts'

type Resource = { id: string; userName?: string; displayName?: string }
type Asked = Record<string, string | number>

const search = (asked: Asked) => `?${new URLSearchParams(Object.entries(asked).map(([key, value]) => [key, String(value)]))}`
const namesOf = (list: Resource[]) => list.map((one) => one.userName ?? one.displayName)

/** Follows nextCursor to the end; `between` is done after each page. */
async function walk(client: Provider, path: string, asked: Asked, between: () => Promise<unknown> = async () => {}) {
  const pages: Resource[][] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; await between()) {
    const { status, body } = await client.request('GET', `${path}${search({ ...asked, cursor })}`)
    expect(status).toBe(200)
    pages.push(body.Resources)
    cursor = body.nextCursor
  }
  return pages
}

test('§2: an empty cursor asks for the first page, nextCursor for each further one; the last page has none', async ({
  client,
}) => {
  await client.knows('ada', 'bob', 'cyd', 'dan', 'eve')
  const first = (await client.request('GET', '/Users?filter=userName%20pr&cursor&count=2')).body
  expect(first).toEqual({
    schemas: [urn.list],
    totalResults: 5,
    itemsPerPage: 2,
    nextCursor: expect.stringMatching(/^[A-Za-z0-9\-._~]+$/),
    Resources: [expect.objectContaining({ userName: 'ada' }), expect.objectContaining({ userName: 'bob' })],
  })
  // The RFC's own example writes the filter in another case the second time.
  const { body } = await client.request('GET', `/Users?filter=USERNAME%20pr&cursor=${first.nextCursor}&count=2`)
  expect(namesOf(body.Resources)).toEqual(['cyd', 'dan'])
  expect(body).toMatchObject({ totalResults: 5, previousCursor: expect.any(String) })
  const { body: last } = await client.request('GET', `/Users?filter=userName%20pr&cursor=${body.nextCursor}&count=2`)
  expect(namesOf(last.Resources)).toEqual(['eve'])
  expect(last).not.toHaveProperty('nextCursor')
  expect(last).not.toHaveProperty('startIndex')
})

test('§2: previousCursor leads back, to a first page that has none', async ({ client }) => {
  await client.knows('ada', 'bob', 'cyd', 'dan', 'eve')
  for (const sort of [{}, { sortBy: 'userName' }, { sortBy: 'title', sortOrder: 'descending' }]) {
    const asked = { ...sort, count: 2 }
    const forward = await walk(client, '/Users', asked)
    let { body } = await client.request('GET', `/Users${search({ ...asked, cursor: '' })}`)
    while (body.nextCursor) body = (await client.request('GET', `/Users${search({ ...asked, cursor: body.nextCursor })}`)).body
    const backward: Resource[][] = [body.Resources]
    while (body.previousCursor) {
      body = (await client.request('GET', `/Users${search({ ...asked, cursor: body.previousCursor })}`)).body
      expect(body).toHaveProperty('nextCursor')
      backward.unshift(body.Resources)
    }
    expect(backward).toEqual(forward)
  }
})

test('§2: a page that was gone back to and is empty by now is the first page', async ({ client }) => {
  await client.knows('ada', 'bob', 'cyd')
  const { body: first } = await client.request('GET', '/Users?cursor&count=2')
  const { body: second } = await client.request('GET', `/Users?cursor=${first.nextCursor}&count=2`)
  await client.deletesPerson('ada')
  await client.deletesPerson('bob')
  const { body: back } = await client.request('GET', `/Users?cursor=${second.previousCursor}&count=2`)
  expect(namesOf(back.Resources)).toEqual(['cyd'])
  expect(back).not.toHaveProperty('previousCursor')
})

test('§2: a count of 0, or below, asks for the total alone; a larger one than the maximum is cut', async ({ client }) => {
  await client.knows('ada', 'bob')
  for (const count of [0, -1]) {
    const { body } = await client.request('GET', `/Users?cursor&count=${count}`)
    expect(body).toMatchObject({ totalResults: 2, itemsPerPage: 0, Resources: [] })
    expect(body).not.toHaveProperty('nextCursor')
  }
  expect((await client.request('GET', '/Users?cursor=&count=5000')).body.Resources).toHaveLength(2)
  expect((await client.request('GET', '/Users?cursor=')).body.Resources).toHaveLength(2)
})

test('§2.1: what is no cursor of this query is invalidCursor, whatever is wrong with it', async ({ client, okta }) => {
  await client.knows('ada', 'bob', 'cyd')
  await okta.knows('ada', 'bob', 'cyd')
  const asked = { count: 2, sortBy: 'userName' }
  const cursorAt = async (path: string, query: Asked) =>
    (await client.request('GET', `${path}${search({ ...query, cursor: '' })}`)).body.nextCursor
  const cursor: string = await cursorAt('/Users', asked)
  const foreign = (await okta.request('GET', `/Users${search({ ...asked, cursor: '' })}`)).body.nextCursor
  const forged = cursor.slice(0, -2) + (cursor.endsWith('AA') ? 'BB' : 'AA')
  const wrong: [string, Asked][] = [
    ['/Users', { ...asked, cursor: forged }],
    ['/Users', { ...asked, cursor: foreign }],
    ...['garbage', 'A', 'x.y~z', '%00', `${cursor}${cursor}`].map((text): [string, Asked] => [
      '/Users',
      { ...asked, cursor: text },
    ]),
    ['/Users', { ...asked, cursor, sortBy: 'displayName' }],
    ['/Users', { ...asked, cursor, sortOrder: 'descending' }],
    ['/Users', { ...asked, cursor, filter: 'userName ne "bob"' }],
    ['/Users', { ...asked, cursor, attributes: 'displayName' }],
    ['/Groups', { count: 2, cursor: await cursorAt('/Users', { count: 2 }) }],
    ['/', { count: 2, cursor: await cursorAt('/Users', { count: 2 }) }],
    ['/Users', { count: 2, cursor: await cursorAt('/', { count: 2 }) }],
  ]
  const answers = await Promise.all(wrong.map(([path, query]) => client.request('GET', `${path}${search(query)}`)))
  for (const answer of answers) expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidCursor' } })
  expect(new Set(answers.map(({ body }) => body.detail)).size).toBe(1)
  expect(await client.request('GET', '/Users?cursor=a&cursor=b')).toMatchObject({ body: { scimType: 'invalidCursor' } })
  expect(await client.request('POST', '/Users/.search', { cursor: 7 })).toMatchObject({ body: { scimType: 'invalidCursor' } })
  expect((await client.request('GET', `/Users${search({ ...asked, cursor })}`)).status).toBe(200)
})

test('§2.1: another count than the first is invalidCount, and so is what is no number', async ({ client }) => {
  await client.knows('ada', 'bob', 'cyd')
  const { body } = await client.request('GET', '/Users?cursor&count=2')
  for (const rest of [`cursor=${body.nextCursor}&count=3`, `cursor=${body.nextCursor}`, 'cursor&count=many'])
    expect(await client.request('GET', `/Users?${rest}`)).toMatchObject({ status: 400, body: { scimType: 'invalidCount' } })
})

test('§2.1: a cursor past its time is expiredCursor', async ({ client, inOrg }) => {
  await client.knows('ada', 'bob', 'cyd')
  const id = client.idOfPerson('ada')
  const { about } = readQuery(userType, { count: 1 }, rfcs)
  const key = await inOrg((trx) => cursorKeyOf(trx, client.directory.id as Parameters<typeof cursorKeyOf>[1]))
  const madeAt = (secondsAgo: number) =>
    sealCursor(key, about, { isBackward: false, key: null, id, count: 1, at: Date.now() / 1000 - secondsAgo })
  const old = await client.request('GET', `/Users?count=1&cursor=${madeAt(cursorTimeout + 60)}`)
  expect(old).toMatchObject({ status: 400, body: { scimType: 'expiredCursor' } })
  const younger = await client.request('GET', `/Users?count=1&cursor=${madeAt(cursorTimeout - 60)}`)
  expect(namesOf(younger.body.Resources)).toEqual(['bob'])
})

test('§2.4: both ways of paging are there, by index where neither is asked for, and never both at once', async ({ client }) => {
  await client.knows('ada', 'bob')
  const { body } = await client.request('GET', '/Users?count=1')
  expect(body).toMatchObject({ startIndex: 1, totalResults: 2 })
  expect(body).not.toHaveProperty('nextCursor')
  expect(await client.request('GET', '/Users?cursor&startIndex=1')).toMatchObject({
    status: 400,
    body: { scimType: 'invalidValue' },
  })
  const withNull = await client.request('POST', '/Users/.search', { cursor: null, startIndex: 2, count: 1 })
  expect(withNull.body).toMatchObject({ startIndex: 2, Resources: [{ userName: 'bob' }] })
})

test('§3: a .search pages by cursor too, of users, of groups, and of both', async ({ client }) => {
  await client.knows('ada', 'bob', 'cyd')
  for (const group of ['Sales', 'Support']) await client.pushes({ group, members: ['ada'] })
  const all = { '/Users': ['ada', 'bob', 'cyd'], '/Groups': ['Sales', 'Support'], '': ['ada', 'bob', 'cyd', 'Sales', 'Support'] }
  for (const [path, expected] of Object.entries(all)) {
    for (const count of [1, 2, 3, 100]) {
      const found: Resource[] = []
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const { body } = await client.request('POST', `${path}/.search`, { cursor, count, excludedAttributes: ['members'] })
        expect(body.totalResults).toBe(expected.length)
        found.push(...body.Resources)
        cursor = body.nextCursor
      }
      expect(namesOf(found)).toEqual(expected)
    }
  }
})

test('§4: ServiceProviderConfig tells of both ways, with true limits', async ({ client }) => {
  expect((await client.request('GET', '/ServiceProviderConfig')).body.pagination).toEqual({
    cursor: true,
    index: true,
    defaultPaginationMethod: 'index',
    defaultPageSize: 100,
    maxPageSize: 1_000,
    cursorTimeout,
  })
})

test('pages by cursor are those by index, whatever is sorted by, both ways, what has nothing to sort by included', async ({
  client,
}) => {
  const people = ['f', 'b', 'd', 'a', 'e', 'c', 'g'].map((userName, at) => ({
    userName,
    ...(at % 3 === 0 ? {} : { title: at % 2 === 0 ? 'Dr' : 'dr', emails: [{ value: `${at % 2}@example.org` }] }),
    ...(at % 2 === 0 ? {} : { active: at < 4, externalId: `x${9 - at}` }),
  }))
  for (const person of people) await client.request('POST', '/Users', { schemas: [urn.user], ...person })
  for (const sortBy of ['userName', 'title', 'emails.value', 'active', 'externalId', 'meta.created', 'id', 'groups.display']) {
    for (const sortOrder of ['ascending', 'descending']) {
      const { body } = await client.request('GET', `/Users${search({ sortBy, sortOrder })}`)
      for (const count of [1, 2, 3])
        expect((await walk(client, '/Users', { sortBy, sortOrder, count })).flat()).toEqual(body.Resources)
    }
  }
})

test('who is there all along is on one page once, whatever is written between the pages', async ({ client }) => {
  const stay = ['b', 'd', 'f', 'h', 'j', 'l']
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom({}, { sortBy: 'userName' }, { sortBy: 'userName', sortOrder: 'descending' }),
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(fc.constantFrom('a', 'c', 'e', 'g', 'i', 'k', 'm')),
      async (sort, count, others) => {
        const made = await Promise.all(stay.map((userName) => client.request('POST', '/Users', { userName })))
        const extra = new Map<string, string>()
        const toggle = async () => {
          const userName = others.next().value as string
          const id = extra.get(userName)
          if (id === undefined) extra.set(userName, (await client.request('POST', '/Users', { userName })).body.id)
          else await client.request('DELETE', `/Users/${id}`)
          if (id !== undefined) extra.delete(userName)
        }
        for (let n = 0; n < 4; n++) await toggle()
        const found = (
          await walk(client, '/Users', { ...sort, count }, async () => {
            await toggle()
            await toggle()
          })
        ).flat()
        expect(new Set(found.map((one) => one.id)).size).toBe(found.length)
        expect(
          found
            .map((one) => one.userName)
            .filter((name) => stay.includes(name ?? ''))
            .sort(),
        ).toEqual(stay)
        for (const id of [...made.map(({ body }) => body.id), ...extra.values()]) await client.request('DELETE', `/Users/${id}`)
      },
    ),
    { numRuns: 8 },
  )
})

test('groups that are offered are among the pages, and stay at their place when they are adopted meanwhile', async ({
  client,
  acme,
}) => {
  for (const group of ['Engineering', 'Legal', 'Office']) await acme.has({ group, members: [] })
  for (const group of ['Sales', 'Support']) await client.pushes({ group })
  const all = (await walk(client, '/Groups', { count: 10 })).flat()
  expect(namesOf(all).sort()).toEqual(['Engineering', 'Legal', 'Office', 'Sales', 'Support'])
  let at = 0
  const pages = await walk(client, '/Groups', { count: 1 }, async () => {
    const { id } = all[at++] ?? {}
    if (id !== undefined)
      await client.request('PATCH', `/Groups/${id}`, {
        schemas: [urn.patch],
        Operations: [{ op: 'add', path: 'externalId', value: `x${at}` }],
      })
  })
  expect(pages.flat().map((one) => one.id)).toEqual(all.map((one) => one.id))
  for (const sortOrder of ['ascending', 'descending'])
    expect(namesOf((await walk(client, '/Groups', { count: 2, sortBy: 'displayName', sortOrder })).flat())).toEqual(
      namesOf(all).sort((a, b) => (sortOrder === 'ascending' ? 1 : -1) * String(a).localeCompare(String(b))),
    )
})
