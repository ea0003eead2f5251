import { expect, test } from '../support/story.ts'

test('who is pushed into a group that another directory manages is told of it, and why it is not in force', async ({
  acme,
  okta,
  entra,
  api,
}) => {
  await okta.knows('bob')
  await okta.pushes({ group: 'Engineering', members: ['bob'] })
  await acme.grants('Engineering', 'site/product/user')
  await entra.knows('ada')
  await entra.pushes({ group: 'engineering', members: ['ada'] })
  expect(await entra.stateOf('engineering')).toEqual({ state: 'blocked', reasons: ['managed_elsewhere'] })
  const why = async (person: string) =>
    (await api('GET', `/people/${person}/access/why?site=site&product=product&role=user`)).body
  const ada = await why('ada')
  expect([ada.access, ada.broken]).toEqual([
    false,
    'ada is pushed into "Engineering" by entra, but that is not in force: it is blocked, because another pushed group has the group of its name.',
  ])
  expect(ada.steps[0].text).toBe('entra pushes ada as a member of "Engineering".')
  const bob = await why('bob')
  expect([bob.access, bob.through, bob.steps[0].text]).toEqual([
    true,
    ['Engineering'],
    'okta pushes bob as a member of "Engineering".',
  ])
})
