import { type Answer, type Client, clientOf } from '../support/clients.ts'
import type { DatabaseCopy } from '../support/database-copy.ts'
import { type Program, runProgram } from '../support/programs.ts'
import { expect, test as world } from '../support/world.ts'

// Two server processes on one database; requests go to both by turns, all at the same time.

interface Nodes {
  nodes: { scim: Client; api: Client }[]
}

const test = world.extend<Nodes>({
  nodes: async ({ database, org }, use) => {
    const { token } = await org.directory({ name: 'okta', provider: 'okta' })
    const urls = await Promise.all([startNode(database), startNode(database)].map(urlOf))
    await use(
      urls.map((url) => ({
        scim: clientOf(`${url}/scim/v2`, 'application/scim+json', token),
        api: clientOf(`${url}/api/v1`, 'application/json', org.adminToken),
      })),
    )
  },
})

const startNode = ({ connection }: DatabaseCopy): Program =>
  runProgram('test/support/server-process.ts', [JSON.stringify(connection)])
const urlOf = async (node: Program): Promise<string> => (await node.says(/^listening /)).replace('listening ', '')

test('five hundred parallel PATCHes of one member each, in Okta’s form and in Entra’s, lose no member, twenty times', async ({
  nodes,
}) => {
  const people = await push(nodes, 'Users', 500, (at) => ({ userName: `person${at}` }))
  const [group = ''] = await push(nodes, 'Groups', 1, () => ({ displayName: 'G' }))
  for (let round = 0; round < 10; round++) {
    const isOktas = round % 2 === 0
    const added = await everyTurn(nodes, people, ({ scim }, id) =>
      scim('PATCH', `/Groups/${group}`, isOktas ? oktaAdds(id) : entraAdds(id)),
    )
    expect(new Set(added), `round ${round}`).toEqual(new Set([204]))
    expect(await membersOf(nodes, group)).toEqual([...people].sort())
    const removed = await everyTurn(nodes, people, ({ scim }, id) =>
      scim('PATCH', `/Groups/${group}`, isOktas ? entraRemoves(id) : oktaRemoves(id)),
    )
    expect(new Set(removed), `round ${round}`).toEqual(new Set([204]))
    expect(await membersOf(nodes, group)).toEqual([])
  }
}, 120_000)

test('mixed with renames, a sync and deletions of people, the end is what some order of them gives', async ({ nodes }) => {
  const [{ api }] = nodes as [Nodes['nodes'][number]]
  await api('POST', '/people', { userName: 'before', email: 'before@example.org', displayName: 'before' })
  await api('POST', '/groups', { name: 'G' })
  await api('PATCH', '/groups/G/members', { add: ['before'] })
  const people = await push(nodes, 'Users', 200, (at) => ({ userName: `person${at}` }))
  const [staying, coming, going, deleted] = [0, 1, 2, 3].map((part) => people.slice(part * 50, (part + 1) * 50)) as [
    string[],
    string[],
    string[],
    string[],
  ]
  const members = [...staying, ...going, ...deleted].map((value) => ({ value }))
  const [group = ''] = await push(nodes, 'Groups', 1, () => ({ displayName: 'G', members }))
  const names = ['G', 'H', 'I', 'J']
  type Act = (node: Nodes['nodes'][number]) => Promise<{ status: number }>
  const acts: Act[] = [
    ...coming.map(
      (id): Act =>
        ({ scim }) =>
          scim('PATCH', `/Groups/${group}`, entraAdds(id)),
    ),
    ...going.map(
      (id): Act =>
        ({ scim }) =>
          scim('PATCH', `/Groups/${group}`, oktaRemoves(id)),
    ),
    ...deleted.map(
      (id): Act =>
        ({ scim }) =>
          scim('DELETE', `/Users/${id}`),
    ),
    ...names.map(
      (name): Act =>
        ({ scim }) =>
          scim('PATCH', `/Groups/${group}`, patch({ op: 'replace', path: 'displayName', value: name })),
    ),
    ...names.map(
      (): Act =>
        ({ api }) =>
          syncAll(api),
    ),
  ]
  const statuses = await everyTurn(nodes, shuffled(acts), (node, act) => act(node))
  expect(statuses.filter((status) => status === 400 || status >= 500)).toEqual([])
  expect(await membersOf(nodes, group)).toEqual([...staying, ...coming].sort())
  // Whatever came first: once synced, and what waits allowed, what is in force is what is pushed.
  await syncAll(api)
  await allowAll(api)
  const { name, state } = (await api('GET', '/directories/okta/provisioned-groups?limit=0')).body.items[0]
  expect(state).toBe('synced')
  expect(names).toContain(name)
  // Renamed onto a name that the organization's own group has by then, it keeps the one it had.
  const { existing } = (await api('GET', `/reviews/${group}`)).body
  const { items } = (await api('GET', `/groups/${existing.id}/members?limit=0`)).body
  expect(items).toHaveLength(100)
}, 60_000)

