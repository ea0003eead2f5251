import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Scope } from '../../database/connection.ts'
import type { AccountId, OrgId } from '../../database/ids.ts'
import { lookingUp, reading } from '../../database/transaction.ts'
import { rightsOf } from '../../organization/admins.ts'
import { type Asking, lowerOf } from '../../organization/roles.ts'
import { type DirectoryContext, directoryEver } from '../../provisioning/directories.ts'
import { unauthenticated } from '../failure.ts'
import type { Parts } from '../parts.ts'
import { newTrace, type Trace } from '../scim/trace.ts'
import { bearerOf } from './bearer.ts'
import { type FailedAttempts, failedAttempts } from './failed-attempts.ts'
import { type LastUsed, lastUsed, type UsedKind } from './last-used.ts'
import {
  type Found,
  type FoundToken,
  findApiTokenByHash,
  findDirectoryTokenByHash,
  findSessionByHash,
  type LiveTokens,
  liveTokens,
  type Presented,
} from './live-tokens.ts'
import { refuseForeignWrites, sessionCookie } from './session-cookie.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Organization, actor and request id, from the token alone (rule 1). */
    scope: Scope
    /** Under `/api/v1`: what was presented, and what it may do now. */
    token: Presenting
    /** Under `/scim/v2`: the directory whose token was presented. */
    directory: DirectoryContext
    /** Under `/scim/v2`, once the token is known, be it expired or revoked: what the request log is told. */
    trace: Trace
  }
  interface FastifyInstance {
    /** To be called once tokens or settings of directories were changed: the next request looks afresh. */
    forgetTokens(): void
    /** Whether who asked may go on: an answer that lasts asks so again. It is no use of the token. */
    isStillSignedIn(request: FastifyRequest): Promise<boolean>
  }
}

/** Who asks by a token of the API or a session. */
export interface Presenting extends FoundToken, Asking {
  kind: 'token' | 'session'
  /** The token's name; in a session the person's. */
  name: string
  /** Of the person behind it: a person is one, whatever they ask by. */
  userName: string | null
}

/** Finds out who asks, for both protocols; each function sets the request's scope or throws the one 401. */
export interface Authentication {
  api(request: FastifyRequest): Promise<void>
  scim(request: FastifyRequest): Promise<void>
}

interface DirectoryToken extends FoundToken {
  directory: DirectoryContext
}

const writeEveryMs = 10_000

