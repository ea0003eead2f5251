import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Scope } from '../../database/connection.ts'
import { reading } from '../../database/transaction.ts'
import { type DirectoryContext, directoryEver } from '../../provisioning/directories.ts'
import { unauthenticated } from '../failure.ts'
import type { Parts } from '../parts.ts'
import { newTrace, type Trace } from '../scim/trace.ts'
import { bearerOf } from './bearer.ts'
import { type FailedAttempts, failedAttempts } from './failed-attempts.ts'
import { type LastUsed, lastUsed } from './last-used.ts'
import {
  type FoundApiToken,
  type FoundToken,
  findApiTokenByHash,
  findDirectoryTokenByHash,
  type LiveTokens,
  liveTokens,
  type Presented,
} from './live-tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Organization, actor and request id, from the token alone (rule 1). */
    scope: Scope
    /** Under `/api/v1`: the token that was presented. */
    token: FoundApiToken
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

/** Finds out who asks, for both protocols; each function sets the request's scope or throws the one 401. */
export interface Authentication {
  api(request: FastifyRequest): Promise<void>
  scim(request: FastifyRequest): Promise<void>
}

interface DirectoryToken extends FoundToken {
  directory: DirectoryContext
}

const writeEveryMs = 10_000

export function authentication(app: FastifyInstance, { db }: Parts, clock: () => number): Authentication {
  const apiTokens = liveTokens('api', (hash) => findApiTokenByHash(db, hash), clock)
  const directoryTokens = liveTokens<DirectoryToken>('scim', (hash) => findTokenAndDirectory(hash), clock)
  const failed = failedAttempts(clock)
  const used = lastUsed(db, clock)

  app.decorateRequest('scope')
  app.decorateRequest('token')
  app.decorateRequest('directory')
  app.decorateRequest('trace')
  app.decorate('forgetTokens', () => {
    apiTokens.forget()
    directoryTokens.forget()
  })
  app.decorate('isStillSignedIn', async (request: FastifyRequest) => {
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

  async function findTokenAndDirectory(hash: Buffer) {
    const found = await findDirectoryTokenByHash(db, hash)
    if (!found) return undefined
    const { orgId, id, directoryId } = found.token
    const directory = await reading(db, { orgId, actor: 'system' }, (reader) => directoryEver(reader, directoryId))
    return { ...found, token: { orgId, id, directory } }
  }

  return {
    async api(request) {
      const token = mustBeLive('api', request, await presented(request, apiTokens, failed), failed, used)
      request.token = token
      request.scope = { orgId: token.orgId, actor: `token:${token.name}`, requestId: request.id }
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
  kind: 'api' | 'scim',
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
