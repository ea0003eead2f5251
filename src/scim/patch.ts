import { ScimError } from './error.ts'
import { under } from './names.ts'
import { isObject, straightOperator, straightPath } from './quirks.ts'
import { bodyOf } from './resource.ts'

/** Rule 22. */
export const maxOperations = 1_000

/** One operation of a PATCH (RFC 7644 §3.5.2), its path still text. */
export interface Operation {
  readonly op: 'add' | 'remove' | 'replace'
  readonly path: string | undefined
  /** Undefined and null alike: not given. */
  readonly value: unknown
}

/**
 * Reads the operations of a PATCH body. The `schemas` of the message are not asked for: not every provider sends them.
 * An object without path whose keys are value paths (Entra: `{"emails[type eq \"work\"].value": "x"}`) becomes an operation a key.
 * @throws ScimError 400 `invalidSyntax`, 413 for more than 1,000
 */
export function readOperations(body: unknown): Operation[] {
  const list = under(bodyOf(body), 'Operations')
  const given = isObject(list) ? [list] : list
  if (!Array.isArray(given) || given.length === 0) throw invalid('Operations must be a list with at least one operation.')
  if (given.length > maxOperations) {
    throw new ScimError(413, undefined, `A PATCH can have ${maxOperations} operations. Send the others in further requests.`)
  }
  return given.flatMap(readOperation)
}

function readOperation(given: unknown): Operation[] {
  if (!isObject(given)) throw invalid('Each operation must be an object.')
  const op = straightOperator(under(given, 'op'))
  const path = straightPath(under(given, 'path'))
  const value = under(given, 'value')
  if (op !== 'add' && op !== 'remove' && op !== 'replace') throw invalid('The op of an operation must be add, remove or replace.')
  if (path !== undefined && typeof path !== 'string')
    throw new ScimError(400, 'invalidPath', 'The path of an operation must be text.')
  if (op === 'remove') {
    if (path === undefined) throw new ScimError(400, 'noTarget', 'A remove operation needs a path.')
  } else if (value === undefined) throw new ScimError(400, 'invalidValue', `A ${op} operation needs a value.`)
  if (path !== undefined) return [{ op, path, value }]
  if (!isObject(value)) throw new ScimError(400, 'invalidValue', `A ${op} operation without path needs an object as value.`)
  const keys = Object.keys(value).filter((key) => key.includes('['))
  if (keys.length === 0) return [{ op, path, value }]
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !key.includes('[')))
  return [{ op, path, value: rest }, ...keys.map((key): Operation => ({ op, path: key, value: value[key] }))]
}

const invalid = (detail: string) => new ScimError(400, 'invalidSyntax', detail)
