import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Head } from './seal.ts'

/** What heads of the log are signed with: an Ed25519 key that the database does not have. */
export interface AuditKey {
  privateKey: KeyObject
  /** SPKI, DER, base64: what anybody checks a signature with. */
  publicKey: string
  /** The first 16 hex digits of the public key's SHA-256: by what people compare keys. */
  id: string
}

/** A head that says who vouches for it. Without a key nobody does. */
export interface SignedHead {
  head: Head
  key: { id: string; publicKey: string } | null
  /** Ed25519 over RFC 8785 of `head`, base64. */
  signature: string | null
}

/** A new key, as PKCS#8 in PEM. */
export const newAuditKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Reads a key: PKCS#8 in PEM. @throws where it is no Ed25519 key */
export function readAuditKey(pem: string): AuditKey {
  const privateKey = createPrivateKey(pem)
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('It is no Ed25519 key.')
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    privateKey,
    publicKey: spki.toString('base64'),
    id: createHash('sha256').update(spki).digest('hex').slice(0, 16),
  }
}

/** Signs a head. */
export function signedHead(head: Head, key: AuditKey | undefined): SignedHead {
  if (key === undefined) return { head, key: null, signature: null }
  const { id, publicKey, privateKey } = key
  // RFC 8785 of a flat object: its keys in order, values as JSON has them.
  const bytes = Buffer.from(JSON.stringify(head, Object.keys(head).sort()))
  return { head, key: { id, publicKey }, signature: sign(null, bytes, privateKey).toString('base64') }
}
