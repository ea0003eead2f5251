import { expect, type Provider, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

const { id: _id, meta: _meta, groups: _groups, password: _password, ...babs } = sample('rfc7643-8.3-enterprise_user')
const always = { schemas: babs.schemas, id: expect.any(String) }

async function asked(client: Provider) {
  const { body } = await client.request('POST', '/Users', babs)
  return async (query: string) => (await client.request('GET', `/Users/${body.id}?${query}`)).body
}

test('the example: what is asked for, and what is always returned', async ({ client }) => {
  const get = await asked(client)
  const example = sample('rfc7644-3.9-user-partial_response')
  expect(Object.keys(await get('attributes=userName')).sort()).toEqual(Object.keys(example).sort())
  expect(await get('attributes=userName')).toEqual({ ...always, userName: babs.userName })
})

test('attributes: parts, parts of several values, extensions whole and in part, by URN and in any case', async ({ client }) => {
  const get = await asked(client)
  expect(await get('attributes=name.familyName,emails.value')).toEqual({
    ...always,
    name: { familyName: 'Jensen' },
    emails: babs.emails.map(({ value }: { value: string }) => ({ value })),
  })
  expect(await get(`attributes=${urn.enterprise}:manager.value`)).toEqual({
    ...always,
    [urn.enterprise]: { manager: { value: babs[urn.enterprise].manager.value } },
  })
  expect((await get(`attributes=${urn.enterprise}`))[urn.enterprise]).toMatchObject({ division: 'Theme Park' })
  expect(await get(`attributes=${urn.user.toUpperCase()}:USERNAME,nope`)).toEqual({ ...always, userName: babs.userName })
})

test('excludedAttributes: all but these; what is always returned stays', async ({ client }) => {
  const get = await asked(client)
  const whole = await get('')
  const { name, emails, [urn.enterprise]: extension, ...rest } = whole
  const { middleName: _middleName, ...otherNames } = name
  const { manager: _manager, ...otherExtension } = extension
  expect(await get(`excludedAttributes=name.middleName,emails,id,schemas,${urn.enterprise}:manager`)).toEqual({
    ...rest,
    name: otherNames,
    [urn.enterprise]: otherExtension,
  })
  expect(emails).toHaveLength(2)
})

test('both at once are a 400; and they hold for POST, PUT, PATCH and lists too', async ({ client }) => {
  expect(await client.request('GET', '/Users?attributes=userName&excludedAttributes=name')).toMatchObject({ status: 400 })
  const made = await client.request('POST', '/Users?attributes=title', babs)
  expect(made.body).toEqual({ ...always, title: 'Tour Guide' })
  const path = `/Users/${made.body.id}`
  expect((await client.request('PUT', `${path}?attributes=title`, babs)).body).toEqual({ ...always, title: 'Tour Guide' })
  expect(
    (await client.request('PATCH', `${path}?excludedAttributes=emails`, patchOf({ op: 'add', path: 'title', value: 'x' }))).body,
  ).not.toHaveProperty('emails')
  expect((await client.request('GET', '/Users?attributes=title')).body.Resources).toEqual([{ ...always, title: 'x' }])
})

test('excludedAttributes=members: a group without its members, in each answer', async ({ client }) => {
  await client.knows('ada')
  await client.pushes({ group: 'G', members: ['ada'] })
  for (const path of [`/Groups/${client.idOf('G')}?excludedAttributes=members`, '/Groups?excludedAttributes=members']) {
    const { body } = await client.request('GET', path)
    expect([body.Resources ?? body].flat()[0]).toMatchObject({ displayName: 'G' })
    expect(JSON.stringify(body.Resources ?? body)).not.toContain(client.idOfPerson('ada'))
  }
})
