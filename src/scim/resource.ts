import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import type { Filter } from './filter.ts'
import { isObject } from './json.ts'
import { find, sameName, under } from './names.ts'
import { type Dialect, hasQuirk } from './quirks.ts'
import { shownActive } from './representation.ts'
import { groupType, type ResourceType, userType } from './schemas.ts'
import { atOnce, type Turns } from './turns.ts'
import {
  fitsInKey,
  known,
  maxTextLength,
  nameParts,
  nothingHidden,
  readObject,
  readValue,
  seenName,
  unknownAttribute,
} from './values.ts'

/** A user as a provider gives it. */
export interface UserInput {
  userName: string
  externalId: string | null
  active: boolean
  /**
   * Every accepted attribute, canonical names, `userName` with them; without id, externalId, meta, groups, password, schemas.
   * `active: null` where a PATCH took `active` away; else `active` is not among them.
   */
  attributes: Record<string, unknown>
}

export interface GroupInput {
  displayName: string
  externalId: string | null
  /** Undefined where they were not given. */
  members: MemberInput[] | undefined
}

/** A member, each value once in a list. */
export interface MemberInput {
  value: string
  display?: string
  /** The provider says that it is a group. */
  isGroup?: true
}

/** The whole list of members, or who comes and who goes. */
export type MembersChange = { all: MemberInput[] } | { added: MemberInput[]; removed: string[] }

/** A change of a group; what is absent is not touched. */
export interface GroupChange {
  displayName?: string
  externalId?: string | null
  members?: MembersChange
  /** What becomes of the members after that, step by step: who matches a filter is known by then only, and goes. */
  later?: readonly (MembersChange | { matching: Filter })[]
}

/** Rule 22: what one request may say of members. */
export const maxMembers = 150_000

/**
 * Reads the body of a POST or PUT. A PUT without `active` leaves it as it is: no omission revives anybody.
 * @throws ScimError 400 `invalidSyntax`, `invalidValue`
 */
export function readUser(body: unknown, dialect: Dialect, current?: UserInput): UserInput {
  const given = bodyOf(body)
  refuseUnknownSchemas(userType, given, dialect)
  return userOf(readObject(attributesOf(userType), given, dialect) ?? {}, current)
}

/** The attributes that a resource may have, its extensions among them. */
export const attributesOf = (type: ResourceType): readonly Attribute[] => [...type.attributes, ...type.extensions]

function refuseUnknownSchemas(type: ResourceType, given: Record<string, unknown>, dialect: Dialect): void {
  const schemas = under(given, 'schemas')
  if (!dialect.isStrict || !Array.isArray(schemas)) return
  const ours = [type.urn, ...type.extensions.map((extension) => extension.name)]
  const unknown = schemas.find((urn) => !ours.some((one) => sameName(one, String(urn))))
  if (unknown !== undefined) throw unknownAttribute(String(unknown))
}

/** What stands, as one object that PATCH works on. */
export function resourceOf(user: UserInput): Record<string, unknown> {
  const { attributes, userName, externalId } = user
  return {
    ...structuredClone(attributes),
    userName,
    active: shownActive(user),
    ...(externalId === null ? {} : { externalId }),
  }
}

/** Accepted attributes as a user; names are judged where they are new. An `active` that is not there stays as it is. */
export function userOf(read: Record<string, unknown>, current?: UserInput): UserInput {
  const { externalId, active, ...attributes } = read
  const { userName, displayName } = attributes
  if (typeof userName !== 'string') throw new ScimError(400, 'invalidValue', 'userName is missing. Map an attribute to it.')
  if (userName !== current?.userName) seenName('userName', userName)
  if (typeof displayName === 'string' && displayName !== current?.attributes.displayName) seenName('displayName', displayName)
  for (const { name } of nameParts) {
    const part = partOfName(attributes, name)
    if (part !== undefined && part !== partOfName(current?.attributes, name)) nothingHidden(`name.${name}`, part)
  }
  return {
    userName,
    externalId: typeof externalId === 'string' ? externalId : null,
    active: typeof active === 'boolean' ? active : (current?.active ?? true),
    attributes: active === undefined && current?.attributes.active === null ? { ...attributes, active: null } : attributes,
  }
}

function partOfName(attributes: Record<string, unknown> | undefined, part: string): string | undefined {
  const text = isObject(attributes?.name) ? attributes.name[part] : undefined
  return typeof text === 'string' ? text : undefined
}

