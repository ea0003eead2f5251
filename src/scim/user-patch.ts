import { isDeepStrictEqual } from 'node:util'
import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import type { Filter } from './filter.ts'
import { isObject } from './json.ts'
import { matches } from './match.ts'
import { lastOf } from './names.ts'
import { type Operation, readOperations } from './patch.ts'
import { type Path, parsePath } from './path.ts'
import { type Dialect, hasQuirk, rfcs, straightValue } from './quirks.ts'
import { attributesOf, resourceOf, type UserInput, userOf } from './resource.ts'
import { userType } from './schemas.ts'
import { known, notTooMany, readObject, readValue, withOnePrimary } from './values.ts'

type Place = Record<string, unknown>

/** What an operation writes, and how its values are read. */
interface Writing {
  readonly op: Operation['op']
  readonly value: unknown
  readonly dialect: Dialect
}

/** How many values and terms of filters one PATCH may name, beside its operations: each may be compared with 200 that are there. */
const maxNamed = 2_000

/**
 * A user after a PATCH (RFC 7644 §3.5.2): every operation or none.
 * @throws ScimError 400 `invalidSyntax`, `invalidPath`, `invalidFilter`, `invalidValue`, `mutability`, `noTarget`; 413
 */
export function applyUserPatch(current: UserInput, body: unknown, dialect: Dialect): UserInput {
  const resource = resourceOf(current)
  let named = 0
  const count = (more: number) => {
    named += more
    if (named > maxNamed)
      throw new ScimError(413, undefined, `A PATCH of a user can name ${maxNamed} values. Send the others in further requests.`)
  }
  for (const { op, path: text, value } of readOperations(userType, body, dialect)) {
    count(Array.isArray(value) ? value.length : 1)
    const writing = { op, value, dialect }
    if (text === undefined) applyWithoutPath(resource, writing)
    else {
      const path = parsePath(userType, text, dialect)
      if (path?.filter) count(termsOf(path.filter))
      if (path !== undefined) applyAt(resource, path, writing)
    }
  }
  // What stands is in the RFCs' form, and was read when it came.
  const read = readObject(attributesOf(userType), resource, rfcs) ?? {}
  const user = userOf(read, current)
  return 'active' in read ? user : { ...user, attributes: { ...user.attributes, active: null } }
}

// Okta renames with the id inside: what only the server writes is passed over here, unlike in a path.
function applyWithoutPath(resource: Place, { op, value, dialect }: Writing): void {
  const seen = new Set<Attribute>()
  for (const [key, given] of Object.entries(isObject(value) ? value : {})) {
    const attribute = known(attributesOf(userType), key, dialect)
    if (attribute === undefined || attribute.mutability === 'readOnly') continue
    if (seen.has(attribute)) throw new ScimError(400, 'invalidSyntax', `"${attribute.name}" is given twice, in different case.`)
    seen.add(attribute)
    write(resource, attribute, { op, value: given, dialect })
  }
}

function applyAt(resource: Place, { name, filter, sub }: Path, writing: Writing): void {
  const last = sub ?? lastOf(name)
  if (name.some((attribute) => attribute.mutability === 'readOnly') || last.mutability === 'readOnly') {
    throw new ScimError(400, 'mutability', `${last.name} is written by the server alone.`)
  }
  if (writing.op === 'remove' && last.required)
    throw new ScimError(400, 'mutability', `${last.name} cannot be taken away: it is required.`)
  const many = name.findIndex((attribute) => attribute.multiValued)
  const list = name[many]
  if (list !== undefined && (filter !== undefined || many < name.length - 1)) {
    writeElements(inside(resource, name.slice(0, many)), list, filter, sub ?? name[many + 1], writing)
  } else write(inside(resource, name.slice(0, -1)), lastOf(name), writing)
}

// What is left empty in the end is dropped when the whole is read again.
function inside(resource: Place, way: readonly Attribute[]): Place {
  let place = resource
  for (const { name } of way) {
    const inner = place[name]
    if (isObject(inner)) place = inner
    else {
      const made: Place = {}
      place[name] = made
      place = made
    }
  }
  return place
}

function write(place: Place, attribute: Attribute, writing: Writing): void {
  if (writing.op === 'remove') remove(place, attribute, writing)
  else if (attribute.multiValued) writeList(place, attribute, writing)
  else writeOne(place, attribute, writing)
}

function writeList(place: Place, attribute: Attribute, { op, value, dialect }: Writing): void {
  const values = (readValue(attribute, value, dialect) as unknown[] | undefined) ?? []
  place[attribute.name] =
    op === 'replace' ? values : notTooMany(attribute, values.reduce<unknown[]>(withAdded, listIn(place, attribute)))
}

function writeOne(place: Place, attribute: Attribute, { value, dialect }: Writing): void {
  if (attribute.type !== 'complex') place[attribute.name] = readValue(attribute, value, dialect)
  else if (value === null) delete place[attribute.name]
  // Parts that are not named stay (RFC 7644 §3.5.2.1, §3.5.2.3).
  else {
    const old = place[attribute.name]
    place[attribute.name] = merged(attribute, isObject(old) ? old : {}, value, dialect)
  }
}

