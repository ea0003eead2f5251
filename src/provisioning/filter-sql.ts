import { type RawBuilder, sql } from 'kysely'
import { isId } from '../database/ids.ts'
import { nameKey } from '../organization/name-key.ts'
import { ScimError } from '../scim/error.ts'
import { type Comparison, type Filter, type FilterValue, timeOf } from '../scim/filter.ts'
import { groupUrn, syncGroupUrn } from '../scim/group-schema.ts'
import { type AttributeName, lastOf, printName } from '../scim/names.ts'
import type { ResourceType } from '../scim/schemas.ts'
import { enterpriseUserUrn, userUrn } from '../scim/user-schema.ts'
import { managerSql } from './manager-sql.ts'
import { groupsOfGroup, groupsOfUser, mayBe, mayBeIn, mayHave, peopleOfGroup, type Whose } from './membership-sql.ts'
import { hasId } from './offers.ts'
import type { UniqueKey } from './read.ts'

type Condition = RawBuilder<boolean>
type Compare = Extract<Filter, { kind: 'compare' }>

/** How one attribute is compared in SQL. The form of a text is what `eq` and its like see: a name key, lower case, or the text itself. */
export type Column =
  | { kind: 'text'; sql: RawBuilder<unknown>; form: 'key' | 'lower' | 'exact' }
  | { kind: 'id'; sql: RawBuilder<unknown>; is?: (id: string) => Condition }
  | { kind: 'truth'; sql: RawBuilder<unknown> }
  | { kind: 'number'; sql: RawBuilder<unknown> }
  | { kind: 'time'; sql: RawBuilder<unknown> }

/** Where names are looked up: the resource's row, or one element of a list. */
interface Place {
  /** Undefined where no column tells. */
  columnOf(name: AttributeName): Column | undefined
  /** The rows of a list; undefined where the name is no list. */
  listAt(name: AttributeName): List | undefined
}

/** The rows of a list, with what each holds: parts, or one value. */
interface List {
  from: RawBuilder<unknown>
  /** In which order they are shown, the primary one first. */
  order: RawBuilder<unknown>
  /** More rows of it, and which resources have any at all. */
  also?: { from: RawBuilder<unknown>; where: RawBuilder<unknown> }
  element: Place
  rest: AttributeName | undefined
  value?: Column
  /** What an index finds a row of it by: these parts, compared by `eq`. The condition is that a resource may have such a row. */
  keys?: { parts: readonly string[]; may: (key: Compare) => Condition }
}

/**
 * A filter as a condition on `provisioned_users u` or rows `g` of groups (read.ts), values bound. It says what `scim/match.ts`
 * says in memory with name keys; `not` is pushed inwards, so that what is absent (null) never decides wrongly.
 * @throws ScimError 400 `invalidFilter` for attributes that no column tells
 */
export function filterSql(type: ResourceType, filter: Filter, whose: Whose): Condition {
  return condition(filter, placeOf(type, whose), true)
}

const keys = { User: ['id', 'externalId', 'userName', 'emails.value'], Group: ['id', 'externalId', 'displayName'] }

/** Whether a filter picks by a key, so that an index finds the few there are: what providers ask for before each push. */
export function isLookUp(type: ResourceType, filter: Filter | undefined): boolean {
  if (filter?.kind === 'and') return filter.terms.some((term) => isLookUp(type, term))
  if (filter?.kind === 'element') return printName(filter.name) === 'emails' && keyIn(filter.term, ['value']) !== undefined
  return filter !== undefined && keyIn(filter, keys[type.name]) !== undefined
}

/** The key by which a filter picks one resource or none, and nothing else is asked of it. */
export function uniqueKeyOf(type: ResourceType, filter: Filter | undefined): { by: UniqueKey; key: string } | undefined {
  const asked = filter && keyIn(filter, type.name === 'User' ? ['id', 'userName'] : ['id', 'displayName'])
  if (asked === undefined || asked !== filter) return undefined
  const key = String(asked.value)
  if (printName(asked.name) !== 'id') return { by: 'name', key: nameKey(key) }
  return key === key.toLowerCase() ? { by: 'id', key } : undefined
}

/** Where the attributes of a kind of resources are looked up. */
export const placeOf = (type: ResourceType, whose: Whose): Place => (type.name === 'User' ? userPlace(whose) : groupPlace(whose))

function condition(filter: Filter, place: Place, isWanted: boolean): Condition {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const isAll = (filter.kind === 'and') === isWanted
      if (filter.terms.length === 0) return isAll ? sql<boolean>`true` : sql<boolean>`false`
      const conjunction = isAll ? sql` and ` : sql` or `
      return sql<boolean>`(${sql.join(
        filter.terms.map((term) => condition(term, place, isWanted)),
        conjunction,
      )})`
    }
    case 'not':
      return condition(filter.term, place, !isWanted)
    case 'element':
      return existing(filter.name, place, isWanted, (element) => condition(filter.term, element, true), filter.term)
    case 'present':
      return present(filter.name, place, isWanted)
    case 'compare':
      return comparison(filter, place, isWanted)
  }
}

