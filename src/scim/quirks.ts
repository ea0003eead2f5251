import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import { find, lastOf, resolveName, sameName } from './names.ts'
import type { ResourceType } from './schemas.ts'

/**
 * What providers write otherwise than the RFCs, put straight before anything else reads it. Each has its source:
 * Okta = developer.okta.com «SCIM 2.0 protocol reference»; Entra = learn.microsoft.com «Develop and plan provisioning
 * for a SCIM endpoint» and «Known issues with SCIM 2.0 protocol compliance».
 */

/** Entra: operators in capitals, `"Add"`, `"Replace"`, `"Remove"`. */
export const straightOperator = (op: unknown): unknown => (typeof op === 'string' ? op.toLowerCase() : op)

/** `path: ""` and `path: null` come from serializers that write what is not there (Entra's libraries, SailPoint). */
export const straightPath = (path: unknown): unknown => (path === null || path === '' ? undefined : path)

/**
 * The value of an operation without path, as nested objects with canonical names:
 * - Okta: `{"id": "ID", "displayName": "New"}`: the id inside a rename goes, with all that the schema does not have or that only the server writes;
 * - Entra: dotted keys, `name.givenName`, `urn:…:enterprise:2.0:User:department`, become nested ones.
 */
export function straightKeys(type: ResourceType, value: Record<string, unknown>): Record<string, unknown> {
  const straight: Record<string, unknown> = {}
  for (const [key, given] of Object.entries(value)) {
    const name = resolveName(type, key)
    if (name === undefined || name.some((attribute) => attribute.mutability === 'readOnly')) continue
    let place = straight
    for (const attribute of name.slice(0, -1)) {
      const inner = place[attribute.name]
      place = isObject(inner) ? inner : emptyUnder(place, attribute.name)
    }
    const last = lastOf(name)
    const there = place[last.name]
    if (there !== undefined && !(isObject(there) && isObject(given))) {
      throw new ScimError(400, 'invalidSyntax', `"${last.name}" is given twice, in different case or form.`)
    }
    // `name.givenName` beside `name: {…}`: both are meant.
    place[last.name] = isObject(there) && isObject(given) ? { ...given, ...there } : given
  }
  return straight
}

/**
 * One value, as the attribute's type wants it:
 * - Entra: booleans as text, `"False"`, in PATCH and in elements (`primary`);
 * - Entra: `manager` as a bare string, and other complex values that have a `value`;
 * - Entra's older form: a single value in a list, `[{"$ref": null, "value": "x"}]`;
 * - Okta's profile mappings, OneLogin: one element where a list belongs.
 * `$ref: null` (Entra) goes with every other null: RFC 7643 §2.5, null is unassigned.
 */
export function straightValue(attribute: Attribute, value: unknown): unknown {
  if (value === null || value === undefined) return undefined
  if (attribute.multiValued) return (Array.isArray(value) ? value : [value]).map((element) => straightElement(attribute, element))
  return straightElement(attribute, Array.isArray(value) && value.length === 1 ? value[0] : value)
}

function straightElement(attribute: Attribute, value: unknown): unknown {
  if (attribute.type === 'complex') {
    const isBare = typeof value === 'string' || typeof value === 'number'
    return isBare && find(attribute.subAttributes, 'value') ? { value } : value
  }
  const plain =
    isObject(value) && !attribute.multiValued && Object.keys(value).every((key) => sameName(key, 'value') || key === '$ref')
      ? value.value
      : value
  if (attribute.type === 'boolean' && typeof plain === 'string' && /^(true|false)$/i.test(plain))
    return plain.toLowerCase() === 'true'
  return plain
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function emptyUnder(place: Record<string, unknown>, key: string): Record<string, unknown> {
  const empty: Record<string, unknown> = {}
  place[key] = empty
  return empty
}
