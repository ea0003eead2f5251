import { nameKey } from '../organization/name-key.ts'
import { syncGroupUrn } from '../scim/group-schema.ts'
import { TargetError } from './scim-answer.ts'
import { type Json, type ScimRequests, scimRequests, type TargetOptions } from './scim-request.ts'

/** A user as the target has it. */
export interface TargetUser {
  id: string
  userName: string
  displayName: string | null
  email: string | null
  active: boolean
}
/** A group as the target has it, members by the target's ids. */
export interface TargetGroup {
  id: string
  displayName: string
  members: string[]
}
/** What a user is to become there. */
export interface UserToPush {
  userName: string
  email: string | null
  displayName: string | null
}
export interface MemberToPush {
  id: string
  userName: string
}
/** `isNew` is false where the target had one of that name already. */
export interface Created {
  id: string
  isNew: boolean
}

/** A SCIM 2.0 service, spoken to as Okta does (clients.md). Errors: TargetError, TargetUnreachable. */
export interface ScimTarget {
  /** Okta's «test connection»: one try, so that a wrong address or token is told at once. */
  test(): Promise<void>
  users(): Promise<TargetUser[]>
  groups(): Promise<TargetGroup[]>
  createUser(user: UserToPush): Promise<Created>
  replaceUser(id: string, user: UserToPush): Promise<void>
  createGroup(displayName: string, members: MemberToPush[]): Promise<Created>
  replaceMembers(id: string, members: MemberToPush[]): Promise<void>
  /** How many requests were sent, repeated ones included. */
  readonly requests: number
}

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User'
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const pageSize = 100

/** Opens a target. Nothing is sent before the first call. */
export function scimTarget(options: TargetOptions): ScimTarget {
  const requests = scimRequests(options)
  return {
    get requests() {
      return requests.count
    },
    test: async () => {
      await requests.once({ method: 'GET', path: '/Users?startIndex=1&count=2' })
    },
    users: async () => (await readAll(requests, '/Users')).map(readUser),
    groups: async () => (await readAll(requests, '/Groups')).map(readGroup),
    createUser: (user) =>
      create(requests, '/Users', { ...userBody(user), groups: [] }, () =>
        findOne(requests, '/Users', 'userName', user.userName, (name) => nameKey(name) === nameKey(user.userName)),
      ),
    replaceUser: async (id, user) => {
      await requests.send({ method: 'PUT', path: `/Users/${encodeURIComponent(id)}`, body: { id, ...userBody(user) } })
    },
    createGroup: (displayName, members) =>
      create(requests, '/Groups', { schemas: [groupSchema], displayName, members: memberBodies(members) }, () =>
        findOne(requests, '/Groups', 'displayName', displayName, (name) => nameKey(name) === nameKey(displayName)),
      ),
    replaceMembers: async (id, members) => {
      const Operations = [{ op: 'replace', path: 'members', value: memberBodies(members) }]
      await requests.send({
        method: 'PATCH',
        path: `/Groups/${encodeURIComponent(id)}`,
        body: { schemas: [patchSchema], Operations },
      })
    },
  }
}

// POST at once: in a first push nearly all are new. A 409, or an outcome that nobody knows, is looked up; never a twin.
async function create(requests: ScimRequests, path: string, body: Json, find: () => Promise<Json | undefined>): Promise<Created> {
  try {
    return { id: idOf(await requests.send({ method: 'POST', path, body }, find)), isNew: true }
  } catch (error) {
    const there = error instanceof TargetError && error.status === 409 ? await find() : undefined
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
) {
  const filter = encodeURIComponent(`${attribute} eq ${JSON.stringify(value)}`)
  const found = await requests.send({ method: 'GET', path: `${path}?filter=${filter}&startIndex=1&count=${pageSize}` })
  return resourcesOf(found).find((one) => isPushed(one) && isSame(text(one[attribute]) ?? ''))
}

// A Muster also lists groups that nobody has pushed there. They are not what a push is about: it would take them for its own.
const isPushed = (resource: Json): boolean => (resource[syncGroupUrn] as Json | undefined)?.state !== 'offered'

// What is absent may be concluded only from a list read to its end, every page distinct.
async function readAll(requests: ScimRequests, path: string): Promise<Json[]> {
  const found = new Map<string, Json>()
  for (let startIndex = 1; ; ) {
    const page = await requests.send({ method: 'GET', path: `${path}?startIndex=${startIndex}&count=${pageSize}` })
    const resources = resourcesOf(page)
    for (const resource of resources) found.set(idOf(resource), resource)
    startIndex += resources.length
    const total = Number(page.totalResults ?? 0)
    if (startIndex > total && found.size >= total) return [...found.values()].filter(isPushed)
    if (resources.length === 0 || startIndex > total)
      throw new TargetError(
        200,
        `The target counts ${total} under ${path} and shows ${found.size}. Push again when nobody else changes them.`,
      )
  }
}

function userBody({ userName, email, displayName }: UserToPush): Json {
  const words = (displayName ?? userName).split(' ').filter((word) => word !== '')
  return {
    schemas: [userSchema],
    userName,
    name: { givenName: words.slice(0, -1).join(' ') || words[0], familyName: words.length > 1 ? words.at(-1) : '' },
    ...(email === null ? {} : { emails: [{ primary: true, value: email, type: 'work' }] }),
    displayName: displayName ?? userName,
    locale: 'en-US',
    externalId: userName,
    active: true,
  }
}

const memberBodies = (members: MemberToPush[]) => members.map(({ id, userName }) => ({ value: id, display: userName }))

function readUser(user: Json): TargetUser {
  const emails = Array.isArray(user.emails) ? (user.emails as Json[]) : []
  const email = emails.find((one) => one.primary === true) ?? emails[0]
  return {
    id: idOf(user),
    userName: text(user.userName) ?? '',
    displayName: text(user.displayName) ?? null,
    email: text(email?.value) ?? null,
    active: user.active !== false,
  }
}

function readGroup(group: Json): TargetGroup {
  const members = Array.isArray(group.members) ? (group.members as Json[]) : []
  return {
    id: idOf(group),
    displayName: text(group.displayName) ?? '',
    members: members.flatMap((member) => text(member.value) ?? []),
  }
}

function idOf(resource: Json): string {
  const id = text(resource.id)
  if (id === undefined) throw new TargetError(200, 'The target answered without an id: is the address its SCIM base URL?')
  return id
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const resourcesOf = (page: Json): Json[] => (Array.isArray(page.Resources) ? (page.Resources as Json[]) : [])
