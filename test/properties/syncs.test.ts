import fc from 'fast-check'
import { sql } from 'kysely'
import type { Reader } from '../../src/database/connection.ts'
import { reading } from '../../src/database/transaction.ts'
import { expect, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'

const names = ['A', 'B', 'C']
const people = ['ada', 'bob', 'cyd', 'dan']
const name = fc.constantFrom(...names)
const members = fc.subarray(people)
const choice = fc.constantFrom('overwrite', 'merge', 'ignore')
const change = fc.oneof(
  fc.record({ what: fc.constant('pushes' as const), name, members }),
  fc.record({ what: fc.constant('replaces' as const), name, members }),
  fc.record({ what: fc.constant('toggles' as const), name, person: fc.constantFrom(...people) }),
  fc.record({ what: fc.constant('deletes' as const), name }),
  fc.record({ what: fc.constant('reopens' as const), name }),
)
const sync = fc.record({
  what: fc.constant('syncs' as const),
  choices: fc.record({ A: choice, B: choice, C: choice }),
  between: fc.option(change, { nil: undefined }),
})
const dropKept = fc.record({ what: fc.constant('drops' as const), between: fc.option(change, { nil: undefined }) })
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never
type Command =
  | Change
  | (typeof sync extends fc.Arbitrary<infer T> ? T : never)
  | (typeof dropKept extends fc.Arbitrary<infer T> ? T : never)

interface Group {
  effective: Set<string>
  /** Undefined where no provider pushes it. */
  pushed?: Set<string> | undefined
  state?: 'needs_review' | 'synced' | 'ignored' | undefined
  kept: Set<string>
  /** How often it was pushed: another pushed group each time. */
  times: number
}
type Model = Map<string, Group>

test('what is pushed and in force is what a model says; a run does what was reviewed, and is refused only for another answer', {
  timeout: 600_000,
}, async ({ acme, api, db, okta, org }) => {
  const admin = syncing(api, okta.directory.id)
  let sequence = 0
  const seen = { done: 0, refused: 0, unmoved: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(members, members, members),
      fc.array(fc.oneof(change, sync, dropKept), { minLength: 4, maxLength: 20 }),
      async (starts, commands) => {
        // All of it new to the organization: nothing of the sequences before gives access to these people.
        const own = (text: string) => `${text}${sequence}`
        const its = (list: readonly string[]) => list.map(own)
        sequence++
        await acme.has({ group: own('all'), members: its(people) })
        await okta.knows(...its(people))
        const model: Model = new Map()
        for (const [at, group] of names.entries()) {
          const effective = starts[at] ?? []
          await acme.has({ group: own(group), members: its(effective) })
          await acme.grants(own(group), `site${sequence}/wiki/${roleOf(group)}`)
          model.set(group, { effective: new Set(effective), kept: new Set(), times: 0 })
        }
        const performs = async (act: Change) => {
          const group = of(model, act.name)
          switch (act.what) {
            case 'pushes':
              expect(await okta.pushes({ group: own(act.name), members: its(act.members) })).toBe(group.pushed ? 409 : 201)
              if (group.pushed) return
              Object.assign(group, { pushed: new Set(act.members), state: 'needs_review', times: group.times + 1 })
              return
            case 'replaces':
              if (group.pushed === undefined) return
              await okta.replaces(own(act.name), its(act.members))
              replace(group, new Set(act.members))
              return
            case 'toggles': {
              const isMember = group.effective.has(act.person)
              const body = isMember ? { remove: [own(act.person)] } : { add: [own(act.person)] }
              const { status } = await api('PATCH', `/groups/${own(act.name)}/members`, body)
              expect(status).toBe(group.state === 'synced' ? 409 : 200)
              if (group.state !== 'synced') group.effective = group.effective.symmetricDifference(new Set([act.person]))
              return
            }
            case 'deletes':
              if (group.pushed === undefined) return
              await okta.deletes(own(act.name))
              Object.assign(group, { pushed: undefined, state: undefined, kept: new Set() })
              return
            case 'reopens':
              if (group.state !== 'ignored') return
              await api('POST', `/reviews/${okta.idOf(own(act.name))}/reopen`)
              group.state = 'needs_review'
              return
            default:
              act satisfies never
          }
        }
        const runs = async (command: Exclude<Command, Change>) => {
          const proposes = () => proposed(model, command)
          const choices =
            command.what === 'syncs'
              ? Object.fromEntries(
                  names.filter((each) => of(model, each).pushed).map((each) => [own(each), command.choices[each as 'A']]),
                )
              : undefined
          const options =
            command.what === 'drops' ? ({ kind: 'drop_kept' } as const) : ({ choices } as { choices: Record<string, 'merge'> })
          const { fingerprint } = await admin.effectOf('all', options)
          const reviewed = answer(model, proposes())
          if (command.between) await performs(command.between)
          const now = proposes()
          const isSame = answer(model, now) === reviewed
          const { status, body } = await admin.asks('all', { ...options, fingerprint, acceptEmpty: true })
          const isDone = isSame && now.size > 0
          expect([status < 300, JSON.stringify(body)]).toEqual([isDone, JSON.stringify(body)])
          seen[isDone ? 'done' : 'refused']++
          if (isDone && command.between) seen.unmoved++
          if (!isDone) return
          const before = accesses(model)
          const added = [...now].flatMap(([each, after]) => [...after.difference(of(model, each).effective)]).length
          const removed = [...now].flatMap(([each, after]) => [...of(model, each).effective.difference(after)]).length
          for (const [each, after] of now)
            become(of(model, each), command.what === 'drops' ? 'drop_kept' : command.choices[each as 'A'], after)
          const after = accesses(model)
          expect(await admin.ended(body.id)).toMatchObject({
            groups: { synced: now.size },
            members: { added, removed },
            access: { lost: before.difference(after).size, gained: after.difference(before).size },
          })
        }
        for (const command of commands) {
          if (command.what === 'syncs' || command.what === 'drops') await runs(command)
          else await performs(command)
          const rows = await reading(db, org.scope, (reader) => stored(reader, names.map(own)))
          expect(rows).toEqual(names.map((each) => shown(of(model, each), own(each), own)))
        }
        for (const each of names) if (of(model, each).pushed) await okta.deletes(own(each))
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 20) },
  )
  expect(Math.min(seen.done, seen.refused)).toBeGreaterThan(0)
})

