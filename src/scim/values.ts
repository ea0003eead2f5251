import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import { timeOf } from './filter.ts'
import { groupAttributes } from './group-schema.ts'
import { isObject } from './json.ts'
import { find } from './names.ts'
import { type Dialect, straightValue } from './quirks.ts'
import { userAttributes } from './user-schema.ts'

/** Rule 21: names, other text, and what is no text for people (certificates). */
export const maxNameLength = 255
export const maxTextLength = 1_024
const maxBinaryLength = 65_536
/** How many e-mail addresses, roles and the like one person may have: each is compared with each. */
export const maxValues = 200

/**
 * What a schema accepts of an object: canonical names; read-only and never-kept attributes dropped, and what is empty; unknown
 * ones too, or refused in a strict dialect.
 * @throws ScimError 400 `invalidSyntax`, `invalidValue`
 */
export function readObject(
  attributes: readonly Attribute[],
  object: Record<string, unknown>,
  dialect: Dialect,
): Record<string, unknown> | undefined {
  const read: Record<string, unknown> = {}
  for (const [key, given] of Object.entries(object)) {
    const attribute = known(attributes, key, dialect)
    if (attribute === undefined || attribute.mutability === 'readOnly' || attribute.returned === 'never') continue
    if (Object.hasOwn(read, attribute.name))
      throw new ScimError(400, 'invalidSyntax', `"${attribute.name}" is given twice, in different case.`)
    const value = readValue(attribute, given, dialect)
    if (value !== undefined) read[attribute.name] = value
  }
  return Object.keys(read).length > 0 ? read : undefined
}

/** The attribute that a key means, or undefined: it is passed over. @throws ScimError 400 `invalidSyntax` in a strict dialect */
export function known(attributes: readonly Attribute[] | undefined, key: string, dialect: Dialect): Attribute | undefined {
  const attribute = find(attributes, key)
  if (attribute === undefined && dialect.isStrict) throw unknownAttribute(key)
  return attribute
}

/** What a strict directory says of an attribute or an extension that no schema has (draft-zollner-scim-interop-profile §5.3). */
export const unknownAttribute = (key: string) =>
  new ScimError(
    400,
    'invalidSyntax',
    `No schema has "${key.slice(0, 100).toWellFormed()}", and this directory is strict. Take it out of the mapping, or set the directory not to be strict.`,
  )

/**
 * A value as it is kept, or undefined where nothing is left of it: null, `""`, `[]` and `{}` are «unassigned» (RFC 7643 §2.5).
 * @throws ScimError 400 `invalidValue` for another type, or too long a text
 */
export function readValue(attribute: Attribute, given: unknown, dialect: Dialect): unknown {
  if (given === null || given === undefined) return undefined
  const value = straightValue(dialect, attribute, given)
  if (!attribute.multiValued) return readOne(attribute, value, dialect)
  // One value where a list belongs is a list of one: RFC 7644 §3.5.2.1 lets a value be added to several.
  const elements = notTooMany(attribute, Array.isArray(value) ? value : [value])
    .map((element) => readOne(attribute, element, dialect))
    .filter((element) => element !== undefined)
  return elements.length > 0 ? withOnePrimary(elements) : undefined
}

function readOne(attribute: Attribute, value: unknown, dialect: Dialect): unknown {
  if (value === null || value === undefined || value === '') return undefined
  switch (attribute.type) {
    case 'complex':
      if (!isObject(value)) throw wrongType(attribute, 'an object')
      return worthKeeping(attribute, readObject(attribute.subAttributes ?? [], value, dialect))
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(attribute, 'true or false')
      return value
    case 'integer':
      if (!Number.isInteger(value)) throw wrongType(attribute, 'a whole number')
      return value
    default:
      if (typeof value !== 'string') throw wrongType(attribute, 'a text')
      return inForm(attribute, shortEnough(attribute, value))
  }
}

// Base64 as RFC 4648 §4 has it, where the padding may be left out (RFC 7643 §2.3.6).
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/
// What RFC 3986 lets a URI, absolute or relative, consist of; letters beyond ASCII too, as IRIs have them.
const uri = /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[0-9A-F]{2}|[^\p{ASCII}\p{C}\p{Z}])*$/iu

