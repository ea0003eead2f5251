import { nameKey } from '../organization/name-key.ts'
import { guardStops } from './guard.ts'
import { type GroupStep, type NotPushed, type PersonStep, type PlanOptions, type PushPlan, stepsFingerprint } from './plan.ts'
import { type Source, type SourceGroup, type SourceUser, sourceFingerprint } from './source.ts'
import type { TargetProfile } from './target/profile.ts'
import type { ScimTarget, TargetGroup, TargetUser } from './target/scim-target.ts'

/** A source that was read, and where from. */
export interface ReadSource {
  kind: string
  place: string
  source: Source
}

/** A group that is known to be the target's `id`, and who was confirmed in it, by the target's ids: from the mappings. */
export interface KnownGroup {
  id: string
  confirmed: string[] | null
}

export interface PlanRequest {
  from: ReadSource
  target: ScimTarget
  options: PlanOptions
  /** By the source group's id, else its name key. Empty where nothing is stored. */
  known?: Map<string, KnownGroup>
  /** Target groups of our own that the source has no more; only those are deleted. Undefined: every one of the target. */
  mayDelete?: Set<string>
  /** Whether people are left alone whatever becomes of groups: a stored push knows which groups are its own, not which people. */
  keepsPeople?: boolean
  now?: Date
}

/** A plan, and what it takes to send it. */
export interface MadePlan {
  plan: PushPlan
  /** User name → the target's id: of the source's people, and of the target's own. */
  ids: { ofSource: Map<string, string>; ofTarget: Map<string, string> }
  /** By user name, and by group name. */
  people: Map<string, SourceUser>
  groups: Map<string, SourceGroup>
  /** Source person → user name. */
  userNames: Map<string, string>
  /** Group name → the target's id, of those that are there. */
  met: Map<string, string>
}

/** What identifies a source group: its own id, else its name. */
export const keyOf = (group: Pick<SourceGroup, 'id' | 'name'>): string => group.id ?? nameKey(group.name)

/**
 * Compares both sides and says what would be sent. People are met by externalId, then user name; groups by what is known of them,
 * then externalId, then name. Of the target's groups only what differs is held.
 * @throws TargetUnreachable, TargetError where the target is not read to its end
 */
export async function makePlan(request: PlanRequest): Promise<MadePlan> {
  const { from, target, options, known = new Map<string, KnownGroup>(), now = new Date() } = request
  const { source } = from
  const profile = await target.profile()
  const there = await target.users(source.users.map(({ userName }) => userName))
  const { people, ids, besidePeople, unchanged } = comparePeople(
    source.users,
    there,
    options.removeAbsent && !request.keepsPeople,
  )
  const names = new Map(there.map((user) => [user.id, user.userName]))
  const userNames = new Map(source.users.map(({ id, userName }) => [id, userName]))
  const groups = await compareGroups(request, profile, { ids, names, userNames, known })
  const totals = {
    people: {
      create: people.filter((step) => step.do === 'create').length,
      update: people.filter((step) => step.do === 'update').length,
      deactivate: people.filter((step) => step.do === 'deactivate').length,
      unchanged,
    },
    groups: {
      create: groups.steps.filter((step) => step.do === 'create').length,
      update: groups.steps.filter((step) => step.do === 'update').length,
      delete: groups.steps.filter((step) => step.do === 'delete').length,
      unchanged: groups.unchanged,
      notPushed: groups.notPushed.length,
    },
    members: {
      added: groups.steps.reduce((sum, { added }) => sum + added.length, 0),
      removed: groups.steps.reduce((sum, { removed }) => sum + removed.length, 0),
    },
  }
  const fingerprint = sourceFingerprint(source)
  const memberships = source.groups.reduce((sum, { members }) => sum + members.length, 0)
  const plan: PushPlan = {
    kind: 'muster.push-plan',
    version: 1,
    madeAt: now.toISOString(),
    source: {
      kind: from.kind,
      place: from.place,
      fingerprint,
      people: source.users.length,
      groups: source.groups.length,
      memberships,
    },
    target: { url: target.url, profile, people: there.length, groups: groups.count, memberships: groups.memberships },
    options,
    people,
    groups: groups.steps,
    notPushed: groups.notPushed,
    totals,
    beside: { people: besidePeople, groups: groups.beside },
    stops: guardStops({
      source: { people: source.users.length, groups: source.groups.length, memberships },
      there: {
        allGroups: groups.count,
        people: there.length,
        groups: groups.comparable,
        memberships: groups.memberships,
      },
      removed: { people: totals.people.deactivate, groups: totals.groups.delete, members: totals.members.removed },
      allowRemovals: options.allowRemovals,
    }),
    warnings: [
      ...(source.notes ?? []),
      ...(profile.membersReadable
        ? []
        : ['The target shows nobody’s members: who is taken out is known only of what was pushed from here.']),
    ],
    estimatedRequests: requestsOf(people, groups.steps, profile, there.length, groups.count),
    fingerprint: stepsFingerprint(fingerprint, people, groups.steps),
  }
  return {
    plan,
    ids: {
      ofSource: new Map([...ids].map(([id, there]) => [userNames.get(id) ?? id, there])),
      ofTarget: new Map(there.map(({ id, userName }) => [userName, id])),
    },
    people: new Map(source.users.map((user) => [user.userName, user])),
    groups: new Map(source.groups.map((group) => [group.name, group])),
    userNames,
    met: groups.met,
  }
}

