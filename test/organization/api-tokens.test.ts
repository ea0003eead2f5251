import { createApiToken } from '../../src/organization/api-tokens.ts'
import { expect, test } from '../support/world.ts'

test("an operator's own token is stored and works", async ({ api, inOrg }) => {
  const secret = "an-operator's+own/token=of~40.characters"
  await inOrg((trx) => createApiToken(trx, { name: 'admin', role: 'owner', secret }, 'owner'))
  expect(await api('GET', '/whoami', undefined, { token: secret })).toMatchObject({
    status: 200,
    body: { token: { name: 'admin', role: 'owner' } },
  })
})

test('an own token that could never be presented is refused', async ({ inOrg }) => {
  const wrong = [
    'short',
    'x'.repeat(15),
    'x'.repeat(513),
    `with a blank ${'x'.repeat(32)}`,
    `ü${'x'.repeat(32)}`,
    `muster_api_${'x'.repeat(49)}`,
    `muster_scim_${'x'.repeat(49)}`,
  ]
  for (const secret of wrong) {
    await expect(
      inOrg((trx) => createApiToken(trx, { name: 'x', role: 'owner', secret }, 'owner')),
      secret,
    ).rejects.toMatchObject({ code: 'invalid_value' })
  }
})

test('a token expires in a year if nothing else is said', async ({ inOrg }) => {
  const year = await inOrg((trx) => createApiToken(trx, { name: 'year', role: 'auditor' }, 'admin'))
  const month = await inOrg((trx) => createApiToken(trx, { name: 'month', role: 'auditor', expiresInDays: 30 }, 'admin'))
  const days = ({ createdAt, expiresAt }: { createdAt: Date; expiresAt: Date }) =>
    Math.round((expiresAt.getTime() - createdAt.getTime()) / 86_400_000)
  expect([days(year), days(month)]).toEqual([365, 30])
  await expect(
    inOrg((trx) => createApiToken(trx, { name: 'x', role: 'auditor', expiresInDays: 0 }, 'admin')),
  ).rejects.toMatchObject({ code: 'invalid_value' })
})

test('the list is paged, searched and sorted by the server', async ({ api, org }) => {
  await org.token('auditor')
  await org.token('admin')
  const names = async (query: string) => {
    const { body } = await api('GET', `/api-tokens${query}`)
    return [body.total, ...body.items.map((item: { name: string }) => item.name)]
  }
  expect(await names('')).toEqual([3, 'tests admin', 'tests auditor', 'tests owner'])
  expect(await names('?sort=-name&limit=1&offset=1')).toEqual([3, 'tests auditor'])
  expect(await names('?search=AUD')).toEqual([1, 'tests auditor'])
  expect((await api('GET', '/api-tokens')).body.items[0]).not.toHaveProperty('token')
})

test('of the tokens that work, no two have one name: the log could not tell who it was', async ({ api, inOrg }) => {
  const make = (name: string) => api('POST', '/api-tokens', { name, role: 'admin' })
  const answers = await Promise.all(['ci', 'CI ', 'ci', 'ci'].map(make))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
  const again = await make('ci')
  expect([again.status, again.body.type, again.body.detail]).toEqual([
    409,
    'urn:muster:problem:name_taken',
    'A token of that name is live. Revoke it or choose another name.',
  ])
  const { id } = answers.find(({ status }) => status === 201)?.body ?? {}
  expect((await api('DELETE', `/api-tokens/${id}`)).status).toBe(204)
  expect((await make('ci')).status).toBe(201)
  const old = (await make('old')).body.id
  await inOrg((trx) =>
    trx
      .updateTable('api_tokens')
      .set({ expires_at: new Date(0) })
      .where('id', '=', old)
      .execute(),
  )
  expect((await make('old')).status).toBe(201)
})
