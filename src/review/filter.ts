import type { RoleId } from '../database/ids.ts'
import type { GroupState } from '../database/tables.ts'
import { nameKey } from '../organization/name-key.ts'
import type { RoleNames } from './grants.ts'
import type { ReviewEffect, ReviewHeading } from './summaries.ts'
import { type WarningCode, warningsOf } from './warnings.ts'

/** The states that a review lists. `ready` and `synced` await nothing. */
export const reviewedStates = ['needs_review', 'blocked', 'held', 'ignored'] as const satisfies GroupState[]
export type ReviewedState = (typeof reviewedStates)[number]

export const effectFilters = ['takes', 'gives', 'none'] as const
export const memberFilters = ['none', 'additions', 'removals'] as const

/** What a list of reviews is narrowed by; what is not said does not narrow, but `state`: `needs_review`. */
export interface ReviewFilter {
  state?: ReviewedState | 'all'
  /** Part of the group's name. */
  search?: string
  /** Alone: takes access from somebody, gives some, or neither. */
  effect?: (typeof effectFilters)[number]
  /** `additions`: nobody is removed; `removals`: somebody is. */
  members?: (typeof memberFilters)[number]
  /** Groups with access on a site, to a product of that name. */
  site?: string
  product?: string
  /** Groups that take this role from somebody (on that site and product, if said). */
  role?: string
  warning?: WarningCode
  /** Marked as viewed, for the answer as it is now. */
  viewed?: boolean
}

/** A group with all that it is listed, filtered and counted by. */
export interface Reviewed {
  heading: ReviewHeading
  effect: ReviewEffect
  /** The roles its grants give. */
  roles: readonly RoleId[]
}

type Matcher = (reviewed: Reviewed) => boolean

/** Whether a filter needs what groups do, beyond their headings. */
export const needsEffects = (filter: ReviewFilter): boolean =>
  filter.effect !== undefined || filter.role !== undefined || filter.warning !== undefined || filter.viewed !== undefined

export const needsRoles = (filter: ReviewFilter): boolean =>
  filter.site !== undefined || filter.product !== undefined || filter.role !== undefined

/** A filter as one question for each of its parts, so that a facet can leave its own part out. */
export function matchers(filter: ReviewFilter, names: ReadonlyMap<RoleId, RoleNames>): Map<keyof ReviewFilter, Matcher> {
  const { state = 'needs_review', search = '', effect, members, warning, viewed } = filter
  const found = new Map<keyof ReviewFilter, Matcher>()
  if (state !== 'all') found.set('state', ({ heading }) => heading.state === state)
  if (nameKey(search) !== '') found.set('search', ({ heading }) => heading.nameKey.includes(nameKey(search)))
  if (effect) found.set('effect', (reviewed) => effectsOf(reviewed.effect).includes(effect))
  if (members) found.set('members', ({ heading }) => membersOf(heading) === members)
  if (warning) found.set('warning', (reviewed) => warningsOfReview(reviewed).some(({ code }) => code === warning))
  if (viewed !== undefined) found.set('viewed', (reviewed) => isViewed(reviewed) === viewed)
  // Site, product and role are asked of the same access: a role taken elsewhere does not count.
  if (needsRoles(filter)) found.set('site', (reviewed) => accessesOf(reviewed, filter, names).length > 0)
  return found
}

export const isViewed = ({ heading, effect }: Reviewed): boolean => heading.viewedFingerprint === effect.fingerprint

export const warningsOfReview = ({ heading, effect }: Reviewed) => warningsOf({ ...heading, ...effect })

export const membersOf = ({ added, removed }: ReviewHeading) => (removed > 0 ? 'removals' : added > 0 ? 'additions' : 'none')

export function effectsOf({ lost, gained }: ReviewEffect): (typeof effectFilters)[number][] {
  if (lost === 0 && gained === 0) return ['none']
  return [...(lost > 0 ? ['takes' as const] : []), ...(gained > 0 ? ['gives' as const] : [])]
}

/** The accesses of a group that site, product and role speak of: what it takes where a role is asked for, else what its grants give. */
export function accessesOf(
  { effect, roles }: Reviewed,
  filter: Pick<ReviewFilter, 'site' | 'product' | 'role'>,
  names: ReadonlyMap<RoleId, RoleNames>,
  taken = filter.role !== undefined,
): RoleNames[] {
  const [site, product, role] = [filter.site, filter.product, filter.role].map((name) =>
    name === undefined ? undefined : nameKey(name),
  )
  return (taken ? effect.lostRoles : roles).flatMap((id) => {
    const access = names.get(id)
    if (access === undefined) return []
    const fits =
      (site === undefined || nameKey(access.site) === site) && (product === undefined || nameKey(access.product) === product)
    return fits && (role === undefined || nameKey(access.role) === role) ? [access] : []
  })
}
