import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { applyPlan } from '../../src/push/apply-plan.ts'
import { countBoth } from '../../src/push/count.ts'
import type { Journal } from '../../src/push/journal.ts'
import { makePlan } from '../../src/push/make-plan.ts'
import type { PlanOptions } from '../../src/push/plan.ts'
import type { Source, SourceGroup } from '../../src/push/source.ts'
import { startTinyScimService, type TinyScimService } from './tiny-scim-service.ts'

const person = (id: string) => ({ id, userName: id, email: `${id}@example.org`, displayName: id, active: true })
const group = (name: string, ...members: string[]): SourceGroup => ({ id: null, name, description: null, members })
const people = ['ada', 'bob', 'cyd', 'dan'].map(person)
const source: Source = { users: people, groups: [group('Engineering', 'ada', 'bob'), group('Sales', 'cyd')] }
const from = (what: Source) => ({ kind: 'folder', place: 'here', source: what })
const leave: PlanOptions = { removeAbsent: false, allowRemovals: 0 }

let service: TinyScimService
beforeEach(async () => {
  service = await startTinyScimService()
})
afterEach(() => service.stop())

const planOf = (what: Source, options = leave, target = service.target) => makePlan({ from: from(what), target, options })
async function pushed(what: Source, options = leave, target = service.target) {
  const made = await planOf(what, options, target)
  return applyPlan(made.plan, made, target)
}
/** Makes a plan, lets something happen, and applies it. */
async function applied(what: Source, meanwhile: () => void, journal?: Journal, now = what) {
  const { plan } = await planOf(what)
  meanwhile()
  return applyPlan(plan, await planOf(now), service.target, { ...(journal ? { journal } : {}) })
}
const writes = () => service.received.filter(({ method }) => method !== 'GET')

describe('what is seen is what is sent', () => {
  test('a plan says group by group what would be sent, and sends nothing', async () => {
    await pushed(source)
    const before = writes().length
    const { plan } = await planOf({
      users: people,
      groups: [group('engineering', 'ada', 'dan'), group('Support', 'bob')],
    })
    expect(writes()).toHaveLength(before)
    expect(plan.groups).toEqual([
      { do: 'update', name: 'engineering', id: expect.any(String), formerly: 'Engineering', added: ['dan'], removed: ['bob'] },
      { do: 'create', name: 'Support', id: null, formerly: null, added: ['bob'], removed: [] },
    ])
    expect(plan.totals).toEqual({
      people: { create: 0, update: 0, deactivate: 0, unchanged: 4 },
      groups: { create: 1, update: 1, delete: 0, unchanged: 0, notPushed: 0 },
      members: { added: 2, removed: 1 },
    })
    expect(plan.beside).toEqual({ people: 0, groups: 1 })
    expect(plan.stops).toEqual([])
  })

  test('as many requests are sent as were estimated, and a second plan is empty, counted on both sides', async () => {
    const { plan } = await planOf(source)
    service.received.length = 0
    const target = service.open()
    const made = await planOf(source, leave, target)
    await applyPlan(plan, made, target)
    expect(service.received).toHaveLength(plan.estimatedRequests)
    expect((await planOf(source)).plan).toMatchObject({ people: [], groups: [] })
    expect(await countBoth(from(source), service.target)).toEqual({
      source: { people: 4, groups: 2, memberships: 3 },
      target: { people: 4, groups: 2, memberships: 3 },
      differences: 0,
    })
  })

  test('it is refused where the target changed in what it rests on, and where the source did', async () => {
    await pushed(source)
    const more = { users: people, groups: [group('Engineering', 'ada', 'bob', 'dan'), group('Sales', 'cyd')] }
    const sales = service.groups[1]
    await expect(applied(more, () => void Object.assign(service.groups[0] ?? {}, { members: [] }))).rejects.toThrow(
      'The target has changed since the plan was made: Engineering. Make another plan, and look at it.',
    )
    await expect(applied(more, () => {}, undefined, source)).rejects.toThrow('The source has changed since the plan was made.')
    const before = writes().length
    expect(before).toBe(6)
    // Of a group that the plan is not about, and of nothing that it says.
    expect(sales?.members).toHaveLength(1)
    service.groups.push({ id: 'Groups x', displayName: 'Somebody else’s' })
    expect((await applied(more, () => service.groups.pop())).groups.updated).toBe(1)
  })

  test('a group that somebody made in the meantime is not taken over', async () => {
    await expect(
      applied(source, () => service.groups.push({ id: 'Groups x', displayName: 'Sales', members: [] })),
    ).rejects.toMatchObject({ code: 'plan_changed', facts: { changed: ['Sales'] } })
    expect(writes()).toEqual([])
  })

  test('an attempt that ended in between is gone on with', async () => {
    const intended = new Set<string>()
    const journal: Journal = { intended, intend: (step) => void intended.add(step), outcome: () => {} }
    const { plan } = await planOf(source)
    let sent = 0
    const half = { atOnce: 1, journal, isStopped: () => sent++ >= 5 }
    await applyPlan(plan, await planOf(source), service.target, half)
    expect(service.groups).toHaveLength(1)
    // Only what that attempt was about to make may be there now.
    const sales = service.groups.push({ id: 'Groups x', displayName: 'Sales', members: [] })
    await expect(planOf(source).then((made) => applyPlan(plan, made, service.target, { journal }))).rejects.toThrow('Sales')
    service.groups.splice(sales - 1, 1)
    await applyPlan(plan, await planOf(source), service.target, { journal })
    expect(service.members()).toEqual({ Engineering: ['ada', 'bob'], Sales: ['cyd'] })
  })
})

