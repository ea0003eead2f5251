import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { OrgId } from './ids.ts'

/** What secrets at rest are sealed with (rule 27): the newest key seals, each opens what it sealed. */
export interface SecretKeys {
  newest: string
  byId: ReadonlyMap<string, Buffer>
}

/** Where a secret lies: what is sealed for one row opens in no other. */
export interface SecretPlace {
  orgId: OrgId
  table: string
  row: string
}

/** A new key, as `readSecretKeys` reads it: 32 random bytes, base64url. */
export const newSecretKey = (): string => randomBytes(32).toString('base64url')

/** Reads keys, the newest first, between blanks or commas; each is 32 bytes in hex or base64. @throws Error that says which is none */
export function readSecretKeys(text: string): SecretKeys {
  const keys = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part, at) => {
      const key = Buffer.from(part, /^[0-9a-f]{64}$/i.test(part) ? 'hex' : 'base64')
      if (key.length !== 32) throw new Error(`key ${at + 1} is not 32 bytes in hex or base64`)
      return [
        createHash('sha256')
          .update(key)
          .digest('hex')
          .slice(0, 2 * idBytes),
        key,
      ] as const
    })
  const [first] = keys
  if (first === undefined) throw new Error('there is no key in it')
  return { newest: first[0], byId: new Map(keys) }
}

// A byte that says how the rest is made, the key's id, a random nonce, the tag, the sealed text.
const format = 1
const idBytes = 8
const nonceBytes = 12
const tagBytes = 16
const head = 1 + idBytes + nonceBytes + tagBytes

/** Seals a text for one place, by AES-256-GCM under the newest key. */
export function seal(keys: SecretKeys, place: SecretPlace, text: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keys.byId.get(keys.newest) as Buffer, nonce).setAAD(placeText(place))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(format), Buffer.from(keys.newest, 'hex'), nonce, cipher.getAuthTag(), sealed])
}

/** Opens what was sealed for a place. @throws Error where its key is not among these, or it is not what was sealed there */
export function unseal(keys: SecretKeys, place: SecretPlace, sealed: Buffer): string {
  const key = keys.byId.get(keyIdOf(sealed))
  if (sealed[0] !== format || key === undefined)
    throw new Error(`A secret of ${place.table} was sealed with a key that is not given: add the old key behind the new one.`)
  const nonce = sealed.subarray(1 + idBytes, 1 + idBytes + nonceBytes)
  const opened = createDecipheriv('aes-256-gcm', key, nonce)
    .setAAD(placeText(place))
    .setAuthTag(sealed.subarray(head - tagBytes, head))
  return Buffer.concat([opened.update(sealed.subarray(head)), opened.final()]).toString('utf8')
}

/** Whether it is time to seal this anew: it is under an older key. */
export const isUnderOlderKey = (keys: SecretKeys, sealed: Buffer): boolean => keyIdOf(sealed) !== keys.newest

/** Of what is sealed in rows of a table, that which is under an older key, sealed anew; in two lists, as a statement takes them. */
export function sealedAnew<Id extends string>(
  keys: SecretKeys,
  { orgId, table }: Omit<SecretPlace, 'row'>,
  rows: readonly { id: Id; secret: Buffer }[],
): { ids: Id[]; secrets: Buffer[] } {
  const old = rows.filter(({ secret }) => isUnderOlderKey(keys, secret))
  const anew = ({ id: row, secret }: { id: Id; secret: Buffer }) => {
    const place = { orgId, table, row }
    return seal(keys, place, unseal(keys, place, secret))
  }
  return { ids: old.map(({ id }) => id), secrets: old.map(anew) }
}

const keyIdOf = (sealed: Buffer): string => sealed.subarray(1, 1 + idBytes).toString('hex')

const placeText = ({ orgId, table, row }: SecretPlace): Buffer => Buffer.from(JSON.stringify([orgId, table, row]))