function comparePeople(users: SourceUser[], there: TargetUser[], removeAbsent: boolean) {
  const byExternalId = new Map(there.flatMap((user) => (user.externalId === null ? [] : [[user.externalId, user] as const])))
  const byName = new Map(there.map((user) => [nameKey(user.userName), user]))
  const met = new Set<string>()
  const ids = new Map<string, string>()
  const people: PersonStep[] = []
  let unchanged = 0
  for (const user of users) {
    const found = byExternalId.get(user.id) ?? byName.get(nameKey(user.userName))
    if (!found || met.has(found.id)) {
      people.push({ do: 'create', userName: user.userName, id: null, changed: [] })
      continue
    }
    met.add(found.id)
    ids.set(user.id, found.id)
    const changed = whatDiffers(user, found)
    if (changed.length === 0) unchanged++
    else people.push({ do: 'update', userName: user.userName, id: found.id, changed })
  }
  const beside = there.filter(({ id, active }) => active && !met.has(id))
  if (removeAbsent) for (const { id, userName } of beside) people.push({ do: 'deactivate', userName, id, changed: ['active'] })
  return { people, ids, unchanged, besidePeople: removeAbsent ? 0 : beside.length }
}

function whatDiffers(user: SourceUser, there: TargetUser): string[] {
  const changed: string[] = []
  if (nameKey(there.userName) !== nameKey(user.userName)) changed.push('userName')
  if (there.email?.toLowerCase() !== user.email?.toLowerCase() && user.email !== null) changed.push('email')
  if (there.displayName !== (user.displayName ?? user.userName)) changed.push('displayName')
  if (there.active !== user.active) changed.push('active')
  return changed
}

interface Names {
  /** Source person → target's id. */
  ids: Map<string, string>
  /** Target's id → user name there. */
  names: Map<string, string>
  /** Source person → user name. */
  userNames: Map<string, string>
  known: Map<string, KnownGroup>
}

