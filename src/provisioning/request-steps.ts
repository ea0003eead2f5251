import type { GroupReason, GroupState, HeldReason, MatchedBy, UserReason } from '../database/tables.ts'
import type { Action } from '../organization/log.ts'
import { groupStateWords, heldReasonWords, heldWords, userReasonWords } from './state-words.ts'

/** What a request goes through, in this order. */
export const requestSteps = ['token', 'parsed', 'matched', 'decided', 'applied'] as const

/** One step of a request. `holds`: false, it failed here; null, it was not reached. */
export interface RequestStep {
  what: (typeof requestSteps)[number]
  holds: boolean | null
  text: string
}

/** What the request log keeps of a request, as far as its steps are told by it. */
export interface LoggedRequest {
  method: string
  path: string
  status: number
  asked: string | null
  foundCount: number | null
  error: string | null
  token: { hint: string; end: 'expired' | 'revoked' } | null
  /** The pushed group or user in its path, or that it made. */
  resource: { kind: 'group' | 'user'; name: string | null } | null
}

/** What the log says that a request did. Names are the first few of the members. */
export interface Deed {
  action: Action
  facts: Record<string, unknown>
  added: number
  removed: number
  pushedAdded: number
  pushedRemoved: number
  addedNames: string[]
  removedNames: string[]
}

/**
 * Tells what became of a request, step by step. What was matched, decided and applied is told by the log's entries of the request: there
 * is no second account of it. A write without any changed nothing.
 */
export function stepsOf(request: LoggedRequest, deeds: readonly Deed[]): RequestStep[] {
  const failedAt = failedStep(request)
  const failed = failedAt === undefined ? requestSteps.length : requestSteps.indexOf(failedAt)
  const texts = { token: tokenWords, parsed: parsedWords, matched: matchedWords, decided: decidedWords, applied: appliedWords }
  return requestSteps.map((what, at) => {
    if (at > failed) return { what, holds: null, text: 'Not reached.' }
    const says =
      what === 'token' || at < failed ? texts[what](request, deeds) : (request.error ?? `The answer was ${request.status}.`)
    return { what, holds: at < failed, text: says }
  })
}

/** What became of it, in a sentence: why it failed, what a search found, what a change changed. */
export function outcomeOf({ method, path }: LoggedRequest, steps: readonly RequestStep[]): string {
  const told =
    steps.find((step) => step.holds === false) ?? steps.find(({ what }) => what === (reads(method, path) ? 'matched' : 'applied'))
  return told?.text ?? ''
}

function failedStep({ status, asked }: LoggedRequest): RequestStep['what'] | undefined {
  if (status < 400) return undefined
  if (status === 401) return 'token'
  if (status === 404) return 'matched'
  if (status === 409 || status === 412) return 'decided'
  if (status >= 500 && status !== 501) return 'applied'
  return asked === null ? 'parsed' : 'decided'
}

const reads = (method: string, path: string): boolean => method === 'GET' || method === 'HEAD' || path.endsWith('/.search')

function tokenWords({ token, status }: LoggedRequest): string {
  const which = token === null ? 'A token' : `The token that ends in ${token.hint}`
  if (status !== 401) return `${which} was accepted.`
  return token === null ? `${which} that has ended.` : `${which} ${token.end === 'revoked' ? 'is revoked' : 'has expired'}.`
}

function parsedWords({ asked, method, path }: LoggedRequest): string {
  if (asked !== null) return `It asks to ${asked}.`
  return reads(method, path) ? 'It asks to read.' : method === 'DELETE' ? 'It asks to delete.' : 'Its body was not read.'
}

const matchedBy: Record<MatchedBy, string> = {
  email: 'The person is here: found by e-mail.',
  user_name: 'The person is here: found by user name.',
  created: 'Nobody here fits: a new person.',
  person: 'The person is here: an admin said who.',
}

function matchedWords({ foundCount, resource, path }: LoggedRequest, deeds: readonly Deed[]): string {
  if (path.endsWith('/Bulk')) return 'Each operation for itself.'
  if (foundCount !== null) return foundCount === 0 ? 'Nothing was found.' : `${foundCount} found.`
  const made = deeds.find(({ action }) => action === 'user.provisioned' || action === 'group.provisioned')
  if (made?.action === 'user.provisioned') return matchedBy[fieldsOf(made.facts.after).matchedBy as MatchedBy]
  if (made)
    return reasonsIn(fieldsOf(made.facts.after)).length === 0
      ? 'No group has the name: a new one.'
      : 'A group of that name is here.'
  if (resource === null) return 'Nothing had to be matched.'
  return resource.name === null
    ? `A ${resource.kind} that is gone since.`
    : `The pushed ${resource.kind} ${quoted(resource.name)}.`
}

function decidedWords({ method, path }: LoggedRequest, deeds: readonly Deed[]): string {
  if (reads(method, path)) return 'It only reads.'
  if (deeds.length === 0) return 'Nothing differs from what was pushed before.'
  return sentence(deeds.flatMap((deed) => decided[deed.action]?.(deed) ?? [])) || 'What is pushed is kept.'
}

function appliedWords({ method, path, error }: LoggedRequest, deeds: readonly Deed[]): string {
  const did = sentence(deeds.flatMap((deed) => applied[deed.action]?.(deed) ?? []))
  const didOrNot = did || (reads(method, path) ? 'It changes nothing.' : 'Nothing changed.')
  // Of a Bulk some may fail.
  return error === null ? didOrNot : `${didOrNot} Not all of it was done: ${error}`
}

