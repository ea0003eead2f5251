import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import { type AttributeName, lastOf, printName, resolveName, resolveWithin, sameName } from './names.ts'
import { type Dialect, hasQuirk, straightValue } from './quirks.ts'
import type { ResourceType } from './schemas.ts'
import { maxFilterTerms, type Token, tokens } from './tokens.ts'

export type Comparison = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'
export type FilterValue = string | number | boolean | null

/** A filter, its names resolved. Inside `element` names begin at the element: `[type]` in `emails[type eq "work"]`. */
export type Filter =
  | { kind: 'and' | 'or'; terms: readonly Filter[] }
  | { kind: 'not'; term: Filter }
  | { kind: 'present'; name: AttributeName }
  | { kind: 'compare'; operator: Comparison; name: AttributeName; value: FilterValue }
  | { kind: 'element'; name: AttributeName; term: Filter }

/** How names are resolved, and how the client writes. */
interface Reading {
  readonly resolve: (name: string) => AttributeName | undefined
  readonly dialect: Dialect
}

/**
 * Reads a filter (RFC 7644 §3.4.2.2, in full).
 * @throws ScimError 400 `invalidFilter` for what cannot be read, an unknown attribute, a limit passed; 403 `sensitive` for a password
 */
export function parseFilter(type: ResourceType, text: string, dialect: Dialect): Filter {
  return parse(text, { dialect, resolve: (name) => resolveName(type, name) })
}

/**
 * Reads a filter that is asked of several kinds of resources at once, for each of them (RFC 7644 §3.4.2.1): what a kind does
 * not have has no value there. An empty `and` is true, an empty `or` false.
 * @throws ScimError as `parseFilter`; `invalidFilter` for an attribute that none of them has
 */
export function parseFilterAcross(types: readonly ResourceType[], text: string, dialect: Dialect): Filter[] {
  return types.map((type) => {
    const others = types.filter((other) => other !== type)
    const resolve = (name: string) => [type, ...others].map((one) => resolveName(one, name)).find((found) => found !== undefined)
    const filter = parse(text, { dialect, resolve })
    return withoutForeign(filter, [...type.attributes, ...type.extensions])
  })
}

function withoutForeign(filter: Filter, own: readonly Attribute[]): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, terms: filter.terms.map((term) => withoutForeign(term, own)) }
    case 'not':
      return { kind: 'not', term: withoutForeign(filter.term, own) }
    default: {
      if (own.includes(filter.name[0])) return filter
      const isAbsentEnough = filter.kind === 'compare' && (filter.operator === 'ne') !== (filter.value === null)
      return { kind: isAbsentEnough ? 'and' : 'or', terms: [] }
    }
  }
}

function parse(text: string, reading: Reading): Filter {
  const reader = new TokenReader(tokens(text, 'invalidFilter'))
  const filter = readOr(reader, reading)
  if (!reader.isAtEnd()) throw invalid('It goes on where it should end: two terms are joined by `and` or `or`.')
  return filter
}

/** Reads the filter of a value path from where its `[` was read, up to and with its `]`. */
export function readElementFilter(reader: TokenReader, parent: Attribute, dialect: Dialect): Filter {
  const filter = readOr(reader, { dialect, resolve: (name) => resolveWithin(parent, name) })
  if (!reader.takeIf(']')) throw invalid('A closing `]` is missing.')
  return filter
}

/** A cursor over tokens, shared by filters and paths. */
export class TokenReader {
  readonly #tokens: readonly Token[]
  #at = 0
  terms = 0
  constructor(list: readonly Token[]) {
    this.#tokens = list
  }
  isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }
  peek(): Token | undefined {
    return this.#tokens[this.#at]
  }
  take(): Token | undefined {
    return this.#tokens[this.#at++]
  }
  takeIf(kind: Token['kind']): boolean {
    if (this.peek()?.kind !== kind) return false
    this.#at++
    return true
  }
  takeWord(word: string): boolean {
    const token = this.peek()
    if (token?.kind !== 'word' || !sameName(token.text, word)) return false
    this.#at++
    return true
  }
}

// `and` binds closer than `or`. The recursion is as deep as the brackets, which `tokens` has counted.
function readOr(reader: TokenReader, reading: Reading): Filter {
  const terms = [readAnd(reader, reading)]
  while (reader.takeWord('or')) terms.push(readAnd(reader, reading))
  return joined('or', terms)
}

function readAnd(reader: TokenReader, reading: Reading): Filter {
  const terms = [readTerm(reader, reading)]
  while (reader.takeWord('and')) terms.push(readTerm(reader, reading))
  return joined('and', terms)
}

function joined(kind: 'and' | 'or', terms: Filter[]): Filter {
  const [first, ...others] = terms
  return first !== undefined && others.length === 0 ? first : { kind, terms }
}

function readTerm(reader: TokenReader, reading: Reading): Filter {
  if (++reader.terms > maxFilterTerms) throw invalid(`It has more than ${maxFilterTerms} terms.`)
  if (reader.takeWord('not')) {
    if (!reader.takeIf('(')) throw invalid('`not` is followed by parentheses.')
    return { kind: 'not', term: readClosed(reader, reading) }
  }
  if (reader.takeIf('(')) return readClosed(reader, reading)
  const token = reader.take()
  if (token?.kind !== 'word') throw invalid('The name of an attribute is missing.')
  const name = reading.resolve(token.text)
  if (name === undefined) throw invalid('It names an attribute that the schema does not have.')
  if (lastOf(name).returned === 'never') throw new ScimError(403, 'sensitive', 'A filter cannot ask for this attribute.')
  return reader.takeIf('[') ? readElement(reader, name, reading.dialect) : readComparison(reader, name, reading.dialect)
}

