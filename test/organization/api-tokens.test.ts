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
  const year = await inOrg((trx) => createApiToken(trx, { name: 'x', role: 'auditor' }, 'admin'))
  const month = await inOrg((trx) => createApiToken(trx, { name: 'x', role: 'auditor', expiresInDays: 30 }, 'admin'))
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
