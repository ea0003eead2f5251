import type { Attribute } from './attributes.ts'
import { type Comparison, type Filter, type FilterValue, timeOf } from './filter.ts'
import { type AttributeName, lastOf } from './names.ts'

/** The form in which texts that are not case-exact are compared. */
export type Fold = (text: string, attribute: Attribute) => string
const lowerCase: Fold = (text) => text.toLowerCase()

/**
 * The filter in memory, on a resource with canonical names: the reference for the same filter in SQL.
 * A list matches if one of its values does; `ne` is the opposite of `eq`, so what is absent is not equal to anything.
 */
export function matches(filter: Filter, resource: unknown, fold: Fold = lowerCase): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every((term) => matches(term, resource, fold))
    case 'or':
      return filter.terms.some((term) => matches(term, resource, fold))
    case 'not':
      return !matches(filter.term, resource, fold)
    case 'present':
      return valuesAt(resource, filter.name).some(isPresent)
    case 'element':
      return valuesAt(resource, filter.name).some((element) => matches(filter.term, element, fold))
    case 'compare':
      return compares(filter.operator, valuesAt(resource, filter.name), filter.value, lastOf(filter.name), fold)
  }
}

function valuesAt(resource: unknown, name: AttributeName): unknown[] {
  return name.reduce<unknown[]>((values, { name: key }) => values.flatMap((value) => under(value, key)), [resource])
}

function under(value: unknown, key: string): unknown[] {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
  if (found === undefined || found === null) return []
  return Array.isArray(found) ? found : [found]
}

function isPresent(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return false
  return typeof value !== 'object' || Object.values(value).some(isPresent)
}

function compares(operator: Comparison, values: unknown[], wanted: FilterValue, attribute: Attribute, fold: Fold): boolean {
  if (operator === 'ne') return !compares('eq', values, wanted, attribute, fold)
  if (wanted === null) return !values.some(isPresent)
  const form = (value: unknown) => comparable(value, attribute, fold)
  return values.some((value) => holds(operator, form(value), form(wanted)))
}

function comparable(value: unknown, attribute: Attribute, fold: Fold): unknown {
  if (typeof value !== 'string') return value
  if (attribute.type === 'dateTime') return timeOf(value)
  return attribute.caseExact ? value : fold(value, attribute)
}

function holds(operator: Comparison, value: unknown, wanted: unknown): boolean {
  if (typeof value === 'string' && typeof wanted === 'string') return holdsForText(operator, value, wanted)
  if (operator === 'eq') return value === wanted
  return typeof value === 'number' && typeof wanted === 'number' && inOrder(operator, value - wanted)
}

function holdsForText(operator: Comparison, value: string, wanted: string): boolean {
  if (operator === 'eq') return value === wanted
  if (operator === 'co') return value.includes(wanted)
  if (operator === 'sw') return value.startsWith(wanted)
  if (operator === 'ew') return value.endsWith(wanted)
  // By code point, which is how PostgreSQL orders under the collation "C".
  return inOrder(operator, Buffer.compare(Buffer.from(value), Buffer.from(wanted)))
}

function inOrder(operator: Comparison, difference: number): boolean {
  if (operator === 'gt') return difference > 0
  if (operator === 'ge') return difference >= 0
  if (operator === 'lt') return difference < 0
  return operator === 'le' && difference <= 0
}
