import type { DirectoryLife, Observation, Resynced, TakeOver } from '../shapes.ts'
import { count, counted } from './numbers.ts'

/** What a directory comes to, the effect on people first. */
export function observationView(found: Observation): string {
  const { name, observing, groups, people, access, conflicts } = found
  const doubts = [
    people.probablySame > 0 ? `${count(people.probablySame)} probably somebody who is here already` : '',
    people.doubtful > 0 ? `${count(people.doubtful)} doubtful` : '',
    people.managedElsewhere > 0 ? `${count(people.managedElsewhere)} managed by another directory` : '',
    people.protected > 0 ? `${count(people.protected)} protected` : '',
  ].filter((part) => part !== '')
  return [
    observing ? `Going live with ${name}:` : `${name} is live. What it pushed comes to this:`,
    access.lost + access.gained === 0
      ? '  Nobody’s access changes by it.'
      : `  ${counted(access.peopleLosing, 'person', 'people')} lose ${counted(access.lost, 'access', 'accesses')}, ${counted(access.peopleGaining, 'person', 'people')} gain ${count(access.gained)}.`,
    `  ${counted(people.switchedOff, 'person', 'people')} switched off, ${count(people.switchedOn)} switched on.`,
    `  Groups: ${count(groups.pushed)} pushed. ${count(groups.new)} new, ${count(groups.conflicting)} conflicting, ${count(groups.blocked)} blocked${groups.unknownMembers > 0 ? `, ${counted(groups.unknownMembers, 'unknown member')}` : ''}.`,
    `  People: ${count(people.pushed)} pushed. ${count(people.matched.total)} matched (${count(people.matched.byEmail)} by e-mail, ${count(people.matched.byUserName)} by user name), ${count(people.new)} new${doubts.length > 0 ? `; ${doubts.join(', ')}` : ''}.`,
    `  ${counted(people.notInProvider, 'active person is', 'active people are')} not in the provider.`,
    ...(groups.conflicting > 0
      ? [
          `  The conflicting groups are reviewed after; overwritten, all of them together would take ${counted(conflicts.lost, 'access', 'accesses')} from ${counted(conflicts.peopleLosing, 'person', 'people')}.`,
        ]
      : []),
  ].join('\n')
}

export const lifeView = ({ name, pausedAt }: DirectoryLife): string =>
  pausedAt === null
    ? `${name} goes on.`
    : `${name} is paused: its writes are answered 503. Let it go on: muster directories resume ${name}`

export function takeOverView({ directory, from, groups, people }: TakeOver): string {
  return [
    `${directory.name} takes over from ${from.name}. Nobody’s access changes by it.`,
    `  ${counted(groups.equal, 'group')} with the same members ${groups.equal === 1 ? 'is' : 'are'} linked without a review; ${count(groups.differing)} differ and are up for review.`,
    `  Found by the provider’s id: ${count(groups.byExternalId)}; by name: ${count(groups.byName)}.`,
    ...(groups.left > 0
      ? [`  ${counted(groups.left, 'group')} that ${directory.name} does not push stay as they are, managed by nobody.`]
      : []),
    `  ${counted(people.handedOver, 'account')} ${people.handedOver === 1 ? 'is' : 'are'} handed over; ${count(people.released)} stay as they are, and nobody owns them.`,
    ...(from.isDisconnected
      ? []
      : [`  ${from.name} is disconnected: its tokens open nothing from then on. It cannot be undone.`]),
  ].join('\n')
}

export function resyncedView({ groups, people, changes }: Resynced): string {
  const looked = `${counted(groups, 'group')} and ${counted(people, 'person', 'people')} judged afresh`
  if (changes.length === 0) return `${looked}: nothing became other.`
  return [`${looked}:`, ...changes.map(({ action, name }) => `  ${action}${name === null ? '' : `  ${name}`}`)].join('\n')
}

export const resetView = ({ name, groups, people }: Observation): string =>
  `All that ${name} pushed is forgotten: ${counted(groups.pushed, 'group')}, ${counted(people.pushed, 'person', 'people')}. Nothing of it is effective.`
