import type { SourceGroup } from '../source.ts'

/** A group as its source has it: people and groups as members. */
export interface DirectGroup {
  /** What other groups name it by. */
  key: string
  id: string | null
  name: string
  description: string | null
  people: string[]
  groups: string[]
}

/**
 * Groups with all who are in them, through other groups too; circles are cut. Of who is in one through others only, the way is kept: the
 * shortest, outermost first.
 */
export function flattened(groups: DirectGroup[]): SourceGroup[] {
  const byKey = new Map(groups.map((group) => [group.key, group]))
  return groups.map((group) => {
    const members = new Set(group.people)
    const through = new Map<string, string[]>()
    const seen = new Set([group.key])
    // Breadth first: the first way found is the shortest.
    const queue: { group: DirectGroup; path: string[] }[] = [{ group, path: [] }]
    for (const { group: at, path } of queue) {
      for (const person of at.people) {
        if (members.has(person)) continue
        members.add(person)
        through.set(person, path)
      }
      for (const key of at.groups) {
        const below = byKey.get(key)
        if (!below || seen.has(key)) continue
        seen.add(key)
        queue.push({ group: below, path: [...path, below.name] })
      }
    }
    const { id, name, description } = group
    return { id, name, description, members: [...members], ...(through.size > 0 ? { through } : {}) }
  })
}

/** A note of members that are nobody: they are passed over, and counted. */
export function strangersNote(strangers: Set<string>, what: string): string[] {
  if (strangers.size === 0) return []
  const [first] = strangers
  return [`${strangers.size} members are ${what} and are passed over, ${first} among them.`]
}
