import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'

/** A small model of an organization, to answer in memory and from the definitions alone what a review answers in SQL. */
export interface ReferenceGroup {
  name: string
  effective: ReadonlySet<string>
  /** What the provider says; undefined where no provider pushes the group. */
  pushed?: ReadonlySet<string>
  /** `site/product/role` of its grants. */
  grants: readonly string[]
  isDefault?: boolean
  /** The provider's group shares no group of the organization: it is not in force. */
  isApart?: boolean
}

export interface ReferenceWorld {
  /** Everybody, by user name. */
  people: ReadonlyMap<string, { active: boolean }>
  groups: readonly ReferenceGroup[]
}

/** `person|site/product/role`, sorted. */
export interface ReferenceEffect {
  lost: string[]
  gained: string[]
  peopleLosing: string[]
  peopleGaining: string[]
  leftWithNone: string[]
}

/** The groups that need review: pushed, and no default access group. */
export const reviewedGroups = (world: ReferenceWorld): ReferenceGroup[] =>
  world.groups.filter(({ pushed, isDefault }) => pushed && !isDefault)

/** What making the pushed members the members of these groups does: the difference of who can do what before and after. */
export function effectOnAccess(world: ReferenceWorld, selected: Iterable<ReferenceGroup>): ReferenceEffect {
  const chosen = new Set(selected)
  const touched = new Set<string>()
  for (const { effective, pushed = effective } of chosen)
    for (const person of effective.symmetricDifference(pushed)) touched.add(person)
  const [lost, gained, leftWithNone]: string[][] = [[], [], []]
  for (const person of touched) {
    const before = accessOf(world, person, new Set())
    const after = accessOf(world, person, chosen)
    const gone = [...before.difference(after)]
    lost?.push(...gone.map((access) => `${person}|${access}`))
    gained?.push(...[...after.difference(before)].map((access) => `${person}|${access}`))
    if (gone.length > 0 && after.size === 0) leftWithNone?.push(person)
  }
  const people = (pairs: readonly string[] = []) => [...new Set(pairs.map((pair) => pair.slice(0, pair.indexOf('|'))))].sort()
  return {
    lost: lost?.sort() ?? [],
    gained: gained?.sort() ?? [],
    peopleLosing: people(lost),
    peopleGaining: people(gained),
    leftWithNone: leftWithNone?.sort() ?? [],
  }
}

const groupsOfPeople = new WeakMap<ReferenceWorld, Map<string, ReferenceGroup[]>>()

function accessOf(world: ReferenceWorld, person: string, selected: ReadonlySet<ReferenceGroup>): Set<string> {
  if (!world.people.get(person)?.active) return new Set()
  let byPerson = groupsOfPeople.get(world)
  if (byPerson === undefined) {
    byPerson = new Map()
    for (const group of world.groups) {
      for (const member of group.effective.union(group.pushed ?? new Set<string>()))
        byPerson.set(member, [...(byPerson.get(member) ?? []), group])
    }
    groupsOfPeople.set(world, byPerson)
  }
  const now = (byPerson.get(person) ?? []).filter((group) =>
    (selected.has(group) ? (group.pushed ?? group.effective) : group.effective).has(person),
  )
  return new Set(now.flatMap(({ grants }) => grants))
}

/** Access that goes when all are done at once, and with none of them alone. */
export function jointLosses(world: ReferenceWorld, selected: readonly ReferenceGroup[]): string[] {
  const alone = new Set(selected.flatMap((group) => effectOnAccess(world, [group]).lost))
  return effectOnAccess(world, selected).lost.filter((access) => !alone.has(access))
}

/** Drops every group that takes part in a loss, from those that take nothing alone, until nothing is lost. */
export function safeSet(world: ReferenceWorld, among: readonly ReferenceGroup[]): ReferenceGroup[] {
  let kept = among.filter((group) => effectOnAccess(world, [group]).lost.length === 0)
  for (;;) {
    const lost = new Set(effectOnAccess(world, kept).lost)
    if (lost.size === 0) return kept
    kept = kept.filter(
      ({ effective, pushed = effective, grants }) =>
        ![...effective.difference(pushed)].some((person) => grants.some((access) => lost.has(`${person}|${access}`))),
    )
  }
}

/** The losses of a whole run that one of its groups has part in by its removals. */
export function lostInRun(world: ReferenceWorld, pending: readonly ReferenceGroup[], group: ReferenceGroup): string[] {
  const { effective, pushed = effective, grants } = group
  return [...effective.difference(pushed)]
    .flatMap((person) => {
      if (!world.people.get(person)?.active) return []
      const after = accessOf(world, person, new Set(pending))
      return grants.filter((access) => !after.has(access)).map((access) => `${person}|${access}`)
    })
    .sort()
}

/** The sample organization, straight from its files. Groups whose name is free are in force as pushed, and give no access. */
export function sampleWorld(folder = join(import.meta.dirname, '../../sample/kubernetes-org')): ReferenceWorld {
  const read = (file: string) => parse(readFileSync(join(folder, file)), { columns: true }) as Record<string, string>[]
  const members = (file: string) => Map.groupBy(read(file), (row) => row.group ?? '')
  const [existing, pushed, access] = [
    members('existing/members.csv'),
    members('pushed/members.csv'),
    Map.groupBy(read('existing/access.csv'), (row) => row.group ?? ''),
  ]
  const peopleOf = (rows: Record<string, string>[] | undefined) => new Set((rows ?? []).map((row) => row.user_name ?? ''))
  const existingNames = read('existing/groups.csv').map((row) => row.group ?? '')
  const pushedNames = new Set(read('pushed/groups.csv').map((row) => row.group ?? ''))
  const people = [...read('existing/users.csv'), ...read('pushed/users.csv')].map((row) => row.user_name ?? '')
  return {
    people: new Map(people.map((person) => [person, { active: true }])),
    groups: [
      ...existingNames.map((name) => ({
        name,
        effective: peopleOf(existing.get(name)),
        ...(pushedNames.has(name) ? { pushed: peopleOf(pushed.get(name)) } : {}),
        grants: (access.get(name) ?? []).map((row) => `${row.site}/${row.product}/${row.role}`),
        isDefault: (access.get(name) ?? []).some((row) => row.default === 'true'),
      })),
      ...[...pushedNames.difference(new Set(existingNames))].map((name) => ({
        name,
        effective: peopleOf(pushed.get(name)),
        grants: [],
      })),
    ],
  }
}
