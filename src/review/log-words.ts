import type { GroupReason, GroupState, HeldReason, MatchedBy, SignedInBy, UserReason } from '../database/tables.ts'
import { roleText } from '../organization/access.ts'
import type { Action } from '../organization/log.ts'
import { groupStateWords, heldReasonWords, heldWords, userReasonWords } from '../provisioning/state-words.ts'

/** Members of an entry: how many, and the names of the first. */
export interface NamedMembers {
  count: number
  names: string[]
}

/** What of an entry is put in words. `subject` is the name then of what it was done to; `waiting`: in the one truth and not in the other. */
export interface Told {
  action: Action
  subject: string | null
  directory: string | null
  role: { site: string; product: string; role: string } | null
  facts: Record<string, unknown>
  added: NamedMembers
  removed: NamedMembers
  /** Pushed, and not in force by it; no longer pushed, and in force still. */
  pushedAlone: NamedMembers
  endedAlone: NamedMembers
}

/** What an entry did, as a sentence without who did it. */
export const inWords = (entry: Told): string => {
  const said = words[entry.action](entry)
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`
}

const signedInBy: Record<SignedInBy, string> = { link: 'a link', provider: 'an identity provider', passkey: 'a passkey' }

const words: Record<Action, (entry: Told) => string> = {
  'organization.created': () => 'the organization began',
  'organization.updated': fields,
  'account.created': ({ facts }) =>
    after(facts).observedBy === undefined
      ? 'the account was made'
      : 'an account was foreseen, not in force until its directory goes live',
  'account.updated': fields,
  'account.switched_off': () => 'switched off: no access any more',
  'account.switched_on': () => 'switched on',
  'account.protected': () => 'protected: no push may adopt or switch it off',
  'account.unprotected': () => 'no longer protected',
  'account.forgotten': () => 'the account, which was not in force yet, is no more',
  'group.created': ({ subject, facts }) =>
    after(facts).effective === false
      ? `kept apart, not in force, what is pushed as ${quoted(subject)}`
      : `the group ${quoted(subject)} was made`,
  'group.updated': fields,
  'group.renamed': ({ facts }) => `renamed from ${quoted(before(facts).name)} to ${quoted(after(facts).name)}`,
  'group.deleted': (entry) => [`the group ${quoted(entry.subject)} was deleted`, ...memberWords(entry)].join('; '),
  'group.restored': (entry) => [`the deleted group ${quoted(entry.subject)} came back`, ...memberWords(entry)].join('; '),
  'group.purged': ({ subject }) => `the group ${quoted(subject)} was deleted for good`,
  'group.protected': () => 'protected: no push may take it over',
  'group.unprotected': () => 'no longer protected',
  'group.managed': ({ directory }) => `linked: ${directory ?? 'a directory'} manages it`,
  'group.unmanaged': ({ directory }) => `no longer managed by ${directory ?? 'a directory'}`,
  'group.provisioned': ({ subject, facts }) => `${quoted(subject)} was pushed: ${stateWords(after(facts))}`,
  'group.provision_updated': ({ facts }) =>
    after(facts).name === undefined
      ? fields({ facts })
      : `the provider calls it ${quoted(after(facts).name)}, was ${quoted(before(facts).name)}`,
  'group.provision_deleted': ({ subject }) => `the provider let go of ${quoted(subject)}`,
  'group.nesting_changed': ({ facts }) =>
    both(
      `${counted(facts.added, 'group')} put into it`,
      facts.added,
      `${counted(facts.removed, 'group')} taken out of it`,
      facts.removed,
    ),
  'group.offer_declined': ({ subject }) => `the provider does not want ${quoted(subject)}, which it was offered`,
  'group.paired': (entry) => ['what is pushed is compared with another group', ...memberWords(entry)].join('; '),
  'group.linked': () => 'put up for review beside a group that an admin chose',
  'group.unlinked': () => 'no longer put up for review beside the group that an admin chose',
  'group.name_kept': () => 'keeps its name, whatever the provider calls it',
  'suggestion.rejected': ({ facts }) =>
    `not the same as ${quoted((facts.existing as { name?: string }).name)}: not suggested again`,
  'suggestion.allowed': ({ facts }) => `may be the same as ${quoted((facts.existing as { name?: string }).name)} after all`,
  'group.state_changed': ({ subject, facts }) => `pushed as ${quoted(subject)}: ${stateWords(after(facts))}`,
  'group.synced': (entry) => ['synced, as its name is free', ...memberWords(entry)].join('; '),
  'removal.held': ({ facts }) => `${heldWords(facts)} waits: ${heldReasonWords(facts.reason as HeldReason)}`,
  'removal.allowed': ({ facts }) => `${heldWords(facts)} was allowed`,
  'removal.rejected': ({ facts }) => `${heldWords(facts)} was rejected`,
  'removal.withdrawn': ({ facts }) => `${heldWords(facts)} waits no more: the provider says otherwise`,
  'members.changed': members,
  'members.pushed': members,
  'members.named': members,
  'members.unknown': ({ facts }) =>
    `${counted(facts.added, 'member')} pushed who ${are(facts.added)} no user of the directory: ${some(facts.added)}`,
  'members.no_longer_unknown': ({ facts }) => `no longer unknown: ${some(facts.removed)}`,
  'site.created': ({ subject }) => `the site ${quoted(subject)} was made`,
  'product.created': ({ subject }) => `the product ${quoted(subject)} was made`,
  'role.created': ({ subject }) => `the role ${quoted(subject)} was made`,
  'grant.added': ({ role, facts }) =>
    `given ${roleWords(role)}${after(facts).isDefault === true ? ', as default access group' : ''}`,
  'grant.removed': ({ role }) => `no longer given ${roleWords(role)}`,
  'grant.made_default': ({ role }) => `made a default access group of ${roleWords(role)}`,
  'grant.stopped_default': ({ role }) => `no longer a default access group of ${roleWords(role)}`,
  'user.provisioned': ({ directory, facts }) =>
    `${directory ?? 'a directory'} pushed the person: ${matched[after(facts).matchedBy as MatchedBy]}`,
  'user.updated': ({ directory, facts }) => `${directory ?? 'a directory'} changed ${some(facts.changed)}`,
  'user.state_changed': ({ facts }) => userReasonWords((after(facts).reasons ?? []) as UserReason[]),
  'user.linked': ({ facts }) =>
    after(facts).accountId === undefined
      ? 'an admin said that nobody else is this person'
      : `what is pushed of the person is this account: ${matched[after(facts).matchedBy as MatchedBy] ?? 'an admin said so'}`,
  'user.deleted': ({ directory }) => `${directory ?? 'a directory'} deleted the person`,
  'directory.created': ({ subject }) => `the directory ${quoted(subject)} was made`,
  'directory.updated': fields,
  'directory.went_live': ({ subject }) => `the directory ${quoted(subject)} went live`,
  'directory.paused': ({ subject }) => `the directory ${quoted(subject)} was paused`,
  'directory.reset': ({ subject }) => `all that the directory ${quoted(subject)} pushed while it observed is forgotten`,
  'directory.resumed': ({ subject }) => `the directory ${quoted(subject)} goes on`,
  'directory.disconnected': ({ subject }) => `the directory ${quoted(subject)} was disconnected`,
  'webhook.created': ({ facts }) => `${text(facts.name)} is told what happens`,
  'webhook.updated': fields,
  'webhook.deleted': ({ facts }) => `${text(facts.name)} is no longer told what happens`,
  'directory.reconciled': ({ facts }) =>
    `the provider's own list was compared: ${facts.isEqual === true ? 'nothing differs' : 'it differs'}`,
  'token.created': ({ facts }) => `a token that ends in ${text(after(facts).hint)} was made`,
  'token.revoked': ({ facts }) => `the token that ends in ${text(facts.hint ?? after(facts).hint)} was revoked`,
  'admin.added': ({ facts }) => `may sign in to the console as ${after(facts).role}`,
  'admin.changed': ({ facts }) => `may do as ${after(facts).role ?? 'a reviewer of other products'} in the console`,
  'admin.removed': () => 'may no longer sign in to the console',
  'provider.added': ({ facts }) => `people may sign in by ${quoted(facts.name)}`,
  'provider.changed': fields,
  'provider.removed': ({ facts }) => `nobody signs in by ${quoted(facts.name)} any more`,
  'identity.connected': ({ facts }) => `signs in by ${facts.issuer} from now on`,
  'passkey.added': ({ facts }) => `signs in by the passkey ${quoted(facts.name)} from now on`,
  'passkey.removed': ({ facts }) => `no longer signs in by the passkey ${quoted(facts.name)}`,
  'link.created': () => 'a link to sign in by was made, for once',
  'session.started': ({ facts }) => `signed in by ${signedInBy[facts.signedInBy as SignedInBy]}`,
  'session.ended': () => 'a session ended',
  'import.finished': () => 'files were imported',
  'review.viewed': () => 'its review was marked as viewed',
  'review.unviewed': () => 'its review is no longer marked as viewed',
  'run.started': ({ facts }) => `a run over ${counted(Number(facts.groups), 'group')} was started`,
  'run.approval_asked': ({ facts }) => `approval was asked for of a run over ${counted(Number(facts.groups), 'group')}`,
  'run.approved': ({ facts }) => `the run was approved${because(facts)}`,
  'run.rejected': ({ facts }) => `the run was rejected${because(facts)}`,
  'run.withdrawn': ({ facts }) => `the run was withdrawn${because(facts)}`,
  'run.expired': () => 'nobody approved the run in time',
  'run.stopped': () => 'the run was stopped',
  'run.finished': () => 'the run ended',
  'push.saved': ({ facts }) => `the push ${facts.what} ${quoted(facts.name)} was saved`,
  'push.removed': ({ facts }) => `the push ${facts.what} ${quoted(facts.name)} was removed`,
  'push.started': ({ facts }) => `a push to ${quoted(facts.target)} was started`,
  'push.finished': ({ facts }) => `a push to ${quoted(facts.target)} ended: ${text(facts.state)}`,
}

