import { type RawBuilder, sql } from 'kysely'
import type { Attribute } from '../scim/attributes.ts'
import { ScimError } from '../scim/error.ts'
import { type AttributeName, find, lastOf, printName } from '../scim/names.ts'
import type { ResourceType } from '../scim/schemas.ts'
import { attributeColumn, placeOf, rest } from './filter-sql.ts'

/** What a list is sorted by: one value a resource. @throws ScimError 400 `invalidPath` */
export function orderSql(type: ResourceType, name: AttributeName): RawBuilder<unknown> {
  const many = name.findIndex((attribute) => attribute.multiValued)
  const way = many === name.length - 1 ? withValue(name) : name
  // A group's lists are in no `attributes`, nor are these of a user.
  const isElsewhere = type.name === 'Group' || ['groups', 'schemas'].includes(name[0].name)
  if (way.some(({ multiValued }, at) => multiValued && (isElsewhere || at !== many)) || isUnsorted(lastOf(way))) {
    throw new ScimError(400, 'invalidPath', `Nothing can be sorted by ${printName(name)}.`)
  }
  return many < 0 ? placeOf(type).columnOf(way).sql : primarySql(way, many)
}

const isUnsorted = (attribute: Attribute): boolean => attribute.type === 'complex' || attribute.returned === 'never'

function withValue(name: AttributeName): AttributeName {
  const value = find(lastOf(name).subAttributes, 'value')
  return value === undefined ? name : [...name, value]
}

/** What the primary value of a list says, else the first (RFC 7644 §3.4.2.3). */
function primarySql(name: AttributeName, many: number): RawBuilder<unknown> {
  const keys = name.slice(0, many + 1).map((attribute) => attribute.name)
  const column = attributeColumn(sql`element.value`, rest(name, many + 1) ?? name)
  return sql`(
    select ${column.sql} from jsonb_array_elements(coalesce(u.attributes #> ${keys}::text[], '[]'::jsonb)) with ordinality as element(value, n)
    order by element.value -> 'primary' = 'true'::jsonb desc nulls last, n limit 1
  )`
}