/** Reads the body of a POST. @throws ScimError 400 `invalidSyntax`, `invalidValue`; 413 for too many members */
export const readGroup = (body: unknown, dialect: Dialect): GroupInput => atOnce(groupTurns(body, dialect))

/** The same where others have their turn between stretches of a long list. */
export function* groupTurns(body: unknown, dialect: Dialect): Turns<GroupInput> {
  const given = bodyOf(body)
  refuseUnknownSchemas(groupType, given, dialect)
  for (const key of Object.keys(given)) known(attributesOf(groupType), key, dialect)
  const displayName = groupText('displayName', under(given, 'displayName'), dialect)
  if (displayName === undefined) throw new ScimError(400, 'invalidValue', 'displayName is missing. A group needs a name.')
  const members = under(given, 'members')
  return {
    displayName: seenName('displayName', displayName),
    externalId: groupText('externalId', under(given, 'externalId'), dialect) ?? null,
    members: members === undefined || members === null ? undefined : yield* memberTurns(members, dialect),
  }
}

/** Reads the body of a PUT. Members that it does not name at all stay (RFC 7644 §3.5.1 leaves it to the server); `[]` takes them all. */
export const readGroupReplacement = (body: unknown, dialect: Dialect): GroupChange => atOnce(groupReplacementTurns(body, dialect))

/** The same where others have their turn between stretches of a long list. */
export function* groupReplacementTurns(body: unknown, dialect: Dialect): Turns<GroupChange> {
  const { displayName, externalId, members } = yield* groupTurns(body, dialect)
  return { displayName, externalId, ...(members === undefined ? {} : { members: { all: members } }) }
}

/** A text attribute of a group, as it is kept. */
export function groupText(name: 'displayName' | 'externalId', given: unknown, dialect: Dialect): string | undefined {
  const attribute = find(groupType.attributes, name)
  return attribute && (readValue(attribute, given, dialect) as string | undefined)
}

const memberParts = find(groupType.attributes, 'members')?.subAttributes

/** So many members are read in one go, some 10 ms. */
const stretch = 10_000

/** Reads a list of members, or one of them where a list belongs. Read by hand: there may be 150,000. */
export function* memberTurns(given: unknown, dialect: Dialect): Turns<MemberInput[]> {
  const list = Array.isArray(given) ? given : [given]
  if (list.length > maxMembers) throw tooManyMembers()
  // A text alone is no list of one: by mistake it would take everybody else.
  const takesBare = Array.isArray(given) && hasQuirk(dialect, 'bareComplexValue')
  const members = new Map<string, MemberInput>()
  for (const [at, element] of list.entries()) {
    if (at % stretch === stretch - 1) yield
    if (dialect.isStrict && isObject(element)) for (const key of Object.keys(element)) known(memberParts, key, dialect)
    const value = isObject(element) ? under(element, 'value') : takesBare ? element : undefined
    if (typeof value !== 'string' || value === '' || value.length > maxTextLength || !fitsInKey(value)) {
      throw new ScimError(400, 'invalidValue', 'A member needs a value: the id of a user, as this server gave it.')
    }
    members.set(value, isObject(element) ? { value, ...displayOf(element), ...kindOf(element) } : { value })
  }
  return [...members.values()]
}

function displayOf(member: Record<string, unknown>): { display?: string } {
  const display = under(member, 'display')
  return typeof display === 'string' && display !== '' && display.length <= maxTextLength ? { display } : {}
}

function kindOf(member: Record<string, unknown>): { isGroup?: true } {
  const type = under(member, 'type')
  // To find that a key is not there takes longest: $ref is looked for only where the type does not tell.
  const ref = typeof type === 'string' ? undefined : under(member, '$ref')
  const isGroup = typeof type === 'string' ? sameName(type, 'Group') : typeof ref === 'string' && /\/Groups\/[^/]+$/i.test(ref)
  return isGroup ? { isGroup } : {}
}

export const tooManyMembers = () =>
  new ScimError(413, undefined, `One request can name ${maxMembers} members. Send the others in further requests.`)

/** A body that is an object. @throws ScimError 400 `invalidSyntax` */
export function bodyOf(body: unknown): Record<string, unknown> {
  if (!isObject(body)) throw new ScimError(400, 'invalidSyntax', 'The body must be a JSON object.')
  return body
}
