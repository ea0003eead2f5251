import { Agent, request as send } from 'node:http'
import { type BenchOrganization, median, ratio, withBenchOrganization } from './organization.ts'

// What a thousand changes cost as one Bulk and as a thousand requests at 8 connections, over HTTP, in turn, in one run.

const rounds = Number(process.argv[2] ?? 5)
const count = 1_000
const groups = 100

interface Change {
  method: 'POST' | 'PATCH'
  path: string
  data: unknown
}

await withBenchOrganization({ scimRate: 0 }, async (bench) => {
  const users = await singly(bench, newUsers())
  const made = await singly(bench, newGroups(groups, []))
  const kinds: [string, (round: string) => Change[]][] = [
    ['new users', newUsers],
    ['a member added or removed, each in one of 100 groups', (round) => members(made, users, round)],
    ['users switched off or on', (round) => switches(users, round)],
    ['new groups of 20 members', (round) => newGroups(count, users, round)],
  ]
  for (const [name, changes] of kinds) {
    const [bulk, single]: [number[], number[]] = [[], []]
    for (let round = 0; round <= rounds; round++) {
      const pair = [
        await timed(() => inBulk(bench, changes(`bulk ${round}`))),
        await timed(() => singly(bench, changes(`single ${round}`))),
      ]
      if (round === 0) continue
      bulk.push(pair[0] as number)
      single.push(pair[1] as number)
    }
    console.log(
      `${count} ${name}: ${median(bulk).toFixed(0)} ms by Bulk, ${median(single).toFixed(0)} ms as requests at 8 connections: ${ratio(median(single), median(bulk))} times as fast`,
    )
  }
})

function newUsers(round = 'seed'): Change[] {
  return Array.from({ length: count }, (_, at) => ({
    method: 'POST' as const,
    path: '/Users',
    data: {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: `user ${at} ${round}`,
      displayName: `User ${at}`,
      name: { givenName: 'User', familyName: `${at}` },
      emails: [{ value: `user-${at}-${round.replace(' ', '-')}@example.org`, type: 'work', primary: true }],
      active: true,
    },
  }))
}

function newGroups(many: number, users: string[], round = 'seed'): Change[] {
  return Array.from({ length: many }, (_, at) => ({
    method: 'POST' as const,
    path: '/Groups',
    data: {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: `group ${at} ${round}`,
      members: Array.from({ length: Math.min(20, users.length) }, (_none, member) => ({
        value: users[(at * 7 + member) % users.length],
      })),
    },
  }))
}

function members(made: string[], users: string[], round: string): Change[] {
  const op = round.startsWith('bulk') ? 'add' : 'remove'
  return Array.from({ length: count }, (_, at) => ({
    method: 'PATCH' as const,
    path: `/Groups/${made[at % made.length]}`,
    data: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op, path: 'members', value: [{ value: users[Math.floor(at / made.length)] }] }],
    },
  }))
}

function switches(users: string[], round: string): Change[] {
  return users.map((id) => ({
    method: 'PATCH' as const,
    path: `/Users/${id}`,
    data: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', value: { active: !round.startsWith('bulk') } }],
    },
  }))
}

async function singly(bench: BenchOrganization, changes: Change[]): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const bodies = await Promise.all(changes.map(({ method, path, data }) => ask(bench, agent, method, path, data)))
  agent.destroy()
  return bodies.map((body) => (body === '' ? '' : JSON.parse(body).id))
}

async function inBulk(bench: BenchOrganization, changes: Change[]): Promise<string[]> {
  const agent = new Agent()
  const body = await ask(bench, agent, 'POST', '/Bulk', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: changes.map((change, at) => ({ ...change, bulkId: String(at) })),
  })
  const { Operations } = JSON.parse(body) as { Operations: { status: string; location: string }[] }
  const failed = Operations.find((operation) => !operation.status.startsWith('2'))
  if (failed || Operations.length < changes.length) throw new Error(`An operation failed: ${JSON.stringify(failed)}`)
  return Operations.map((operation) => operation.location)
}

function ask({ url, token }: BenchOrganization, agent: Agent, method: string, path: string, data: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' }
    const sent = send(`${url}/scim/v2${path}`, { method, agent, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece) => (text += piece))
      answer.on('end', () => ((answer.statusCode ?? 500) < 300 ? resolve(text) : reject(new Error(text))))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(data))
  })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
