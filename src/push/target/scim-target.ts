import { nameKey } from '../../organization/name-key.ts'
import { TargetError } from './answer.ts'
import { knownProfile, learntProfile, type ProfileName, profiles, type TargetProfile } from './profile.ts'
import { isPushed, readGroup, readList, readUser, type TargetGroup, type TargetUser } from './read.ts'
import { type Json, type ScimRequests, scimRequests, type TargetOptions } from './requests.ts'
import { userBody, userUpdate } from './user-body.ts'

export type { TargetGroup, TargetUser } from './read.ts'

/** What a user is to become there. */
export interface UserToPush {
  /** The source's own id: `externalId` there. */
  id: string
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
}
export interface MemberToPush {
  id: string
  userName: string
}
export interface GroupToPush {
  name: string
  externalId: string | null
  members: MemberToPush[]
}
/** What becomes of a group that is there. */
export interface GroupUpdate {
  /** Undefined: it stays. */
  name: string | undefined
  externalId: string | null
  added: MemberToPush[]
  removed: MemberToPush[]
  /** The whole group afterwards, for a service that takes nothing else. */
  whole: () => { name: string; members: MemberToPush[] }
}
/** `isNew` is false where the target had one of that name already. */
export interface Created {
  id: string
  isNew: boolean
}

/** A SCIM 2.0 service, spoken to as Okta does (clients.md). Errors: TargetError, TargetUnreachable. */
export interface ScimTarget {
  readonly url: string
  /** How it is spoken to. Asks once; what is said wins. */
  profile(): Promise<TargetProfile>
  /** Okta's «test connection»: one try, so that a wrong address or token is told at once. */
  test(): Promise<void>
  /** Everybody there, read to the end; where nothing can be listed, those of the names. */
  users(names?: Iterable<string>): Promise<TargetUser[]>
  /** Every group there, read to the end, one after another: their members are not held. */
  eachGroup(onGroup: (group: TargetGroup) => void, names?: Iterable<string>): Promise<void>
  groups(): Promise<TargetGroup[]>
  createUser(user: UserToPush): Promise<Created>
  replaceUser(id: string, user: UserToPush): Promise<void>
  deactivateUser(id: string): Promise<void>
  createGroup(group: GroupToPush): Promise<Created>
  updateGroup(id: string, update: GroupUpdate): Promise<void>
  deleteGroup(id: string): Promise<void>
  /** How many requests were sent, repeated ones included. */
  readonly requests: number
  readonly repeated: number
  close(): void
}

const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** Opens a target. Nothing is sent before the first call. */
export function scimTarget(options: TargetOptions & { profile?: ProfileName | undefined }): ScimTarget {
  const requests = scimRequests(options)
  let learnt: Promise<TargetProfile> | undefined
  const profile = () => {
    learnt ??= learn(requests, options.url, options.profile)
    return learnt
  }
  const eachGroup: ScimTarget['eachGroup'] = async (onGroup, names) => readGroups(requests, await profile(), onGroup, names)
  return {
    url: options.url,
    get requests() {
      return requests.count
    },
    get repeated() {
      return requests.repeated
    },
    close: requests.close,
    profile,
    test: async () => {
      await requests.once({ method: 'GET', path: '/Users?startIndex=1&count=2' })
    },
    users: async (names) => {
      const found: TargetUser[] = []
      await list(requests, await profile(), '/Users', 'userName', names, (user) => void found.push(readUser(user)))
      return found
    },
    eachGroup,
    groups: async () => {
      const found: TargetGroup[] = []
      await eachGroup((group) => void found.push(group))
      return found
    },
    createUser: (user) =>
      create(
        requests,
        '/Users',
        { ...userBody(user), groups: [] },
        async () =>
          (await findOne(requests, '/Users', 'externalId', user.id, (id) => id === user.id)) ??
          (await findOne(requests, '/Users', 'userName', user.userName, (name) => nameKey(name) === nameKey(user.userName))),
      ),
    replaceUser: async (id, user) => {
      await requests.send({ method: 'PUT', path: one('/Users', id), body: { id, ...userBody(user) } })
    },
    deactivateUser: async (id) => {
      await requests.send({ method: 'PATCH', path: one('/Users', id), body: userUpdate({ active: false }) })
    },
    createGroup: async (group) => createGroup(requests, await profile(), group),
    updateGroup: async (id, update) => updateGroup(requests, await profile(), id, update),
    deleteGroup: async (id) => {
      try {
        await requests.send({ method: 'DELETE', path: one('/Groups', id) })
      } catch (error) {
        if (!(error instanceof TargetError && error.status === 404)) throw error
      }
    },
  }
}

