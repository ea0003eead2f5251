import { ScimError } from './error.ts'
import { isObject } from './json.ts'
import { bulkRequestUrn, maxBulkBytes, maxBulkOperations } from './messages.ts'
import { sameName, under } from './names.ts'
import { bodyOf } from './resource.ts'

const methods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
export type WriteMethod = (typeof methods)[number]

/** What an operation is about; `id` is empty for a POST, and may be a reference, `bulkId:x`. */
export interface Target {
  readonly type: 'User' | 'Group'
  readonly id: string
}

/** An operation that can be tried, its references still in it. */
export interface Sound {
  readonly method: WriteMethod
  readonly bulkId?: string
  readonly target: Target
  /** The ETag that the resource is to have, as in If-Match. */
  readonly version?: string
  readonly data: unknown
  /** The bulkIds of what has to be made before. */
  readonly refersTo: readonly string[]
  readonly fault?: undefined
}

/** An operation whose answer is known: what is wrong with it. */
export interface Faulty extends Partial<Pick<Sound, 'method' | 'bulkId' | 'target'>> {
  readonly fault: ScimError
}

export type BulkOperation = Sound | Faulty

export interface Bulk {
  readonly operations: readonly BulkOperation[]
  /** Indexes in the order in which operations are done: as given, but what is referred to first. */
  readonly order: readonly number[]
  /** After so many errors nothing more is done. */
  readonly failOnErrors: number
}

/**
 * Reads a BulkRequest (RFC 7644 §3.7). What is wrong with one operation is that operation's answer: a reference to nothing (400)
 * and a circle of references (409, §3.7.1) as well.
 * @throws ScimError 400 `invalidSyntax` where this is no BulkRequest, 413 for more than 1,000 operations
 */
export function readBulk(body: unknown): Bulk {
  const given = bodyOf(body)
  const schemas = under(given, 'schemas')
  if (schemas !== undefined && !isBulkRequest(schemas)) throw invalid(`schemas must be ["${bulkRequestUrn}"].`)
  const list = under(given, 'Operations')
  if (!Array.isArray(list) || list.length === 0) throw invalid('Operations must be a list with at least one operation.')
  if (list.length > maxBulkOperations)
    throw tooLarge(`The number of operations exceeds maxOperations (${maxBulkOperations}). Send the others in further requests.`)
  const failOnErrors = readFailOnErrors(under(given, 'failOnErrors'))
  return { ...inOrder(list.map(readOperation)), failOnErrors }
}

/** The other limit, in the RFC's words (§3.7.4). */
export const tooManyBytes = (): ScimError =>
  tooLarge(`The size of the bulk operation exceeds the maxPayloadSize (${maxBulkBytes}).`)

/** The id and the data of an operation, with ids where references were. @throws ScimError 409 where what it refers to was not made */
export function resolved({ target, data, refersTo }: Sound, ids: ReadonlyMap<string, string>): { id: string; data: unknown } {
  if (refersTo.length === 0) return { id: target.id, data }
  const idOf = (bulkId: string): string => {
    const id = ids.get(bulkId)
    if (id === undefined)
      throw new ScimError(409, undefined, `The operation with the bulkId ${shown(bulkId)} failed, and this one refers to it.`)
    return id
  }
  return { id: String(replaced(target.id, idOf)), data: replaced(data, idOf) }
}

const isBulkRequest = (schemas: unknown): boolean =>
  Array.isArray(schemas) && schemas.some((urn) => typeof urn === 'string' && sameName(urn, bulkRequestUrn))

function readFailOnErrors(given: unknown): number {
  if (given === undefined || given === null || given === 0) return Number.POSITIVE_INFINITY
  if (typeof given === 'number' && Number.isInteger(given) && given > 0) return given
  throw invalid('failOnErrors must be a whole number: after so many errors nothing more is done.')
}

function readOperation(given: unknown): BulkOperation {
  if (!isObject(given)) return { fault: invalid('Each operation must be an object.') }
  const bulkId = under(given, 'bulkId') ?? undefined
  const version = under(given, 'version') ?? undefined
  const data = under(given, 'data')
  const named = {
    ...methodOf(under(given, 'method')),
    ...(typeof bulkId === 'string' ? { bulkId } : {}),
    ...targetOf(under(given, 'path')),
  }
  const { method, target } = named
  const refused = (fault: ScimError): Faulty => ({ ...named, fault })
  if (method === undefined) return refused(invalid('The method of an operation must be POST, PUT, PATCH or DELETE.'))
  if (target === undefined || (target.id === '') !== (method === 'POST')) return refused(wrongPath(method))
  if (bulkId === undefined ? method === 'POST' : typeof bulkId !== 'string' || bulkId === '')
    return refused(invalid('A POST needs a bulkId: a text of yours, by which others refer to it.'))
  if (version !== undefined && typeof version !== 'string') return refused(invalid('The version of an operation must be text.'))
  if (method !== 'DELETE' && !isObject(data))
    return refused(invalid(`A ${method} needs data: the object that would be its body.`))
  const body = method === 'DELETE' ? undefined : data
  const refersTo = referencesIn([target.id, body])
  return { ...named, method, target, data: body, refersTo, ...(version === undefined ? {} : { version }) }
}

