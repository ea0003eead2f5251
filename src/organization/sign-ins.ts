import type { Trx } from '../database/connection.ts'
import type { AccountId } from '../database/ids.ts'
import { revokeTokensOf } from './api-tokens.ts'
import { deleteLinksOf } from './links.ts'
import { endSessionsOf } from './sessions.ts'

/** Ends all that people are signed in by, or could be: their sessions, their own tokens, their links (rule 9). Other nodes see it within 4 s. */
export async function endSignIns(
  trx: Trx,
  accountIds: readonly AccountId[],
  why: 'switched_off' | 'rights_taken',
): Promise<void> {
  await Promise.all([endSessionsOf(trx, accountIds, why), deleteLinksOf(trx, accountIds), revokeTokensOf(trx, accountIds)])
}