const because = ({ comment }: Told['facts']): string => (comment === undefined ? '' : `: ${text(comment)}`)

/** What an entry did to one person. */
export interface ToldOfPerson extends Told {
  /** Whether the person is in the entry's lists. */
  isAdded: boolean
  isRemoved: boolean
  isPushed: boolean
  isEnded: boolean
}

/** The same of one person: which group they came into, or left. */
export function inWordsOfPerson(entry: ToldOfPerson): string {
  const { isAdded, isRemoved, isPushed, isEnded } = entry
  const group = quoted(entry.subject)
  if (isAdded) return `Came into ${group}.`
  if (isRemoved) return entry.action === 'group.deleted' ? `Out of ${group}, which was deleted.` : `Taken out of ${group}.`
  if (isPushed) return `Pushed into ${group}; not in force by that.`
  if (isEnded) return `No longer pushed into ${group}; nothing in force changed.`
  return inWords(entry)
}

const matched: Record<MatchedBy, string> = {
  email: 'found by e-mail',
  user_name: 'found by user name',
  created: 'nobody here was alike',
  person: 'an admin said who it is',
}

function members(entry: Told): string {
  return memberWords(entry).join('; ') || 'nobody came or went'
}

function memberWords({ added, removed, pushedAlone, endedAlone }: Told): string[] {
  const said = (what: string, { count, names }: NamedMembers) => (count === 0 ? [] : [`${what} ${listed(names, count)}`])
  return [
    ...said('added', added),
    ...said('removed', removed),
    ...said('pushed, not in force by that:', pushedAlone),
    ...said('no longer pushed:', endedAlone),
  ]
}

