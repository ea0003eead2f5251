import { type Filter, printFilter } from './filter.ts'
import { isObject } from './json.ts'
import { type AttributeName, printName } from './names.ts'
import { type AskedPaging, defaultPageSize } from './paging.ts'
import { readOperations } from './patch.ts'
import type { Dialect } from './quirks.ts'
import type { GroupChange, GroupInput, MemberInput, UserInput } from './resource.ts'
import { userType } from './schemas.ts'

/** What a request asks for, as people read it, without secrets: what is read here has been parsed, and no schema has a secret. */
export interface InWords {
  words: string
  /** By which names it is found: of people and groups, as they are given. */
  names: readonly string[]
  /** The members it names, the first hundred. */
  members: readonly string[]
}

const mostMembers = 100

export const newGroupInWords = ({ displayName, members = [] }: GroupInput): InWords => ({
  words: `create the group ${quoted(displayName)}${members.length === 0 ? '' : ` with ${counted(members.length, 'member')}`}`,
  names: [displayName],
  members: valuesOf(members),
})

export function groupChangeInWords({ displayName, externalId, members }: GroupChange): InWords {
  const parts: string[] = []
  if (displayName !== undefined) parts.push(`name it ${quoted(displayName)}`)
  if (externalId !== undefined) parts.push('set externalId')
  const names = displayName === undefined ? [] : [displayName]
  if (members === undefined) return { words: parts.join(', ') || 'change nothing', names, members: [] }
  if ('all' in members) {
    parts.push(`have exactly ${counted(members.all.length, 'member')}`)
    return { words: parts.join(', '), names, members: valuesOf(members.all) }
  }
  const { added, removed } = members
  if (added.length > 0) parts.push(`add ${counted(added.length, 'member')}`)
  if (removed.length > 0) parts.push(`remove ${counted(removed.length, 'member')}`)
  const named = [...valuesOf(added), ...removed.slice(0, mostMembers - Math.min(added.length, mostMembers))]
  return { words: parts.join(', '), names, members: named }
}

export const userInWords = (verb: 'create' | 'replace', { userName, externalId, active, attributes }: UserInput): InWords => ({
  words: `${verb} the user ${quoted(userName)}${active ? '' : ', switched off'}`,
  names: [userName, ...(externalId === null ? [] : [externalId]), ...emailsIn(attributes)],
  members: [],
})

/** A PATCH of a user: which attributes, and of their values `active` alone. */
export function userPatchInWords(body: unknown, dialect: Dialect): InWords {
  const words = readOperations(userType, body, dialect).map(({ op, path, value }) => {
    if (path !== undefined) return `${op} ${withActive(path, value)}`
    const given = isObject(value) ? value : {}
    return `${op} ${Object.keys(given)
      .map((key) => withActive(key, given[key]))
      .join(', ')}`
  })
  return { words: words.join('; '), names: [], members: [] }
}

/** A Bulk: how many operations, of which methods. Its operations say by themselves what they are about. */
export function bulkInWords(operations: readonly { method?: string | undefined }[]): InWords {
  const methods = Map.groupBy(operations, ({ method }) => method ?? 'unknown')
  const each = [...methods].map(([method, some]) => `${some.length} ${method}`)
  return { words: `do ${counted(operations.length, 'operation')}: ${each.join(', ')}`, names: [], members: [] }
}

/** A list or a search. */
export function queryInWords(query: {
  filter?: Filter | undefined
  sort?: { by: AttributeName } | undefined
  paging: AskedPaging
}): InWords {
  const { filter, sort, paging } = query
  const parts = [filter === undefined ? 'list' : `filter ${printFilter(filter)}`]
  if (sort !== undefined) parts.push(`sorted by ${printName(sort.by)}`)
  if (paging.count !== defaultPageSize) parts.push(`${paging.count} at most`)
  if ('cursor' in paging) parts.push(paging.cursor === '' ? 'by cursor' : 'the next page')
  else if (paging.startIndex > 1) parts.push(`from ${paging.startIndex}`)
  return { words: parts.join(', '), names: filter === undefined ? [] : textsIn(filter), members: [] }
}

const withActive = (name: string, value: unknown): string =>
  name.toLowerCase() === 'active' ? `${name} ${String(value).slice(0, 10)}` : name

function emailsIn(attributes: Record<string, unknown>): string[] {
  const list = Array.isArray(attributes.emails) ? (attributes.emails as { value?: unknown }[]) : []
  return list.flatMap(({ value }) => (typeof value === 'string' ? [value] : []))
}

// What a filter says that something is, not what it says that it is not.
function textsIn(filter: Filter): string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.flatMap(textsIn)
    case 'compare':
      return filter.operator === 'eq' && typeof filter.value === 'string' ? [filter.value] : []
    case 'element':
      return textsIn(filter.term)
    default:
      return []
  }
}

const valuesOf = (members: readonly MemberInput[]): string[] => members.slice(0, mostMembers).map((member) => member.value)

const quoted = (name: string): string => JSON.stringify(name)

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`
