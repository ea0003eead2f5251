import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Db, Scope, Trx } from '../../database/connection.ts'
import type { AccountId, OrgId } from '../../database/ids.ts'
import type { SignedInBy } from '../../database/tables.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { rightsOf } from '../../organization/admins.ts'
import { lockAccount } from '../../organization/permission.ts'
import type { Refusal } from '../../organization/refusal.ts'
import type { Asking } from '../../organization/roles.ts'
import { startSession } from '../../organization/sessions.ts'
import { personActor } from './authenticate.ts'
import type { SessionCookie } from './session-cookie.ts'

/** Who is to be signed in, and how they showed who they are. */
export interface Entering {
  orgId: OrgId
  accountId: AccountId
  signedInBy: SignedInBy
  /** What they are told who may not sign in (any more). */
  otherwise: () => Refusal
}

/**
 * Begins a session and sets its cookie, if the person may sign in now.
 * @param first done in the session's transaction, before it
 * @returns who is signed in, and what `first` gave
 */
export async function beginSession<T>(
  db: Db,
  cookie: SessionCookie,
  [request, reply]: [FastifyRequest, FastifyReply],
  { orgId, accountId, signedInBy, otherwise }: Entering,
  first: (trx: Trx) => Promise<T>,
): Promise<{ scope: Scope; asking: Asking; done: T }> {
  const known = await reading(db, { orgId, actor: 'system' }, (reader) => rightsOf(reader, accountId))
  if (!known) throw otherwise()
  const scope: Scope = { orgId, actor: personActor(known.userName), accountId, requestId: request.id }
  const { secret, asking, done } = await inTransaction(db, scope, async (trx) => {
    const done = await first(trx)
    // Again, under lock: an account that was switched off meanwhile signs nobody in.
    await lockAccount(trx, accountId)
    const now = await rightsOf(trx, accountId)
    if (!now) throw otherwise()
    const from = { signedInBy, address: request.ip, userAgent: request.headers['user-agent'] ?? null }
    const { secret } = await startSession(trx, { id: accountId, userName: now.userName }, from)
    return { secret, asking: { ...now, accountId }, done }
  })
  cookie.set(reply, secret)
  return { scope, asking, done }
}
