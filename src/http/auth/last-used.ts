import type { Db } from '../../database/connection.ts'
import type { OrgId, TokenId } from '../../database/ids.ts'
import { inTransaction } from '../../database/transaction.ts'
import type { TokenKind } from '../../organization/token-format.ts'
import { noteTokensUsed } from '../../organization/tokens.ts'

const minuteMs = 60_000

export type UsedKind = Exclude<TokenKind, 'link'>

/** Writes when tokens were last used: in batches, each at most once a minute, never in a request's way. */
export interface LastUsed {
  note(kind: UsedKind, token: { orgId: OrgId; id: TokenId }): void
  /** Writes what was noted since. */
  write(): Promise<void>
}

export function lastUsed(db: Db, clock: () => number): LastUsed {
  const noted = new Map<TokenId, number>()
  const waiting = new Map<OrgId, Record<UsedKind, TokenId[]>>()
  return {
    note(kind, { orgId, id }) {
      const now = clock()
      const before = noted.get(id)
      if (before !== undefined && now - before < minuteMs) return
      noted.set(id, now)
      const ids = waiting.get(orgId) ?? { scim: [], api: [], session: [] }
      ids[kind].push(id)
      waiting.set(orgId, ids)
    },
    async write() {
      const batches = [...waiting]
      waiting.clear()
      const now = clock()
      for (const [id, at] of noted) if (now - at >= minuteMs) noted.delete(id)
      // A transaction is one organization's: so many statements as organizations called in.
      for (const [orgId, { api, scim, session }] of batches) {
        await inTransaction(db, { orgId, actor: 'system' }, async (trx) => {
          if (api.length > 0) await noteTokensUsed(trx, 'api_tokens', api)
          if (scim.length > 0) await noteTokensUsed(trx, 'directory_tokens', scim)
          if (session.length > 0) await noteTokensUsed(trx, 'sessions', session)
        })
      }
    },
  }
}
