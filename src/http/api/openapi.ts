import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { problemSchema } from './problem.ts'

/** Collects the routes of `/api/v1` into an OpenAPI 3.1 document, served at `/api/openapi.json` to everybody. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  app.addSchema(problemSchema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Muster',
        version,
        description: 'An organization directory in which every pushed group passes muster first. Errors are problems (RFC 9457).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API token; pages of ours have a session, in a cookie, instead',
          },
        },
      },
      security: [{ bearer: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `schema-${index}`) },
    transform: ({ schema, url }) => ({ schema: url.startsWith('/api/v1/') ? schema : { ...schema, hide: true }, url }),
  })
  app.addHook('onRoute', (route) => describeProblem(route))
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

// Every answer that is none of a route's own is a problem.
function describeProblem(route: RouteOptions): void {
  if (!route.url.startsWith('/api/v1/') || !route.schema) return
  const response = (route.schema.response ?? {}) as Record<string, unknown>
  const problem = { description: 'A problem', content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } } }
  route.schema = { ...route.schema, response: { ...response, default: problem } } as FastifySchema
}
