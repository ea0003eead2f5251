import { ScimError } from './error.ts'
import type { Filter } from './filter.ts'
import { isObject } from './json.ts'
import { lastOf, under } from './names.ts'
import { type Operation, readOperations } from './patch.ts'
import { type Path, parsePath } from './path.ts'
import type { Dialect } from './quirks.ts'
import {
  attributesOf,
  type GroupChange,
  groupText,
  type MemberInput,
  maxMembers,
  memberTurns,
  tooManyMembers,
} from './resource.ts'
import { groupType } from './schemas.ts'
import { atOnce, type Turns } from './turns.ts'
import { known, seenName } from './values.ts'

/**
 * Reads a PATCH as a change of a group, without the group: what operations say one after the other is folded into one change.
 * Members come as ids, each once; `all` is set where the whole list is known.
 * @throws ScimError 400 `invalidSyntax`, `invalidPath`, `invalidFilter`, `invalidValue`, `mutability`, `noTarget`; 413 (RFC 7644 §3.5.2)
 */
export const readGroupPatch = (body: unknown, dialect: Dialect): GroupChange => atOnce(groupPatchTurns(body, dialect))

/** The same where others have their turn between stretches of a long list. */
export function* groupPatchTurns(body: unknown, dialect: Dialect): Turns<GroupChange> {
  const change: GroupChange = {}
  const members = new MemberChange()
  for (const operation of readOperations(groupType, body, dialect)) {
    if (operation.path === undefined) yield* applyWithoutPath(operation, change, members, dialect)
    else {
      const path = parsePath(groupType, operation.path, dialect)
      if (path !== undefined) yield* applyAt(path, operation, change, members, dialect)
    }
  }
  return { ...change, ...members.folded() }
}

// Okta renames with the id inside: `id`, `schemas` and `meta` are passed over.
function* applyWithoutPath({ op, value }: Operation, change: GroupChange, members: MemberChange, dialect: Dialect): Turns<void> {
  const given = isObject(value) ? value : {}
  for (const key of Object.keys(given)) known(attributesOf(groupType), key, dialect)
  const displayName = under(given, 'displayName')
  const externalId = under(given, 'externalId')
  const list = under(given, 'members')
  if (displayName !== undefined && displayName !== null) change.displayName = newName(displayName, dialect)
  if (externalId !== undefined) change.externalId = groupText('externalId', externalId, dialect) ?? null
  if (list !== undefined) members.give(op === 'replace' ? 'replace' : 'add', yield* listOf(list, dialect))
}

function* applyAt(path: Path, operation: Operation, change: GroupChange, members: MemberChange, dialect: Dialect): Turns<void> {
  const [{ name, mutability }] = path.name
  if (name === 'members') yield* applyToMembers(path, operation, members, dialect)
  else if (mutability === 'readOnly' || lastOf(path.name).mutability === 'readOnly') {
    throw new ScimError(400, 'mutability', `${name} is written by the server alone.`)
  } else applyToText(name, operation, change, dialect)
}

function applyToText(name: string, operation: Operation, change: GroupChange, dialect: Dialect): void {
  const isGone = operation.op === 'remove' || operation.value === null || operation.value === ''
  if (name === 'externalId') change.externalId = isGone ? null : (groupText('externalId', operation.value, dialect) ?? null)
  if (name !== 'displayName') return
  if (isGone) throw new ScimError(400, 'mutability', 'displayName cannot be taken away: a group needs a name.')
  change.displayName = newName(operation.value, dialect)
}

function* applyToMembers(
  { name, filter, sub }: Path,
  { op, value }: Operation,
  members: MemberChange,
  dialect: Dialect,
): Turns<void> {
  if (sub !== undefined || name.length > 1)
    throw new ScimError(400, 'mutability', 'A member is added or removed as a whole, not changed.')
  if (filter !== undefined) {
    if (op !== 'remove')
      throw new ScimError(400, 'invalidPath', 'Members behind a filter can only be removed. Add members with the path "members".')
    const ids = idsIn(filter)
    if (ids === undefined) members.takeMatching(filter)
    else members.take(ids)
  } else if (op !== 'remove') members.give(op, yield* listOf(op === 'add' ? asList(value) : value, dialect))
  // An empty list takes nobody; only no value at all takes everybody (RFC 7644 §3.5.2.2).
  else if (value === undefined || value === null) members.give('replace', [])
  else members.take((yield* memberTurns(asList(value), dialect)).map((member) => member.value))
}

