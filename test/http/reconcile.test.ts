import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { partsOf } from '../../src/cli/list-parts.ts'
import { commandLine } from '../cli/command-line.ts'
import type { Client } from '../support/clients.ts'
import { expect, test } from '../support/story.ts'

const compared = async (api: Client, directory: string) => {
  for (;;) {
    const { body } = await api('GET', `/directories/${directory}/reconciliation`)
    if (body.underWay === null) return body.found
  }
}

test('the provider’s own list names what is missing here, extra here, and differs; nothing else is concluded', async ({
  acme,
  api,
  okta,
  org,
  second,
  server,
}) => {
  const { muster, folder } = commandLine({ MUSTER_SERVER: server.url, MUSTER_TOKEN: org.adminToken })
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return name
  }
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await okta.knows('ada', 'bob', 'cyd')
  await okta.pushes({ group: 'Sales', members: ['ada', 'bob'] })
  await okta.pushes({ group: 'Crew', members: ['ada', 'cyd'] })
  await okta.pushes({ group: 'Empty' })
  await okta.pushes({ group: 'Gone', members: ['cyd'] })
  expect((await api('GET', '/directories/okta')).body).toMatchObject({
    complete: false,
    incomplete: ['1 group needs review.'],
    compared: null,
  })

  const list = 'group,user_name\nSALES ,ada\nSales,bob@example.org\nCrew,ada\nCrew,bob\nCrew,eve\nEmpty,\nNew,ada\nNew,ada\n'
  const found = await muster(`reconcile okta --file ${file('groups.csv', list)} --groups 4 --memberships 6 --check`)
  expect(found.stderr).toBe('Who differs: muster reconcile okta --members\n')
  expect(found.exitCode).toBe(2)
  expect(found.stdout.split('\n')).toEqual([
    'The provider’s list has 4 groups with 6 memberships, it has pushed 4 groups with 5 memberships.',
    '  1 group missing here',
    '  1 group here and not in the list',
    '  1 group with other members: 2 missing here, 1 not in the list',
    '  1 person in the list whom the provider has not pushed',
    'Crew\tdiffering\t3\t2\t2\t1\tsynced',
    'Gone\textra\t0\t1\t0\t0\tsynced',
    'New\tmissing\t1\t0\t0\t0\t',
    '',
  ])
  expect((await api('GET', '/directories/okta/reconciliation/members?group=crew')).body.items).toMatchObject([
    { userName: 'bob', finding: 'missing', isKnown: true },
    { userName: 'cyd', finding: 'extra', isKnown: true },
    { userName: 'eve', finding: 'missing', isKnown: false },
  ])
  const csv = await api('GET', '/directories/okta/reconciliation/members?format=csv&finding=missing')
  expect(csv.body).toBe('group,user_name,finding,known\r\nCrew,bob,missing,true\r\nCrew,eve,missing,false\r\n')
  const before = (await api('GET', '/directories/okta')).body
  expect(before.incomplete.at(-1)).toMatch(
    /^The provider's own list of 20\S+ was another: 1 groups missing, 1 groups extra, 2 members missing, 1 members extra, 1 people unknown\./,
  )

  // Cut in the middle: of a line, of a quoted field, between two lines, between two parts. What was found before stays.
  const cut = {
    'cut.csv': list.slice(0, 40),
    'quoted.csv': 'group,user_name\n"Sales,ada\n',
    'cut.json': '[{"name": "Sales", "mem',
  }
  for (const [name, text] of Object.entries(cut))
    await expect(Array.fromAsync(partsOf(join(folder, file(name, text))))).rejects.toThrow(/Was it cut|cannot be read/)
  expect(await muster(`reconcile okta --file ${file('half.csv', 'group,user_name\nSales,ada\n')} --groups 4`)).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining('the list is not whole, there are 1 of 4 groups'),
  })
  for (const csv of ['group,user_name\n', 'group\nSales\n', 'group,user_name\nSales,ada'])
    expect([400, 409]).toContain((await api('POST', '/directories/okta/lists', { csv })).status)
  const { body: begun } = await api('POST', '/directories/okta/lists', {})
  const part = `/directories/okta/lists/${begun.id}/parts`
  await api('PUT', `${part}/2`, { groups: [{ name: 'Sales', members: ['ada'] }] })
  expect(await api('POST', `/directories/okta/lists/${begun.id}/compare`, { parts: 2 })).toMatchObject({
    status: 409,
    body: { type: 'urn:muster:problem:list_incomplete', detail: expect.stringContaining('1 of 2 parts') },
  })
  expect((await api('GET', '/directories/okta')).body.compared).toEqual(before.compared)
  expect((await api('PUT', `${part}/1`, { csv: 'x' })).status).toBe(400)

  // Put right by the provider, in any order of parts, one of them twice.
  await okta.deletes('Gone')
  await okta.pushes({ group: 'New', members: ['ada'] })
  const { body: again } = await api('POST', '/directories/okta/lists', {})
  const parts: Record<number, unknown> = {
    2: {
      groups: [
        { name: 'Crew', members: ['cyd'] },
        { name: 'Empty', members: [] },
      ],
    },
    1: { csv: 'user_name,group\nada,Sales\nbob,Sales\nada,Crew\n' },
    3: { groups: [{ name: 'New', members: ['ada'] }] },
  }
  for (const number of [2, 1, 1, 3])
    expect((await api('PUT', `/directories/okta/lists/${again.id}/parts/${number}`, parts[number])).status).toBe(204)
  await api('POST', `/directories/okta/lists/${again.id}/compare`, { parts: 3, groupCount: 4, membershipCount: 5 })
  expect(await compared(api, 'okta')).toMatchObject({ isEqual: true, listed: { groups: 4, memberships: 5 }, differing: 0 })
  expect((await api('PUT', `/directories/okta/lists/${again.id}/parts/4`, parts[3])).body).toMatchObject({
    type: 'urn:muster:problem:list_not_receiving',
  })
  expect((await api('GET', '/directories/okta')).body.incomplete).toEqual(['1 group needs review.'])
  expect((await api('GET', '/audit?action=directory.reconciled')).body.items[0].facts).toMatchObject({ isEqual: true })
  expect(second.orgId).not.toBe(org.id)
})

