import type { Query } from '../../provisioning/read.ts'
import { ScimError } from '../../scim/error.ts'
import { parseFilter, parseFilterAcross } from '../../scim/filter.ts'
import { printName, resolveName, under } from '../../scim/names.ts'
import { type AskedPaging, readPaging } from '../../scim/paging.ts'
import { type Projection, readProjection } from '../../scim/projection.ts'
import type { Dialect } from '../../scim/quirks.ts'
import { bodyOf } from '../../scim/resource.ts'
import type { ResourceType } from '../../scim/schemas.ts'

/** What a list or a search asks for. */
export interface Asked extends Omit<Query, 'paging'> {
  paging: AskedPaging
  projection: Projection
  /** The query without its paging, as text: what a cursor of it is bound to. */
  about: string
}

/**
 * Reads the parameters of a list (RFC 7644 §3.4.2), or the body of a `.search` (§3.4.3): the same names.
 * @throws ScimError 400, 403 `sensitive`
 */
export function readQuery(type: ResourceType, given: unknown, dialect: Dialect): Asked {
  const asked = bodyOf(given)
  const text = textOf('filter', asked)
  const filter = text === undefined ? undefined : parseFilter(type, text, dialect)
  const sort = sortOf(type, asked)
  const projection = projectionOf(type, asked)
  return { filter, sort, projection, paging: pagingOf(asked), about: printed([type.name, filter, sort, projection]) }
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
  const projections = types.map((type) => projectionOf(type, asked))
  const about = printed(['', filters, projections])
  return types.map((_type, at) => ({ filter: filters[at], paging: pagingOf(asked), projection: projections[at] ?? {}, about }))
}

// Names as they are written, in whatever case they were asked for.
const printed = (query: unknown): string =>
  JSON.stringify(query, (key, value) => {
    if (key === 'name' || key === 'by') return printName(value)
    return key === 'only' || key === 'except' ? value.map(printName) : value
  })

const pagingOf = (asked: Record<string, unknown>) =>
  readPaging({ startIndex: under(asked, 'startIndex'), count: under(asked, 'count'), cursor: under(asked, 'cursor') })

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