// A service without ServiceProviderConfig is a generic one; a wrong token or address is told here already.
async function learn(requests: ScimRequests, url: string, said: ProfileName | undefined): Promise<TargetProfile> {
  const named = said ?? knownProfile(url)
  if (said !== undefined && said !== 'generic') return profiles[said]
  try {
    return learntProfile(profiles[named ?? 'generic'], await requests.send({ method: 'GET', path: '/ServiceProviderConfig' }))
  } catch (error) {
    const isMissing = error instanceof TargetError && [400, 403, 404, 405, 501].includes(error.status)
    if (!isMissing) throw error
    return profiles[named ?? 'generic']
  }
}

async function list(
  requests: ScimRequests,
  profile: TargetProfile,
  path: '/Users' | '/Groups',
  name: string,
  names: Iterable<string> | undefined,
  onResource: (resource: Json) => void,
) {
  if (profile.listing !== 'each') return readList(requests, path, profile, onResource)
  for (const wanted of names ?? []) {
    const found = await findOne(requests, path, name, wanted, (given) => nameKey(given) === nameKey(wanted))
    if (found) onResource(found)
  }
}

// A list may leave members out (RFC 7644 §3.9 lets it), and an empty group has none to show. If no group showed any, each is asked.
async function readGroups(
  requests: ScimRequests,
  profile: TargetProfile,
  onGroup: (group: TargetGroup) => void,
  names: Iterable<string> | undefined,
) {
  const memberless: Json[] = []
  let someShow = !profile.membersReadable
  await list(requests, profile, '/Groups', 'displayName', names, (group) => {
    if (group.members === undefined && profile.membersReadable) memberless.push(group)
    else {
      someShow ||= Array.isArray(group.members) && group.members.length > 0
      onGroup(readGroup(group))
    }
  })
  for (const group of memberless)
    onGroup(readGroup(someShow ? group : await requests.send({ method: 'GET', path: one('/Groups', readGroup(group).id) })))
}

async function createGroup(requests: ScimRequests, profile: TargetProfile, group: GroupToPush): Promise<Created> {
  const first = profile.createsWithMembers ? group.members.slice(0, profile.membersPerRequest) : []
  const body = {
    schemas: [groupSchema],
    displayName: group.name,
    ...(group.externalId === null ? {} : { externalId: group.externalId }),
    ...(profile.createsWithMembers ? { members: first.map(memberBody) } : {}),
  }
  const created = await create(requests, '/Groups', body, () =>
    findOne(requests, '/Groups', 'displayName', group.name, (name) => nameKey(name) === nameKey(group.name)),
  )
  const rest = created.isNew ? group.members.slice(first.length) : group.members
  await updateGroup(requests, profile, created.id, {
    name: undefined,
    externalId: group.externalId,
    added: rest,
    removed: [],
    whole: () => ({ name: group.name, members: group.members }),
  })
  return created
}

async function updateGroup(requests: ScimRequests, profile: TargetProfile, id: string, update: GroupUpdate): Promise<void> {
  const { name, added, removed } = update
  if (name === undefined && added.length === 0 && removed.length === 0) return
  const path = one('/Groups', id)
  if (profile.groupUpdate === 'put') {
    const { name: displayName, members } = update.whole()
    const externalId = update.externalId === null ? {} : { externalId: update.externalId }
    const body = { schemas: [groupSchema], id, displayName, ...externalId, members: members.map(memberBody) }
    await requests.send({ method: 'PUT', path, body })
    return
  }
  for (const Operations of patches(update, profile))
    await requests.send({ method: 'PATCH', path, body: { schemas: [patchSchema], Operations } }, () =>
      profile.membersReadable ? asWanted(requests, path, Operations, update) : Promise.resolve(undefined),
    )
}

