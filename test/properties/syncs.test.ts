import fc from 'fast-check'
import { sql } from 'kysely'
import type { Reader } from '../../src/database/connection.ts'
import type { DirectoryId } from '../../src/database/ids.ts'
import { inTransaction, reading } from '../../src/database/transaction.ts'
import { runSync } from '../../src/sync/run-sync.ts'
import { startRun } from '../../src/sync/start-run.ts'
import { expect, test } from '../support/story.ts'
import { syncing } from '../sync/syncing.ts'
import type { Choice, Chosen, Group, Pushed, World } from './sync-model.ts'
import * as model from './sync-model.ts'

// A pushed group is one of these names, whichever a number falls on; so are existing ones and people.
const names = ['A', 'B', 'C', 'D']
const people = ['ada', 'bob', 'cyd', 'dan']
const members = fc.subarray(people)
const at = fc.nat(60)
const is = <const What extends string>(what: What) => fc.constant(what)
const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: is('pushes'), name: fc.constantFrom(...names), members }) },
  { weight: 4, arbitrary: fc.record({ what: is('replaces'), at, members }) },
  { weight: 2, arbitrary: fc.record({ what: is('toggles'), at, person: fc.constantFrom(...people) }) },
  fc.record({ what: is('provider deletes'), at }),
  fc.record({ what: is('provider renames'), at, name: fc.constantFrom(...names) }),
  fc.record({ what: is('admin renames'), at, name: fc.constantFrom(...names) }),
  fc.record({ what: is('admin deletes'), at }),
  fc.record({ what: is('admin restores'), at }),
  fc.record({ what: is('reopens'), at }),
)
const choice = fc.constantFrom<Choice>('overwrite', 'overwrite', 'merge', 'merge', 'rename_existing', 'ignore')
const between = fc.option(change, { nil: undefined, freq: 2 })
const sync = fc.record({
  what: is('syncs'),
  choices: fc.array(choice, { minLength: 8, maxLength: 8 }),
  /** Where it falls on a group that may be linked to. */
  links: fc.array(fc.option(at, { nil: undefined, freq: 2 }), { minLength: 8, maxLength: 8 }),
  between,
  /** After so many groups the worker stops, and another goes on. */
  stopsAfter: fc.option(fc.nat(2), { nil: undefined, freq: 2 }),
})
const command = fc.oneof(
  { weight: 12, arbitrary: change },
  { weight: 5, arbitrary: sync },
  { weight: 1, arbitrary: fc.record({ what: is('drops'), between }) },
  { weight: 2, arbitrary: fc.record({ what: is('undoes') }) },
  { weight: 1, arbitrary: fc.record({ what: is('puts back'), at, to: at }) },
)
type Of<Type> = Type extends fc.Arbitrary<infer Value> ? Value : never
type Change = Of<typeof change>
type Sync = Of<typeof sync> | { what: 'drops'; between: Change | undefined }

/** What was so after a command; of a run, and before it. */
interface Seen {
  entry: string
  world: World
  run?: { id: string; before: World } | undefined
}

