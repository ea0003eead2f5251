// The organization and what one provider pushed into it, in memory: behaviour.md, «A group is pushed» and «The sync», without a database.

export interface Group {
  id: number
  name: string
  inForce: boolean
  /** When it was deleted, among others; undefined where it was not. */
  deleted?: number | undefined
  /** Who was in it when it was deleted. */
  hadMembers: Set<string>
  role?: string | undefined
  effective: Set<string>
  isManaged: boolean
}

export interface Pushed {
  id: number
  name: string
  group: Group
  pushed: Set<string>
  state: 'needs_review' | 'blocked' | 'synced' | 'held' | 'ignored'
  reasons: string[]
  isLinked: boolean
  keepsName: boolean
  waiting: Map<string, 'kept' | 'held'>
}

export interface World {
  groups: Group[]
  pushed: Pushed[]
  next: number
}

export type Choice = 'overwrite' | 'merge' | 'rename_existing' | 'ignore'
export interface Chosen {
  choice: Choice | 'drop_kept'
  linkTo?: Group | undefined
}

export const follows = ({ state }: Pushed): boolean => state === 'synced' || state === 'held'
export const inForceNamed = (world: World, name: string): Group | undefined =>
  world.groups.find((group) => group.inForce && group.name === name)
export const pushedNamed = (world: World, name: string): Pushed | undefined => world.pushed.find((one) => one.name === name)
export const pairedWith = (world: World, group: Group): Pushed | undefined => world.pushed.find((one) => one.group === group)

export function newGroup(world: World, fields: Partial<Group> & { name: string }): Group {
  const asNew = { inForce: true, effective: new Set<string>(), hadMembers: new Set<string>(), isManaged: false }
  const group: Group = { id: world.next++, ...asNew, ...fields }
  world.groups.push(group)
  return group
}

/** A name meets the group that has it, else the one that was deleted last. */
function met(world: World, name: string): Group | undefined {
  const deleted = world.groups.filter((group) => group.deleted !== undefined && group.name === name)
  return inForceNamed(world, name) ?? deleted.sort((a, b) => (b.deleted ?? 0) - (a.deleted ?? 0))[0]
}

function judge(world: World, existing: Group | undefined, one: Pushed | undefined, isLinked: boolean) {
  if (existing === undefined) return { pairing: 'free', state: 'synced', reasons: [] as string[] } as const
  const other = pairedWith(world, existing)
  if (existing.isManaged || (other && other !== one))
    return { pairing: 'apart', state: 'blocked', reasons: ['managed_elsewhere'] } as const
  const reason = existing.deleted !== undefined ? 'deleted_before' : isLinked ? 'linked' : 'name_taken'
  return { pairing: 'existing', state: 'needs_review', reasons: [reason] } as const
}

const isApart = ({ inForce, deleted }: Group) => !inForce && deleted === undefined

function move(world: World, one: Pushed, to: Group): void {
  const from = one.group
  if (to === from) return
  one.group = to
  one.waiting.clear()
  if (isApart(from)) world.groups = world.groups.filter((group) => group !== from)
}

function settlePairing(
  world: World,
  one: Pushed,
  { isLinked: wasLinked, keepsName }: Pick<Pushed, 'isLinked' | 'keepsName'> = one,
) {
  const linked = wasLinked && one.group.inForce ? one.group : undefined
  const existing = linked ?? met(world, one.name)
  const { pairing, state, reasons } = judge(world, existing, one, linked !== undefined)
  move(world, one, pairing === 'existing' && existing ? existing : groupApart(world, one))
  if (pairing === 'free') bringIntoForce(one)
  Object.assign(one, { state, reasons: [...reasons], isLinked: linked !== undefined, keepsName })
}

const groupApart = (world: World, { name, group }: Pushed) => (isApart(group) ? group : newGroup(world, { name, inForce: false }))

function bringIntoForce({ name, group, pushed }: Pushed): void {
  Object.assign(group, { name, inForce: true, isManaged: true, effective: new Set(pushed) })
}