function existing(
  name: AttributeName,
  place: Place,
  isWanted: boolean,
  inner: (element: Place) => Condition,
  asked?: Filter,
): Condition {
  const list = place.listAt(name)
  if (list === undefined) throw notFiltered(name)
  const matching = inner(list.element)
  const { from, also, keys } = list
  const more = also ? sql`or (${also.where} and exists (select from ${also.from} where ${matching}))` : sql``
  const holds = sql<boolean>`(exists (select from ${from} where ${matching}) ${more})`
  if (!isWanted) return sql<boolean>`not ${holds}`
  const key = keys && asked && keyIn(asked, keys.parts)
  return key ? sql<boolean>`(${keys.may(key)} and ${holds})` : holds
}

// What a row must be equal in, whatever else is asked of it.
function keyIn(asked: Filter, parts: readonly string[]): Compare | undefined {
  if (asked.kind === 'and') return asked.terms.map((term) => keyIn(term, parts)).find((key) => key !== undefined)
  const isKey =
    asked.kind === 'compare' && asked.operator === 'eq' && asked.value !== null && parts.includes(printName(asked.name))
  return isKey ? asked : undefined
}

function present(name: AttributeName, place: Place, isWanted: boolean): Condition {
  const list = place.listAt(name)
  if (list) {
    const { rest } = list
    return existing(name, place, isWanted, (element) => (rest === undefined ? sql<boolean>`true` : present(rest, element, true)))
  }
  const { sql: column } = columnAt(place, name)
  return isWanted ? sql<boolean>`${column} is not null` : sql<boolean>`${column} is null`
}

function comparison(compare: Compare, place: Place, isWanted: boolean): Condition {
  if (compare.operator === 'ne') return comparison({ ...compare, operator: 'eq' }, place, !isWanted)
  if (compare.value === null) return present(compare.name, place, !isWanted)
  const list = place.listAt(compare.name)
  if (list) {
    const { rest, value } = list
    const wanted = compare.value
    if (rest !== undefined) {
      const part = { ...compare, name: rest }
      return existing(compare.name, place, isWanted, (element) => comparison(part, element, true), part)
    }
    if (value === undefined) throw notFiltered(compare.name)
    return existing(compare.name, place, isWanted, () => compared(value, compare.operator, wanted))
  }
  const holds = compared(columnAt(place, compare.name), compare.operator, compare.value)
  return isWanted ? holds : sql<boolean>`(${holds}) is not true`
}

function columnAt(place: Place, name: AttributeName): Column {
  const column = place.columnOf(name)
  if (column === undefined) throw notFiltered(name)
  return column
}

function compared(column: Column, operator: Comparison, value: NonNullable<FilterValue>): Condition {
  switch (column.kind) {
    case 'truth':
      return sql<boolean>`${column.sql} = ${value}::boolean`
    case 'number':
      return sql<boolean>`${column.sql} ${orderOf(operator)} ${value}::numeric`
    case 'time':
      return comparedTime(column.sql, operator, timeOf(String(value)) ?? 0)
    case 'id':
      if (operator !== 'eq') return comparedText(sql`${column.sql}::text`, operator, String(value))
      // Ids are lower case, and compared as they are written.
      return isId(String(value)) && value === String(value).toLowerCase()
        ? (column.is?.(value) ?? sql<boolean>`${column.sql} = ${value}::uuid`)
        : sql<boolean>`false`
    case 'text':
      return comparedText(column.sql, operator, formed(column.form, String(value)))
  }
}

function formed(form: 'key' | 'lower' | 'exact', text: string): string {
  if (form === 'key') return nameKey(text)
  return form === 'lower' ? text.toLowerCase() : text
}

// No LIKE: `%`, `_` and `\` mean themselves. Order is by code point, whatever the database's collation.
function comparedText(column: RawBuilder<unknown>, operator: Comparison, value: string): Condition {
  if (operator === 'eq') return sql<boolean>`${column} = ${value}::text`
  if (operator === 'co') return sql<boolean>`strpos(${column}, ${value}::text) > 0`
  if (operator === 'sw') return sql<boolean>`starts_with(${column}, ${value}::text)`
  if (operator === 'ew') return sql<boolean>`right(${column}, length(${value}::text)) = ${value}::text`
  return sql<boolean>`${column} collate "C" ${orderOf(operator)} ${value}::text`
}