// Two groups give the same access: either keeps it alive.
const roleOf = (group: string) => (group === 'C' ? 'write' : 'user')
const of = (model: Model, group: string) => model.get(group) as Group

/** A push changes who it changes: in force at once where the group is synced. */
function replace(group: Group, pushed: Set<string>): void {
  for (const person of pushed.symmetricDifference(group.pushed ?? new Set<string>())) {
    group.kept.delete(person)
    if (group.state !== 'synced') continue
    if (pushed.has(person)) group.effective.add(person)
    else group.effective.delete(person)
  }
  group.pushed = pushed
}

/** The groups that a run is about, each with the members it would have. */
function proposed(model: Model, command: Exclude<Command, Change>): Map<string, Set<string>> {
  const found = [...model].flatMap(([each, { effective, pushed, state, kept }]): [string, Set<string>][] => {
    if (command.what === 'drops') return kept.size > 0 ? [[each, effective.difference(kept)]] : []
    if (state !== 'needs_review' || pushed === undefined) return []
    const chosen = command.choices[each as 'A']
    return [[each, chosen === 'overwrite' ? pushed : chosen === 'merge' ? effective.union(pushed) : effective]]
  })
  return new Map(found)
}

function become(group: Group, chosen: string, after: Set<string>): void {
  group.effective = new Set(after)
  group.state = chosen === 'ignore' ? 'ignored' : 'synced'
  group.kept = chosen === 'merge' ? after.difference(group.pushed ?? new Set()) : new Set()
}

/** All that a fingerprint is of: who comes and goes, and what that does to access, each group alone and all together. */
function answer(model: Model, after: Map<string, Set<string>>): string {
  const effects = [...[...after].map((one) => [one]), [...after]].map((some) => {
    const [before, then] = [accesses(model), accesses(model, new Map(some))]
    const left = people.filter((person) => holds(before, person) && !holds(then, person))
    return [[...before.difference(then)].sort(), [...then.difference(before)].sort(), left]
  })
  const changes = [...after].map(([each, then]) => {
    const { effective, times } = of(model, each)
    const [added, removed] = [[...then.difference(effective)].sort(), [...effective.difference(then)].sort()]
    return [each, times, added, removed, removed.length > 0 && removed.length === effective.size && added.length === 0]
  })
  return JSON.stringify([changes, effects])
}

const accesses = (model: Model, after = new Map<string, Set<string>>()): Set<string> =>
  new Set(
    [...model].flatMap(([each, { effective }]) =>
      [...(after.get(each) ?? effective)].map((person) => `${person}|${roleOf(each)}`),
    ),
  )
const holds = (all: Set<string>, person: string) => [...all].some((access) => access.startsWith(`${person}|`))

const shown = ({ effective, pushed = effective, state, kept }: Group, group: string, own: (text: string) => string) => {
  const list = (of: Set<string>) => [...of].map(own).sort()
  return {
    name: group,
    effective: list(effective),
    pushed: list(pushed),
    kept: list(kept),
    state: state ?? null,
    isManaged: state === 'synced',
  }
}

async function stored(reader: Reader, groups: string[]) {
  const members = (which: string) => sql`array(
    select a.user_name from memberships m join accounts a on a.org_id = m.org_id and a.id = m.account_id
    where m.org_id = g.org_id and m.group_id = g.id and ${sql.raw(which)} order by 1)`
  const { rows } = await sql`
    select g.name, ${members('m.effective')} as effective, ${members('m.pushed')} as pushed, ${members("m.waiting = 'kept'")} as kept,
      p.state, g.managed_by is not null as "isManaged"
    from groups g left join provisioned_groups p on p.org_id = g.org_id and p.group_id = g.id
    where g.org_id = ${reader.orgId} and g.name = any(${groups}::text[]) order by 1`.execute(reader)
  return rows
}
