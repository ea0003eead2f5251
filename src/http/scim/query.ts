import type { Query } from '../../provisioning/read.ts'
import { ScimError } from '../../scim/error.ts'
import { parseFilter, parseFilterAcross } from '../../scim/filter.ts'
import { resolveName, under } from '../../scim/names.ts'
import { readPaging } from '../../scim/paging.ts'
import { type Projection, readProjection } from '../../scim/projection.ts'
import type { Dialect } from '../../scim/quirks.ts'
import { bodyOf } from '../../scim/resource.ts'
import type { ResourceType } from '../../scim/schemas.ts'

/** What a list or a search asks for. */
export interface Asked extends Query {
  projection: Projection
}

/**
 * Reads the parameters of a list (RFC 7644 §3.4.2), or the body of a `.search` (§3.4.3): the same names.
 * @throws ScimError 400, 403 `sensitive`
 */
export function readQuery(type: ResourceType, given: unknown, dialect: Dialect): Asked {
  const asked = bodyOf(given)
  const filter = textOf('filter', asked)
  return {
    filter: filter === undefined ? undefined : parseFilter(type, filter, dialect),
    sort: sortOf(type, asked),
    paging: pagingOf(asked),
    projection: projectionOf(type, asked),
  }
}

/**
 * Reads what is asked of several kinds of resources at once (RFC 7644 §3.4.2.1), for each of them.
 * @throws ScimError 400, 403 `sensitive`
 */
export function readQueryAcross(types: readonly ResourceType[], given: unknown, dialect: Dialect): Asked[] {
  const asked = bodyOf(given)
  if (textOf('sortBy', asked) !== undefined)
    throw new ScimError(400, 'invalidValue', 'Users and groups together are not sorted. Ask /Users or /Groups.')
  const text = textOf('filter', asked)
  const filters = text === undefined ? [] : parseFilterAcross(types, text, dialect)
  return types.map((type, at) => ({ filter: filters[at], paging: pagingOf(asked), projection: projectionOf(type, asked) }))
}

const pagingOf = (asked: Record<string, unknown>) =>
  readPaging({ startIndex: under(asked, 'startIndex'), count: under(asked, 'count') })

/** Reads `attributes` and `excludedAttributes` alone. */
export function projectionOf(type: ResourceType, given: unknown): Projection {
  const asked = bodyOf(given)
  return readProjection(type, { attributes: under(asked, 'attributes'), excludedAttributes: under(asked, 'excludedAttributes') })
}

function sortOf(type: ResourceType, asked: Record<string, unknown>): Query['sort'] {
  const text = textOf('sortBy', asked)
  if (text === undefined) return undefined
  const by = resolveName(type, text)
  if (by === undefined) throw new ScimError(400, 'invalidPath', 'sortBy names an attribute that the schema does not have.')
  return { by, isDescending: textOf('sortOrder', asked)?.toLowerCase() === 'descending' }
}

function textOf(name: string, asked: Record<string, unknown>): string | undefined {
  const value = under(asked, name)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string')
    throw new ScimError(400, name === 'filter' ? 'invalidFilter' : 'invalidValue', `${name} must be given once, as text.`)
  return value
}
