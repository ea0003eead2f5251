import { nameKey } from '../../organization/name-key.ts'
import type { BulkOperation, Sound } from '../../scim/bulk.ts'
import { isObject } from '../../scim/json.ts'
import { under } from '../../scim/names.ts'

/** What operations that follow one another have in common, where they may be done together; `other`: each by itself. */
export type RunKind = 'new users' | 'new groups' | 'members' | 'profiles' | 'other'

export interface Run {
  kind: RunKind
  /** Indexes of operations. */
  of: number[]
}

/**
 * The next operations that come to the same in whatever order: new groups of different names, members of different groups, profiles of
 * different users. And new users on end, whose order counts: who comes first may be whom the organization knows.
 * @param from where in the order
 */
export function nextRun(operations: readonly BulkOperation[], order: readonly number[], from: number, most: number): Run {
  const first = order[from] as number
  const kind = kindOf(operations[first])
  if (kind === 'other') return { kind, of: [first] }
  const of: number[] = []
  const subjects = new Set<string>()
  const made = new Set<string | undefined>()
  for (const at of order.slice(from, from + most)) {
    if (kindOf(operations[at]) !== kind) break
    const operation = operations[at] as Sound
    const subject = subjectOf(operation, at)
    if (subjects.has(subject) || operation.refersTo.some((bulkId) => made.has(bulkId))) break
    of.push(at)
    subjects.add(subject)
    if (operation.method === 'POST') made.add(operation.bulkId)
  }
  return { kind, of }
}

function kindOf(operation: BulkOperation | undefined): RunKind {
  if (operation === undefined || operation.fault) return 'other'
  const { method, target, data } = operation
  if (method === 'POST') return target.type === 'User' ? 'new users' : 'new groups'
  if (method !== 'PATCH') return 'other'
  if (target.type === 'Group') return attributesIn(data).every((name) => /^members(\[|$)/i.test(name)) ? 'members' : 'other'
  return attributesIn(data).every((name) => /^[a-z]/i.test(name) && !/^(urn:|userName$|externalId$)/i.test(name))
    ? 'profiles'
    : 'other'
}

// What two operations of a run must not both be about. New users may be alike: they are made in their order.
function subjectOf({ method, target, data }: Sound, at: number): string {
  if (method !== 'POST') return target.id.toLowerCase()
  if (target.type === 'User') return String(at)
  return nameKey(String(under(data as Record<string, unknown>, 'displayName')))
}

// The paths that a PATCH names, or the keys where it has none; '' where that cannot be said.
function attributesIn(data: unknown): string[] {
  const list = isObject(data) ? under(data, 'Operations') : undefined
  if (!Array.isArray(list)) return ['']
  return list.flatMap((one) => {
    if (!isObject(one)) return ['']
    const [path, value] = [under(one, 'path'), under(one, 'value')]
    if (typeof path === 'string') return [path]
    return path === undefined && isObject(value) ? Object.keys(value) : ['']
  })
}
