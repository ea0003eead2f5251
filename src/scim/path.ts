import type { Attribute } from './attributes.ts'
import { ScimError } from './error.ts'
import { type Filter, readElementFilter, TokenReader } from './filter.ts'
import { type AttributeName, find, lastOf, resolveName } from './names.ts'
import type { Dialect } from './quirks.ts'
import type { ResourceType } from './schemas.ts'
import { tokens } from './tokens.ts'
import { unknownAttribute } from './values.ts'

/** Where a PATCH operation acts (RFC 7644 §3.5.2, figure 7): `name`, those of its values that a filter picks, a part of these. */
export interface Path {
  readonly name: AttributeName
  readonly filter?: Filter
  readonly sub?: Attribute
}

/**
 * Reads a path. Undefined for an attribute of an extension that this server does not have: it is passed over, as Okta and Entra need.
 * @throws ScimError 400 `invalidPath`, or `invalidFilter` for what is in brackets; `invalidSyntax` for what a strict dialect refuses
 */
export function parsePath(type: ResourceType, text: string, dialect: Dialect): Path | undefined {
  const reader = new TokenReader(tokens(text, 'invalidPath'))
  const token = reader.take()
  if (token?.kind !== 'word') throw invalid('It begins with the name of an attribute.')
  const name = resolveName(type, token.text)
  if (name === undefined) {
    if (dialect.isStrict) throw unknownAttribute(token.text)
    if (/^urn:/i.test(token.text) && !token.text.toLowerCase().startsWith(`${type.urn.toLowerCase()}:`)) return undefined
    throw invalid('It names an attribute that the schema does not have.')
  }
  if (reader.isAtEnd()) return { name }
  const parent = lastOf(name)
  if (!reader.takeIf('[') || !parent.multiValued) throw invalid('Only a list of values can be followed by `[`.')
  const filter = readElementFilter(reader, parent, dialect)
  const rest = reader.take()
  if (rest === undefined) return { name, filter }
  const sub = rest.kind === 'sub' ? find(parent.subAttributes, rest.text) : undefined
  if (sub === undefined || !reader.isAtEnd())
    throw invalid('Behind `]` comes one part of the value, such as `.value`, or nothing.')
  return { name, filter, sub }
}

const invalid = (detail: string) => new ScimError(400, 'invalidPath', `The path was not understood. ${detail}`)
