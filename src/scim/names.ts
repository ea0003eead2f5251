import type { Attribute } from './attributes.ts'
import type { ResourceType } from './schemas.ts'

/**
 * A name as the way to it: `[emails, value]`, `[enterprise extension, manager, value]`.
 * Names and URNs are the same in any case (RFC 7643 §2.1, RFC 7644 §3.10).
 */
export type AttributeName = readonly [Attribute, ...Attribute[]]

export const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

/** The value under a key, whatever the key's case. */
export function under(object: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name]
  const key = Object.keys(object).find((candidate) => sameName(candidate, name))
  return key === undefined ? undefined : object[key]
}

export function find(attributes: readonly Attribute[] | undefined, name: string): Attribute | undefined {
  return attributes?.find((attribute) => sameName(attribute.name, name))
}

/**
 * Finds what a name means: with or without URN, with a sub-attribute or not, or a whole extension by its URN; else undefined.
 * An extension's attributes ought to have theirs (RFC 7644 §3.10 says SHOULD); without it the resource's own come first.
 */
export function resolveName(type: ResourceType, name: string): AttributeName | undefined {
  for (const extension of type.extensions) {
    if (sameName(name, extension.name)) return [extension]
    const rest = after(extension.name, name)
    if (rest !== undefined) {
      const way = walk(extension.subAttributes, rest)
      return way && [extension, ...way]
    }
  }
  const own = after(type.urn, name)
  if (own !== undefined) return walk(type.attributes, own)
  const found = walk(type.attributes, name)
  if (found) return found
  for (const extension of type.extensions) {
    const way = walk(extension.subAttributes, name)
    if (way) return [extension, ...way]
  }
  return undefined
}

/** Finds a name inside a value path's brackets: `type` in `emails[type eq "work"]`. */
export const resolveWithin = (parent: Attribute, name: string): AttributeName | undefined => walk(parent.subAttributes, name)

export function lastOf(name: AttributeName): Attribute {
  return name[name.length - 1] ?? name[0]
}

export function printName(name: AttributeName): string {
  const [first, ...rest] = name.map((attribute) => attribute.name)
  if (first?.startsWith('urn:')) return rest.length > 0 ? `${first}:${rest.join('.')}` : first
  return [first, ...rest].join('.')
}

function after(urn: string, name: string): string | undefined {
  return name.charAt(urn.length) === ':' && sameName(name.slice(0, urn.length), urn) ? name.slice(urn.length + 1) : undefined
}

function walk(attributes: readonly Attribute[] | undefined, name: string): AttributeName | undefined {
  const dot = name.indexOf('.')
  const attribute = find(attributes, dot < 0 ? name : name.slice(0, dot))
  if (attribute === undefined || dot < 0) return attribute && [attribute]
  const sub = find(attribute.subAttributes, name.slice(dot + 1))
  return sub && [attribute, sub]
}