/** The PATCHes that a change of a group takes, each at most as many members as one request may have. */
export function patches(
  { name, added, removed }: Pick<GroupUpdate, 'name' | 'added' | 'removed'>,
  profile: TargetProfile,
): Json[][] {
  const bodies: Json[][] = []
  let room = 0
  let last: Json[] = []
  const more = () => {
    if (room > 0) return
    last = []
    bodies.push(last)
    room = profile.membersPerRequest
  }
  if (name !== undefined) {
    more()
    last.push({ op: 'replace', value: { displayName: name } })
  }
  // Removals by path are an operation each, and a PATCH has 1,000 at most (rule 22); one is kept for the additions.
  for (let from = 0; from < removed.length; ) {
    more()
    const taken = removed.slice(from, from + Math.min(room, 990))
    if (profile.memberRemoval === 'path')
      for (const { id } of taken) last.push({ op: 'remove', path: `members[value eq ${JSON.stringify(id)}]` })
    else last.push({ op: 'remove', path: 'members', value: taken.map(({ id }) => ({ value: id })) })
    from += taken.length
    room = taken.length === 990 ? 0 : room - taken.length
  }
  for (let from = 0; from < added.length; ) {
    more()
    const taken = added.slice(from, from + room)
    last.push({ op: 'add', path: 'members', value: taken.map(memberBody) })
    from += taken.length
    room -= taken.length
  }
  return bodies
}

// After an unknown outcome: is the group as this one PATCH would have made it?
async function asWanted(
  requests: ScimRequests,
  path: string,
  operations: Json[],
  update: GroupUpdate,
): Promise<Json | undefined> {
  const group = await requests.send({ method: 'GET', path })
  const { displayName, members } = readGroup(group)
  const has = new Set(members)
  const isDone = operations.every(({ op, path: at, value }) => {
    if (at === undefined) return displayName === update.name
    if (op === 'add') return (value as { value: string }[]).every((member) => has.has(member.value))
    if (Array.isArray(value)) return (value as { value: string }[]).every((member) => !has.has(member.value))
    const id = /^members\[value eq (".*")\]$/.exec(String(at))?.[1]
    return id !== undefined && !has.has(JSON.parse(id))
  })
  return isDone ? group : undefined
}

// POST at once: in a first push nearly all are new. An outcome that nobody knows is looked up; never a twin. A user who is there
// already is that user; a group that is, unseen in the list, is somebody else's: its error is told.
async function create(requests: ScimRequests, path: string, body: Json, find: () => Promise<Json | undefined>): Promise<Created> {
  let isDoubtful = path === '/Users'
  try {
    const made = await requests.send({ method: 'POST', path, body }, () => {
      isDoubtful = true
      return find()
    })
    // A 201 that says nothing: what was made is looked up, as after any outcome that is not known.
    return { id: idOf(typeof made.id === 'string' ? made : await find()), isNew: true }
  } catch (error) {
    const there = isDoubtful && error instanceof TargetError && error.status === 409 ? await find() : undefined
    if (!there) throw error
    return { id: idOf(there), isNew: false }
  }
}

async function findOne(
  requests: ScimRequests,
  path: string,
  attribute: string,
  value: string,
  isSame: (name: string) => boolean,
): Promise<Json | undefined> {
  const filter = encodeURIComponent(`${attribute} eq ${JSON.stringify(value)}`)
  const found = await requests.send({ method: 'GET', path: `${path}?filter=${filter}&startIndex=1&count=100` })
  const resources = Array.isArray(found.Resources) ? (found.Resources as Json[]) : []
  return resources.find((resource) => isPushed(resource) && isSame(String(resource[attribute] ?? '')))
}

const memberBody = ({ id, userName }: MemberToPush) => ({ value: id, display: userName })
const one = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`

function idOf(resource: Json | undefined): string {
  if (typeof resource?.id === 'string' && resource.id !== '') return resource.id
  throw new TargetError(200, 'The target answered without an id: is the address its SCIM base URL?')
}
