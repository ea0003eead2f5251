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

test('who is in a group by another one within it is told which', async ({ acme, okta, api }) => {
  await okta.knows('ada', 'bob')
  await okta.pushes({ group: 'Backend', members: ['ada', 'bob'] })
  for (const [parent, child] of [
    ['Engineering', 'Backend'],
    ['Everybody', 'Engineering'],
  ] as const) {
    await okta.pushes({ group: parent, members: parent === 'Engineering' ? ['bob'] : [] })
    const value = [{ value: okta.idOf(child), type: 'Group' }]
    await okta.request('PATCH', `/Groups/${okta.idOf(parent)}`, { Operations: [{ op: 'add', path: 'members', value }] })
  }
  await acme.grants('Engineering', 'site/product/user')
  await acme.grants('Everybody', 'site/product/admin')
  const why = async (person: string, role: string) => {
    const { body } = await api('GET', `/people/${person}/access/why?site=site&product=product&role=${role}`)
    return [body.access, body.steps[0].text]
  }
  expect(await why('ada', 'user')).toEqual([true, 'okta pushes ada as a member of "Backend", which is in "Engineering".'])
  expect(await why('bob', 'user')).toEqual([true, 'okta pushes bob as a member of "Engineering".'])
  expect(await why('ada', 'admin')).toEqual([true, 'okta pushes ada as a member of "Backend", which is in "Everybody".'])
  expect(await why('bob', 'admin')).toEqual([
    true,
    'okta pushes bob as a member of "Backend", "Engineering", which are in "Everybody".',
  ])
})