describe('the push guard', () => {
  const many = (n: number, from = 0) => Array.from({ length: n }, (_, i) => person(`p${i + from}`))
  const big: Source = {
    users: many(60),
    groups: Array.from({ length: 40 }, (_, i) => group(`team ${i}`, `p${i}`, `p${i + 1}`, `p${i + 2}`)),
  }
  test('what the target has besides is left alone, unless it is asked for', async () => {
    await pushed(source)
    const less = { users: people.slice(0, 3), groups: source.groups.slice(0, 1) }
    expect((await planOf(less)).plan).toMatchObject({ people: [], groups: [], beside: { people: 1, groups: 1 } })
    await pushed(less, { removeAbsent: true, allowRemovals: 3 })
    expect(service.members()).toEqual({ Engineering: ['ada', 'bob'] })
    expect(service.users.filter(({ active }) => active).map(({ userName }) => userName)).toEqual(['ada', 'bob', 'cyd'])
  })
  test('a source that is empty stops the plan', async () => {
    await pushed(source)
    const { plan } = await planOf({ users: [], groups: [] }, { removeAbsent: true, allowRemovals: 0 })
    expect(plan.stops[0]).toBe('The source has 0 people and 0 groups, but the target is not empty. Is it the right source?')
    await expect(pushed({ users: [], groups: [] })).rejects.toMatchObject({ code: 'push_stopped' })
  })
  test('more than 10 % of the groups or 25 % of the members stop it, unless so many are allowed', async () => {
    await pushed(big)
    const before = writes().length
    const lessGroups = { users: big.users, groups: big.groups.slice(0, 35) }
    const remove = { removeAbsent: true, allowRemovals: 0 }
    const { plan } = await planOf(lessGroups, remove)
    expect(plan.stops).toEqual([
      '5 of 40 groups would be deleted, more than 10 %. If that is right, allow it: --allow-removals 20.',
    ])
    const lessMembers = { users: big.users, groups: big.groups.map((one) => ({ ...one, members: one.members.slice(1) })) }
    await expect(pushed(lessMembers)).rejects.toThrow('40 of 120 members would be taken out, more than 25 %.')
    expect(writes()).toHaveLength(before)
    await pushed(lessMembers, { removeAbsent: false, allowRemovals: 40 })
    await pushed({ ...lessMembers, groups: lessMembers.groups.slice(0, 35) }, { removeAbsent: true, allowRemovals: 15 })
    expect(service.groups).toHaveLength(35)
  })
})

