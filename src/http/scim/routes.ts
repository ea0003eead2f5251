import type { FastifyError, FastifyPluginAsync } from 'fastify'
import { ScimError } from '../../scim/error.ts'
import type { Parts } from '../parts.ts'
import { sendScimError } from './answers.ts'
import { discoveryRoutes } from './discovery.ts'
import { groupRoutes } from './groups.ts'
import { userRoutes } from './users.ts'

/** The SCIM service of a directory, below `/scim/v2`. Who asks is known already: `request.directory`. */
export const scimRoutes: FastifyPluginAsync<Parts> = async (app, parts) => {
  app.setErrorHandler<FastifyError>((error, _request, reply) => sendScimError(error, reply))
  await app.register(discoveryRoutes, parts)
  await app.register(userRoutes, parts)
  await app.register(groupRoutes, parts)
  // A directory's token is nobody's own (RFC 7644 §3.11); Bulk is not offered, and ServiceProviderConfig says so.
  for (const path of ['/Me', '/Bulk']) {
    app.all(path, () => {
      throw new ScimError(501, undefined, `This server does not offer ${path}.`)
    })
  }
}
