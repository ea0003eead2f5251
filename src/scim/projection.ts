import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import { isObject } from './json.ts'
import { type AttributeName, resolveName } from './names.ts'
import type { ResourceType } from './schemas.ts'

/** Which attributes an answer holds (RFC 7644 §3.9): `only` these, or all but `except`; `id` and `schemas` always. */
export interface Projection {
  readonly only?: readonly AttributeName[]
  readonly except?: readonly AttributeName[]
}

/**
 * Reads `attributes` and `excludedAttributes`: text with commas, or the list of a `.search`. Unknown names are passed over,
 * and of `emails[type eq "work"]` all e-mail addresses are shown: names have no filters (RFC 7644 §3.10).
 * @throws ScimError 400 `invalidValue` where both are given
 */
export function readProjection(type: ResourceType, given: { attributes?: unknown; excludedAttributes?: unknown }): Projection {
  const only = namesOf(type, given.attributes, (item) => item.replace(/\[.*/s, ''))
  const except = namesOf(type, given.excludedAttributes)
  if (only && except) throw new ScimError(400, 'invalidValue', 'Ask for attributes or for excludedAttributes, not for both.')
  return { ...(only ? { only } : {}), ...(except ? { except } : {}) }
}

function namesOf(type: ResourceType, given: unknown, nameIn = (item: string) => item): AttributeName[] | undefined {
  const list = (Array.isArray(given) ? given : [given])
    .filter((item) => typeof item === 'string')
    .flatMap((item) => item.split(','))
  const asked = list.map((item) => item.trim()).filter((item) => item !== '')
  if (asked.length > 200) throw new ScimError(400, 'invalidValue', 'Name at most 200 attributes.')
  return asked.length > 0 ? asked.map((item) => resolveName(type, nameIn(item))).filter((name) => name !== undefined) : undefined
}

/** Whether an answer holds a top-level attribute at all, so that what is not wanted is not read. */
export function wants({ only, except }: Projection, attribute: string): boolean {
  if (only) return only.some((name) => name[0].name === attribute)
  return !except?.some((name) => name.length === 1 && name[0].name === attribute)
}

/** Whether it holds a part of a complex attribute: `members.value`; a part that is returned on request only where it is named itself. */
export function wantsPart({ only, except }: Projection, attribute: Attribute, part: Attribute): boolean {
  const isNamed = (name: AttributeName) => name[0] === attribute && name[1] === part
  if (part.returned === 'request') return only?.some(isNamed) === true
  const isIt = (name: AttributeName) => isNamed(name) || (name[0] === attribute && name.length === 1)
  return only ? only.some(isIt) : !except?.some(isIt)
}

/** The resource with the wanted attributes. */
export function project(resource: Record<string, unknown>, { only, except }: Projection): Record<string, unknown> {
  if (only) {
    const always = { schemas: resource.schemas, ...('id' in resource ? { id: resource.id } : {}) }
    return {
      ...always,
      ...keep(
        resource,
        only.map((name) => name.map((attribute) => attribute.name)),
      ),
    }
  }
  if (!except) return resource
  const ways = except.filter((name) => name[0].returned !== 'always').map((name) => name.map((attribute) => attribute.name))
  return drop(resource, ways)
}

type Ways = readonly (readonly string[])[]

function keep(object: Record<string, unknown>, ways: Ways): Record<string, unknown> {
  return through(object, ways, (value, deeper, isWhole) =>
    deeper.length === 0 && !isWhole ? undefined : isWhole ? value : each(value, (inner) => keep(inner, deeper)),
  )
}

function drop(object: Record<string, unknown>, ways: Ways): Record<string, unknown> {
  return through(object, ways, (value, deeper, isWhole) =>
    isWhole ? undefined : deeper.length === 0 ? value : each(value, (inner) => drop(inner, deeper)),
  )
}

function through(
  object: Record<string, unknown>,
  ways: Ways,
  decide: (value: unknown, deeper: Ways, isWhole: boolean) => unknown,
): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object)) {
    const hits = ways.filter((way) => way[0] === key)
    const left = decide(
      value,
      hits.filter((way) => way.length > 1).map((way) => way.slice(1)),
      hits.some((way) => way.length === 1),
    )
    if (left !== undefined) kept[key] = left
  }
  return kept
}

function each(value: unknown, change: (inner: Record<string, unknown>) => Record<string, unknown>): unknown {
  const changed = (Array.isArray(value) ? value : [value]).map((inner) => (isObject(inner) ? change(inner) : inner))
  const left = changed.filter((inner) => !isObject(inner) || Object.keys(inner).length > 0)
  if (left.length === 0) return undefined
  return Array.isArray(value) ? left : left[0]
}
