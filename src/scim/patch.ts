import { ScimError } from './error.ts'
import { isObject } from './json.ts'
import { under } from './names.ts'
import { type Dialect, hasQuirk, straightOperations, type Written } from './quirks.ts'
import { bodyOf } from './resource.ts'
import type { ResourceType } from './schemas.ts'

/** Rule 22. */
export const maxOperations = 1_000
const maxKeys = 2_000

/** One operation of a PATCH (RFC 7644 §3.5.2), its path still text. */
export interface Operation {
  readonly op: 'add' | 'remove' | 'replace'
  readonly path: string | undefined
  /** Undefined and null alike: not given. */
  readonly value: unknown
}

/**
 * Reads the operations of a PATCH body. The `schemas` of the message are not asked for: not every provider sends them.
 * @throws ScimError 400 `invalidSyntax`, `invalidPath`, `invalidValue`, `noTarget`; 413 for more than 1,000
 */
export function readOperations(type: ResourceType, body: unknown, dialect: Dialect): Operation[] {
  const given = under(bodyOf(body), 'Operations')
  if (!Array.isArray(given) || (given.length === 0 && !hasQuirk(dialect, 'emptyPatch')))
    throw invalid('Operations must be a list with at least one operation.')
  if (given.length > maxOperations) {
    throw new ScimError(413, undefined, `A PATCH can have ${maxOperations} operations. Send the others in further requests.`)
  }
  const operations = given.map(written)
  // Each key may be a path of its own.
  if (operations.reduce((sum, one) => sum + keysOf(one), 0) > maxKeys)
    throw new ScimError(413, undefined, `A PATCH can name ${maxKeys} attributes. Send the others in further requests.`)
  return operations.flatMap((one) => straightOperations(dialect, type, one)).map((one) => checked(one, dialect))
}

const keysOf = ({ path, value }: Written): number => (path === undefined && isObject(value) ? Object.keys(value).length : 0)

// A path of null or "" is none: serializers write what is not there (RFC 7643 §2.5).
function written(given: unknown): Written {
  if (!isObject(given)) throw invalid('Each operation must be an object.')
  const [op, path] = [under(given, 'op'), under(given, 'path') ?? '']
  if (typeof path !== 'string') throw new ScimError(400, 'invalidPath', 'The path of an operation must be text.')
  // Operators are the same in any case: RFC 7644 §3.5.2 does not say that they are not, and Entra writes "Add".
  return {
    op: typeof op === 'string' ? op.toLowerCase() : op,
    path: path === '' ? undefined : path,
    value: under(given, 'value'),
  }
}

function checked({ op, path, value }: Written, dialect: Dialect): Operation {
  if (op !== 'add' && op !== 'remove' && op !== 'replace') throw invalid('The op of an operation must be add, remove or replace.')
  if (op === 'remove') {
    if (path === undefined) throw new ScimError(400, 'noTarget', 'A remove operation needs a path.')
    return { op, path, value: hasQuirk(dialect, 'removeNamesValues') ? value : undefined }
  }
  if (value === undefined) throw new ScimError(400, 'invalidValue', `The ${op} operation needs a value.`)
  if (path === undefined && !isObject(value))
    throw new ScimError(400, 'invalidValue', `The ${op} operation has no path: it needs an object as value.`)
  return { op, path, value }
}

const invalid = (detail: string) => new ScimError(400, 'invalidSyntax', detail)