const patch = (...Operations: unknown[]) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const oktaAdds = (id: string) => patch({ op: 'add', path: 'members', value: [{ value: id, display: 'a@example.org' }] })
const oktaRemoves = (id: string) => patch({ op: 'remove', path: `members[value eq "${id}"]` })
const entraAdds = (id: string) => patch({ op: 'Add', path: 'members', value: [{ $ref: null, value: id }] })
const entraRemoves = (id: string) => patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] })

/** Does it for all at the same time, by turns on each node; answers the statuses. */
function everyTurn<T>(
  nodes: Nodes['nodes'],
  items: readonly T[],
  act: (node: Nodes['nodes'][number], item: T) => Promise<{ status: number }>,
): Promise<number[]> {
  return Promise.all(items.map(async (item, at) => (await act(nodes[at % nodes.length] as Nodes['nodes'][number], item)).status))
}

async function push(nodes: Nodes['nodes'], kind: string, count: number, body: (at: number) => object): Promise<string[]> {
  const ids: string[] = []
  await everyTurn(
    nodes,
    Array.from({ length: count }, (_, at) => at),
    async ({ scim }, at) => {
      const answer = await scim('POST', `/${kind}`, body(at))
      expect(answer.status).toBe(201)
      ids[at] = answer.body.id
      return answer
    },
  )
  return ids
}

/** The members as both nodes show them, sorted. */
async function membersOf(nodes: Nodes['nodes'], group: string): Promise<string[]> {
  const [one, other] = await Promise.all(
    nodes.map(async ({ scim }) => {
      const { members = [] } = (await scim('GET', `/Groups/${group}`)).body
      return members.map(({ value }: { value: string }) => value).sort() as string[]
    }),
  )
  expect(one).toEqual(other)
  return one ?? []
}

async function syncAll(api: Client): Promise<{ status: number }> {
  const selection = { mode: 'filter', filter: {} }
  const { body } = await api('POST', '/directories/okta/reviews/effect', { selection })
  const { fingerprint } = body
  const given = { selection, fingerprint, acceptIncomplete: true, acceptEmpty: true }
  return ended(api, await api('POST', '/directories/okta/runs', given))
}

/** What the guard had wait: how much that is depends on when the group was synced. */
async function allowAll(api: Client): Promise<void> {
  const waiting = async (): Promise<number> => (await api('GET', '/directories/okta/held')).body.total
  if ((await waiting()) > 0) {
    const { fingerprint } = (await api('POST', '/directories/okta/held/effect', {})).body
    const started = await api('POST', '/directories/okta/held/decisions', { decision: 'allow', fingerprint })
    expect((await ended(api, started)).status).toBe(202)
  }
  expect(await waiting()).toBe(0)
}

async function ended(api: Client, started: Answer): Promise<Answer> {
  for (let state = started.status === 202 ? 'queued' : 'finished'; state !== 'finished'; )
    state = (await api('GET', `/runs/${started.body.id}`)).body.state
  return started
}

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item, at) => ({ item, at: (at * 7919 + 13) % 104_729 }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