function remove(place: Place, attribute: Attribute, { value, dialect }: Writing): void {
  if (!attribute.multiValued || value === undefined || value === null) {
    delete place[attribute.name]
    return
  }
  const gone = (readValue(attribute, value, dialect) as unknown[] | undefined) ?? []
  place[attribute.name] = listIn(place, attribute).filter((element) => !gone.some((one) => isNamedBy(element, one)))
}

const isNamedBy = (element: unknown, named: unknown): boolean =>
  isObject(element) && isObject(named)
    ? Object.entries(named).every(([key, value]) => isDeepStrictEqual(element[key], value))
    : isDeepStrictEqual(element, named)

const listIn = (place: Place, { name }: Attribute): unknown[] => (Array.isArray(place[name]) ? (place[name] as unknown[]) : [])

// What an element says already is not said again (RFC 7644 §3.5.2.1); one of the same value and type is the same element
// (RFC 7643 §2.4): it is changed, not doubled.
function withAdded(list: readonly unknown[], value: unknown): unknown[] {
  if (list.some((one) => isNamedBy(one, value))) return [...list]
  if (!isObject(value)) return [...list, value]
  const at = list.findIndex((one) => isObject(one) && isSameElement(one, value))
  const element = at < 0 ? value : { ...(list[at] as Place), ...value }
  return preferring(at < 0 ? [...list, element] : list.with(at, element), element)
}

const isSameElement = (one: Place, other: Place): boolean =>
  one.value !== undefined && one.value === other.value && one.type === other.type

// The element just written keeps `primary`, the others lose it (RFC 7644 §3.5.2).
const preferring = (list: readonly unknown[], element: unknown): unknown[] =>
  isObject(element) && element.primary === true ? withOnePrimary(list, element) : [...list]

function writeElements(
  place: Place,
  attribute: Attribute,
  filter: Filter | undefined,
  sub: Attribute | undefined,
  { op, value, dialect }: Writing,
): void {
  const list = listIn(place, attribute)
  const isMeant = (element: unknown) => filter === undefined || matches(filter, element)
  if (op === 'remove') {
    place[attribute.name] =
      sub === undefined
        ? list.filter((element) => !isMeant(element))
        : list.map((element) => (isMeant(element) ? without(element, sub) : element))
    return
  }
  const isThere = list.some(isMeant)
  if (!isThere && op === 'replace' && filter !== undefined && !hasQuirk(dialect, 'replaceMakes'))
    throw new ScimError(400, 'noTarget', 'No value matches the path. Add it first.')
  const elements = isThere ? list : notTooMany(attribute, [...list, described(filter)])
  let last: unknown
  const written = elements.map((element) => {
    if (!isMeant(element)) return element
    // A value that is there is replaced whole (RFC 7644 §3.5.2.3); one that is made now keeps what the path says of it.
    const old = isObject(element) && (sub !== undefined || op === 'add' || !isThere) ? element : {}
    const changed =
      sub === undefined ? merged(attribute, old, value, dialect) : { ...old, [sub.name]: readValue(sub, value, dialect) }
    if (changed.primary === true) last = changed
    return changed
  })
  place[attribute.name] = preferring(written, last)
}

function termsOf(filter: Filter): number {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.terms.reduce((sum, term) => sum + termsOf(term), 0)
  return filter.kind === 'not' || filter.kind === 'element' ? termsOf(filter.term) : 1
}

function without(element: unknown, sub: Attribute): unknown {
  if (!isObject(element)) return element
  const { [sub.name]: _gone, ...rest } = element
  return rest
}

function merged(attribute: Attribute, old: Place, value: unknown, dialect: Dialect): Place {
  const straight = straightValue(dialect, attribute, value)
  const given = Array.isArray(straight) && straight.length === 1 ? straight[0] : straight
  if (!isObject(given)) throw new ScimError(400, 'invalidValue', `${attribute.name} must be an object.`)
  const place = { ...old }
  for (const [key, inner] of Object.entries(given)) {
    const part = known(attribute.subAttributes, key, dialect)
    if (part !== undefined && part.mutability !== 'readOnly') write(place, part, { op: 'replace', value: inner, dialect })
  }
  return place
}

/** The element that a filter describes: `{type: 'work'}` of `type eq "work"`. @throws ScimError 400 `noTarget` for any other filter */
function described(filter: Filter | undefined): Place {
  if (filter === undefined) return {}
  if (filter.kind === 'and') return Object.assign({}, ...filter.terms.map(described))
  if (filter.kind === 'compare' && filter.operator === 'eq') return { [lastOf(filter.name).name]: filter.value }
  throw new ScimError(400, 'noTarget', 'No value matches the path, and the path does not say what a new one would be.')
}