export function authentication(app: FastifyInstance, { db, publicUrl }: Parts, clock: () => number): Authentication {
  const apiTokens = liveTokens('api', (hash) => findTokenAndRights(hash), clock)
  const sessions = liveTokens('session', (hash) => findSessionAndRights(hash), clock)
  const cookie = sessionCookie(publicUrl)
  const directoryTokens = liveTokens<DirectoryToken>('scim', (hash) => findTokenAndDirectory(hash), clock)
  const failed = failedAttempts(clock)
  const used = lastUsed(db, clock)

  app.decorateRequest('scope')
  app.decorateRequest('token')
  app.decorateRequest('directory')
  app.decorateRequest('trace')
  app.decorate('forgetTokens', () => {
    apiTokens.forget()
    sessions.forget()
    directoryTokens.forget()
  })
  app.decorate('isStillSignedIn', async (request: FastifyRequest) => {
    const session = request.headers.authorization === undefined ? cookie.read(request) : undefined
    if (session !== undefined) return (await sessions.find(session))?.isLive === true
    const secret = bearerOf(request.headers)
    return secret !== undefined && (await apiTokens.find(secret))?.isLive === true
  })
  const writing = setInterval(
    () => void used.write().catch((error) => app.log.warn({ err: error }, 'last_used_at was not written')),
    writeEveryMs,
  )
  writing.unref()
  app.addHook('onClose', async () => {
    clearInterval(writing)
    await used.write().catch((error) => app.log.warn({ err: error }, 'last_used_at was not written'))
  })

  const rightsNow = ({ orgId, accountId }: { orgId: OrgId; accountId: AccountId }) =>
    lookingUp(db, { orgId, actor: 'system' }, (reader) => rightsOf(reader, accountId))

  async function findTokenAndRights(hash: Buffer): Promise<Found<Presenting> | undefined> {
    const found = await findApiTokenByHash(db, hash)
    if (!found) return undefined
    const { accountId } = found.token
    if (accountId === null) return { ...found, token: { ...found.token, kind: 'token', products: [], userName: null } }
    const rights = await rightsNow({ ...found.token, accountId })
    if (!rights) return undefined
    const { userName, products } = rights
    const role = lowerOf(rights.role, found.token.role)
    return { ...found, token: { ...found.token, kind: 'token', role, products, userName } }
  }

  async function findSessionAndRights(hash: Buffer): Promise<Found<Presenting> | undefined> {
    const found = await findSessionByHash(db, hash)
    const rights = found && (await rightsNow(found.token))
    if (!found || !rights) return undefined
    const { userName, role, products } = rights
    return { ...found, token: { ...found.token, kind: 'session', name: userName, role, products, userName } }
  }

  // A browser sends its cookie with everything: who sends a token means the token.
  async function presentedToApi(request: FastifyRequest): Promise<Presenting> {
    const secret = request.headers.authorization === undefined ? cookie.read(request) : undefined
    if (secret === undefined) return mustBeLive('api', request, await presented(request, apiTokens, failed), failed, used)
    const session = await sessions.find(secret)
    // No failed attempt: nobody guesses 256 bits, and a page that is left open asks on after its session is over.
    if (!session?.isLive) throw unauthenticated()
    refuseForeignWrites(request, publicUrl)
    used.note('session', session.token)
    return session.token
  }

  async function findTokenAndDirectory(hash: Buffer) {
    const found = await findDirectoryTokenByHash(db, hash)
    if (!found) return undefined
    const { orgId, id, directoryId } = found.token
    const directory = await reading(db, { orgId, actor: 'system' }, (reader) => directoryEver(reader, directoryId))
    return { ...found, token: { orgId, id, directory } }
  }

  return {
    async api(request) {
      const token = await presentedToApi(request)
      const actor = token.userName === null ? `token:${token.name}` : personActor(token.userName)
      request.token = token
      request.scope = { orgId: token.orgId, actor, accountId: token.accountId, requestId: request.id }
    },
    async scim(request) {
      const found = await presented(request, directoryTokens, failed)
      if (found) {
        const { orgId, id: tokenId, directory } = found.token
        request.trace = newTrace({ orgId, directoryId: directory.id, tokenId })
      }
      const token = mustBeLive('scim', request, found, failed, used)
      request.directory = token.directory
      request.scope = { orgId: token.orgId, actor: `directory:${token.directory.name}`, requestId: request.id }
    },
  }
}

/** What the log calls a person who is signed in. */
export const personActor = (userName: string): string => `person:${userName}`

async function presented<T extends FoundToken>(
  request: FastifyRequest,
  tokens: LiveTokens<T>,
  failed: FailedAttempts,
): Promise<Presented<T> | undefined> {
  const secret = bearerOf(request.headers)
  // Behind one address there may be many: a wrong token of one must not shut out the right ones of the others.
  if (secret === undefined || tokens.mayBeGuess(secret)) failed.refuseGuessing(request.ip)
  return secret === undefined ? undefined : tokens.find(secret)
}

function mustBeLive<T extends FoundToken>(
  kind: UsedKind,
  request: FastifyRequest,
  found: Presented<T> | undefined,
  failed: FailedAttempts,
  used: LastUsed,
): T {
  if (!found?.isLive) {
    failed.note(request.ip)
    throw unauthenticated()
  }
  used.note(kind, found.token)
  return found.token
}
