import { type RawBuilder, sql } from 'kysely'
import { ScimError } from '../scim/error.ts'
import { type AttributeName, find, lastOf, printName } from '../scim/names.ts'
import type { ResourceType } from '../scim/schemas.ts'
import { type Column, placeOf } from './filter-sql.ts'
import type { Whose } from './membership-sql.ts'

/** What a list is sorted by: one value a resource. */
export interface SortKey {
  sql: RawBuilder<unknown>
  /** PostgreSQL's type of it. */
  type: RawBuilder<unknown>
  /** Whether every resource has it. */
  isAlways: boolean
}

/** Of a list of values the primary one, else the first, is sorted by (RFC 7644 §3.4.2.3). @throws ScimError 400 `invalidPath` */
export function sortKeyOf(type: ResourceType, given: AttributeName, whose: Whose): SortKey {
  const name = withValue(given)
  const place = placeOf(type, whose)
  const list = place.listAt(name)
  if (list === undefined) return keyOf(place.columnOf(name), given, isOnEvery(name))
  const column = list.rest === undefined ? list.value : list.element.columnOf(list.rest)
  const { sql: value, ...key } = keyOf(column, given, false)
  return { ...key, sql: sql`(select ${value} from ${list.from} order by ${list.order} limit 1)` }
}

function withValue(name: AttributeName): AttributeName {
  const value = find(lastOf(name).subAttributes, 'value')
  return value === undefined ? name : [...name, value]
}

function keyOf(column: Column | undefined, name: AttributeName, isAlways: boolean): SortKey {
  const last = lastOf(withValue(name))
  if (column === undefined || last.type === 'complex' || last.returned === 'never')
    throw new ScimError(400, 'invalidPath', `Nothing can be sorted by ${printName(name)}.`)
  return { sql: column.sql, type: types[column.kind], isAlways }
}

const types: Record<Column['kind'], RawBuilder<unknown>> = {
  text: sql`text`,
  id: sql`uuid`,
  truth: sql`boolean`,
  number: sql`numeric`,
  time: sql`timestamptz`,
}

const isOnEvery = ([first]: AttributeName): boolean => first.required || first.name === 'id' || first.name === 'meta'