/** Whatever frees or takes names has every pushed group of them be judged afresh, the earliest first. */
export function settle(world: World, names: string[]): void {
  const concerned = world.pushed.filter(
    ({ name, isLinked, group }) => names.includes(name) || (isLinked && group.inForce && names.includes(group.name)),
  )
  for (const one of concerned.sort((a, b) => a.id - b.id)) {
    if (one.state === 'ignored') continue
    if (!follows(one)) settlePairing(world, one)
    else if (one.reasons.includes('name_taken') && inForceNamed(world, one.name) === undefined) {
      const former = one.group.name
      one.group.name = one.name
      one.reasons = one.reasons.filter((reason) => reason !== 'name_taken')
      settle(world, [former])
    }
  }
}

export function push(world: World, name: string, members: readonly string[]): void {
  const existing = met(world, name)
  const { pairing, state, reasons } = judge(world, existing, undefined, false)
  const isFree = pairing === 'free'
  const group = pairing === 'existing' && existing ? existing : newGroup(world, { name, inForce: isFree, isManaged: isFree })
  if (isFree) group.effective = new Set(members)
  world.pushed.push({
    ...{ id: world.next++, name, group, state, reasons: [...reasons], pushed: new Set(members) },
    ...{ isLinked: false, keepsName: false, waiting: new Map() },
  })
}

/** A push changes who it changes: in force at once where the group is synced. */
export function replace(one: Pushed, members: readonly string[]): void {
  const pushed = new Set(members)
  for (const person of pushed.symmetricDifference(one.pushed)) {
    one.waiting.delete(person)
    if (!follows(one)) continue
    if (pushed.has(person)) one.group.effective.add(person)
    else one.group.effective.delete(person)
  }
  one.pushed = pushed
  settleHeld(one)
}

function settleHeld(one: Pushed): void {
  if (follows(one)) one.state = [...one.waiting.values()].includes('held') ? 'held' : 'synced'
}

export function providerDeletes(world: World, one: Pushed): void {
  const { group } = one
  if (follows(one)) group.isManaged = false
  world.pushed = world.pushed.filter((other) => other !== one)
  if (isApart(group)) world.groups = world.groups.filter((other) => other !== group)
  settle(world, [one.name, group.name])
}

export function providerRenames(world: World, one: Pushed, name: string): void {
  const before = one.name
  let former = before
  Object.assign(one, { name, keepsName: false })
  if (follows(one)) {
    const existing = inForceNamed(world, name)
    const isFree = existing === undefined || existing === one.group
    const reasons = one.reasons.filter((reason) => reason !== 'name_taken')
    if (isFree) {
      former = one.group.name
      one.group.name = name
    }
    one.reasons = isFree ? reasons : [...reasons, 'name_taken']
  }
  settle(world, [before, name, former])
}

export function adminDeletes(world: World, group: Group): void {
  const one = pairedWith(world, group)
  Object.assign(group, { hadMembers: group.effective, effective: new Set(), inForce: false, deleted: world.next++ })
  settle(world, [group.name, ...(one ? [one.name] : [])])
}

export function adminRestores(world: World, group: Group): void {
  Object.assign(group, { effective: new Set(group.hadMembers), inForce: true, deleted: undefined })
  settle(world, [group.name])
}

export function adminRenames(world: World, group: Group, name: string): void {
  const before = group.name
  group.name = name
  settle(world, [before, name])
}

/** What is in force of the group that a choice is about, once it is done. */
export function becomes({ group: paired, pushed, waiting }: Pushed, { choice, linkTo: group = paired }: Chosen): Set<string> {
  if (choice === 'overwrite') return new Set(pushed)
  if (choice === 'merge') return group.effective.union(pushed)
  if (choice === 'drop_kept') return new Set([...group.effective].filter((person) => waiting.get(person) !== 'kept'))
  return new Set(group.effective)
}

export function choose(world: World, one: Pushed, { choice, linkTo }: Chosen): void {
  if (choice === 'ignore') Object.assign(one, { state: 'ignored', reasons: [] })
  else if (choice === 'rename_existing') renameExisting(world, one)
  else if (choice === 'drop_kept') {
    one.group.effective = becomes(one, { choice })
    for (const [person, why] of one.waiting) if (why === 'kept') one.waiting.delete(person)
  } else {
    if (linkTo && linkTo !== one.group) link(world, one, linkTo)
    const after = becomes(one, { choice })
    one.waiting = new Map([...after.difference(one.pushed)].map((person) => [person, 'kept']))
    one.group.effective = after
    manage(world, one)
  }
}

