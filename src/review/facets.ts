import type { RoleId } from '../database/ids.ts'
import { nameKey } from '../organization/name-key.ts'
import {
  accessesOf,
  effectFilters,
  effectsOf,
  isViewed,
  matchers,
  memberFilters,
  membersOf,
  type Reviewed,
  type ReviewedState,
  type ReviewFilter,
  reviewedStates,
  warningsOfReview,
} from './filter.ts'
import type { RoleNames } from './grants.ts'
import { type WarningCode, warningCodes } from './warnings.ts'

/** How many groups each choice of a facet would leave, with all other parts of the filter kept. */
export interface Facets {
  total: number
  state: Record<ReviewedState, number>
  effect: Record<(typeof effectFilters)[number], number>
  members: Record<(typeof memberFilters)[number], number>
  warning: Record<WarningCode, number>
  viewed: { yes: number; no: number }
  sites: { site: string; groups: number }[]
  products: { site: string; product: string; groups: number }[]
  /** Roles taken from somebody. */
  roles: { role: string; groups: number }[]
}

export function facetsOf(all: readonly Reviewed[], filter: ReviewFilter, names: ReadonlyMap<RoleId, RoleNames>): Facets {
  const asked = [...matchers(filter, names)]
  const but = (part?: keyof ReviewFilter) =>
    all.filter((reviewed) => asked.every(([key, matches]) => key === part || matches(reviewed)))
  const countEach = <T extends string>(
    part: keyof ReviewFilter,
    choices: readonly T[],
    of: (reviewed: Reviewed) => readonly string[],
  ) => {
    const counts = Object.fromEntries(choices.map((choice) => [choice, 0])) as Record<T, number>
    for (const reviewed of but(part)) for (const choice of of(reviewed)) if (Object.hasOwn(counts, choice)) counts[choice as T]++
    return counts
  }
  const { site, product, role } = filter
  const withoutAccess = but('site')
  // Each of the three facets leaves its own part out and keeps the other two.
  const names_ = (
    part: { site?: string | undefined; product?: string | undefined; role?: string | undefined },
    taken: boolean,
    key: (access: RoleNames) => string,
  ) => tally(withoutAccess.map((reviewed) => new Set(accessesOf(reviewed, defined(part), names, taken).map(key))))
  // A role's name is one name on all products, however it is written there.
  const spellings = [...names.values()].map((access) => access.role).sort()
  const written = new Map(spellings.toReversed().map((name) => [nameKey(name), name]))
  return {
    total: but().length,
    state: countEach('state', reviewedStates, ({ heading }) => [heading.state]),
    effect: countEach('effect', effectFilters, ({ effect }) => effectsOf(effect)),
    members: countEach('members', memberFilters, ({ heading }) => [membersOf(heading)]),
    warning: countEach('warning', warningCodes, (reviewed) => warningsOfReview(reviewed).map(({ code }) => code)),
    viewed: countEach('viewed', ['yes', 'no'], (reviewed) => [isViewed(reviewed) ? 'yes' : 'no']),
    sites: names_({ product, role }, role !== undefined, (access) => access.site).map(([name, groups]) => ({
      site: name,
      groups,
    })),
    products: names_({ site, role }, role !== undefined, (access) => JSON.stringify([access.site, access.product])).map(
      ([key, groups]) => {
        const [siteName, productName] = JSON.parse(key) as [string, string]
        return { site: siteName, product: productName, groups }
      },
    ),
    roles: names_({ site, product }, true, (access) => nameKey(access.role)).map(([key, groups]) => ({
      role: written.get(key) ?? key,
      groups,
    })),
  }
}

const defined = <T extends object>(object: T) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

// Most groups first, then by name.
function tally(sets: Set<string>[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const set of sets) for (const key of set) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
}
