import { expect, test } from '../support/story.ts'

const show = '/directories/okta'

test('a directory is complete when all that it pushed is synced and nothing differs', async ({ api, okta }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Engineering', members: ['ada', 'bob'] })
  const { body } = await api('GET', show)
  expect(body).toMatchObject({
    groups: { received: 1, synced: 1, needsReview: 0, blocked: 0, held: 0, ignored: 0 },
    users: { received: 2, synced: 2 },
    unknownMembersCount: 0,
    complete: true,
    lastPush: expect.any(String),
    lastError: null,
  })
})

test('a group that needs review, and one that is blocked, are counted and make it incomplete', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  await acme.has({ group: 'Everybody', members: ['ada'] })
  await acme.grants('Everybody', 'site/wiki/user', { isDefault: true })
  await okta.knows('ada', 'cyd')
  await okta.pushes({ group: 'Engineering', members: ['ada', 'cyd'] })
  await okta.pushes({ group: 'Everybody', members: ['cyd'] })
  await okta.pushes({ group: 'Free', members: ['cyd'] })
  expect((await api('GET', show)).body).toMatchObject({
    groups: { received: 3, synced: 1, needsReview: 1, blocked: 1 },
    complete: false,
  })
})

test('an unknown member makes it incomplete', async ({ api, okta }) => {
  await okta.pushes({ group: 'Engineering' })
  await okta.request('PATCH', `/Groups/${okta.idOf('Engineering')}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'add', path: 'members', value: [{ value: 'stranger' }] }],
  })
  expect((await api('GET', show)).body).toMatchObject({ groups: { synced: 1 }, unknownMembersCount: 1, complete: false })
})

test('pushed groups are listed with state, pair and how many members the provider says', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada', 'bob'] })
  await okta.knows('ada', 'cyd', 'dan')
  await okta.pushes({ group: 'engineering', members: ['ada', 'cyd', 'dan'] })
  await okta.pushes({ group: 'Free', members: ['ada'] })
  const { body } = await api('GET', `${show}/provisioned-groups?sort=-memberCount`)
  expect(body.total).toBe(2)
  expect(body.items).toMatchObject([
    {
      id: okta.idOf('engineering'),
      name: 'engineering',
      state: 'needs_review',
      reasons: ['name_taken'],
      group: { name: 'Engineering' },
      memberCount: 3,
      unknownMembersCount: 0,
    },
    { name: 'Free', state: 'synced', reasons: [], group: { name: 'Free' }, memberCount: 1 },
  ])
  const names = async (query: string) =>
    (await api('GET', `${show}/provisioned-groups${query}`)).body.items.map((item: { name: string }) => item.name)
  expect(await names('?state=synced')).toEqual(['Free'])
  expect(await names('?search=GINEE')).toEqual(['engineering'])
  expect(await names('?limit=1&offset=1')).toEqual(['Free'])
  expect((await api('GET', `${show}/provisioned-groups?state=odd`)).status).toBe(400)
})

test('pushed users are listed with the person they are matched to', async ({ acme, api, okta }) => {
  await acme.has({ group: 'Engineering', members: ['ada'] })
  await okta.knows('ada', 'cyd')
  const { body } = await api('GET', `${show}/provisioned-users`)
  expect(body).toMatchObject({
    total: 2,
    items: [
      {
        userName: 'ada',
        state: 'synced',
        active: true,
        matchedBy: 'email',
        person: { userName: 'ada', email: 'ada@example.org' },
      },
      { userName: 'cyd', matchedBy: 'created', person: { userName: 'cyd' } },
    ],
  })
  expect((await api('GET', `${show}/provisioned-users?search=CYD@&limit=0`)).body).toMatchObject({
    total: 1,
    items: [{ userName: 'cyd' }],
  })
})
