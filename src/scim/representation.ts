import { groupUrn, syncGroupUrn } from './group-schema.ts'
import { isObject } from './json.ts'
import { enterpriseUserUrn, userUrn } from './user-schema.ts'

/** A user as it is stored. */
export interface StoredUser {
  id: string
  externalId: string | null
  userName: string
  active: boolean
  attributes: Record<string, unknown>
  version: number
  createdAt: Date
  updatedAt: Date
  /** Null where they were not read, or there is none. */
  groups: { value: string; display: string; type: 'direct' | 'indirect' }[] | null
  /** The user whom the directory named as manager, where it has pushed them. */
  manager: { id: string; displayName: string | null } | null
}

/** A group as it is stored, without its members. */
export interface StoredGroup {
  id: string
  externalId: string | null
  displayName: string
  state: string
  reasons: string[]
  /** Null where nothing was pushed: the group is only offered. */
  members: { added: number; removed: number; unchanged: number } | null
  version: number | null
  createdAt: Date
  updatedAt: Date
}

/** The User of RFC 7643 §4.1 with its enterprise extension, where it has one. `base` is the URL above `/Users`. */
export function userResource(user: StoredUser, base: string): Record<string, unknown> {
  const { attributes, id, externalId, userName, groups } = user
  return {
    schemas: enterpriseUserUrn in attributes ? [userUrn, enterpriseUserUrn] : [userUrn],
    id,
    ...(externalId === null ? {} : { externalId }),
    ...attributes,
    ...withManager(user, base),
    userName,
    active: shownActive(user),
    ...(groups === null ? {} : { groups: groups.map((group) => withRef(group, base)) }),
    meta: metaOf('User', user, userVersion(user), base),
  }
}

/** `active` as it is shown: a PATCH may have taken it away. What is in force stays as it was, so that no omission revives anybody. */
export const shownActive = ({ active, attributes }: Pick<StoredUser, 'active' | 'attributes'>): boolean | undefined =>
  attributes.active === null ? undefined : active

// RFC 7643 §4.3: the server says who the manager is whose id it was given; of a stranger it shows what it was given.
function withManager({ attributes, manager }: StoredUser, base: string): Record<string, unknown> {
  const extension = attributes[enterpriseUserUrn]
  if (manager === null || !isObject(extension)) return {}
  const { id, displayName } = manager
  const shown = { value: id, $ref: locationOf('User', id, base), ...(displayName === null ? {} : { displayName }) }
  return { [enterpriseUserUrn]: { ...extension, manager: shown } }
}

const withRef = ({ value, ...rest }: NonNullable<StoredUser['groups']>[number], base: string) => ({
  value,
  $ref: locationOf('Group', value, base),
  ...rest,
})

/** The Group of RFC 7643 §4.2 without its members, which are spliced in as text, and what became of it here. */
export function groupResource(group: StoredGroup, base: string): Record<string, unknown> {
  const { id, externalId, displayName, state, reasons, members } = group
  return {
    schemas: [groupUrn, syncGroupUrn],
    id,
    ...(externalId === null ? {} : { externalId }),
    displayName,
    meta: metaOf('Group', group, groupVersion(group), base),
    [syncGroupUrn]: { state, reasons, ...(members === null ? {} : { members }) },
  }
}

/** Where a resource is. */
export const locationOf = (type: 'User' | 'Group', id: string, base: string): string => `${base}/${type}s/${id}`

/** The ETag of a user: what the provider said last, by number, and what is shown of others beside it: the groups, the manager's name. */
export const userVersion = ({ version, groups, manager }: StoredUser): string =>
  etagOf(version, groups === null && manager === null ? null : [groups, manager])

/**
 * The ETag of a group: what the provider said last, by number, and what has become of it here. Its members are among what the provider said.
 * Of a group that is only offered it has said nothing: 0.
 */
export const groupVersion = ({ version, state, reasons, members }: StoredGroup): string =>
  etagOf(version ?? 0, [state, reasons, members])

// FNV-1a, 32 bits: two states of one resource that follow one another differ but once in four thousand million.
function digest(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(36)
}

const etagOf = (version: number, rest: unknown): string =>
  `W/"${version}${rest === null ? '' : `-${digest(JSON.stringify(rest))}`}"`

type Dated = Pick<StoredGroup, 'id' | 'createdAt' | 'updatedAt'>

const metaOf = (resourceType: 'User' | 'Group', { id, createdAt, updatedAt }: Dated, version: string, base: string) => ({
  resourceType,
  created: createdAt.toISOString(),
  lastModified: updatedAt.toISOString(),
  location: locationOf(resourceType, id, base),
  version,
})
