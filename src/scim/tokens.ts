import { ScimError, type ScimType } from './error.ts'

/** Rule 22: what a filter or a path may cost, checked before anything recurses. */
export const maxFilterBytes = 8_192
export const maxFilterDepth = 20
export const maxFilterTerms = 200

export type Token =
  | { kind: '(' | ')' | '[' | ']' }
  | { kind: 'word'; text: string }
  /** `.value` behind a closing bracket. */
  | { kind: 'sub'; text: string }
  | { kind: 'literal'; value: string | number }
  /** Text that lacks its quotes, and is no word either: `a@b.c`. */
  | { kind: 'bare'; text: string }

const shapes =
  /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![^\s()[\]"])|([A-Za-z$_][\w$:.-]*)(?![^\s()[\]"])|\.([A-Za-z$_][\w$-]*)(?![^\s()[\]"])|([^\s()[\]"'][^\s()[\]"]*))/suy

/** Splits a filter or a path (RFC 7644 §3.4.2.2, §3.5.2) and refuses what is too long or too deep. `fault` names the keyword of refusals. */
export function tokens(text: string, fault: ScimType): Token[] {
  if (Buffer.byteLength(text) > maxFilterBytes) throw refused(fault, `It is longer than ${maxFilterBytes} bytes.`)
  if (text.includes('\0') || !text.isWellFormed()) throw refused(fault, 'It has characters that are not text.')
  const found: Token[] = []
  let depth = 0
  shapes.lastIndex = 0
  const end = text.trimEnd().length
  let at = 0
  while (at < end) {
    shapes.lastIndex = at
    const match = shapes.exec(text)
    if (match === null) throw refused(fault, `It cannot be read from character ${at + 1} on.`)
    at = shapes.lastIndex
    const [, bracket, quoted, number, word, sub, bare] = match
    if (bracket !== undefined) {
      depth += bracket === '(' || bracket === '[' ? 1 : -1
      if (depth > maxFilterDepth) throw refused(fault, `It nests deeper than ${maxFilterDepth} levels.`)
      found.push({ kind: bracket as '(' })
    } else if (quoted !== undefined) found.push({ kind: 'literal', value: unquoted(quoted, fault) })
    else if (number !== undefined) found.push({ kind: 'literal', value: Number(number) })
    else if (word !== undefined) found.push({ kind: 'word', text: word })
    else if (sub !== undefined) found.push({ kind: 'sub', text: sub })
    else if (bare !== undefined) found.push({ kind: 'bare', text: bare })
  }
  return found
}

function unquoted(quoted: string, fault: ScimType): string {
  let value: unknown
  try {
    value = JSON.parse(quoted)
  } catch {
    value = undefined
  }
  if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) {
    throw refused(fault, 'A text in it is not a JSON string.')
  }
  return value
}

const refused = (fault: ScimType, detail: string) =>
  new ScimError(400, fault, `The ${fault === 'invalidPath' ? 'path' : 'filter'} was not understood. ${detail}`)
