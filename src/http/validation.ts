import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifySchemaCompiler } from 'fastify'
import { IsOptional, type TSchema } from 'typebox'

/** Compares what comes in with a route's schemas. Texts of path and query become numbers, a body is taken as it is; an optional body may be left out. */
export const validate: FastifySchemaCompiler<TSchema> = (route) => {
  const check = TypeBoxValidatorCompiler(route)
  if (route.httpPart !== 'body' || !IsOptional(route.schema)) return check
  return (value: unknown) => (value === undefined || value === null ? { value: undefined } : check(value))
}
