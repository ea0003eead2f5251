// What states, choices and warnings are called; the command line's words are the same (cli/views/words.ts).

export const choiceWords = {
  overwrite: 'Overwrite',
  merge: 'Merge',
  rename_existing: 'Rename existing',
  ignore: 'Ignore',
  drop_kept: 'Drop kept',
  restore: 'Put back',
  allow: 'Allow',
  reject: 'Reject',
} as const

/** What a run does, before the number of its groups. */
export const runKindWords = {
  sync: 'Sync',
  drop_kept: 'Drop kept members of',
  restore: 'Put back',
  go_live: 'Go live with',
  take_over: 'Take over',
  held: 'Decide what waits in',
} as const

/** In a sentence after the number of groups: «11 groups pass the guard». */
export const warningWords: Record<string, [one: string, more: string, short: string]> = {
  last_admin: ['group takes a product’s last admin', 'groups take a product’s last admin', 'Last admin'],
  left_with_nothing: ['group leaves somebody with no access', 'groups leave somebody with no access', 'Left with nothing'],
  guard_passed: ['group passes the guard (25 %)', 'groups pass the guard (25 %)', 'Passes the guard'],
  seats_exceeded: ['group passes a product’s seats', 'groups pass a product’s seats', 'Seats exceeded'],
  empty: ['group was pushed empty', 'groups were pushed empty', 'Pushed empty'],
  unknown_members: ['group has members nobody knows', 'groups have members nobody knows', 'Unknown members'],
  look_alike: ['group has a look-alike name', 'groups have a look-alike name', 'Look-alike name'],
  inactive: ['group adds inactive people', 'groups add inactive people', 'Inactive people'],
  filling: ['group is still being filled', 'groups are still being filled', 'Filling'],
}

export const reasonWords: Record<string, string> = {
  name_taken: 'A group of that name exists',
  linked: 'Linked to a group of another name',
  deleted_before: 'A group of that name was deleted in the last 30 days',
  default_access_group: 'Default access group. Make another group default, then this one becomes reviewable.',
  managed_elsewhere: 'Another pushed group has it. Release it there.',
  protected: 'Protected. An owner can unprotect it.',
}

/** What a group of a run ended with, in plain words. */
export const resultWords: Record<string, string> = {
  blocked: 'It is blocked.',
  filling: 'The provider is still adding members to it.',
  empty: 'It was pushed empty over a group with members.',
  already_synced: 'It was synced already.',
  no_longer_needs_review: 'It no longer needs a review.',
  gone: 'The provider deleted it.',
  review_changed: 'It changed meanwhile. Review it again.',
  not_possible: 'What was chosen is not possible.',
  nothing_kept: 'Nobody is kept in it any more.',
  not_ready: 'It cannot go live as it is.',
  needs_review: 'It needs a review of its own.',
  not_approved: 'The run was not approved.',
  run_stopped: 'The run was stopped before it.',
  busy: 'Others were changing it for too long. Nothing of it was changed.',
  error: 'Something went wrong. Nothing of it was changed.',
}

/** `counted(1, 'group')` is «1 group», `counted(1509, 'group')` «1,509 groups». */
export const counted = (count: number, one: string, more = `${one}s`): string => `${number(count)} ${count === 1 ? one : more}`

/** 1509 as «1,509». */
export const number = (count: number): string => count.toLocaleString('en-US')

/** «−355», «+397»: with a true minus. */
export const minus = (count: number): string => `−${number(count)}`
export const plus = (count: number): string => `+${number(count)}`

/** The first two letters that tell a person from others. */
export const initials = (name: string): string =>
  (name.match(/[\p{Lu}\p{N}]/gu)?.length ?? 0) >= 2 && /\p{Ll}/u.test(name)
    ? (name.match(/[\p{Lu}\p{N}]/gu) ?? []).slice(0, 2).join('')
    : name
        .replace(/[^\p{L}\p{N}]/gu, '')
        .slice(0, 2)
        .toUpperCase()