test('a list that says that a group is complete ends its filling, until the next member', async ({ acme, api, connects }) => {
  const entra = await connects('entra', { quietSeconds: 3_600 })
  await acme.has({ group: 'Sales', members: ['ada', 'bob'] })
  await entra.knows('ada', 'bob', 'cyd')
  await entra.pushes({ group: 'Sales', members: ['ada'] })
  const isFilling = async () => (await api('GET', '/directories/entra/reviews')).body.items[0].filling
  expect(await isFilling()).toBe(true)
  await api('POST', '/directories/entra/lists', { groups: [{ name: 'Sales', members: ['ada', 'bob'] }] })
  expect(await compared(api, 'entra')).toMatchObject({ differing: 1 })
  expect(await isFilling()).toBe(true)
  await entra.adds('Sales', ['bob'])
  await api('POST', '/directories/entra/lists', { groups: [{ name: 'Sales', members: ['ada', 'bob'] }] })
  expect(await compared(api, 'entra')).toMatchObject({ isEqual: true })
  expect(await isFilling()).toBe(false)
  await entra.adds('Sales', ['cyd'])
  expect(await isFilling()).toBe(true)
})

const rounds = Number(process.env.RECONCILE_ROUNDS ?? 15)

test('any list against any pushes: what is found is what a comparison of two sets finds', { timeout: 60_000 }, async ({
  api,
  okta,
}) => {
  const people = ['ada', 'bob', 'cyd', 'dan']
  await okta.knows(...people)
  const anyGroups = fc.dictionary(fc.constantFrom('A', 'B', 'C', 'D'), fc.subarray([...people, 'eve']), { noNullPrototype: true })
  let here: Record<string, string[]> = {}
  await fc.assert(
    fc.asyncProperty(anyGroups, anyGroups, fc.integer({ min: 1, max: 4 }), async (pushed, listed, size) => {
      for (const [group, members] of Object.entries(pushed)) {
        const known = members.filter((name) => name !== 'eve')
        if (here[group]) await okta.replaces(group, known)
        else await okta.pushes({ group, members: known })
        here = { ...here, [group]: known }
      }
      if (Object.keys(listed).length === 0) return
      const rows = Object.entries(listed).flatMap(([group, members]) => ['', ...members].map((name) => `${group},${name}\n`))
      const { body } = await api('POST', '/directories/okta/lists', {})
      let parts = 0
      for (let from = 0; from < rows.length; from += size)
        await api('PUT', `/directories/okta/lists/${body.id}/parts/${++parts}`, {
          csv: `group,user_name\n${rows.slice(from, from + size).join('')}`,
        })
      await api('POST', `/directories/okta/lists/${body.id}/compare`, { parts })
      await compared(api, 'okta')
      const groups = (await api('GET', '/directories/okta/reconciliation/groups?limit=0')).body.items
      const members = (await api('GET', '/directories/okta/reconciliation/members?limit=0')).body.items
      const both = Object.keys(listed).filter((name) => here[name] !== undefined)
      const onlyIn = (one: Record<string, string[]>, other: Record<string, string[]>, finding: string) =>
        both.flatMap((name) =>
          (one[name] ?? []).filter((who) => !other[name]?.includes(who)).map((who) => `${name} ${who} ${finding}`),
        )
      expect(members.map((m: Record<string, string>) => `${m.group} ${m.userName} ${m.finding}`).sort()).toEqual(
        [...onlyIn(listed, here, 'missing'), ...onlyIn(here, listed, 'extra')].sort(),
      )
      const named = (finding: string) =>
        groups.filter((g: { finding: string }) => g.finding === finding).map((g: { name: string }) => g.name)
      expect(named('missing')).toEqual(
        Object.keys(listed)
          .filter((name) => here[name] === undefined)
          .sort(),
      )
      expect(named('extra')).toEqual(
        Object.keys(here)
          .filter((name) => listed[name] === undefined)
          .sort(),
      )
    }),
    { numRuns: rounds },
  )
})
