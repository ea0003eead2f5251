import { isDeepStrictEqual } from 'node:util'
import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import type { Filter } from './filter.ts'
import { matches } from './match.ts'
import { find, lastOf } from './names.ts'
import { type Operation, readOperations } from './patch.ts'
import { type Path, parsePath } from './path.ts'
import { isObject, straightKeys, straightValue } from './quirks.ts'
import { resourceOf, type UserInput, userOf } from './resource.ts'
import { userType } from './schemas.ts'
import { notTooMany, readObject, readValue, withOnePrimary } from './values.ts'

type Place = Record<string, unknown>

/** How many values and terms of filters one PATCH may name, beside its operations: each may be compared with 200 that are there. */
const maxNamed = 2_000

/**
 * A user after a PATCH (RFC 7644 §3.5.2): every operation or none.
 * @throws ScimError 400 `invalidSyntax`, `invalidPath`, `invalidFilter`, `invalidValue`, `mutability`, `noTarget`
 */
export function applyUserPatch(current: UserInput, body: unknown): UserInput {
  const resource = resourceOf(current)
  let named = 0
  const count = (more: number) => {
    named += more
    if (named > maxNamed)
      throw new ScimError(413, undefined, `A PATCH of a user can name ${maxNamed} values. Send the others in further requests.`)
  }
  for (const operation of readOperations(body)) {
    count(Array.isArray(operation.value) ? operation.value.length : 1)
    if (operation.path === undefined) applyWithoutPath(resource, operation)
    else {
      const path = parsePath(userType, operation.path)
      if (path?.filter) count(termsOf(path.filter))
      if (path !== undefined) applyAt(resource, path, operation)
    }
  }
  const read = readObject([...userType.attributes, ...userType.extensions], resource) ?? {}
  const user = userOf(read, current)
  return 'active' in read ? user : { ...user, attributes: { ...user.attributes, active: null } }
}

function applyWithoutPath(resource: Place, { op, value }: Operation): void {
  const attributes = [...userType.attributes, ...userType.extensions]
  for (const [key, given] of Object.entries(straightKeys(userType, isObject(value) ? value : {}))) {
    const attribute = find(attributes, key)
    if (attribute) write(resource, attribute, op, given)
  }
}

function applyAt(resource: Place, { name, filter, sub }: Path, { op, value }: Operation): void {
  const last = sub ?? lastOf(name)
  if (name.some((attribute) => attribute.mutability === 'readOnly') || last.mutability === 'readOnly') {
    throw new ScimError(400, 'mutability', `${last.name} is written by the server alone.`)
  }
  if (op === 'remove' && last.required)
    throw new ScimError(400, 'mutability', `${last.name} cannot be taken away: it is required.`)
  const many = name.findIndex((attribute) => attribute.multiValued)
  const list = name[many]
  if (list !== undefined && (filter !== undefined || many < name.length - 1)) {
    writeElements(inside(resource, name.slice(0, many)), list, filter, sub ?? name[many + 1], op, value)
  } else write(inside(resource, name.slice(0, -1)), lastOf(name), op, value)
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

function write(place: Place, attribute: Attribute, op: Operation['op'], given: unknown): void {
  if (op === 'remove') remove(place, attribute, given)
  else if (attribute.multiValued) writeList(place, attribute, op, given)
  else writeOne(place, attribute, given)
}

function writeList(place: Place, attribute: Attribute, op: 'add' | 'replace', given: unknown): void {
  const values = (readValue(attribute, given) as unknown[] | undefined) ?? []
  place[attribute.name] =
    op === 'replace' ? values : notTooMany(attribute, values.reduce<unknown[]>(withAdded, listIn(place, attribute)))
}

function writeOne(place: Place, attribute: Attribute, given: unknown): void {
  const value = straightValue(attribute, given)
  if (attribute.type !== 'complex') place[attribute.name] = readValue(attribute, value)
  else if (value === undefined) delete place[attribute.name]
  // Parts that are not named stay (RFC 7644 §3.5.2.1, §3.5.2.3).
  else place[attribute.name] = merged(attribute, isObject(place[attribute.name]) ? (place[attribute.name] as Place) : {}, value)
}

/** Entra removes values of a list by naming them: `{"op": "Remove", "path": "emails", "value": [{"value": "x"}]}`. */
function remove(place: Place, attribute: Attribute, given: unknown): void {
  if (!attribute.multiValued || given === undefined || given === null) {
    delete place[attribute.name]
    return
  }
  const gone = (readValue(attribute, given) as unknown[] | undefined) ?? []
  place[attribute.name] = listIn(place, attribute).filter((element) => !gone.some((one) => isNamedBy(element, one)))
}

const isNamedBy = (element: unknown, named: unknown): boolean =>
  isObject(element) && isObject(named)
    ? Object.entries(named).every(([key, value]) => isDeepStrictEqual(element[key], value))
    : isDeepStrictEqual(element, named)

const listIn = (place: Place, { name }: Attribute): unknown[] => (Array.isArray(place[name]) ? (place[name] as unknown[]) : [])

// An element of the same value and type is the same element (RFC 7643 §2.4): it is changed, not doubled.
function withAdded(list: readonly unknown[], value: unknown): unknown[] {
  if (!isObject(value)) return list.some((one) => isDeepStrictEqual(one, value)) ? [...list] : [...list, value]
  const at = list.findIndex((one) => isObject(one) && isSameElement(one, value))
  const element = at < 0 ? value : { ...(list[at] as Place), ...value }
  return preferring(at < 0 ? [...list, element] : list.with(at, element), element)
}

const isSameElement = (one: Place, other: Place): boolean =>
  one.value === other.value && one.type === other.type && (one.value !== undefined || isDeepStrictEqual(one, other))

// The element just written keeps `primary`, the others lose it.
const preferring = (list: readonly unknown[], element: unknown): unknown[] =>
  isObject(element) && element.primary === true ? withOnePrimary(list, element) : [...list]

function writeElements(
  place: Place,
  attribute: Attribute,
  filter: Filter | undefined,
  sub: Attribute | undefined,
  op: Operation['op'],
  given: unknown,
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
  // Entra replaces what is not there yet: a value that the filter describes is made.
  const elements = list.some(isMeant) ? list : notTooMany(attribute, [...list, described(filter)])
  let last: unknown
  const written = elements.map((element) => {
    if (!isMeant(element)) return element
    const changed = sub === undefined ? merged(attribute, element as Place, given) : withPart(element as Place, sub, given)
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

const withPart = (element: Place, sub: Attribute, given: unknown): Place => ({ ...element, [sub.name]: readValue(sub, given) })

function merged(attribute: Attribute, old: Place, value: unknown): Place {
  const straight = straightValue(attribute, value)
  const given = Array.isArray(straight) && straight.length === 1 ? straight[0] : straight
  if (!isObject(given)) throw new ScimError(400, 'invalidValue', `${attribute.name} must be an object.`)
  const place = { ...old }
  for (const [key, inner] of Object.entries(given)) {
    const part = find(attribute.subAttributes, key)
    if (part !== undefined && part.mutability !== 'readOnly') write(place, part, 'replace', inner)
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
