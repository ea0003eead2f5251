/** One attribute as RFC 7643 §7 describes it; an extension is the complex attribute whose name is its URN. */
export interface Attribute {
  readonly name: string
  readonly type: 'string' | 'boolean' | 'integer' | 'dateTime' | 'reference' | 'binary' | 'complex'
  readonly multiValued: boolean
  readonly description: string
  readonly required: boolean
  readonly caseExact: boolean
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned: 'always' | 'never' | 'default' | 'request'
  readonly uniqueness: 'none' | 'server' | 'global'
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  readonly subAttributes?: readonly Attribute[]
}

type Rest = Partial<Omit<Attribute, 'name' | 'description' | 'type'>>

function attribute(name: string, type: Attribute['type'], description: string, rest: Rest): Attribute {
  return {
    name,
    type,
    multiValued: false,
    description,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...rest,
  }
}

export const text = (name: string, description: string, rest: Rest = {}): Attribute =>
  attribute(name, 'string', description, rest)
export const flag = (name: string, description: string, rest: Rest = {}): Attribute =>
  attribute(name, 'boolean', description, rest)
export const count = (name: string, description: string, rest: Rest = {}): Attribute =>
  attribute(name, 'integer', description, rest)
export const time = (name: string, description: string, rest: Rest = {}): Attribute =>
  attribute(name, 'dateTime', description, rest)
export const binary = (name: string, description: string, rest: Rest = {}): Attribute =>
  attribute(name, 'binary', description, { caseExact: true, ...rest })
export const reference = (name: string, description: string, referenceTypes: string[], rest: Rest = {}): Attribute =>
  attribute(name, 'reference', description, { caseExact: true, referenceTypes, ...rest })
export const complex = (name: string, description: string, subAttributes: Attribute[], rest: Rest = {}): Attribute =>
  attribute(name, 'complex', description, { subAttributes, ...rest })

/** A multi-valued attribute with the sub-attributes of RFC 7643 §2.4: `value` (as given), `display`, `type`, `primary`. */
export function plural(name: string, description: string, value: Attribute, types: string[] = []): Attribute {
  const type = text('type', 'What it is used for.', types.length > 0 ? { canonicalValues: types } : {})
  return complex(
    name,
    description,
    [value, text('display', 'A name to show.'), type, flag('primary', 'Whether it is the preferred one; true at most once.')],
    { multiValued: true },
  )
}
