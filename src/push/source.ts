import { createHash } from 'node:crypto'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'

/** A person of a source. `id` is the source's own and never changes: the target keeps it as `externalId`. */
export interface SourceUser {
  id: string
  userName: string
  email: string | null
  displayName: string | null
  active: boolean
}

/** A group of a source; members are ids of its people, nested groups flattened. */
export interface SourceGroup {
  /** The source's own id; null where a source knows a group by its name alone. */
  id: string | null
  name: string
  description: string | null
  members: string[]
  /** Of a member who is in it through other groups only: their names, outermost first. */
  through?: Map<string, string[]>
}

/** People and groups of a source, read to its end. */
export interface Source {
  users: SourceUser[]
  groups: SourceGroup[]
  /** What was passed over, a sentence each. */
  notes?: string[]
}

/** The source cannot be used: what is wrong, a line each, and what to do. */
export class SourceError extends Refusal {
  readonly lines: string[]
  readonly advice: string
  constructor(lines: string[], advice = 'Nothing was pushed. Correct the source and push again.') {
    super('invalid_import', `${lines[0]}. ${advice}`, { errors: lines })
    this.name = 'SourceError'
    this.lines = lines
    this.advice = advice
  }
}

const namedErrors = 20

/** An error of many lines, of which 20 are named. */
export function sourceError(lines: string[], advice?: string): SourceError {
  const named = lines.slice(0, namedErrors)
  if (lines.length > named.length) named.push(`and ${lines.length - named.length} more`)
  return new SourceError(named, advice)
}

/**
 * A source as it is used: every id and every user name once, every member one of its people. What a source leaves out would be
 * taken from people, so one that contradicts itself is not used.
 * @throws SourceError
 */
export function wholeSource(source: Source): Source {
  const ids = new Set<string>()
  const names = new Map<string, string>()
  const lines: string[] = []
  for (const { id, userName } of source.users) {
    const other = names.get(nameKey(userName))
    if (ids.has(id)) lines.push(`The id ${id} is two people's`)
    else if (userName.trim() === '') lines.push(`The person with the id ${id} has no user name`)
    else if (other !== undefined) lines.push(`The user name ${userName} is two people's (${other}, ${id})`)
    ids.add(id)
    names.set(nameKey(userName), id)
  }
  const groupIds = new Set<string>()
  for (const { id, name, members } of source.groups) {
    if (id !== null && groupIds.has(id)) lines.push(`The id ${id} is two groups'`)
    if (id !== null) groupIds.add(id)
    if (name.trim() === '') lines.push(`The group with the id ${id} has no name`)
    const stranger = members.find((member) => !ids.has(member))
    if (stranger !== undefined)
      lines.push(`The group ${name} has the member ${stranger}, who is not among the people of the source`)
  }
  if (lines.length > 0) throw sourceError(lines)
  return source
}

/** What a source says, as a hash: equal hashes, equal people, groups and members, in whatever order they were read. */
export function sourceFingerprint({ users, groups }: Source): string {
  const hash = createHash('sha256')
  for (const { id, userName, email, displayName, active } of [...users].sort(byId))
    hash.update(JSON.stringify([id, userName, email, displayName, active]))
  for (const group of [...groups].sort((a, b) => compare(a.id ?? a.name, b.id ?? b.name)))
    hash.update(JSON.stringify([group.id, group.name, group.description, [...group.members].sort()]))
  return hash.digest('hex')
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const byId = (a: SourceUser, b: SourceUser) => compare(a.id, b.id)