const fieldWords: Record<string, string> = {
  userName: 'user name',
  email: 'e-mail',
  displayName: 'display name',
  externalId: 'external id',
}

function fields({ facts }: Pick<Told, 'facts'>): string {
  const changed = Object.entries(after(facts)).map(([field, value]) => {
    const name = fieldWords[field] ?? field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    // An id says nothing to people.
    if (field === 'observedBy') return 'in force'
    return field === 'ownedBy'
      ? `${value === null ? 'no directory' : 'a directory'} owns it`
      : `${name} ${text(before(facts)[field])} → ${text(value)}`
  })
  return changed.join(', ') || 'changed'
}

const before = (facts: Told['facts']) => (facts.before ?? {}) as Record<string, unknown>
const after = (facts: Told['facts']) => (facts.after ?? {}) as Record<string, unknown>

const stateWords = (side: Record<string, unknown>): string =>
  groupStateWords(side.state as GroupState, (side.reasons ?? []) as GroupReason[])
const roleWords = (role: Told['role']): string => (role === null ? 'a role' : roleText(role))

const listed = (names: readonly string[], count: number): string =>
  count > names.length ? `${names.join(', ')} and ${count - names.length} more` : names.join(', ')

const namedAtMost = 10
// Names, or member values with what they are shown as.
function some(of: unknown): string {
  const names = (Array.isArray(of) ? of : []).map((one) =>
    typeof one === 'object' && one !== null ? (one.display ?? one.value) : String(one),
  )
  return listed(names.slice(0, namedAtMost), names.length)
}
const countOf = (of: unknown): number => (Array.isArray(of) ? of.length : Number(of ?? 0))
const counted = (of: unknown, one: string): string => `${countOf(of)} ${one}${countOf(of) === 1 ? '' : 's'}`
const are = (of: unknown): string => (countOf(of) === 1 ? 'is' : 'are')
const both = (one: string, isOne: unknown, other: string, isOther: unknown): string =>
  [...(countOf(isOne) > 0 ? [one] : []), ...(countOf(isOther) > 0 ? [other] : [])].join('; ')

const quoted = (name: unknown): string => (typeof name === 'string' ? `"${name}"` : 'a group')
const text = (value: unknown): string =>
  value === null || value === undefined || value === ''
    ? 'none'
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
