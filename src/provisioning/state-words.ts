import type { GroupReason, GroupState, HeldAct, HeldReason, UserReason } from '../database/tables.ts'

const groupStates: Record<GroupState, string> = {
  ready: 'it is only observed',
  needs_review: 'it needs review',
  blocked: 'it is blocked',
  synced: 'it is synced',
  held: 'it is synced, and removals wait',
  ignored: 'it is ignored',
}

const groupReasons: Record<GroupReason, string> = {
  name_taken: 'its name was taken',
  linked: 'it was linked to a group of another name',
  deleted_before: 'a group of its name was deleted',
  default_access_group: 'it is a default access group',
  managed_elsewhere: 'another pushed group has the group of its name',
  protected: 'it is protected',
  guard_passed: 'a push would take more than the guard lets go within an hour',
  last_admin: 'a push would take the last holder of an administrative role',
}

const userReasons: Record<UserReason, string> = {
  managed_elsewhere: 'another directory owns the account, and only memberships count',
  protected: 'the account is protected, and only memberships count',
  guard_passed: 'more people were to be switched off within an hour than the guard lets go',
  last_admin: 'nobody else would hold an administrative role',
}

const acts: Record<HeldAct, string> = {
  switch_off: 'switching the person off',
  delete_person: 'switching the person off, whom the provider deleted',
  delete_group: 'deleting the group',
}

/** What waits: `deleting the group`; without an act, members. */
export const heldWords = ({ act }: { act?: unknown }): string => acts[act as HeldAct] ?? 'what was taken of its members'

/** Why it does. */
export const heldReasonWords = (reason: HeldReason): string =>
  reason === 'last_admin' ? 'nobody else would hold an administrative role' : 'it is more than the guard lets go within an hour'

/** A pushed group's state and reasons, as the end of a sentence: `it is blocked, because it is protected`. */
export const groupStateWords = (state: GroupState, reasons: readonly GroupReason[]): string =>
  reasons.length === 0
    ? groupStates[state]
    : `${groupStates[state]}, because ${reasons.map((reason) => groupReasons[reason]).join(' and ')}`

/** What a pushed user is to the account, likewise. */
export const userReasonWords = (reasons: readonly UserReason[]): string =>
  reasons.length === 0 ? 'the directory owns the account' : reasons.map((reason) => userReasons[reason]).join(' and ')
