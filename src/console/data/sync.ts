import { ApiError, cache } from './api.ts'
import type { Effect, Review } from './reviews.ts'
import type { NewRun } from './runs.ts'

/** What the server says when the answer is no longer the one that was looked at: what is other, and the new figures. */
export interface ReviewChanged {
  fingerprint: string
  effect: Effect
  changed: {
    group: { id: string; name: string | null }
    what: 'state' | 'name' | 'members' | 'access' | 'review'
    by: string | null
    at: string | null
    before: Partial<Pick<Review, 'members'>> & { access?: { lost: number; gained: number } }
    after: { state: string; members: { added: number; removed: number }; access: { lost: number; gained: number } } | null
  }[]
}

/** The refusal as its facts; undefined for any other error. */
export function reviewChanged(error: unknown): ReviewChanged | undefined {
  if (!(error instanceof ApiError) || !error.problem.type.endsWith(':review_changed')) return undefined
  return error.problem as unknown as ReviewChanged
}

/** What this browser was shown of the groups that are meant: a refusal then says which of them are other now. */
export function reviewedIn(directory: string, isMeant: (id: string) => boolean): NewRun['reviewed'] {
  const seen = new Map<string, Review>()
  for (const [key, data] of cache.getQueriesData<{ items: Review[] }>({ queryKey: ['reviews', directory] }))
    if (key.includes('page'))
      for (const row of data?.items ?? []) if ('group' in row && 'fingerprint' in row) seen.set(row.group.id, row)
  return [...seen.values()]
    .filter(({ group }) => isMeant(group.id))
    .slice(0, 1_000)
    .map(({ group, fingerprint, members, access }) => ({
      group: group.id,
      fingerprint,
      name: group.name,
      members: { added: members.added, removed: members.removed },
      access: { lost: access.lost, gained: access.gained },
    }))
}
