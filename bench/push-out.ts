import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from '../src/database/connection.ts'
import { newId, type OrgId } from '../src/database/ids.ts'
import { inTransaction } from '../src/database/transaction.ts'
import { createOrganization } from '../src/organization/organizations.ts'
import { createDirectory } from '../src/provisioning/directories.ts'
import { createDirectoryToken } from '../src/provisioning/tokens.ts'
import { applyPlan } from '../src/push/apply-plan.ts'
import { eachAtOnce } from '../src/push/each-at-once.ts'
import { makePlan } from '../src/push/make-plan.ts'
import { readCsvFolder } from '../src/push/sources/csv-folder.ts'
import { type ScimTarget, scimTarget } from '../src/push/target/scim-target.ts'
import { userBody } from '../src/push/target/user-body.ts'
import { startTinyScimService, token } from '../test/push/tiny-scim-service.ts'
import { type BenchOrganization, withBenchOrganization } from './organization.ts'
import { memberAt, people, teams } from './push-out/large-target.ts'

// Issue: requests sent against the least that would do it (at most 1.05), wall time against the same requests sent by a bare load
// generator at the same concurrency (at most 1.3); planning 1 M memberships in 10,000 groups with 0.1 % changes against reading both sides
// (at most 1.5).
const atOnce = 8
const rounds = 3
const source = await readCsvFolder('sample/kubernetes-org/pushed')
const from = { kind: 'folder', place: 'sample', source }
const options = { removeAbsent: false, allowRemovals: 0 }
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

interface Target {
  url: string
  token: string
  stop(): Promise<void>
}

/** The same people and groups, sent by nothing but an agent: a POST each, eight at a time. */
async function bare({ url, token: bearer }: Target): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const post = (path: string, body: object) =>
    new Promise<{ id: string }>((resolve, reject) => {
      const text = JSON.stringify(body)
      const headers = {
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/scim+json',
        'content-length': Buffer.byteLength(text),
      }
      const sent = request(url + path, { method: 'POST', agent, headers }, (response) => {
        let answer = ''
        response.setEncoding('utf8').on('data', (part) => {
          answer += part
        })
        response.on('end', () => resolve(JSON.parse(answer)))
      })
      sent.on('error', reject).end(text)
    })
  const began = performance.now()
  const ids = new Map<string, string>()
  await eachAtOnce(
    source.users,
    atOnce,
    async (user) => void ids.set(user.id, (await post('/Users', { ...userBody(user), groups: [] })).id),
  )
  await eachAtOnce(source.groups, atOnce, async ({ name, members }) => {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
    await post('/Groups', { schemas, displayName: name, members: members.map((id) => ({ value: ids.get(id), display: id })) })
  })
  agent.destroy()
  return performance.now() - began
}

async function pushed({ url, token: bearer }: Target): Promise<{ ms: number; requests: number }> {
  const target = scimTarget({ url, token: bearer })
  const began = performance.now()
  const made = await makePlan({ from, target, options })
  const result = await applyPlan(made.plan, made, target, { atOnce })
  const ms = performance.now() - began
  if (result.errors.length > 0) throw new Error(result.errors[0]?.why)
  target.close()
  return { ms, requests: result.requests }
}

async function compare(name: string, start: () => Promise<Target>): Promise<void> {
  const times: { ours: number[]; bare: number[] } = { ours: [], bare: [] }
  let requests = 0
  for (let round = -1; round < rounds; round++) {
    for (const who of round % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)) {
      const target = await start()
      const took = who === 'ours' ? await pushed(target) : { ms: await bare(target), requests }
      requests = took.requests
      if (round >= 0) times[who].push(took.ms)
      await target.stop()
    }
  }
  const least = source.users.length + source.groups.length
  const [ours, theirs] = [median(times.ours), median(times.bare)]
  console.log(
    `${name}: ${requests} requests, the least is ${least} (${(requests / least).toFixed(3)}, at most 1.05); ` +
      `${ours.toFixed(0)} ms, bare ${theirs.toFixed(0)} ms (${(ours / theirs).toFixed(2)}, at most 1.3)`,
  )
}

/** A million memberships on both sides, read from files and over HTTP: what a plan costs beside reading alone. */
async function planning(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'))
  const child = fork(new URL('./push-out/large-target.ts', import.meta.url))
  try {
    const [url] = (await once(child, 'message')) as [string]
    const lines = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('')
    writeFileSync(join(folder, 'users.csv'), `user_name,email,display_name\n${lines(people, (i) => `p${i},,p${i}`)}`)
    writeFileSync(join(folder, 'groups.csv'), `group,description\n${lines(teams, (g) => `team ${g},`)}`)
    const members = lines(teams, (g) => Array.from({ length: 100 }, (_, i) => `team ${g},p${memberAt(g, i)}`).join('\n'))
    writeFileSync(join(folder, 'members.csv'), `group,user_name\n${members}`)
    const read = async (target: ScimTarget) => {
      await readCsvFolder(folder)
      await target.users()
      await target.eachGroup(() => {})
      return 0
    }
    const plan = async (target: ScimTarget) => {
      const large = await readCsvFolder(folder)
      return (await makePlan({ from: { kind: 'folder', place: folder, source: large }, target, options })).plan.groups.length
    }
    const took: Record<'read' | 'plan', number[]> = { read: [], plan: [] }
    const resident: number[] = []
    let steps = 0
    for (let round = 0; round < rounds; round++) {
      for (const [name, work] of [
        ['read', read],
        ['plan', plan],
      ] as const) {
        const target = scimTarget({ url, token })
        const began = performance.now()
        steps = await work(target)
        took[name].push(performance.now() - began)
        target.close()
        resident.push(process.memoryUsage().rss / 1024 / 1024)
      }
    }
    const [ours, reading] = [median(took.plan), median(took.read)]
    console.log(
      `planning 1 M memberships in ${teams} groups, ${steps} of them changed: ${ours.toFixed(0)} ms, reading both sides ${reading.toFixed(0)} ms ` +
        `(${(ours / reading).toFixed(2)}, at most 1.5); MiB resident after each: ${resident.map((mib) => mib.toFixed(0)).join(' ')}`,
    )
  } finally {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** An organization of its own on the bench's server, with a directory. */
async function freshMuster({ db, url }: BenchOrganization): Promise<Target> {
  const scope: Scope = { orgId: newId<OrgId>(), actor: 'bench' }
  const bearer = await inTransaction(db, scope, async (trx) => {
    await createOrganization(trx, { slug: scope.orgId })
    const directory = await createDirectory(trx, { name: 'okta', provider: 'okta', quietSeconds: 0 })
    return (await createDirectoryToken(trx, directory.id)).secret
  })
  return { url: `${url}/scim/v2`, token: bearer, stop: async () => {} }
}

await planning()
await compare('a small server', async () => {
  const service = await startTinyScimService()
  return { url: service.url, token, stop: service.stop }
})
await withBenchOrganization({ scimRate: 0 }, (bench) => compare('Muster', () => freshMuster(bench)))
