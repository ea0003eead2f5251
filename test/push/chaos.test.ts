import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { writeCsv } from '../../src/organization/csv.ts'
import { applyPlan } from '../../src/push/apply-plan.ts'
import { makePlan } from '../../src/push/make-plan.ts'
import { pushSource } from '../../src/push/push-source.ts'
import type { Source } from '../../src/push/source.ts'
import { root } from '../support/source-files.ts'
import { type Fault, startTinyScimService, type TinyScimService, token } from './tiny-scim-service.ts'

// The project's figure is ten rounds; `PUSH_ROUNDS=100` asks for more.
const rounds = Number(process.env.PUSH_ROUNDS ?? 10)

/** The same numbers from the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** 5 % of connections cut, half of them after the service has committed; 429s and 500s besides. */
function faulty(random: () => number): () => Fault | undefined {
  const share: [number, Fault][] = [
    [0.025, 'cut before'],
    [0.05, 'cut after'],
    [0.07, '429'],
    [0.08, '500 before'],
    [0.09, '500 after'],
  ]
  return () => {
    const at = random()
    return share.find(([below]) => at < below)?.[1]
  }
}

function sourceFrom(random: () => number): Source {
  const users = Array.from({ length: 60 }, (_, i) => {
    return { id: `p${i}`, userName: `p${i}`, email: `p${i}@example.org`, displayName: `Person ${i}`, active: true }
  })
  const groups = Array.from({ length: 40 }, (_, i) => {
    const members = users.filter(() => random() < 0.2).map(({ id }) => id)
    return { id: null, name: `team ${i}`, description: null, members }
  })
  return { users, groups }
}
const membersOf = ({ groups }: Source) => Object.fromEntries(groups.map(({ name, members }) => [name, [...members].sort()]))

function expectEqual(service: TinyScimService, source: Source) {
  expect(service.users.map(({ userName }) => userName).sort()).toEqual(source.users.map(({ userName }) => userName).sort())
  expect(service.groups).toHaveLength(source.groups.length)
  expect(service.members()).toEqual(membersOf(source))
}

test.for(Array.from({ length: rounds }, (_, i) => i + 1))(
  'on a bad line, round %i: source = target, no twin, nothing lost',
  async (seed) => {
    const random = seeded(seed)
    const service = await startTinyScimService()
    onTestFinished(service.stop)
    service.faultOf = faulty(random)
    const first = sourceFrom(random)
    const from = (source: Source) => ({ kind: 'folder', place: 'here', source })
    expect((await pushSource(from(first), service.target)).errors).toEqual([])
    expectEqual(service, first)
    const second = sourceFrom(random)
    const everything = { removeAbsent: false, allowRemovals: 10_000 }
    const made = await makePlan({ from: from(second), target: service.target, options: everything })
    expect((await applyPlan(made.plan, made, service.target)).errors).toEqual([])
    expectEqual(service, second)
    expect((await makePlan({ from: from(second), target: service.target, options: everything })).plan).toMatchObject({
      people: [],
      groups: [],
    })
  },
)

test('killed again and again on a bad line, it goes on, and makes nothing twice', { timeout: 60_000 }, async () => {
  const random = seeded(4_711)
  const service = await startTinyScimService()
  onTestFinished(service.stop)
  const source = sourceFrom(random)
  const folder = mkdtempSync(join(tmpdir(), 'muster-chaos-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
  write(
    'users.csv',
    writeCsv({ user_name: (u) => u.userName, email: (u) => u.email, display_name: (u) => u.displayName }, source.users),
  )
  write('groups.csv', writeCsv({ group: (g) => g.name, description: () => '' }, source.groups))
  const members = source.groups.flatMap(({ name, members: all }) => all.map((userName) => ({ name, userName })))
  write('members.csv', writeCsv({ group: (m) => m.name, user_name: (m) => m.userName }, members))
  const muster = (...args: string[]) =>
    spawn(join(root, 'node_modules/.bin/node'), [join(root, 'src/cli/main.ts'), 'push', ...args], {
      env: { ...process.env, MUSTER_TARGET_TOKEN: token },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  const ended = (child: ReturnType<typeof muster>) => new Promise<number | null>((resolve) => child.once('exit', resolve))
  const plan = join(folder, 'plan.json')
  expect(await ended(muster('plan', '--source', folder, '--to', service.url, '-o', plan))).toBe(0)
  service.faultOf = faulty(random)
  let kills = 0
  for (let code: number | null = null; code !== 0; ) {
    const child = muster('apply', '--plan', plan, '--at-once', '4')
    let said = ''
    child.stderr?.on('data', (text) => {
      said += text
    })
    const exited = ended(child)
    if (kills < 3) {
      const written = service.received.length + 20 + Math.floor(random() * 30)
      while (service.received.length < written && child.exitCode === null) await sleep(1)
      child.kill('SIGKILL')
      kills++
    }
    code = await exited
    expect(said).not.toContain('muster:')
  }
  expect(kills).toBe(3)
  expectEqual(service, source)
})
