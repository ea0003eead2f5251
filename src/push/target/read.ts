import { syncGroupUrn } from '../../scim/group-schema.ts'
import { TargetError } from './answer.ts'
import type { TargetProfile } from './profile.ts'
import type { Json, ScimRequests } from './requests.ts'

/** A user as the target has it. */
export interface TargetUser {
  id: string
  externalId: string | null
  userName: string
  displayName: string | null
  email: string | null
  active: boolean
}
/** A group as the target has it, members by the target's ids. */
export interface TargetGroup {
  id: string
  externalId: string | null
  displayName: string
  members: string[]
}

const mostResources = 2_000_000

/**
 * Reads a list to its end. What is absent may be concluded only from one whose pages are all distinct and come to the count that
 * each of them states (rule 14).
 * @throws TargetError where they do not add up, with what to do
 */
export async function readList(
  requests: Pick<ScimRequests, 'send'>,
  path: string,
  { listing, pageSize }: Pick<TargetProfile, 'listing' | 'pageSize'>,
  onResource: (resource: Json) => void,
): Promise<void> {
  const seen = new Set<string>()
  let total: number | undefined
  for (let at: string | number = listing === 'cursor' ? '' : 1; ; ) {
    const where = typeof at === 'string' ? `cursor=${encodeURIComponent(at)}` : `startIndex=${at}`
    const page = await requests.send({ method: 'GET', path: `${path}?${where}&count=${pageSize}` })
    const resources = Array.isArray(page.Resources) ? (page.Resources as Json[]) : []
    const stated = Number(page.totalResults ?? (resources.length === 0 ? 0 : Number.NaN))
    const before = seen.size
    for (const resource of resources) {
      const id = text(resource?.id)
      if (id === undefined)
        throw new TargetError(200, `Under ${path} the target shows something without an id: is the address its SCIM base URL?`)
      if (seen.has(id)) continue
      seen.add(id)
      if (isPushed(resource)) onResource(resource)
    }
    if (typeof at === 'string') {
      const next = text(page.nextCursor)
      if (next === undefined || next === '') {
        if (Number.isFinite(stated) && stated !== seen.size) throw notWhole(path, stated, seen.size)
        return
      }
      if (next === at || seen.size === before) throw notWhole(path, stated, seen.size)
      at = next
      continue
    }
    total ??= stated
    if (!Number.isInteger(stated) || stated < 0 || stated > mostResources || total !== stated)
      throw notWhole(path, stated, seen.size)
    if (seen.size === stated) return
    if (seen.size !== before + resources.length || resources.length === 0 || seen.size > stated)
      throw notWhole(path, stated, seen.size)
    at += resources.length
  }
}

// A Muster also lists groups that nobody has pushed there. They are not what a push is about: it would take them for its own.
export const isPushed = (resource: Json): boolean => (resource[syncGroupUrn] as Json | undefined)?.state !== 'offered'

export function readUser(user: Json): TargetUser {
  const emails = Array.isArray(user.emails) ? (user.emails as Json[]) : []
  const email = emails.find((one) => one.primary === true) ?? emails[0]
  return {
    id: text(user.id) ?? '',
    externalId: text(user.externalId) ?? null,
    userName: text(user.userName) ?? '',
    displayName: text(user.displayName) ?? null,
    email: text(email?.value) ?? null,
    active: user.active !== false,
  }
}

export function readGroup(group: Json): TargetGroup {
  const members = Array.isArray(group.members) ? (group.members as Json[]) : []
  return {
    id: text(group.id) ?? '',
    externalId: text(group.externalId) ?? null,
    displayName: text(group.displayName) ?? '',
    members: members.flatMap((member) => text(member?.value) ?? []),
  }
}

const notWhole = (path: string, total: number, seen: number) =>
  new TargetError(200, `The target counts ${total} under ${path} and shows ${seen}. Push again when nobody else changes them.`)

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
