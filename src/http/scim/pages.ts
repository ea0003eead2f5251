import type { FastifyRequest } from 'fastify'
import type { Db, Reader } from '../../database/connection.ts'
import { reading } from '../../database/transaction.ts'
import { cursorKeyOf } from '../../provisioning/directories.ts'
import { uniqueKeyOf } from '../../provisioning/filter-sql.ts'
import type { Page } from '../../provisioning/page-sql.ts'
import type { UniqueKey } from '../../provisioning/read.ts'
import { ScimError } from '../../scim/error.ts'
import type { PagePlace } from '../../scim/messages.ts'
import type { Paging, Position } from '../../scim/paging.ts'
import type { ResourceType } from '../../scim/schemas.ts'
import { openCursor, refuseExpired, sealCursor } from './cursors.ts'
import type { Asked } from './query.ts'

/** A page that was read, and what its answer says of where it is in the list. */
export type FoundPage<T> = Page<T> & { place: PagePlace }

/** The first page of a list whose filter picks by what is unique: one resource or none. Undefined where it does not, or nothing was found that way. */
export async function pickedPage<T>(
  type: ResourceType,
  { trace }: Pick<FastifyRequest, 'trace'>,
  { filter, paging }: Pick<Asked, 'filter' | 'paging'>,
  lookUp: (by: UniqueKey, key: string) => Promise<T | undefined>,
): Promise<FoundPage<T> | undefined> {
  const picked = 'startIndex' in paging && paging.startIndex === 1 && paging.count > 0 ? uniqueKeyOf(type, filter) : undefined
  const one = picked && (await lookUp(picked.by, picked.key))
  if (one === undefined) return undefined
  trace.foundCount = 1
  return { total: 1, items: [one], place: { startIndex: 1 } }
}

/**
 * Reads a page as it is asked for: by index, or by cursor (RFC 9865), then with its key and the clock in one snapshot.
 * @param byIndex how a page by index is read: `lookingUp` where a key picks
 * @throws ScimError 400 `invalidCursor`, `expiredCursor`, `invalidCount`
 */
export function inPages<T, Answer>(
  { db, byIndex = reading }: { db: Db; byIndex?: typeof reading },
  { scope, directory, trace }: Pick<FastifyRequest, 'scope' | 'directory' | 'trace'>,
  { paging, about }: Pick<Asked, 'paging' | 'about'>,
  read: (reader: Reader, paging: Paging) => Promise<Page<T>>,
  answer: (reader: Reader, page: FoundPage<T>) => Answer | Promise<Answer>,
): Promise<Answer> {
  const noting = (page: Page<T>): Page<T> => {
    trace.foundCount = page.total
    return page
  }
  if ('startIndex' in paging) {
    const place = { startIndex: paging.startIndex }
    return byIndex(db, scope, async (reader) => answer(reader, { ...noting(await read(reader, paging)), place }))
  }
  const { count, cursor } = paging
  return reading(db, scope, async (reader) => {
    const key = await cursorKeyOf(reader, directory.id)
    const from = cursor === '' ? null : openCursor(key, about, cursor)
    if (from !== null && from.count !== count)
      throw new ScimError(400, 'invalidCount', `The cursor is of a query with count=${from.count}. Leave the count as it was.`)
    let page = await read(reader, { count, from })
    // All that was before it has been deleted since: what is the first page now is what is asked for.
    if (from?.isBackward && page.items.length === 0) page = await read(reader, { count, from: null })
    const { at = 0 } = noting(page)
    if (from !== null) refuseExpired(from, at)
    const seal = (position: Position | undefined) => position && sealCursor(key, about, { ...position, count, at })
    return answer(reader, { ...page, place: { nextCursor: seal(page.next), previousCursor: seal(page.previous) } })
  })
}
