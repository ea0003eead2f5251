import type { FastifyError, FastifyReply } from 'fastify'
import { sqlState } from '../../database/errors.ts'
import { Refusal, type RefusalCode } from '../../organization/refusal.ts'
import { ScimError, type ScimType } from '../../scim/error.ts'
import { errorMessage } from '../../scim/messages.ts'
import { failureOf } from '../failure.ts'
import { sendScimFailure } from '../scim-failure.ts'

export const scimJson = 'application/scim+json; charset=utf-8'

/** How SCIM says each refusal of the domain. */
export const scimAnswer: Record<RefusalCode, [status: number, scimType?: ScimType]> = {
  not_found: [404],
  name_taken: [409, 'uniqueness'],
  user_name_taken: [409, 'uniqueness'],
  invalid_value: [400, 'invalidValue'],
  invalid_import: [400, 'invalidValue'],
  unknown_members: [400, 'invalidValue'],
  managed_by_directory: [409],
  protected: [409],
  paired_with_directory: [409],
  last_default_group: [409],
  in_use: [409],
  too_many_tokens: [409],
  review_changed: [409],
  group_filling: [409],
  group_blocked: [409],
  group_empty: [409],
  nothing_to_sync: [409],
  choice_not_possible: [409],
  idempotency_key_reused: [422],
  idempotency_key_in_flight: [409],
  not_permitted: [403],
}

/** Answers what was thrown as a SCIM error; what is a bug is logged, and nothing of it shown. */
export function sendScimError(error: FastifyError, reply: FastifyReply): FastifyReply {
  const known = scimErrorOf(error)
  if (known !== undefined) return reply.code(known.status).type(scimJson).serializer(JSON.stringify).send(errorMessage(known))
  const failure = failureOf(error)
  if (failure.status >= 500) reply.log.error({ err: error }, 'failed')
  return sendScimFailure(reply, failure)
}

// PostgreSQL's states as in rule 11; those without a SCIM keyword are said as on the admin API.
function scimErrorOf(error: unknown): ScimError | undefined {
  if (error instanceof ScimError) return error
  if (error instanceof Refusal) {
    const [status, scimType] = scimAnswer[error.code]
    return new ScimError(status, scimType, error.message)
  }
  const state = sqlState(error)
  if (state === '23505')
    return new ScimError(409, 'uniqueness', 'Something of that name was made at the same time. Read it and try again.')
  if (state === '22021' || state === '22P02' || state === '22P05') {
    return new ScimError(400, 'invalidValue', 'A value holds characters that cannot be stored.')
  }
  return undefined
}

/** Sends a SCIM body: an object, JSON text, or a stream of JSON text. */
export function sendScim(reply: FastifyReply, body: unknown): FastifyReply {
  return reply
    .type(scimJson)
    .serializer((answer) => (typeof answer === 'string' ? answer : JSON.stringify(answer)))
    .send(body)
}
