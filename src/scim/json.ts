import { atOnce, inTurns, type Turns } from './turns.ts'

/** A body that is no JSON, or JSON that two readers could read in two ways (RFC 8259 §4, §8; RFC 7493). */
export class JsonError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonError'
  }
}

const maxDepth = 32
/** No resource has so many; two million keys in one object cost 2.5 s. */
const maxKeys = 1_000
/** So many characters are looked at in one go, some 10 ms. */
const stretch = 2 * 1024 * 1024
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a body as JSON: UTF-8, at most 32 levels deep, at most 1,000 keys in an object and none twice, no `__proto__` or
 * `constructor`, every string well-formed Unicode without U+0000. An empty body is `undefined`.
 * @throws JsonError that says what is wrong
 */
export function readJson(body: Uint8Array): unknown {
  if (body.length === 0) return undefined
  const text = decode(body)
  atOnce(refuseAmbiguous(text))
  return parse(text)
}

/** The same for a long body: others have their turn between stretches of it, and before and after it is parsed. */
export async function readJsonInTurns(body: Uint8Array, pause: () => Promise<void>): Promise<unknown> {
  const text = decode(body)
  await inTurns(refuseAmbiguous(text), pause)
  await pause()
  const value = parse(text)
  await pause()
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonError('The body is not valid JSON.')
  }
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body)
  } catch {
    throw new JsonError('The body is not valid UTF-8.')
  }
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const openBracket = 0x5b
const closeBrace = 0x7d
const closeBracket = 0x5d

// A scan before the parse, because a parser keeps the last of two equal keys and builds any depth: 12 MiB cost 0.1 s.
// It trusts no syntax: what it lets pass may still be no JSON, and JSON.parse says so.
function* refuseAmbiguous(text: string): Turns<void> {
  let pauseAt = stretch
  // One place for each open array (null) or object (the keys seen so far).
  const open: (Keys | null)[] = []
  let expectsKey = false
  for (let at = 0; at < text.length; at++) {
    if (at >= pauseAt) {
      yield
      pauseAt = at + stretch
    }
    const char = text.charCodeAt(at)
    if (char === quote) {
      const end = endOfString(text, at)
      const keys = expectsKey ? open.at(-1) : undefined
      readString(text, at, end, keys)
      if (keys) expectsKey = false
      at = end
    } else if (char === openBrace || char === openBracket) {
      if (open.length === maxDepth) throw new JsonError(`The body is nested deeper than ${maxDepth} levels.`)
      open.push(char === openBrace ? new Keys() : null)
      expectsKey = char === openBrace
    } else if (char === closeBrace || char === closeBracket) {
      open.pop()
      expectsKey = false
    } else if (char === comma) {
      expectsKey = open.at(-1) instanceof Keys
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
  throw new JsonError('The body is not valid JSON: a string does not end.')
}

function readString(text: string, start: number, end: number, keys: Keys | null | undefined): void {
  const raw = text.slice(start + 1, end)
  const value = raw.includes('\\') ? unescaped(raw) : raw
  if (keys) keys.add(value)
}

function unescaped(raw: string): string {
  const value = parseString(raw)
  // Decoded UTF-8 cannot hold either: only an escape can.
  if (!value.isWellFormed()) throw new JsonError('A string holds half of a surrogate pair.')
  if (value.includes('\u0000')) throw new JsonError('A string holds the character U+0000.')
  return value
}

function parseString(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string
  } catch {
    throw new JsonError('The body is not valid JSON: a string has a wrong escape.')
  }
}

// Most objects have a few keys: an array is searched faster than a set is built.
class Keys {
  readonly #few: string[] = []
  #many: Set<string> | undefined
  add(key: string): void {
    if (key === '__proto__' || key === 'constructor') throw new JsonError(`The key "${key}" is not accepted.`)
    if (this.#many ? this.#many.has(key) : this.#few.includes(key)) {
      throw new JsonError(`The key ${JSON.stringify(key.slice(0, 100))} is given twice in one object.`)
    }
    if (this.#many && this.#many.size >= maxKeys) throw new JsonError(`An object has more than ${maxKeys} keys.`)
    if (this.#many) this.#many.add(key)
    else if (this.#few.push(key) > 16) this.#many = new Set(this.#few)
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