// Times are shown in milliseconds and stored in microseconds: what is shown is what is compared, and the index still serves.
function comparedTime(column: RawBuilder<unknown>, operator: Comparison, ms: number): Condition {
  // By number: the text of a year before 1 or past 9999 is none to PostgreSQL.
  const from = sql`to_timestamp(${ms}::float8 / 1000)`
  const next = sql`to_timestamp(${ms + 1}::float8 / 1000)`
  if (operator === 'gt') return sql<boolean>`${column} >= ${next}`
  if (operator === 'ge') return sql<boolean>`${column} >= ${from}`
  if (operator === 'lt') return sql<boolean>`${column} < ${from}`
  if (operator === 'le') return sql<boolean>`${column} < ${next}`
  return sql<boolean>`(${column} >= ${from} and ${column} < ${next})`
}

const orders: Partial<Record<Comparison, RawBuilder<unknown>>> = { eq: sql`=`, gt: sql`>`, ge: sql`>=`, lt: sql`<`, le: sql`<=` }

function orderOf(operator: Comparison): RawBuilder<unknown> {
  const order = orders[operator]
  if (order === undefined) throw new ScimError(400, 'invalidFilter', `${operator} cannot be asked of a number.`)
  return order
}

/** What a resource's own table tells; the rest is in its `attributes`. */
const userColumns: Record<string, Column> = {
  id: { kind: 'id', sql: sql`u.id` },
  externalId: { kind: 'text', sql: sql`u.external_id`, form: 'exact' },
  userName: { kind: 'text', sql: sql`u.user_name_key`, form: 'key' },
  active: { kind: 'truth', sql: sql`case when u.attributes ? 'active' then null else u.active end` },
  'meta.created': { kind: 'time', sql: sql`u.created_at` },
  'meta.lastModified': { kind: 'time', sql: sql`u.updated_at` },
  'meta.resourceType': { kind: 'text', sql: sql`'User'::text`, form: 'exact' },
  meta: { kind: 'time', sql: sql`u.created_at` },
  [`${enterpriseUserUrn}:manager.displayName`]: {
    kind: 'text',
    sql: managerSql(sql`lower(m.attributes ->> 'displayName')`),
    form: 'lower',
  },
}

const groupColumns: Record<string, Column> = {
  id: { kind: 'id', sql: sql`g.id`, is: hasId },
  externalId: { kind: 'text', sql: sql`g.external_id`, form: 'exact' },
  displayName: { kind: 'text', sql: sql`g.name_key`, form: 'key' },
  'meta.created': { kind: 'time', sql: sql`g.created_at` },
  'meta.lastModified': { kind: 'time', sql: sql`g.updated_at` },
  'meta.resourceType': { kind: 'text', sql: sql`'Group'::text`, form: 'exact' },
  meta: { kind: 'time', sql: sql`g.created_at` },
  [syncGroupUrn]: { kind: 'text', sql: sql`g.state`, form: 'exact' },
  [`${syncGroupUrn}:state`]: { kind: 'text', sql: sql`g.state`, form: 'exact' },
  [`${syncGroupUrn}:members`]: { kind: 'number', sql: keptSql(sql`kept.add_count`) },
  [`${syncGroupUrn}:members.added`]: { kind: 'number', sql: keptSql(sql`kept.add_count`) },
  [`${syncGroupUrn}:members.removed`]: { kind: 'number', sql: keptSql(sql`kept.remove_count`) },
  [`${syncGroupUrn}:members.unchanged`]: { kind: 'number', sql: keptSql(sql`kept.member_count - kept.remove_count`) },
}

