/** What the push guard looks at: counts of both sides, and of what would be taken away. */
export interface Taken {
  source: { people: number; groups: number; memberships: number }
  /** Memberships of the groups that are pushed; groups that are, or would be deleted. */
  there: { people: number; groups: number; memberships: number; allGroups: number }
  removed: { people: number; groups: number; members: number }
  allowRemovals: number
}

// Of behaviour.md «The push»: a source that lost more than this is more likely broken than right.
const groupShare = 0.1
const memberShare = 0.25
const few = 10 // One of two exchanged for another is half, and nothing strange; a source that has fewer in all is.

/**
 * Why nothing of a plan may be sent, a sentence each; none: it may. A source that is empty takes everything away by being empty, so it
 * stops a plan whatever would be taken.
 */
export function guardStops({ source, there, removed, allowRemovals }: Taken): string[] {
  const all = removed.people + removed.groups + removed.members
  if (allowRemovals > 0 && all <= allowRemovals) return []
  const stops: string[] = []
  const allow = `If that is right, allow it: --allow-removals ${all}.`
  if ((source.people === 0 && there.people > 0) || (source.groups === 0 && there.allGroups > 0))
    stops.push(
      `The source has ${source.people} people and ${source.groups} groups, but the target is not empty. Is it the right source?`,
    )
  if (removed.groups > there.groups * groupShare)
    stops.push(`${removed.groups} of ${there.groups} groups would be deleted, more than 10 %. ${allow}`)
  const hasFewer = source.memberships < there.memberships * (1 - memberShare)
  if (removed.members > there.memberships * memberShare && (hasFewer || removed.members > few))
    stops.push(`${removed.members} of ${there.memberships} members would be taken out, more than 25 %. ${allow}`)
  if (removed.people > Math.max(few, there.people * groupShare))
    stops.push(`${removed.people} of ${there.people} people would be switched off, more than 10 %. ${allow}`)
  return stops
}

interface Counts {
  groups: number
  memberships: number
}

/** Why nothing may be sent of a source that has lost too much since it was last used. Of the whole source: what is mapped of it gets less by an admin's choice. */
export function lossStops(before: Counts | null, now: Counts, allowRemovals: number): string[] {
  if (before === null || allowRemovals > 0) return []
  const lost = (what: keyof Counts, share: number, words: string) =>
    before[what] - now[what] > before[what] * share
      ? [
          `The source has lost ${before[what] - now[what]} of ${before[what]} ${words} since it was last used. If that is right, allow removals.`,
        ]
      : []
  return [...lost('groups', groupShare, 'groups'), ...lost('memberships', memberShare, 'members')]
}
