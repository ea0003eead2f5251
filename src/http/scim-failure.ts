import type { FastifyReply } from 'fastify'
import { errorMessage } from '../scim/messages.ts'
import type { Failure } from './failure.ts'

/** Answers a failure as a SCIM error (RFC 7644 §3.12). */
export function sendScimFailure(reply: FastifyReply, { status, code, message, headers }: Failure): FastifyReply {
  return reply
    .code(status)
    .headers(headers)
    .header('content-type', 'application/scim+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorMessage({ status, scimType: code === 'invalid_json' ? 'invalidSyntax' : undefined, message }))
}
