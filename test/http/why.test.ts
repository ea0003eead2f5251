import { commandLine } from '../cli/command-line.ts'
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

test('why somebody is in a group or not, and what would be so if it were synced', async ({ acme, okta, api }) => {
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await acme.grants('Sales', 'site/product/user')
  await okta.knows('ada', 'cyd', 'dan')
  await okta.pushes({ group: 'sales', members: ['ada', 'cyd'] })
  const why = async (person?: string, group = 'Sales') =>
    (await api('GET', `/groups/${group}/why${person === undefined ? '' : `?person=${person}`}`)).body
  const told = async (person: string) => {
    const { holds, ifSynced, broken } = await why(person)
    return [holds, ifSynced, broken]
  }
  expect(await told('ada')).toEqual([true, true, undefined])
  expect(await told('bob')).toEqual([true, false, undefined])
  expect(await told('cyd')).toEqual([false, true, 'cyd is pushed into "Sales" by okta, but that is not in force.'])
  expect(await told('dan')).toEqual([false, false, 'dan is no member of "Sales".'])
  expect((await why('cyd')).steps.map((step: { text: string }) => step.text)).toEqual([
    'okta pushes cyd as a member of "sales".',
    'okta says that "cyd" is active.',
    'The account cyd is active, owned by okta.',
    'cyd is pushed into "Sales" by okta, but that is not in force.',
    '"sales" is pushed by okta: it needs review, because its name was taken. Review it, then sync it.',
    'cyd is not in "Sales" in force.',
  ])
  const group = await why()
  expect([group.holds, group.ifSynced, group.person]).toEqual([false, true, null])
  expect(group.steps.slice(1).map((step: { text: string }) => step.text)).toEqual([
    '"sales" is pushed by okta: it needs review, because its name was taken. Review it, then sync it.',
    'Members wait: 1 to be added, 1 to be removed.',
    'It is granted site/product/user.',
    '2 people are in it.',
  ])

  const access = async (person: string, sync = '') =>
    (await api('GET', `/people/${person}/access/why?site=site&product=product&role=user${sync}`)).body.ifSynced
  expect(await access('cyd')).toEqual({ access: true, through: ['Sales'] })
  expect(await access('cyd', '&sync=Other')).toEqual({ access: false, through: [] })
  expect(await access('bob', '&sync=sales')).toEqual({ access: false, through: [] })
  expect(await access('bob', '&sync=Other')).toEqual({ access: true, through: ['Sales'] })

  await okta.switches('cyd', 'off')
  expect(await told('cyd')).toEqual([false, false, 'okta says that "cyd" is not active.'])
  await acme.has({ group: 'Own', members: [] })
  expect(await why(undefined, 'Own')).toMatchObject({
    holds: true,
    steps: [{ text: 'No directory pushes "Own": what is in it is yours to change.' }, {}, {}],
  })
  expect((await api('GET', '/groups/Sales/why?person=nobody')).status).toBe(404)
})

test('muster why: of a group, of somebody in it, of what it gives', async ({ acme, okta, org, server }) => {
  const { muster } = commandLine({ MUSTER_SERVER: server.url, MUSTER_TOKEN: org.adminToken })
  await acme.has({ group: 'site/Sales', members: ['ada'] })
  await acme.grants('site/Sales', 'site/product/user')
  await okta.knows('cyd')
  await okta.pushes({ group: 'site/Sales', members: ['cyd'] })
  const [group, member, access, webhook] = await Promise.all([
    muster('why site/Sales'),
    muster('why cyd site/Sales'),
    muster('why cyd site/product/user'),
    muster('webhooks create mailto:ops@example.org --kind group.held --silent-hours 6'),
  ])
  expect(group.stdout).toMatch(
    /^site\/Sales is not as it is pushed: "site\/Sales" is pushed by okta: it needs review, because its name was taken\. Review it/,
  )
  expect(member.stdout).toMatch(
    /^cyd is not in site\/Sales: cyd is pushed into "site\/Sales" by okta, but that is not in force\.\n[\s\S]*\nIf synced: cyd is in it\.\n$/,
  )
  expect(access.stdout).toMatch(/^cyd does not have site\/product:user: [\s\S]*\nIf synced: has it through site\/Sales\.\n$/)
  expect(webhook.stdout).toMatch(
    /^Webhook\t\S+\nTo\tmailto:ops@example\.org\nTold\tgroup\.held\nSilence\t6 hours\nState\tenabled\n$/,
  )
})