// Null is nobody, as an empty list is (RFC 7643 §2.5).
function* listOf(value: unknown, dialect: Dialect): Turns<MemberInput[]> {
  return value === null ? [] : yield* memberTurns(value, dialect)
}

// One id alone can do no harm where the other members stay.
const asList = (value: unknown) => (typeof value === 'string' ? [value] : value)

// The members' ids where a filter names ids and nothing else, as providers' do: it is answered without reading one member.
function idsIn(filter: Filter): string[] | undefined {
  if (filter.kind === 'compare' && filter.operator === 'eq' && lastOf(filter.name).name === 'value')
    return typeof filter.value === 'string' ? [filter.value] : undefined
  if (filter.kind !== 'or') return undefined
  const ids = filter.terms.map(idsIn)
  return ids.includes(undefined) ? undefined : ids.flatMap((some) => some ?? [])
}

function newName(given: unknown, dialect: Dialect): string {
  const name = groupText('displayName', given, dialect)
  if (name === undefined) throw new ScimError(400, 'invalidValue', 'displayName is empty. A group needs a name.')
  return seenName('displayName', name)
}

/** A filter is a statement of its own. */
const maxFilters = 20

type Step = NonNullable<GroupChange['later']>[number]

/** Operations on members folded in their order: the last word on a member counts. */
class MemberChange {
  #isAll = false
  #named = 0
  #filters = 0
  /** Who is added, as they were given: nothing else was said yet. Else they are in `#added`. */
  #only: MemberInput[] = []
  readonly #added = new Map<string, MemberInput>()
  readonly #removed = new Set<string>()
  readonly #steps: Step[] = []

  give(op: 'add' | 'replace', members: MemberInput[]): void {
    this.#count(members.length)
    if (op === 'replace') {
      this.#isAll = true
      this.#only = []
      this.#added.clear()
      this.#removed.clear()
    }
    // The common PATCH names 150,000 members in one operation: each of them once, and there is nothing to fold.
    if (this.#added.size + this.#removed.size + this.#only.length === 0) {
      this.#only = members
      return
    }
    this.#fold()
    for (const member of members) {
      this.#removed.delete(member.value)
      this.#added.set(member.value, member)
    }
  }

  take(ids: readonly string[]): void {
    this.#count(ids.length)
    this.#fold()
    for (const id of ids) {
      this.#added.delete(id)
      if (!this.#isAll) this.#removed.add(id)
    }
  }

  takeMatching(filter: Filter): void {
    if (++this.#filters > maxFilters)
      throw new ScimError(
        413,
        undefined,
        `A PATCH can have ${maxFilters} filters over members. Send the others in further requests.`,
      )
    this.#endStep()
    this.#steps.push({ matching: filter })
  }

  folded(): Pick<GroupChange, 'members' | 'later'> {
    this.#endStep()
    const [first, ...others] = this.#steps
    if (first === undefined) return {}
    if ('matching' in first) return { later: this.#steps }
    return others.length === 0 ? { members: first } : { members: first, later: others }
  }

  #endStep(): void {
    const added = this.#only.length > 0 ? this.#only : [...this.#added.values()]
    const removed = [...this.#removed]
    if (this.#isAll) this.#steps.push({ all: added })
    else if (added.length + removed.length > 0) this.#steps.push({ added, removed })
    this.#isAll = false
    this.#only = []
    this.#added.clear()
    this.#removed.clear()
  }

  #fold(): void {
    for (const member of this.#only) this.#added.set(member.value, member)
    this.#only = []
  }

  #count(named: number): void {
    this.#named += named
    if (this.#named > maxMembers) throw tooManyMembers()
  }
}
