import type { DirectoryId, OrgId, TokenId } from '../../database/ids.ts'
import { subjectOf } from '../../provisioning/requests.ts'
import type { InWords } from '../../scim/in-words.ts'

/** What is noted of a SCIM request while it is worked on, for the request log. It steers nothing. */
export interface Trace {
  orgId: OrgId
  directoryId: DirectoryId
  tokenId: TokenId
  asked: string | null
  foundCount: number | null
  error: string | null
  names: string[]
  members: string[]
}

export const newTrace = (of: Pick<Trace, 'orgId' | 'directoryId' | 'tokenId'>): Trace => ({
  orgId: of.orgId,
  directoryId: of.directoryId,
  tokenId: of.tokenId,
  asked: null,
  foundCount: null,
  error: null,
  names: [],
  members: [],
})

/** So many names and so many members of a request are noted. */
const mostNoted = 100

/** Notes what was asked, once that is read. Of several (the operations of a Bulk, a transaction done again) the first words stay; all are found by. */
export function noteAsked({ trace }: { trace: Trace }, { words, names, members }: InWords): void {
  trace.asked ??= words
  // As hashes and ids: a name cut out of a body would keep the whole body in memory.
  if (trace.names.length < mostNoted) trace.names.push(...names.slice(0, mostNoted).map(subjectOf))
  if (trace.members.length < mostNoted) trace.members.push(...members.slice(0, mostNoted).map(subjectOf))
}
