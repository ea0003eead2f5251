import { isAway, sqlState } from '../database/errors.ts'
import { RecipientGone } from '../database/recipient.ts'
import { Refusal, type RefusalCode } from '../organization/refusal.ts'
import { ScimError, type ScimType } from '../scim/error.ts'
import { JsonError } from '../scim/json.ts'

/** What HTTP itself says no to, before the domain is asked. */
export type FailureCode =
  | 'unauthenticated'
  | 'invalid_request'
  | 'invalid_json'
  | 'no_such_path'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'content_type_not_supported'
  | 'too_many_requests'
  | 'timed_out'
  | 'client_gone'
  | 'unavailable'
  | 'internal'

interface Rest {
  headers?: Record<string, string>
  facts?: Record<string, unknown>
  /** SCIM's own word for it, where SCIM said no. */
  scimType?: ScimType | undefined
}

/** A no that both protocols translate into their own body: status, code, a sentence, and headers such as Retry-After. */
export class Failure extends Error {
  readonly status: number
  readonly code: FailureCode | RefusalCode
  readonly headers: Record<string, string>
  readonly facts: Record<string, unknown>
  readonly scimType: ScimType | undefined
  constructor(status: number, code: FailureCode | RefusalCode, message: string, rest: Rest = {}) {
    super(message)
    this.name = 'Failure'
    this.status = status
    this.code = code
    this.headers = rest.headers ?? {}
    this.facts = rest.facts ?? {}
    this.scimType = rest.scimType
  }
}

/** The one 401, whatever the cause: no token, a wrong, expired or revoked one, one of the other kind (rule 8). */
export const unauthenticated = (): Failure =>
  new Failure(401, 'unauthenticated', 'Send a valid token: Authorization: Bearer TOKEN.', {
    headers: { 'www-authenticate': 'Bearer' },
  })

/** The status of each refusal, the same in both protocols; what else they say of it is theirs (api/problem.ts, scim/answers.ts). */
export const refusalStatus: Record<RefusalCode, number> = {
  not_found: 404,
  name_taken: 409,
  user_name_taken: 409,
  invalid_value: 400,
  invalid_import: 400,
  unknown_members: 400,
  nested_groups: 400,
  managed_by_directory: 409,
  protected: 409,
  paired_with_directory: 409,
  default_access_group: 409,
  not_linked: 409,
  name_not_waiting: 409,
  choice_not_possible: 409,
  too_many_tokens: 409,
  run_under_way: 409,
  not_awaiting_approval: 409,
  directory_disconnected: 401,
  directory_observing: 409,
  not_observing: 409,
  person_linked: 409,
  review_changed: 409,
  group_filling: 409,
  group_blocked: 409,
  group_empty: 409,
  nothing_to_sync: 409,
  nothing_to_restore: 409,
  push_stopped: 409,
  plan_changed: 409,
  push_in_use: 409,
  push_failed: 502,
  list_not_receiving: 409,
  list_incomplete: 409,
  idempotency_key_reused: 422,
  idempotency_key_in_flight: 409,
  version_changed: 412,
  last_owner: 409,
  link_not_valid: 410,
  attempt_not_valid: 410,
  not_invited: 403,
  provider_failed: 502,
  passkey_not_valid: 403,
  device_not_confirmed: 409,
  not_permitted: 403,
}

/**
 * Translates what was thrown, once for all routes of both protocols: a Refusal, a Failure, SCIM's errors, Fastify's own, PostgreSQL's
 * states (rule 11).
 * Everything else is a bug: 500, and nothing of it in the answer.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  // A token of it is believed for some seconds more, and then is none.
  if (error instanceof Refusal && error.code === 'directory_disconnected') return unauthenticated()
  if (error instanceof Refusal) return new Failure(refusalStatus[error.code], error.code, error.message, { facts: error.facts })
  if (error instanceof ScimError) return new Failure(error.status, 'invalid_request', error.message, { scimType: error.scimType })
  if (error instanceof JsonError) return new Failure(400, 'invalid_json', error.message)
  // Read by the log alone: 499, as nginx has it.
  if (error instanceof RecipientGone) return new Failure(499, 'client_gone', error.message)
  if (isAway(error)) return databaseAway()
  const state = sqlState(error)
  if (state !== undefined) return failureOfState(state)
  return failureOfFastify(error)
}

function failureOfState(state: string): Failure {
  if (state === '23505')
    return new Failure(409, 'name_taken', 'Something of that name was made at the same time. Read it and try again.')
  if (state === '22021' || state === '22P02' || state === '22P05')
    return new Failure(400, 'invalid_value', 'A value holds characters that cannot be stored.')
  if (state === '40001' || state === '40P01' || state === '55P03') {
    return new Failure(503, 'unavailable', 'Others are changing the same things. Try again.', { headers: { 'retry-after': '5' } })
  }
  if (state === '57014')
    return new Failure(503, 'timed_out', 'The database took too long. Ask for less, or try again.', {
      headers: { 'retry-after': '5' },
    })
  return bug()
}

const databaseAway = (): Failure =>
  new Failure(503, 'unavailable', 'The database cannot be reached just now. Try again.', { headers: { 'retry-after': '5' } })

const bug = (): Failure => new Failure(500, 'internal', 'Something went wrong here. Tell the operator the request id.')

function failureOfFastify(error: unknown): Failure {
  if (!(error instanceof Error)) return bug()
  const { code, statusCode, validation, validationContext } = error as Error & FastifyFacts
  if (validation) {
    const errors = validation.slice(0, 20).map((fault) => ({
      pointer: `/${validationContext ?? 'body'}${fault.instancePath ?? ''}`,
      detail: fault.message ?? 'is not accepted',
    }))
    return new Failure(400, 'invalid_request', sentenceOf(errors), { facts: { errors } })
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Failure(413, 'body_too_large', 'The body is larger than this path accepts. Send less at once.')
  if (statusCode === 415) return contentTypeNotSupported()
  if (code === 'FST_ERR_BAD_URL') return new Failure(400, 'invalid_request', 'The URL is not encoded correctly.')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Failure(statusCode, 'invalid_request', 'The request cannot be read.')
  if (statusCode === 503)
    return new Failure(503, 'unavailable', 'The server is stopping. Try again.', { headers: { 'retry-after': '5' } })
  return bug()
}

interface FastifyFacts {
  code?: string
  statusCode?: number
  validation?: { instancePath?: string; message?: string }[]
  validationContext?: string
}

/** Rule 20: one of two content types, in UTF-8, not compressed. */
export const contentTypeNotSupported = (): Failure =>
  new Failure(415, 'content_type_not_supported', 'Send application/json or application/scim+json, in UTF-8 and not compressed.')

function sentenceOf(errors: { pointer: string; detail: string }[]): string {
  const [first] = errors
  return first ? `${first.pointer} ${first.detail}.` : 'The request is not as described in /api/openapi.json.'
}
