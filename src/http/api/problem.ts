import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Failure } from '../failure.ts'

/** An error of the admin API (RFC 9457). The request id is in the header `X-Request-Id` alone. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:muster:problem:CODE, stable' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What to do about it' }),
    errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
  },
  { $id: 'Problem', additionalProperties: true },
)

/** Answers a failure as `application/problem+json`; a refusal's facts are members of it. */
export function sendProblem(reply: FastifyReply, failure: Failure): FastifyReply {
  return reply
    .code(failure.status)
    .headers(failure.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problemOf(failure))
}

/** The problem's body: facts first, so that none can stand for type, title, status or detail. */
export function problemOf(failure: Failure): Record<string, unknown> {
  const { code, status, message } = failure
  // A foreign id and a missing one must read the same: not even the asked id is repeated.
  const facts = code === 'not_found' ? {} : failure.facts
  return { ...facts, type: `urn:muster:problem:${code}`, title: titleOf(code), status, detail: message }
}

function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
