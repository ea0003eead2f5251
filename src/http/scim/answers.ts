import type { FastifyReply } from 'fastify'
import type { RefusalCode } from '../../organization/refusal.ts'
import type { ScimType } from '../../scim/error.ts'
import { errorMessage, listResponse, type PagePlace } from '../../scim/messages.ts'
import { locationOf } from '../../scim/representation.ts'
import type { Failure, FailureCode } from '../failure.ts'

/** The URL of the SCIM service. */
export const scimBase = (publicUrl: string): string => `${publicUrl}/scim/v2`

/** The keyword with which SCIM says each no (RFC 7644 §3.12, table 9), where it has one. */
const scimTypes: Record<FailureCode | RefusalCode, ScimType | undefined> = {
  name_taken: 'uniqueness',
  user_name_taken: 'uniqueness',
  invalid_value: 'invalidValue',
  invalid_import: 'invalidValue',
  unknown_members: 'invalidValue',
  nested_groups: 'invalidValue',
  invalid_json: 'invalidSyntax',
  not_found: undefined,
  managed_by_directory: undefined,
  protected: undefined,
  paired_with_directory: undefined,
  default_access_group: undefined,
  not_linked: undefined,
  name_not_waiting: undefined,
  choice_not_possible: undefined,
  too_many_tokens: undefined,
  run_under_way: undefined,
  not_awaiting_approval: undefined,
  directory_disconnected: undefined,
  directory_observing: undefined,
  not_observing: undefined,
  person_linked: undefined,
  review_changed: undefined,
  group_filling: undefined,
  group_blocked: undefined,
  group_empty: undefined,
  nothing_to_sync: undefined,
  nothing_to_restore: undefined,
  push_stopped: undefined,
  plan_changed: undefined,
  push_in_use: undefined,
  push_failed: undefined,
  list_not_receiving: undefined,
  list_incomplete: undefined,
  idempotency_key_reused: undefined,
  idempotency_key_in_flight: undefined,
  version_changed: undefined,
  last_owner: undefined,
  link_not_valid: undefined,
  attempt_not_valid: undefined,
  not_invited: undefined,
  provider_failed: undefined,
  passkey_not_valid: undefined,
  device_not_confirmed: undefined,
  not_permitted: undefined,
  unauthenticated: undefined,
  invalid_request: undefined,
  no_such_path: undefined,
  method_not_allowed: undefined,
  body_too_large: undefined,
  content_type_not_supported: undefined,
  too_many_requests: undefined,
  timed_out: undefined,
  client_gone: undefined,
  unavailable: undefined,
  internal: undefined,
}

/** A failure as the body of a SCIM error (RFC 7644 §3.12). */
export const scimErrorOf = ({ status, code, message, scimType }: Failure) =>
  errorMessage({ status, scimType: scimType ?? scimTypes[code], message })

/** Answers a failure as a SCIM error. */
export function sendScimFailure(reply: FastifyReply, failure: Failure): FastifyReply {
  return sendScim(reply.code(failure.status).headers(failure.headers), scimErrorOf(failure))
}

/** Sends a SCIM body: an object, JSON text, or a stream of JSON text. */
export function sendScim(reply: FastifyReply, body: unknown): FastifyReply {
  return reply
    .header('content-type', contentTypeFor(reply.request.headers.accept))
    .serializer((answer: unknown) => (typeof answer === 'string' ? answer : JSON.stringify(answer)))
    .send(body)
}

/** Sends one resource with where it is and which version of it this is (RFC 7644 §3.4.1; RFC 7643 §3.1, `meta.location`). */
export function sendResource(
  reply: FastifyReply,
  type: 'User' | 'Group',
  { id, version }: { id: string; version: string },
  body: unknown,
  publicUrl: string,
): FastifyReply {
  const location = locationOf(type, id, scimBase(publicUrl))
  return sendScim(reply.headers({ location, 'content-location': location, etag: version }), body)
}

/** Answers a reader who has this version already (RFC 7644 §3.14). */
export const sendNotModified = (reply: FastifyReply, version: string): FastifyReply =>
  reply.code(304).header('etag', version).send()

/** A page of resources as the JSON around them. */
export function listFrame(total: number, place: PagePlace, count: number): [before: string, after: string] {
  const { Resources: _none, ...frame } = listResponse(total, place, [])
  return [`${JSON.stringify({ ...frame, itemsPerPage: count }).slice(0, -1)},"Resources":[`, ']}']
}

// RFC 7644 §3.1, §8.1: application/scim+json, and application/json for who reads nothing else.
function contentTypeFor(accept: string | undefined): string {
  const isPlain =
    accept !== undefined && /application\/json/i.test(accept) && !/application\/(scim\+json|\*)|\*\/\*/i.test(accept)
  return `application/${isPlain ? 'json' : 'scim+json'}; charset=utf-8`
}
