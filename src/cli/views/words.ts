import { count } from './numbers.ts'
import type { Colors, Output } from './output.ts'

type Look = [icon: string, word: string, color: 'green' | 'yellow' | 'red' | 'blue' | 'dim']

/** Every state in words: one table for groups, users and runs (console.md, «State chips»). */
const states: Record<string, Look> = {
  ready: ['○', 'Ready', 'blue'],
  synced: ['✓', 'Synced', 'green'],
  needs_review: ['◐', 'Needs review', 'yellow'],
  blocked: ['⊘', 'Blocked', 'red'],
  held: ['‖', 'Held', 'yellow'],
  ignored: ['◌', 'Ignored', 'dim'],
  queued: ['○', 'Queued', 'dim'],
  running: ['▶', 'Running', 'blue'],
  finished: ['✓', 'Finished', 'green'],
  awaiting_approval: ['⏸', 'Waiting for approval', 'yellow'],
  stopped: ['■', 'Stopped', 'yellow'],
  rejected: ['✕', 'Rejected', 'red'],
  withdrawn: ['■', 'Withdrawn', 'dim'],
  expired: ['■', 'Expired', 'dim'],
  undone: ['↩', 'Undone', 'dim'],
  skipped: ['–', 'Skipped', 'yellow'],
  failed: ['✕', 'Failed', 'red'],
}

/** Why a group or a user is in its state, and why a run left one out, in plain words. */
const reasons: Record<string, string> = {
  name_taken: 'a group of that name exists',
  linked: 'linked to a group of another name',
  deleted_before: 'a group of that name was deleted',
  default_access_group: 'default access group',
  managed_elsewhere: 'managed elsewhere',
  protected: 'protected',
  guard_passed: 'more than the guard lets go within an hour',
  last_admin: 'last holder of an administrative role',
  filling: 'still being filled',
  empty: 'pushed empty over a group with members',
  already_synced: 'synced already',
  no_longer_needs_review: 'needs no review any more',
  gone: 'deleted meanwhile',
  review_changed: 'changed meanwhile',
  run_stopped: 'the run was stopped before it',
  not_approved: 'the run was not approved',
  busy: 'others were changing it for too long',
}

/** What a warning says after the number of groups: «11 groups pass the guard». */
const warnings: Record<string, [oneGroup: string, groups: string]> = {
  last_admin: ['takes away the last holder of an administrative role', 'take away the last holder of an administrative role'],
  left_with_nothing: ['leaves somebody with no access', 'leave somebody with no access'],
  guard_passed: ['passes the guard (25 %)', 'pass the guard (25 %)'],
  seats_exceeded: ['gives more people a product than it has seats', 'give more people a product than it has seats'],
  empty: ['was pushed empty over members', 'were pushed empty over members'],
  look_alike: ['has a name that looks like another group’s', 'have names that look like other groups’'],
  unknown_members: ['has members that the directory did not push', 'have members that the directory did not push'],
  inactive: ['has members who are switched off', 'have members who are switched off'],
  filling: ['is still being filled', 'are still being filled'],
}

/** `11 groups pass the guard (25 %)`. `percent`: the guard's, where it is not that. */
export function warningSentence({ code, groups, percent = 25 }: { code: string; groups: number; percent?: number }): string {
  const [oneGroup, many] = warnings[code] ?? [`: ${code.replaceAll('_', ' ')}`, `: ${code.replaceAll('_', ' ')}`]
  return (groups === 1 ? `1 group ${oneGroup}` : `${count(groups)} groups ${many}`).replace('25 %', `${percent} %`)
}

export const reasonWord = (reason: string): string => reasons[reason] ?? reason.replaceAll('_', ' ')

/** A state as a person reads it (icon and word, coloured), or as a program does (the API's own word). */
export function stateWord(state: string, out: Pick<Output, 'forPeople'> & { colors: Colors }): string {
  if (!out.forPeople) return state
  const [icon, word, color] = states[state] ?? ['?', state.replaceAll('_', ' '), 'dim']
  return out.colors[color](`${icon} ${word}`)
}