const fieldWords: Record<string, string> = {
  userName: 'user name',
  email: 'e-mail',
  displayName: 'display name',
  ownedBy: 'owner',
}

type Words = Partial<Record<Action, (deed: Deed) => string | string[]>>

const follows = () => 'what is pushed follows at once'

const decided: Words = {
  'group.provisioned': ({ facts }) => stateWords(facts.after),
  'group.state_changed': ({ facts }) => stateWords(facts.after),
  'group.renamed': follows,
  'user.provisioned': ({ facts }) => userReasonWords((fieldsOf(facts.after).reasons ?? []) as UserReason[]),
  'account.updated': follows,
  'account.switched_off': follows,
  'account.switched_on': follows,
  'removal.held': ({ facts }) => `${heldWords(facts)} waits: ${heldReasonWords(facts.reason as HeldReason)}`,
  'removal.withdrawn': ({ facts }) => `${heldWords(facts)} waits no more`,
  'members.pushed': (deed) =>
    deed.facts.held !== undefined
      ? `who is taken waits: ${heldReasonWords(deed.facts.held as HeldReason)}`
      : isInForce(deed)
        ? follows()
        : isPushed(deed)
          ? 'what is pushed waits, and nothing in force changes'
          : [],
  'members.unknown': ({ facts }) => `${counted(Number(facts.count), 'member')} that no user of the directory is: recorded`,
}

const applied: Words = {
  'user.provisioned': ({ facts }) => `the pushed user ${quoted(facts.userName)} was made`,
  'user.updated': ({ facts }) => ['what is pushed of the user changed', ...listed(facts.changed)].join(': '),
  'user.deleted': ({ facts }) => `the pushed user ${quoted(facts.userName)} is gone`,
  'account.created': ({ facts }) => `the account ${quoted(facts.userName)} was made`,
  'account.updated': ({ facts }) =>
    [
      'the account changed',
      ...listed(Object.keys((facts.after ?? {}) as object).map((field) => fieldWords[field] ?? field)),
    ].join(': '),
  'account.switched_off': () => 'the account was switched off',
  'account.switched_on': () => 'the account was switched on',
  'group.provisioned': ({ facts }) => `the pushed group ${quoted(facts.name)} was made`,
  'group.provision_updated': ({ facts }) =>
    fieldsOf(facts.after).name === undefined
      ? 'what is pushed of the group changed'
      : `its pushed name is ${quoted(fieldsOf(facts.after).name)}`,
  'group.provision_deleted': ({ facts }) => `the pushed group ${quoted(facts.name)} is gone`,
  'group.deleted': (deed) =>
    deed.facts.grants === undefined ? [] : [`the group ${quoted(deed.facts.name)} was deleted`, ...membersWords(deed)],
  'group.renamed': ({ facts }) =>
    `the group ${quoted(fieldsOf(facts.before).name)} is called ${quoted(fieldsOf(facts.after).name)}`,
  'group.synced': membersWords,
  'members.pushed': membersWords,
  'members.unknown': ({ facts }) => `recorded as unknown: ${someOf((facts.names ?? []) as string[], Number(facts.count))}`,
}

function membersWords(deed: Deed): string[] {
  const { added, removed, pushedAdded, pushedRemoved, addedNames, removedNames } = deed
  if (isInForce(deed))
    return [
      ...(added > 0 ? [`added ${someOf(addedNames, added)}`] : []),
      ...(removed > 0 ? [`removed ${someOf(removedNames, removed)}`] : []),
    ]
  if (deed.facts.forgotten === true) return []
  return [
    ...(pushedAdded > 0 ? [`pushed, not in force: ${someOf(addedNames, pushedAdded)}`] : []),
    ...(pushedRemoved > 0 ? [`not pushed, still in force: ${someOf(removedNames, pushedRemoved)}`] : []),
  ]
}

const isInForce = ({ added, removed }: Deed): boolean => added + removed > 0
const isPushed = ({ pushedAdded, pushedRemoved, facts }: Deed): boolean =>
  pushedAdded + pushedRemoved > 0 && facts.forgotten !== true

const fieldsOf = (side: unknown): Record<string, unknown> => (side ?? {}) as Record<string, unknown>

const stateWords = (side: unknown): string => groupStateWords(fieldsOf(side).state as GroupState, reasonsIn(fieldsOf(side)))

const reasonsIn = (facts: Record<string, unknown>): GroupReason[] => (facts.reasons ?? []) as GroupReason[]

const fewParts = 10

// Each part once, as one sentence; of a Bulk there may be a thousand.
function sentence(parts: readonly string[]): string {
  const each = [...new Set(parts)]
  const text = each.slice(0, fewParts).join('; ')
  if (text === '') return ''
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${each.length > fewParts ? `; and ${each.length - fewParts} more` : ''}.`
}

const someOf = (names: readonly string[], count: number): string => {
  if (names.length === 0) return counted(count, 'member')
  return count > names.length ? `${names.join(', ')} and ${count - names.length} more` : names.join(', ')
}

const listed = (names: unknown): string[] => (Array.isArray(names) && names.length > 0 ? [names.join(', ')] : [])

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`

const quoted = (name: unknown): string => `"${String(name)}"`