test('what is pushed and in force is what a model says; a run does what was reviewed, and is refused only for another answer', {
  timeout: 3_600_000,
}, async ({ acme, api, db, okta, org }) => {
  const admin = syncing(api, okta.directory.id)
  let sequence = 0
  const seen = { done: 0, refused: 0, unmoved: 0, stopped: 0, undone: 0, putBack: 0 }
  const forgetsAll = async () => {
    const rows = await reading(db, org.scope, (reader) =>
      reader.selectFrom('provisioned_groups').select('id').where('org_id', '=', reader.orgId).execute(),
    )
    for (const { id } of rows) await okta.request('DELETE', `/Groups/${id}`)
  }
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(members, members, members),
      fc.array(command, { minLength: 4, maxLength: Number(process.env.COMMANDS ?? 24) }),
      async (starts, commands) => {
        // All of it new to the organization: nothing of the sequences before is pushed, or gives access to these people.
        await forgetsAll()
        sequence++
        const its = sequence
        const own = (text: string) => text.replace(/^\w+/, (word) => `${word}${its}`)
        const all = (list: Iterable<string>) => [...list].map(own)
        await acme.has({ group: own('Everybody'), members: all(people) })
        await okta.knows(...all(people))
        let world: World = { groups: [], pushed: [], next: 1 }
        for (const [index, effective] of starts.entries()) {
          const name = names[index] ?? ''
          const role = index === 2 ? 'write' : 'user'
          await acme.has({ group: own(name), members: all(effective) })
          await acme.grants(own(name), `site${its}/wiki/${role}`)
          model.newGroup(world, { name, effective: new Set(effective), role })
        }
        const pick = <Thing>(things: readonly Thing[], index: number): Thing | undefined => things[index % (things.length || 1)]
        const performs = async (act: Change): Promise<void> => {
          const one = 'at' in act ? pick(world.pushed, act.at) : undefined
          const group =
            'at' in act
              ? pick(
                  world.groups.filter(({ inForce }) => inForce),
                  act.at,
                )
              : undefined
          switch (act.what) {
            case 'pushes': {
              const isThere = model.pushedNamed(world, act.name) !== undefined
              expect(await okta.pushes({ group: own(act.name), members: all(act.members) })).toBe(isThere ? 409 : 201)
              if (!isThere) model.push(world, act.name, act.members)
              return
            }
            case 'replaces':
              if (one === undefined) return
              await okta.replaces(own(one.name), all(act.members))
              return model.replace(one, act.members)
            case 'toggles': {
              if (group === undefined) return
              const isMember = group.effective.has(act.person)
              const body = isMember ? { remove: [own(act.person)] } : { add: [own(act.person)] }
              const { status } = await api('PATCH', `/groups/${encodeURIComponent(own(group.name))}/members`, body)
              expect(status).toBe(group.isManaged ? 409 : 200)
              if (!group.isManaged) group.effective = group.effective.symmetricDifference(new Set([act.person]))
              return
            }
            case 'provider deletes':
              if (one === undefined) return
              await okta.deletes(own(one.name))
              return model.providerDeletes(world, one)
            case 'provider renames': {
              if (one === undefined || one.name === act.name) return
              const isThere = model.pushedNamed(world, act.name) !== undefined
              const status = await okta.renames(own(one.name), own(act.name))
              expect(status >= 300).toBe(isThere)
              if (!isThere) model.providerRenames(world, one, act.name)
              return
            }
            case 'admin renames': {
              if (group === undefined || group.name === act.name) return
              const may = !group.isManaged && model.inForceNamed(world, act.name) === undefined
              const { status } = await acme.renames(own(group.name), own(act.name))
              expect(status).toBe(may ? 200 : 409)
              if (may) model.adminRenames(world, group, act.name)
              return
            }
            case 'admin deletes': {
              if (group === undefined) return
              const { status } = await acme.deletes(own(group.name))
              expect(status < 300).toBe(!group.isManaged)
              if (!group.isManaged) model.adminDeletes(world, group)
              return
            }
            case 'admin restores': {
              const deleted = pick(
                world.groups.filter((each) => each.deleted !== undefined),
                act.at,
              )
              if (deleted === undefined || model.inForceNamed(world, deleted.name)) return
              const { items } = (await api('GET', '/deleted-groups?limit=0')).body
              const older = items.filter(({ name }: { name: string }) => name === own(deleted.name))
              const nth = world.groups
                .filter((each) => each.deleted !== undefined && each.name === deleted.name)
                .sort((a, b) => (b.deleted ?? 0) - (a.deleted ?? 0))
                .indexOf(deleted)
              const { id } = older[nth]
              const { fingerprint } = (await api('GET', `/deleted-groups/${id}`)).body.restores
              expect((await api('POST', `/deleted-groups/${id}/restore`, { fingerprint })).status).toBeLessThan(300)
              return model.adminRestores(world, deleted)
            }
            case 'reopens':
              if (one?.state !== 'ignored') return
              await api('POST', `/reviews/${okta.idOf(own(one.name))}/reopen`)
              one.state = 'needs_review'
              return model.settle(world, [one.name, ...(one.isLinked ? [one.group.name] : [])])
            default:
              act satisfies never
          }
        }
        /** What is proposed for each group that is meant, by its name, as long as nothing is in the way. */
        const proposed = (what: Sync, links: ReadonlyMap<string, number> = new Map()): Map<Pushed, Chosen> =>
          new Map(
            world.pushed.flatMap((one, index): [Pushed, Chosen][] => {
              if (what.what === 'drops') return [...one.waiting.values()].includes('kept') ? [[one, { choice: 'drop_kept' }]] : []
              if (one.state !== 'needs_review') return []
              const chosen = what.choices[index % what.choices.length] ?? 'overwrite'
              const linkTo = world.groups.find(({ id }) => id === links.get(one.name))
              if (linkTo) return [[one, { choice: chosen === 'merge' ? 'merge' : 'overwrite', linkTo }]]
              // Only a group that has the name can be renamed.
              return [[one, { choice: chosen === 'rename_existing' && !one.reasons.includes('name_taken') ? 'merge' : chosen }]]
            }),
          )
        const free = () => world.groups.filter((group) => group.inForce && !group.isManaged && !model.pairedWith(world, group))
        const runs = async (what: Sync): Promise<Seen['run']> => {
          const links = new Map<string, number>()
          if (what.what === 'syncs')
            for (const [index, one] of world.pushed.entries()) {
              const asked = what.links[index % what.links.length]
              const to = asked === undefined ? undefined : pick(free(), asked)
              if (one.state === 'needs_review' && to && ![...links.values()].includes(to.id)) links.set(one.name, to.id)
            }
          const before = proposed(what, links)
          if (before.size === 0 && what.what === 'syncs') return undefined
          const reviewed = model.answer(world, before)
          const options = what.what === 'drops' ? ({ kind: 'drop_kept' } as const) : optionsOf(before, own)
          const { fingerprint } = await admin.effectOf('all', options)
          if (what.between) await performs(what.between)
          // What was chosen stays chosen; who is met by it may be others.
          const now = new Map([...proposed(what, links)].map(([one, chosen]) => [one, before.get(one) ?? chosen]))
          const isSame = now.size > 0 && now.size === before.size && model.answer(world, now) === reviewed
          const asked = { ...options, fingerprint, acceptEmpty: true }
          if (!isSame) {
            const { status, body } = await admin.asks('all', asked)
            expect([status >= 400, JSON.stringify(body)]).toEqual([true, JSON.stringify(body)])
            seen.refused++
            return undefined
          }
          const worldBefore = structuredClone(world)
          const access = model.accesses(world)
          const counts = [...now].map(([one, chosen]) => {
            const have = (chosen.linkTo ?? one.group).effective
            const want = model.becomes(one, chosen)
            return chosen.choice === 'rename_existing'
              ? { added: one.pushed.size, removed: 0 }
              : { added: want.difference(have).size, removed: have.difference(want).size }
          })
          let id: string
          const stopsAfter = what.what === 'syncs' ? what.stopsAfter : undefined
          if (stopsAfter === undefined) {
            const { status, body } = await admin.asks('all', asked)
            expect([status < 300, JSON.stringify(body)]).toEqual([true, JSON.stringify(body)])
            id = body.id
          } else {
            id = await stopped(asked, stopsAfter)
            seen.stopped++
          }
          seen.done++
          if (what.between) seen.unmoved++
          for (const [one, chosen] of now) model.choose(world, one, chosen)
          const after = model.accesses(world)
          const sum = (of: 'added' | 'removed') => counts.reduce((total, each) => total + each[of], 0)
          expect(await admin.ended(id)).toMatchObject({
            groups: { synced: now.size },
            members: { added: sum('added'), removed: sum('removed') },
            access: { lost: access.difference(after).size, gained: after.difference(access).size },
          })
          return { id, before: worldBefore }
        }
        /** A run of which the first worker is stopped between two groups. */
        const stopped = async (asked: Record<string, unknown>, after: number): Promise<string> => {
          const runId = await inTransaction(db, org.scope, (trx) =>
            startRun(
              trx,
              { send: async () => {} },
              {
                ...{ kind: 'sync', directoryId: okta.directory.id as DirectoryId, selection: { mode: 'filter', filter: {} } },
                ...{ choice: 'overwrite', acceptIncomplete: false, note: null },
                ...(asked as { fingerprint: string; acceptEmpty: boolean }),
              },
            ),
          )
          const lost = new AbortController()
          let done = 0
          const onGroup = () => {
            if (++done > after) lost.abort()
          }
          await runSync(db, { orgId: org.id, runId }, { signal: lost.signal, onGroup }).catch((error) => {
            if (!lost.signal.aborted) throw error
          })
          await runSync(db, { orgId: org.id, runId })
          return runId
        }
        const history: Seen[] = []
        /** The last run is undone, if nothing was done since: all is as it was before. */
        const undoes = async (): Promise<Seen['run']> => {
          const index = history.findLastIndex(({ run }) => run !== undefined)
          const { run, entry } = history[index] ?? {}
          if (run === undefined || entry !== history.at(-1)?.entry) return undefined
          const shown = await api('GET', `/runs/${run.id}/undo`)
          if (shown.status >= 400) {
            expect(placesOf(run.before, own)).toEqual(placesOf(world, own))
            return undefined
          }
          const before = structuredClone(world)
          const { fingerprint } = shown.body.effect
          const { body } = await api('POST', `/runs/${run.id}/undo`, { fingerprint })
          const ended = await admin.ended(body.id)
          expect(ended.groups).toMatchObject({ synced: ended.groups.total })
          world = structuredClone(run.before)
          seen.undone++
          return { id: body.id, before }
        }
        const putsBack = async (act: { at: number; to: number }): Promise<void> => {
          const group = pick(
            world.groups.filter(({ inForce }) => inForce),
            act.at,
          )
          const moment = pick(history, act.to)
          if (group === undefined || moment === undefined) return
          const then = moment.world.groups.find(({ id }) => id === group.id)
          const [one, oneThen] = [model.pairedWith(world, group), then && model.pairedWith(moment.world, then)]
          if (!then?.inForce || then.name !== group.name || one?.id !== oneThen?.id) return
          if (
            one &&
            oneThen &&
            (model.follows(one) !== model.follows(oneThen) || (!model.follows(one) && one.state !== oneThen.state))
          )
            return
          // Linked anew since: nobody who was kept before is kept now.
          const path = `/groups/${encodeURIComponent(own(group.name))}/restore`
          const { status, body } = await api('GET', `${path}?to=${moment.entry}`)
          if (status >= 400) return expect(body.type).toMatch(/nothing_to_restore/)
          const answered = await api('POST', path, { to: moment.entry, fingerprint: body.effect.fingerprint })
          expect([answered.status, JSON.stringify(answered.body)]).toEqual([200, JSON.stringify(answered.body)])
          model.putBack(world, group, { group: then, one: oneThen })
          seen.putBack++
        }
        const done: string[] = []
        for (const act of commands) {
          done.push(JSON.stringify(act))
          let run: Seen['run']
          if (act.what === 'syncs' || act.what === 'drops') run = await runs(act)
          else if (act.what === 'undoes') run = await undoes()
          else if (act.what === 'puts back') await putsBack(act)
          else await performs(act)
          const now = await reading(db, org.scope, (reader) => stored(reader, its))
          expect(now.places, done.join('\n')).toEqual(placesOf(world, own))
          history.push({ entry: now.entry, world: structuredClone(world), run })
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 8), ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  )
  if (process.env.RUNS) console.log(seen)
  expect(Math.min(seen.done, seen.refused)).toBeGreaterThan(0)
})

