import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyPluginAsync, RawServerDefault } from 'fastify'
import type { Parts } from '../parts.ts'

/**
 * The routes of one resource under `/api/v1`. Each route has schemas for params, query, body and answer, an
 * `operationId`, `tags` and a `summary`: the OpenAPI document is made of them. Reads are open to every token; what is no
 * GET needs an admin, unless the route says `preHandler: requireRole(…)`.
 */
export type ApiPlugin = FastifyPluginAsync<Parts, RawServerDefault, TypeBoxTypeProvider>