/** @throws ScimError 400 `invalidValue` for a text that is not what its type says (RFC 7643 §2.3) */
function inForm(attribute: Attribute, text: string): string {
  if (attribute.type === 'binary' && !base64.test(text)) throw wrongType(attribute, 'base64')
  if (attribute.type === 'reference' && !uri.test(text)) throw wrongType(attribute, 'a URI')
  if (attribute.type === 'dateTime' && timeOf(text) === undefined)
    throw wrongType(attribute, 'a time such as "2026-01-31T12:00:00Z"')
  return text
}

// A value that only says what it would be for says nothing: what is left when Entra empties `emails[type eq "work"].value`.
function worthKeeping(attribute: Attribute, value: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  const saysNothing = attribute.multiValued && Object.keys(value ?? {}).every((key) => key === 'type' || key === 'primary')
  return saysNothing ? undefined : value
}

/** @throws ScimError 400 `invalidValue` */
export function notTooMany<T>(attribute: Attribute, list: T[]): T[] {
  if (list.length <= maxValues) return list
  throw new ScimError(400, 'invalidValue', `${attribute.name} can have ${maxValues} values. Leave some out.`)
}

/** What people and groups are called by (rule 21): the parts of a person's name too, of which the name that is shown is made. */
export const nameParts: readonly Attribute[] = find(userAttributes, 'name')?.subAttributes ?? []
const names: ReadonlySet<Attribute | undefined> = new Set([
  find(userAttributes, 'userName'),
  find(userAttributes, 'displayName'),
  find(groupAttributes, 'displayName'),
  ...nameParts,
])
const keys = new Set(['userName', 'displayName', 'externalId', 'value'])

function shortEnough(attribute: Attribute, value: string): string {
  if (attribute.type === 'binary') {
    if (value.length > maxBinaryLength) throw tooLong(attribute, `${maxBinaryLength} characters`)
    return value
  }
  const max = names.has(attribute) ? maxNameLength : maxTextLength
  // One character may stand for eighteen once it is normalized: only what could be too long is looked at closely.
  if (value.length * 18 <= max) return value
  // Before it is normalized, which takes time with the square of a run of accents: 800 KB took 36 s.
  if (isLongerThan(value, max)) throw tooLong(attribute, `${max} characters`)
  const normal = value.normalize('NFKC')
  if (isLongerThan(normal, max)) throw tooLong(attribute, `${max} characters`)
  if (keys.has(attribute.name) && !fitsInKey(normal)) throw tooLong(attribute, `${maxKeyBytes} bytes`)
  return value
}

// Code points, so that a name of emoji is not twice as long.
const isLongerThan = (text: string, max: number): boolean =>
  text.length > max && (text.length > 2 * max || [...text].length > max)

// PostgreSQL indexes no text past a third of a page.
const maxKeyBytes = 2_048

/** Whether a text that is looked up by can be. */
export const fitsInKey = (text: string): boolean => text.length * 3 <= maxKeyBytes || Buffer.byteLength(text) <= maxKeyBytes

const tooLong = (attribute: Attribute, max: string) =>
  new ScimError(400, 'invalidValue', `${attribute.name} is longer than ${max}. Shorten it, or map another attribute to it.`)

/** `primary` is true at most once (RFC 7643 §2.4): the first of them keeps it. */
export function withOnePrimary(elements: readonly unknown[], keeper?: unknown): unknown[] {
  const isPrimary = (element: unknown) => isObject(element) && element.primary === true
  const primary = keeper ?? elements.find(isPrimary)
  return elements.map((element) =>
    isPrimary(element) && element !== primary ? { ...(element as object), primary: false } : element,
  )
}

// Rule 21: control, bidi and zero-width characters make two names look like one, or hide what they say.
const unseen = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/u

/** A name that is new here: something can be seen of it, and nothing is hidden in it. @throws ScimError 400 `invalidValue` */
export function seenName(attribute: string, name: string): string {
  if (name.trim() === '') throw new ScimError(400, 'invalidValue', `${attribute} is empty. Give it a name.`)
  return nothingHidden(attribute, name)
}

/** A part of a name that is new here. @throws ScimError 400 `invalidValue` */
export function nothingHidden(attribute: string, name: string): string {
  const found = unseen.exec(name)
  if (found === null) return name
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  throw new ScimError(
    400,
    'invalidValue',
    `${attribute} has a character that cannot be seen (U+${code}). Take it out and push again.`,
  )
}

const wrongType = (attribute: Attribute, what: string) => new ScimError(400, 'invalidValue', `${attribute.name} must be ${what}.`)