function keptSql(count: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select ${count} from groups kept where kept.org_id = g.org_id and kept.id = g.group_id and g.state <> 'offered')`
}

const userPlace = (whose: Whose): Place => ({
  columnOf: (name) => userColumns[printName(name)] ?? attributeColumn(sql`u.attributes`, name),
  listAt(name) {
    if (name[0].name === 'groups') {
      const keys = memberKeys((matching) => mayBeIn(whose, matching))
      return { from: groupsOfUser, order: sql`pushed.value`, element: memberPlace, rest: rest(name, 1), keys }
    }
    if (name[0].name === 'schemas') return plainList(schemasOfUser)
    const list = jsonList(sql`u.attributes`, name)
    return list && name[0].name === 'emails' ? { ...list, keys: emailKeys(whose) } : list
  },
})

const groupPlace = (whose: Whose): Place => ({
  columnOf: (name) => groupColumns[printName(name)],
  listAt(name) {
    if (name[0].name === 'members') {
      const also = { from: groupsOfGroup, where: sql`g.shown = 'direct'` }
      const keys = memberKeys((matching) => mayHave(whose, matching))
      const from = peopleOfGroup[whose.seen]
      return { from, also, order: sql`pushed.account_id`, element: memberPlace, rest: rest(name, 1), keys }
    }
    if (name[0].name === 'schemas') return plainList(sql`unnest(${[groupUrn, syncGroupUrn]}::text[])`)
    if (name[0].name === syncGroupUrn && name[1]?.name === 'reasons') return plainList(sql`unnest(g.reasons)`)
    return undefined
  },
})

/** Those members `pushed` of a row `g` of pushed groups who match a filter over one member: looked up where it names one. */
export function membersWhere(filter: Filter, whose: Pick<Whose, 'orgId' | 'directoryId'>): RawBuilder<unknown> {
  const matching = condition(filter, memberPlace, true)
  const key = keyIn(filter, memberKeyParts)
  const isMeant = key === undefined ? matching : sql`${mayBe(whose, comparison(key, memberPlace, true))} and ${matching}`
  return sql`(
    select * from ${peopleOfGroup.pushed} where ${isMeant}
    union all select * from ${groupsOfGroup} where ${matching}
  ) as pushed`
}

const schemasOfUser = sql`unnest(
  array[${userUrn}::text] || case when u.attributes ? ${enterpriseUserUrn} then array[${enterpriseUserUrn}::text] end
)`

/** A list of texts, each its own value. */
function plainList(from: RawBuilder<unknown>): List {
  const value: Column = { kind: 'text', sql: sql`plain.value`, form: 'exact' }
  const element: Place = { columnOf: () => undefined, listAt: () => undefined }
  return { from: sql`${from} with ordinality as plain(value, n)`, order: sql`plain.n`, element, rest: undefined, value }
}

const memberColumns: Record<string, Column> = {
  value: { kind: 'id', sql: sql`pushed.value` },
  display: { kind: 'text', sql: sql`pushed.display`, form: 'key' },
  type: { kind: 'text', sql: sql`lower(pushed.type)`, form: 'lower' },
}

/** One member of a group, or one group of a user (membership-sql.ts). */
const memberPlace: Place = {
  columnOf: (name) => memberColumns[name[0].name],
  listAt: () => undefined,
}

const memberKeyParts = ['value', 'display']

const memberKeys = (may: (matching: Condition) => Condition): NonNullable<List['keys']> => ({
  parts: memberKeyParts,
  may: (key) => may(comparison(key, memberPlace, true)),
})

// provisioned_emails has what users.ts wrote of them.
const emailKeys = ({ orgId, directoryId }: Whose): NonNullable<List['keys']> => ({
  parts: ['value'],
  may: ({ value }) => sql<boolean>`
    u.id = any(array(
      select provisioned_user_id from provisioned_emails
      where org_id = ${orgId} and directory_id = ${directoryId} and value = left(${String(value).toLowerCase()}::text, 255)))`,
})

function jsonList(json: RawBuilder<unknown>, name: AttributeName): List | undefined {
  const at = name.findIndex((attribute) => attribute.multiValued)
  const list = name[at]
  if (list === undefined) return undefined
  if (list.subAttributes === undefined) throw notFiltered(name)
  const keys = name.slice(0, at + 1).map((attribute) => attribute.name)
  const from = sql`jsonb_array_elements(coalesce(${json} #> ${keys}::text[], '[]'::jsonb)) with ordinality as element(value, n)`
  const order = sql`element.value -> 'primary' = 'true'::jsonb desc nulls last, element.n`
  const element: Place = { columnOf: (inner) => attributeColumn(sql`element.value`, inner), listAt: () => undefined }
  return { from, order, element, rest: rest(name, at + 1) }
}

/** What is left of a name behind its first parts. */
function rest(name: AttributeName, from: number): AttributeName | undefined {
  const [first, ...others] = name.slice(from)
  return first && [first, ...others]
}

// An attribute that is kept in a resource's, or an element's, JSON.
function attributeColumn(json: RawBuilder<unknown>, name: AttributeName): Column | undefined {
  const attribute = lastOf(name)
  const keys = name.map(({ name: key }) => key)
  const text = sql`(${json} #>> ${keys}::text[])`
  if (attribute.type === 'boolean') return { kind: 'truth', sql: sql`${text}::boolean` }
  if (attribute.type === 'integer') return { kind: 'number', sql: sql`${text}::numeric` }
  if (attribute.type === 'dateTime' || name[0].name === 'meta') return undefined
  return attribute.caseExact
    ? { kind: 'text', sql: text, form: 'exact' }
    : { kind: 'text', sql: sql`lower(${text})`, form: 'lower' }
}

const notFiltered = (name: AttributeName) =>
  new ScimError(400, 'invalidFilter', `${printName(name)} cannot be asked for in a filter.`)
