import { expect, test } from '../support/story.ts'
import { patchOf, sample, urn } from './samples.ts'

test('the example (§8.4): displayName and members, each with value, $ref and type', async ({ client, acme }) => {
  await client.knows('babs', 'mandy')
  const example = sample('rfc7643-8.4-group')
  const members = example.members.map((member: object, at: number) => ({
    ...member,
    value: client.idOfPerson(at ? 'mandy' : 'babs'),
  }))
  const { status, body } = await client.request('POST', '/Groups', { ...example, members })
  expect({ status, name: body.displayName }).toEqual({ status: 201, name: 'Tour Guides' })
  expect(body.id).not.toBe(example.id)
  expect(body.members.sort((one: { value: string }, other: { value: string }) => (one.value < other.value ? -1 : 1))).toEqual(
    [client.idOfPerson('babs'), client.idOfPerson('mandy')].sort().map((value) => ({
      value,
      $ref: expect.stringMatching(new RegExp(`/scim/v2/Users/${value}$`)),
      type: 'User',
    })),
  )
  expect(await acme.membersOf('Tour Guides')).toEqual(['babs', 'mandy'])
  const names = await client.request('GET', `/Groups/${body.id}?attributes=members.display`)
  expect(names.body.members.map((one: { display: string }) => one.display).sort()).toEqual(['babs', 'mandy'])
})

test('displayName is required; members are not', async ({ client }) => {
  expect(await client.request('POST', '/Groups', { schemas: [urn.group], members: [] })).toMatchObject({
    status: 400,
    body: { scimType: 'invalidValue' },
  })
  const { status, body } = await client.request('POST', '/Groups', { schemas: [urn.group], displayName: 'G' })
  expect(status).toBe(201)
  expect(body).not.toHaveProperty('members')
})

test('a member is immutable: taken out and put in, not changed', async ({ client }) => {
  await client.knows('babs')
  await client.pushes({ group: 'G', members: ['babs'] })
  for (const path of ['members.value', `members[value eq "${client.idOfPerson('babs')}"].display`])
    expect(
      await client.request('PATCH', `/Groups/${client.idOf('G')}`, patchOf({ op: 'replace', path, value: 'x' })),
    ).toMatchObject({ status: 400, body: { scimType: 'mutability' } })
})