function link(world: World, one: Pushed, to: Group): void {
  const before = one.group
  const isLinked = to.name !== one.name
  const { state, reasons } = judge(world, to, one, isLinked)
  move(world, one, to)
  Object.assign(one, { state, reasons: [...reasons], isLinked, keepsName: false })
  settle(world, [one.name, before.name, to.name])
}

function manage(world: World, one: Pushed): void {
  const { group, name, keepsName } = one
  const former = group.name
  const takesName = former === name || (!keepsName && inForceNamed(world, name) === undefined)
  Object.assign(group, { inForce: true, deleted: undefined, isManaged: true, ...(takesName ? { name } : {}) })
  Object.assign(one, { state: 'synced', reasons: takesName || keepsName ? [] : ['name_taken'] })
  if (takesName && former !== name) settle(world, [former, name])
}

function renameExisting(world: World, one: Pushed): void {
  const isTaken = (name: string) =>
    world.groups.some((group) => (group.inForce || group.deleted !== undefined) && group.name === name) ||
    pushedNamed(world, name) !== undefined
  let n = 2
  while (isTaken(`${one.name} (${n})`)) n++
  const existing = one.group
  existing.name = `${one.name} (${n})`
  // Neither who pushed the name before nor what was deleted of it comes first.
  move(world, one, groupApart(world, one))
  bringIntoForce(one)
  Object.assign(one, { state: 'synced', reasons: [], isLinked: false })
  settle(world, [one.name, existing.name])
}

/** A group is put back to what it was then; one of a directory keeps what it was told meanwhile as differences, which wait. */
export function putBack(world: World, group: Group, then: { group: Group; one?: Pushed | undefined }): void {
  const one = pairedWith(world, group)
  const moved = group.effective.symmetricDifference(then.group.effective)
  group.effective = new Set(then.group.effective)
  if (one === undefined || !follows(one)) return
  const differs = group.effective.symmetricDifference(one.pushed)
  const waiting = [...differs].map((person): [string, 'kept' | 'held'] => {
    const wasKept = then.one?.waiting.get(person) === 'kept' && !one.pushed.has(person)
    const now = moved.has(person) ? undefined : one.waiting.get(person)
    return [person, wasKept || now === 'kept' ? 'kept' : 'held']
  })
  one.waiting = new Map(waiting)
  settleHeld(one)
}

/** Every access in force (`person|role`), with these groups as they would be. */
export const accesses = (world: World, after = new Map<Group, Set<string>>()): Set<string> =>
  new Set(
    world.groups.flatMap((group) =>
      group.role === undefined ? [] : [...(after.get(group) ?? group.effective)].map((person) => `${person}|${group.role}`),
    ),
  )

/** All that a fingerprint is of: who comes and goes, and what that does to access, each group alone and all together. */
export function answer(world: World, proposed: Map<Pushed, Chosen>): string {
  const about = [...proposed].map(([one, chosen]) => ({
    one,
    chosen,
    group: chosen.linkTo ?? one.group,
    after: becomes(one, chosen),
  }))
  const holds = (all: Set<string>, person: string) => [...all].some((access) => access.startsWith(`${person}|`))
  const effects = [...about.map((one) => [one]), about].map((some) => {
    const [before, then] = [accesses(world), accesses(world, new Map(some.map(({ group, after }) => [group, after])))]
    const touched = new Set([...before, ...then].map((access) => access.split('|')[0] ?? ''))
    const left = [...touched].filter((person) => holds(before, person) && !holds(then, person)).sort()
    return [[...before.difference(then)].sort(), [...then.difference(before)].sort(), left]
  })
  const changes = about.map(({ one, chosen, group, after }) => {
    const added = [...(chosen.choice === 'rename_existing' ? one.pushed : after.difference(group.effective))].sort()
    const removed = [...group.effective.difference(after)].sort()
    const isEmpty = removed.length > 0 && removed.length === group.effective.size && added.length === 0
    // What was linked to may have been deleted, or be another's meanwhile: then it cannot be linked to.
    const to = chosen.linkTo && [chosen.linkTo.id, chosen.linkTo.inForce, chosen.linkTo.isManaged]
    const standing = [one.id, one.name, one.group.id, one.state, one.reasons, chosen.choice, to]
    return [...standing, added, removed, isEmpty]
  })
  return JSON.stringify([changes, effects])
}
