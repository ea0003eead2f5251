import type { FastifyInstance, FastifyPluginAsync, HTTPMethods, preHandlerAsyncHookHandler } from 'fastify'
import { ScimError } from '../../scim/error.ts'
import { Failure } from '../failure.ts'
import type { Parts } from '../parts.ts'
import { bulkRoutes } from './bulk.ts'
import { discoveryRoutes } from './discovery.ts'
import { groupRoutes, groupWrites } from './groups.ts'
import { searchRoutes } from './search.ts'
import { userRoutes, userWrites } from './users.ts'
import type { ScimParts } from './writes.ts'

/** The SCIM service of a directory, below `/scim/v2`. Who asks is known already: `request.directory`. */
export const scimRoutes: FastifyPluginAsync<Parts> = async (app, parts) => {
  const refuseOtherMethods = methodsOffered(app)
  app.addHook('preHandler', refuseWhilePaused)
  await app.register(discoveryRoutes, parts)
  const writing: ScimParts = { ...parts, writes: { User: userWrites(parts), Group: groupWrites(parts) } }
  await app.register(userRoutes, writing)
  await app.register(groupRoutes, writing)
  await app.register(bulkRoutes, writing)
  await app.register(searchRoutes, parts)
  refuseOtherMethods()
  // A directory's token is nobody's own (RFC 7644 §3.11).
  app.all('/Me', () => {
    throw new ScimError(501, undefined, 'This server does not offer /Me.')
  })
}

// As long as providers wait at most before they send again of themselves: a pause lasts for minutes.
const pausedForSeconds = 60

const refuseWhilePaused: preHandlerAsyncHookHandler = async ({ directory, method, routeOptions: { url } }) => {
  if (directory.pausedAt === null || ['GET', 'HEAD', 'OPTIONS'].includes(method) || url?.endsWith('/.search')) return
  throw new Failure(503, 'unavailable', `The directory ${directory.name} is paused by an admin. Send it again later.`, {
    headers: { 'retry-after': String(pausedForSeconds) },
  })
}

const methods: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Watches which methods each path offers; what it answers then refuses the others: a path that is there is no 404 (RFC 9110 §15.5.6). */
function methodsOffered(app: FastifyInstance): () => void {
  const offered = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ path, prefix, method }) => {
    const below = path.slice(prefix.length) || '/'
    const known = offered.get(below) ?? new Set()
    for (const one of [method].flat()) known.add(one)
    offered.set(below, known)
  })
  return () => {
    for (const [url, known] of [...offered]) {
      const allow = methods.filter((method) => known.has(method)).join(', ')
      app.route({
        method: methods.filter((method) => !known.has(method)),
        url,
        handler: () => {
          throw new Failure(405, 'method_not_allowed', `This path takes ${allow}.`, { headers: { allow } })
        },
      })
    }
  }
}
