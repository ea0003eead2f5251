import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/**
 * Answers are written as they are: a serializer made of a schema would leave out unseen what the schema forgot.
 * With `check`, an answer that is not as its schema says throws, so that the document stays true.
 */
export function checkedAnswers(check: boolean): FastifySerializerCompiler<TSchema> {
  return ({ schema, url, method, httpStatus }) => {
    if (!check || !/^2/.test(httpStatus ?? '')) return JSON.stringify
    const described = Compile(schema)
    return (answer) => {
      const text = JSON.stringify(answer)
      const written: unknown = JSON.parse(text)
      if (described.Check(written)) return text
      const faults = [...described.Errors(written)].slice(0, 5).map((fault) => `${fault.instancePath} ${fault.message}`)
      throw new Error(`${method} ${url} answers what its schema does not say: ${faults.join(', ')}`)
    }
  }
}
