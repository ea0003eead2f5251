import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `session`: what a browser holds while somebody is signed in; `link`: what opens a session once. */
export type TokenKind = 'scim' | 'api' | 'session' | 'link'

// 32 random bytes are 43 characters of base64url, the checksum's 4 bytes are 6.
const shape = /^muster_(scim|api|session|link)_([\w-]{43})([\w-]{6})$/

/** The fewest characters of a secret that an operator chose: 32 are recommended. */
export const shortestOwnSecret = 16

/** A new secret: its kind, 32 random bytes, a checksum. Shown once; only `hashOf` it is stored. */
export function newSecret(kind: TokenKind): string {
  const secret = randomBytes(32).toString('base64url')
  return `muster_${kind}_${secret}${checksum(kind, secret)}`
}

/** SHA-256: enough for 256 random bits, and found by an index. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** The last four characters: enough to tell two tokens apart, of no use to anybody else. */
export const hintOf = (secret: string): string => secret.slice(-4)

/** Whether a presented secret can be of this kind: a mistyped one and one of the other kind are told without the database. */
export function couldBe(kind: TokenKind, presented: string): boolean {
  if (/^muster_(scim|api|session|link)_/.test(presented)) return isOurs(kind, presented)
  return kind === 'api' && presented.length >= shortestOwnSecret
}

/** Whether a presented secret is one of our own making, by its checksum: 256 random bits, which nobody guesses. */
export function isOurs(kind: TokenKind, presented: string): boolean {
  const [, givenKind, secret, sum] = shape.exec(presented) ?? []
  return givenKind === kind && secret !== undefined && sum === checksum(kind, secret)
}

function checksum(kind: TokenKind, secret: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(`${kind}_${secret}`))
  return bytes.toString('base64url')
}