async function compareGroups({ from, target, options, mayDelete }: PlanRequest, profile: TargetProfile, names: Names) {
  const { wanted, notPushed } = distinctGroups(from.source.groups)
  const byId = new Map<string, SourceGroup>()
  for (const group of wanted.values()) {
    const known = names.known.get(keyOf(group))
    if (known) byId.set(known.id, group)
  }
  const byExternalId = new Map([...wanted.values()].flatMap((group) => (group.id === null ? [] : [[group.id, group] as const])))
  const met = new Map<SourceGroup, string>()
  const twins = new Set<SourceGroup>()
  const stepOf = new Map<SourceGroup, GroupStep>()
  const absent: GroupStep[] = []
  let count = 0
  let memberships = 0
  await target.eachGroup(
    (there) => {
      count++
      const group =
        byId.get(there.id) ??
        (there.externalId === null ? undefined : byExternalId.get(there.externalId)) ??
        wanted.get(nameKey(there.displayName))
      if (!group) {
        if (mayDelete === undefined || mayDelete.has(there.id)) absent.push(removal(there, names))
        return
      }
      const before = met.get(group)
      // Whose id is known is the group, whatever else has its name.
      if (before !== undefined && names.known.get(keyOf(group))?.id === before) return
      if (before !== undefined && byId.get(there.id) !== group) return void twins.add(group)
      met.set(group, there.id)
      memberships += there.members.length
      const step = difference(group, there, profile, names)
      if (step) stepOf.set(group, step)
      else stepOf.delete(group)
    },
    [...wanted.values()].map(({ name }) => name),
  )
  for (const group of twins) {
    stepOf.delete(group)
    notPushed.push({ name: group.name, why: `The target has two groups of this name: rename or delete one there.` })
  }
  const steps = [...wanted.values()].flatMap((group) => {
    const step = met.has(group) ? stepOf.get(group) : creation(group, names)
    return step && !twins.has(group) ? [step] : []
  })
  if (options.removeAbsent) steps.push(...absent)
  return {
    steps,
    notPushed,
    count,
    /** How many of them are in the source, or were. */
    comparable: met.size + (options.removeAbsent ? absent.length : 0),
    met: new Map([...met].map(([group, id]) => [group.name, id])),
    memberships,
    unchanged: [...met.keys()].filter((group) => !stepOf.has(group) && !twins.has(group)).length,
    beside: options.removeAbsent ? 0 : absent.length,
  }
}

// Two groups of one name would be one in the target, with the members of whichever came last.
function distinctGroups(groups: SourceGroup[]) {
  const wanted = new Map<string, SourceGroup>()
  const twice = new Set<string>()
  const notPushed: NotPushed[] = []
  for (const group of groups) {
    const key = nameKey(group.name)
    if (wanted.has(key)) twice.add(key)
    else wanted.set(key, group)
  }
  for (const key of twice) {
    notPushed.push({ name: wanted.get(key)?.name ?? key, why: 'The source has two groups of this name: rename one there.' })
    wanted.delete(key)
  }
  return { wanted, notPushed }
}

function creation(group: SourceGroup, { userNames }: Names): GroupStep {
  const added = group.members.map((member) => userNames.get(member) ?? member)
  return { do: 'create', name: group.name, id: null, formerly: null, added, removed: [] }
}

function removal(there: TargetGroup, { names }: Names): GroupStep {
  const removed = there.members.map((id) => names.get(id) ?? id)
  return { do: 'delete', name: there.displayName, id: there.id, formerly: null, added: [], removed }
}

function difference(group: SourceGroup, there: TargetGroup, profile: TargetProfile, names: Names): GroupStep | undefined {
  const members = profile.membersReadable ? there.members : (names.known.get(keyOf(group))?.confirmed ?? [])
  const have = new Set(members)
  const added: string[] = []
  for (const member of group.members) {
    const id = names.ids.get(member)
    // What is left of `have` is what the source has no more.
    if (id === undefined || !have.delete(id)) added.push(names.userNames.get(member) ?? member)
  }
  const removed = [...have].map((id) => names.names.get(id) ?? id)
  const isRenamed = asText(there.displayName) !== asText(group.name)
  if (added.length + removed.length === 0 && !isRenamed) return undefined
  return { do: 'update', name: group.name, id: there.id, formerly: isRenamed ? there.displayName : null, added, removed }
}

// Blanks and Unicode forms are the target's own matter: it would be renamed for ever.
const asText = (name: string) => name.normalize('NFKC').replace(/\s+/gu, ' ').trim()

function requestsOf(people: PersonStep[], groups: GroupStep[], profile: TargetProfile, usersThere: number, groupsThere: number) {
  const pages = (count: number) => (profile.listing === 'each' ? count : Math.max(1, Math.ceil(count / profile.pageSize)))
  const ofGroup = (step: GroupStep) => {
    if (step.do === 'delete' || profile.groupUpdate === 'put') return 1
    const chunks = Math.ceil(
      (step.added.length + step.removed.length + (step.formerly === null ? 0 : 1)) / profile.membersPerRequest,
    )
    return step.do === 'update' ? chunks : profile.createsWithMembers ? Math.max(1, chunks) : 1 + chunks
  }
  return 1 + pages(usersThere) + pages(groupsThere) + people.length + groups.reduce((sum, step) => sum + ofGroup(step), 0)
}