function readClosed(reader: TokenReader, reading: Reading): Filter {
  const filter = readOr(reader, reading)
  if (!reader.takeIf(')')) throw invalid('A closing parenthesis is missing.')
  return filter
}

function readElement(reader: TokenReader, name: AttributeName, dialect: Dialect): Filter {
  const parent = lastOf(name)
  if (!parent.multiValued || parent.subAttributes === undefined)
    throw invalid(`${printName(name)} is not a list of values with parts.`)
  const term = readElementFilter(reader, parent, dialect)
  const token = reader.peek()
  if (token?.kind !== 'sub' || !hasQuirk(dialect, 'partsBehindBrackets')) return { kind: 'element', name, term }
  reader.take()
  const sub = resolveWithin(parent, token.text)
  if (sub === undefined) throw invalid(`${printName(name)} has no part of this name.`)
  return { kind: 'element', name, term: { kind: 'and', terms: [term, readComparison(reader, sub, dialect)] } }
}

const comparisons: readonly string[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] satisfies Comparison[]

function readComparison(reader: TokenReader, name: AttributeName, dialect: Dialect): Filter {
  const token = reader.take()
  const operator = token?.kind === 'word' ? token.text.toLowerCase() : ''
  if (operator === 'pr') return { kind: 'present', name }
  if (!comparisons.includes(operator)) throw invalid(`An operator is missing: one of ${comparisons.join(', ')}, pr.`)
  return comparison(operator as Comparison, name, readValue(reader.take(), dialect), dialect)
}

function readValue(token: Token | undefined, dialect: Dialect): FilterValue {
  if (token?.kind === 'literal') return token.value
  const word = token?.kind === 'word' ? token.text.toLowerCase() : ''
  if (word === 'true' || word === 'false') return word === 'true'
  if (word === 'null') return null
  if ((token?.kind === 'word' || token?.kind === 'bare') && hasQuirk(dialect, 'textsWithoutQuotes')) return token.text
  throw invalid('A value is missing: a text in double quotes, a number, true, false or null.')
}

/** A comparison that makes sense for the attribute's type; `emails` stands for `emails.value` (RFC 7643 §2.4). */
function comparison(operator: Comparison, given: AttributeName, value: FilterValue, dialect: Dialect): Filter {
  const name = withValue(given)
  const { type } = lastOf(name)
  const isEquality = operator === 'eq' || operator === 'ne'
  if (value === null) {
    if (!isEquality) throw invalid(`${operator} cannot be asked of null.`)
    return { kind: 'compare', operator, name, value }
  }
  if (type === 'boolean') {
    const truth = straightValue(dialect, lastOf(name), value)
    if (!isEquality || typeof truth !== 'boolean') throw invalid(`${printName(name)} is compared by eq or ne with true or false.`)
    return { kind: 'compare', operator, name, value: truth }
  }
  const isOrder = operator === 'gt' || operator === 'ge' || operator === 'lt' || operator === 'le'
  if (type === 'integer') {
    if (typeof value !== 'number' || !(isEquality || isOrder)) throw invalid(`${printName(name)} is a number.`)
  } else if (typeof value !== 'string') throw invalid(`${printName(name)} is compared with a text in double quotes.`)
  if (type === 'dateTime' && (!(isEquality || isOrder) || timeOf(value as string) === undefined)) {
    throw invalid(`${printName(name)} is compared by eq, ne, gt, ge, lt or le with a time such as "2026-01-31T12:00:00Z".`)
  }
  if (type === 'binary' && isOrder) throw invalid(`${printName(name)} has no order.`)
  return { kind: 'compare', operator, name, value }
}

function withValue(name: AttributeName): AttributeName {
  const last = lastOf(name)
  if (last.type !== 'complex') return name
  const value = resolveWithin(last, 'value')
  if (value === undefined) throw invalid(`${printName(name)} has parts: name the one to compare.`)
  return [...name, ...value]
}

/** Milliseconds of an RFC 3339 time (a date alone is its midnight in UTC), or undefined. */
export function timeOf(value: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/i.test(value)) return undefined
  const ms = Date.parse(/T/i.test(value) && !/(Z|[+-]\d{2}:\d{2})$/i.test(value) ? `${value}Z` : value)
  return Number.isNaN(ms) ? undefined : ms
}

/** The filter as text again; reading it gives the same filter. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms
        .map((term) => (term.kind === 'and' || term.kind === 'or' ? `(${printFilter(term)})` : printFilter(term)))
        .join(` ${filter.kind} `)
    case 'not':
      return `not (${printFilter(filter.term)})`
    case 'present':
      return `${printName(filter.name)} pr`
    case 'compare':
      return `${printName(filter.name)} ${filter.operator} ${JSON.stringify(filter.value)}`
    case 'element':
      return `${printName(filter.name)}[${printFilter(filter.term)}]`
  }
}

const invalid = (detail: string) => new ScimError(400, 'invalidFilter', `The filter was not understood. ${detail}`)
