import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { ScimError } from '../../scim/error.ts'
import { cursorTimeout, invalidCursor, type Position } from '../../scim/paging.ts'

/** What a cursor holds: where a page begins, how many resources a page has, and when it was made, in seconds since 1970 by the database's clock. */
export interface Cursor extends Position {
  count: number
  at: number
}

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/**
 * Makes a cursor's text: sealed, so that no client reads or makes one, and bound to the query it is `about` (RFC 9865 §2, §5.2). It is
 * all there is: no server remembers it.
 * @param key the directory's: a cursor of another one cannot be opened
 */
export function sealCursor(key: Buffer, about: string, { isBackward, key: sortKey, id, count, at }: Cursor): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(about))
  const text = JSON.stringify([isBackward, sortKey, id, count, at])
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** @throws ScimError 400 `invalidCursor` for what is no cursor, and for one of another directory or query, which are not told apart */
export function openCursor(key: Buffer, about: string, text: string): Cursor {
  const sealed = Buffer.from(text, 'base64url')
  if (sealed.length <= nonceBytes + tagBytes) throw invalidCursor()
  try {
    const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(-tagBytes))
    const opened = Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
    const [isBackward, sortKey, id, count, at] = JSON.parse(opened.toString())
    return { isBackward, key: sortKey, id, count, at }
  } catch {
    throw invalidCursor()
  }
}

/** That a cursor still counts. @throws ScimError 400 `expiredCursor` */
export function refuseExpired({ at }: Cursor, now: number): void {
  if (now - at <= cursorTimeout) return
  throw new ScimError(
    400,
    'expiredCursor',
    `The cursor is older than ${cursorTimeout} seconds. Begin again with an empty cursor.`,
  )
}
