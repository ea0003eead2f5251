import { nameKey } from '../organization/name-key.ts'
import { eachAtOnce } from './each-at-once.ts'
import { TargetError } from './scim-answer.ts'
import type { MemberToPush, ScimTarget, TargetGroup, TargetUser } from './scim-target.ts'
import type { SourceFolder, SourceGroup, SourceUser } from './source-folder.ts'

/** What a push did. `linked` users and `unchanged` groups were in the target as they are in the source. */
export interface PushResult {
  users: { created: number; updated: number; linked: number; failed: number }
  groups: { created: number; updated: number; unchanged: number; failed: number }
  requests: number
  /** One for each user and group that failed, with the target's own text. */
  errors: { what: 'user' | 'group'; name: string; why: string }[]
}

export interface PushProgress {
  stage: 'users' | 'groups'
  done: number
  total: number
  failed: number
}

export interface PushOptions {
  /** How many requests are under way at once. */
  atOnce?: number
  onProgress?: (progress: PushProgress) => void
}

/**
 * Makes a target hold the people and groups of a source: first the users, then the groups with their members in the same
 * request. Only what differs is sent, so that a second push of the same source reads and writes nothing. What the target
 * has beside it is left alone.
 * @throws TargetUnreachable, TargetError 401 and 403: nothing more would be accepted
 */
export async function pushFolder(source: SourceFolder, target: ScimTarget, options: PushOptions = {}): Promise<PushResult> {
  const { atOnce = 8, onProgress = () => {} } = options
  const result: PushResult = {
    users: { created: 0, updated: 0, linked: 0, failed: 0 },
    groups: { created: 0, updated: 0, unchanged: 0, failed: 0 },
    requests: 0,
    errors: [],
  }
  await target.test()
  const ids = await pushUsers(source.users, target, atOnce, result, onProgress)
  await pushGroups(source.groups, ids, target, atOnce, result, onProgress)
  result.requests = target.requests
  return result
}

type OnProgress = (progress: PushProgress) => void

async function pushUsers(users: SourceUser[], target: ScimTarget, atOnce: number, result: PushResult, onProgress: OnProgress) {
  const there = new Map((await target.users()).map((user) => [nameKey(user.userName), user]))
  const ids = new Map<string, string>()
  let done = 0
  onProgress({ stage: 'users', done, total: users.length, failed: 0 })
  await eachAtOnce(users, atOnce, async (user) => {
    try {
      const { id, outcome } = await pushUser(user, there.get(nameKey(user.userName)), target)
      ids.set(user.userName, id)
      result.users[outcome]++
    } catch (error) {
      result.users.failed++
      result.errors.push({ what: 'user', name: user.userName, why: refusalOf(error) })
    }
    onProgress({ stage: 'users', done: ++done, total: users.length, failed: result.users.failed })
  })
  return ids
}

async function pushUser(user: SourceUser, there: TargetUser | undefined, target: ScimTarget) {
  if (!there) {
    const { id, isNew } = await target.createUser(user)
    return { id, outcome: isNew ? ('created' as const) : ('linked' as const) }
  }
  const isSame =
    there.active &&
    there.displayName === (user.displayName ?? user.userName) &&
    there.email?.toLowerCase() === user.email?.toLowerCase()
  if (!isSame) await target.replaceUser(there.id, user)
  return { id: there.id, outcome: isSame ? ('linked' as const) : ('updated' as const) }
}

async function pushGroups(
  groups: SourceGroup[],
  ids: Map<string, string>,
  target: ScimTarget,
  atOnce: number,
  result: PushResult,
  onProgress: OnProgress,
) {
  const there = new Map((await target.groups()).map((group) => [nameKey(group.displayName), group]))
  let done = 0
  onProgress({ stage: 'groups', done, total: groups.length, failed: 0 })
  await eachAtOnce(groups, atOnce, async (group) => {
    try {
      const outcome = await pushGroup(group.name, membersOf(group, ids), there.get(nameKey(group.name)), target)
      result.groups[outcome]++
    } catch (error) {
      result.groups.failed++
      result.errors.push({ what: 'group', name: group.name, why: refusalOf(error) })
    }
    onProgress({ stage: 'groups', done: ++done, total: groups.length, failed: result.groups.failed })
  })
}

async function pushGroup(name: string, members: MemberToPush[], there: TargetGroup | undefined, target: ScimTarget) {
  if (!there) {
    const { id, isNew } = await target.createGroup(name, members)
    if (isNew) return 'created' as const
    await target.replaceMembers(id, members)
    return 'updated' as const
  }
  const have = new Set(there.members)
  if (have.size === members.length && members.every((member) => have.has(member.id))) return 'unchanged' as const
  await target.replaceMembers(there.id, members)
  return 'updated' as const
}

// A group is sent whole or not at all: without a member who failed it would take access from them.
function membersOf(group: SourceGroup, ids: Map<string, string>): MemberToPush[] {
  return group.members.map((userName) => {
    const id = ids.get(userName)
    if (id === undefined) throw new TargetError(0, `Its member ${userName} could not be pushed.`)
    return { id, userName }
  })
}

// One refused user or group is told and the rest goes on; a wrong token or a target that is away ends the push.
function refusalOf(error: unknown): string {
  if (error instanceof TargetError && error.status !== 401 && error.status !== 403) return error.message
  throw error
}
