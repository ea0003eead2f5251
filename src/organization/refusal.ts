/** Every way in which the domain says no. Each protocol's table of answers must name each of them to compile. */
export type RefusalCode =
  | 'not_found'
  | 'name_taken'
  | 'user_name_taken'
  | 'invalid_value'
  | 'invalid_import'
  | 'unknown_members'
  | 'nested_groups'
  | 'managed_by_directory'
  | 'protected'
  | 'paired_with_directory'
  | 'default_access_group'
  | 'not_linked'
  | 'name_not_waiting'
  | 'too_many_tokens'
  | 'run_under_way'
  | 'not_awaiting_approval'
  | 'directory_disconnected'
  | 'directory_observing'
  | 'not_observing'
  | 'person_linked'
  | 'review_changed'
  | 'group_filling'
  | 'group_blocked'
  | 'group_empty'
  | 'choice_not_possible'
  | 'nothing_to_sync'
  | 'nothing_to_restore'
  | 'push_stopped'
  | 'plan_changed'
  | 'push_in_use'
  | 'push_failed'
  | 'list_not_receiving'
  | 'list_incomplete'
  | 'idempotency_key_reused'
  | 'idempotency_key_in_flight'
  | 'version_changed'
  | 'last_owner'
  | 'link_not_valid'
  | 'attempt_not_valid'
  | 'not_invited'
  | 'provider_failed'
  | 'passkey_not_valid'
  | 'device_not_confirmed'
  | 'not_permitted'

/** The domain's no: a code, a sentence that says what to do, and facts. It knows no protocol. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly facts: Record<string, unknown>
  constructor(code: RefusalCode, message: string, facts: Record<string, unknown> = {}) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.facts = facts
  }
}