/** What is chosen, as the API takes it. */
function optionsOf(proposed: Map<Pushed, Chosen>, own: (text: string) => string) {
  const of = <Value>(value: (chosen: Chosen) => Value | undefined): Record<string, Value> =>
    Object.fromEntries(
      [...proposed].flatMap(([one, chosen]) => {
        const found = value(chosen)
        return found === undefined ? [] : [[own(one.name), found]]
      }),
    )
  return { choices: of(({ choice }) => choice as Choice), links: of(({ linkTo }) => linkTo && own(linkTo.name)) }
}

interface Place {
  name: string
  standing: string
  effective: string[]
  pushedAs: string | null
  state: string | null
  pushed: string[]
  waiting: string[]
}

/** All groups with what is pushed of each, sorted. */
function placesOf(world: World, own: (text: string) => string): Place[] {
  const list = (of: Iterable<string>) => [...of].map(own).sort()
  return world.groups
    .map((group: Group): Place => {
      const one = model.pairedWith(world, group)
      const standing = group.inForce
        ? group.isManaged
          ? 'managed'
          : 'in force'
        : group.deleted === undefined
          ? 'apart'
          : 'deleted'
      return {
        name: standing === 'apart' ? '' : own(group.name),
        standing,
        effective: list(group.effective),
        pushedAs: one ? own(one.name) : null,
        state: one ? [one.state, ...one.reasons, one.isLinked, one.keepsName].join(' ') : null,
        pushed: one ? list(one.pushed) : list(group.effective),
        waiting: one ? [...one.waiting].map(([person, why]) => `${own(person)} ${why}`).sort() : [],
      }
    })
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
const key = (place: Place) => JSON.stringify(place)

async function stored(reader: Reader, sequence: number): Promise<{ places: Place[]; entry: string }> {
  const people = (which: string, also = '') => sql`array(
    select a.user_name || ${also === '' ? sql`''` : sql.raw(also)} from memberships m join accounts a on a.org_id = m.org_id and a.id = m.account_id
    where m.org_id = g.org_id and m.group_id = g.id and ${sql.raw(which)} order by 1)`
  const { rows } = await sql<Place>`
    select case when g.effective or g.deleted_at is not null then g.name else '' end as name,
      case when g.managed_by is not null then 'managed' when g.effective then 'in force' when g.deleted_at is null then 'apart' else 'deleted' end as standing,
      ${people('m.effective')} as effective, p.name as "pushedAs",
      concat_ws(' ', p.state, array_to_string(p.reasons, ' '), p.is_linked, p.keeps_name) as state,
      ${people('m.pushed')} as pushed, ${people('m.waiting is not null', "' ' || m.waiting")} as waiting
    from groups g left join provisioned_groups p on p.org_id = g.org_id and p.group_id = g.id
    where g.org_id = ${reader.orgId} and g.name ~ ${`^[A-D]${sequence}( |$)`}`.execute(reader)
  const { rows: entries } = await sql<{ entry: string }>`
    select max(id)::text as entry from log_entries where org_id = ${reader.orgId}`.execute(reader)
  const places = rows.map((row) => ({
    ...row,
    state:
      row.pushedAs === null ? null : (row.state ?? '').replace(/ +/g, ' ').replace(/\bt\b/g, 'true').replace(/\bf\b/g, 'false'),
  }))
  return { places: places.sort((a, b) => (key(a) < key(b) ? -1 : 1)), entry: entries[0]?.entry ?? '0' }
}