describe('the target’s profile', () => {
  const crowd: Source = {
    users: Array.from({ length: 230 }, (_, i) => person(`p${i}`)),
    groups: [group('everybody', ...Array.from({ length: 230 }, (_, i) => `p${i}`))],
  }
  test('AWS: at most 100 members a request, no members to be read, nothing is taken for absent', async () => {
    service.mostMembers = 100
    service.showsMembers = 'never'
    await pushed(crowd, leave, service.open('aws'))
    expect(service.members().everybody).toHaveLength(230)
    const { plan } = await planOf({ ...crowd, groups: [group('everybody', 'p1')] }, leave, service.open('aws'))
    expect(plan.totals.members.removed).toBe(0)
    expect(plan.warnings).toHaveLength(1)
  })
  test('a service without PATCH gets groups whole', async () => {
    service.config = { patch: { supported: false } }
    await pushed(source)
    await pushed({ ...source, groups: [group('Engineering', 'ada', 'cyd'), group('Sales', 'dan')] })
    expect(writes().map(({ method }) => method)).not.toContain('PATCH')
    expect(service.members()).toEqual({ Engineering: ['ada', 'cyd'], Sales: ['dan'] })
  })
  test('cursors, where there is no other paging', async () => {
    service.config = { pagination: { cursor: true, index: false } }
    await pushed(crowd)
    expect((await planOf(crowd, leave, service.open())).plan).toMatchObject({ people: [], groups: [] })
    expect(service.received.at(-2)?.path).toContain('cursor=')
  })
  test('lists without members: each group is asked', async () => {
    service.showsMembers = 'one by one'
    await pushed(source)
    expect((await planOf(source)).plan.groups).toEqual([])
  })
  test('two groups of one name, here or there, are not pushed, and say why', async () => {
    const twins = { users: people, groups: [group('Sales', 'ada'), group('sales', 'bob'), group('Support', 'cyd')] }
    service.groups.push({ id: 'Groups x', displayName: 'Support' }, { id: 'Groups y', displayName: 'support' })
    expect((await planOf(twins)).plan.notPushed).toEqual([
      { name: 'Sales', why: 'The source has two groups of this name: rename one there.' },
      { name: 'Support', why: 'The target has two groups of this name: rename or delete one there.' },
    ])
  })
})

describe('answers that are none: a plain error, and nothing is concluded', () => {
  const list = (body: object) => ({ status: 200, body: JSON.stringify(body) })
  const bad = [
    ['HTML', { status: 200, body: '<html>Sign in</html>' }, 'something that is not JSON'],
    ['a list', { status: 200, body: '[]' }, 'something that is not JSON'],
    ['no total', list({ Resources: [{ id: '1', userName: 'ada' }] }), 'counts NaN under /Users'],
    ['a false total', list({ totalResults: 3, Resources: [] }), 'counts 3 under /Users and shows 0'],
    ['a negative total', list({ totalResults: -1, Resources: [] }), 'counts -1'],
    ['a total beyond all bounds', list({ totalResults: 1e12, Resources: [{ id: '1' }] }), 'counts 1000000000000'],
    [
      'more than the total',
      list({ totalResults: 1, Resources: [{ id: '1' }, { id: '2' }] }),
      'counts 1 under /Users and shows 2',
    ],
    ['no id', list({ totalResults: 1, Resources: [{ userName: 'ada' }] }), 'something without an id'],
    ['an endless body', { status: 200, body: ' '.repeat(33 * 1024 * 1024) }, 'longer than 32 MiB'],
  ] as const
  test.for(bad)('%s', async ([, answer, text]) => {
    service.faultOf = (_, path) => (path.includes('/Users') ? answer : undefined)
    await expect(planOf(source)).rejects.toThrow(text)
    expect(writes()).toEqual([])
  })
  test('the same page for ever', async () => {
    const page = list({ totalResults: 200, Resources: Array.from({ length: 100 }, (_, i) => ({ id: `${i}`, userName: `${i}` })) })
    service.faultOf = (_, path) => (path.includes('/Users') ? page : undefined)
    await expect(planOf(source)).rejects.toThrow('counts 200 under /Users and shows 100')
  })
  test('201 without an id, when it was made and when it was not', async () => {
    service.willFail('POST', { status: 201, body: '{}', acts: true })
    expect((await pushed(source)).errors).toEqual([])
    service.faultOf = (method) => (method === 'POST' ? { status: 201, body: '{}' } : undefined)
    const { errors } = await pushed({ ...source, users: [...people, person('eve')] })
    expect(errors).toEqual([
      { what: 'user', name: 'eve', why: 'The target answered without an id: is the address its SCIM base URL?' },
    ])
  })
  test('a service that is down is not asked for each of thousands', async () => {
    const many = { users: Array.from({ length: 500 }, (_, i) => person(`p${i}`)), groups: [] }
    service.faultOf = (method) => (method === 'POST' ? '500 before' : undefined)
    await expect(pushed(many)).rejects.toThrow('failed 5 requests in a row, each 6 times')
    expect(writes().length).toBeLessThan(150)
  })
})