function methodOf(given: unknown): Pick<Faulty, 'method'> {
  const method = methods.find((one) => typeof given === 'string' && sameName(one, given))
  return method === undefined ? {} : { method }
}

// Below the root of the service: `/Users`, `/Groups/ID`, `/Groups/bulkId:x`.
function targetOf(path: unknown): Pick<Faulty, 'target'> {
  const [, kind, id = ''] = (typeof path === 'string' && /^\/?(User|Group)s(?:\/(.*?))?\/?$/s.exec(path)) || []
  if (kind === undefined) return {}
  try {
    return { target: { type: kind as Target['type'], id: decodeURIComponent(id) } }
  } catch {
    return {}
  }
}

const wrongPath = (method: WriteMethod) =>
  new ScimError(
    400,
    'invalidValue',
    `The path of a ${method} must be ${method === 'POST' ? '/Users or /Groups' : '/Users/ID or /Groups/ID'}.`,
  )

/**
 * Puts what is referred to before what refers to it, and refuses what cannot be. Tarjan's strongly connected components: they come out
 * in that order, and one of several operations, or one that refers to itself, is a circle.
 */
function inOrder(given: readonly BulkOperation[]): Pick<Bulk, 'operations' | 'order'> {
  const makers = makersOf(given)
  const operations = given.map((operation) => faultOf(operation, makers) ?? operation)
  const neededBy = (at: number): number[] => {
    const operation = operations[at]
    return operation === undefined || operation.fault ? [] : operation.refersTo.flatMap((bulkId) => makers.get(bulkId) ?? [])
  }
  const order: number[] = []
  const open: number[] = []
  const numbers = new Map<number, number>()
  const visit = (at: number): number => {
    const own = numbers.size
    numbers.set(at, own)
    open.push(at)
    const needed = neededBy(at)
    const lowest = needed.reduce((low, next) => Math.min(low, numbers.get(next) ?? visit(next)), own)
    if (lowest < own) return lowest
    const found = open.splice(open.indexOf(at))
    for (const one of found) {
      numbers.set(one, Number.POSITIVE_INFINITY)
      if (found.length > 1 || needed.includes(at)) operations[one] = { ...(operations[one] as Sound), fault: circular() }
    }
    order.push(...found)
    return Number.POSITIVE_INFINITY
  }
  for (const at of operations.keys()) if (!numbers.has(at)) visit(at)
  return { operations, order }
}

/** Which operations make what a bulkId stands for: one, if it is to be referred to. */
function makersOf(operations: readonly BulkOperation[]): Map<string, number[]> {
  const makers = new Map<string, number[]>()
  for (const [at, { method, bulkId }] of operations.entries())
    if (method === 'POST' && bulkId !== undefined) makers.set(bulkId, [...(makers.get(bulkId) ?? []), at])
  return makers
}

function faultOf(operation: BulkOperation, makers: ReadonlyMap<string, number[]>): Faulty | undefined {
  if (operation.fault) return undefined
  const { method, bulkId = '', refersTo } = operation
  // Which of them would a reference mean? Nobody gets the access of another because two were called the same.
  if (method === 'POST' && makers.get(bulkId)?.length !== 1)
    return { ...operation, fault: invalid('Several operations of this request have this bulkId.') }
  const unknown = refersTo.find((one) => makers.get(one) === undefined)
  if (unknown === undefined) return undefined
  return { ...operation, fault: new ScimError(400, 'invalidValue', `No POST of this request has the bulkId ${shown(unknown)}.`) }
}

function referencesIn(value: unknown): string[] {
  const found = new Set<string>()
  replaced(value, (bulkId) => {
    found.add(bulkId)
    return `bulkId:${bulkId}`
  })
  return [...found]
}

/**
 * A value with each reference replaced: a text that is `bulkId:x` (§3.7.2), and the same in the filter of a PATCH's path. What has none
 * is not copied: there may be 150,000 members.
 */
function replaced(value: unknown, idOf: (bulkId: string) => string, key = ''): unknown {
  if (typeof value === 'string') {
    if (value.startsWith('bulkId:')) return idOf(value.slice('bulkId:'.length))
    return sameName(key, 'path') ? value.replace(/"bulkId:([^"\\]+)"/g, (_all, bulkId: string) => `"${idOf(bulkId)}"`) : value
  }
  if (typeof value !== 'object' || value === null) return value
  const given = value as Record<string, unknown>
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(given)) {
    const inner = replaced(given[name], idOf, name)
    if (inner === given[name]) continue
    copy ??= (Array.isArray(given) ? [...given] : { ...given }) as Record<string, unknown>
    copy[name] = inner
  }
  return copy ?? value
}

const invalid = (detail: string) => new ScimError(400, 'invalidSyntax', detail)

const shown = (bulkId: string) => JSON.stringify(bulkId.slice(0, 100))

const tooLarge = (detail: string) => new ScimError(413, undefined, detail)

const circular = () =>
  new ScimError(
    409,
    undefined,
    'The references lead in a circle. Make the resources without them, and add them when the ids are known.',
  )
