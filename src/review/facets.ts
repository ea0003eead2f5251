import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { ProvisionedGroupId, RoleId } from '../database/ids.ts'
import type { GroupState } from '../database/tables.ts'
import { nameKey } from '../organization/name-key.ts'
import type { ReviewEffect, ReviewHeading } from './summaries.ts'
import { type WarningCode, warningCodes, warningsOf } from './warnings.ts'

/** The states that a review lists. `ready` and `synced` await nothing. */
export const reviewedStates = ['needs_review', 'blocked', 'held', 'ignored'] as const satisfies GroupState[]
type ReviewedState = (typeof reviewedStates)[number]

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

export interface RoleNames {
  site: string
  product: string
  role: string
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

const membersOf = ({ added, removed }: ReviewHeading) => (removed > 0 ? 'removals' : added > 0 ? 'additions' : 'none')

function effectsOf({ lost, gained }: ReviewEffect): (typeof effectFilters)[number][] {
  if (lost === 0 && gained === 0) return ['none']
  return [...(lost > 0 ? ['takes' as const] : []), ...(gained > 0 ? ['gives' as const] : [])]
}

/** The accesses of a group that site, product and role speak of: what it takes where a role is asked for, else what its grants give. */
function accessesOf(
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

/** The names of every role of the organization. */
export async function roleNames(reader: Reader): Promise<Map<RoleId, RoleNames>> {
  const { rows } = await sql<RoleNames & { id: RoleId }>`
    select r.id, r.name as role, p.name as product, s.name as site from product_roles r
    join products p on p.org_id = ${reader.orgId} and p.id = r.product_id
    join sites s on s.org_id = ${reader.orgId} and s.id = p.site_id
    where r.org_id = ${reader.orgId}`.execute(reader)
  return new Map(rows.map(({ id, ...names }) => [id, names]))
}

/** The roles that each group's grants give. */
export async function rolesByGroup(
  reader: Reader,
  ids: readonly ProvisionedGroupId[],
): Promise<Map<ProvisionedGroupId, RoleId[]>> {
  const { rows } = await sql<{ id: ProvisionedGroupId; roles: RoleId[] }>`
    select p.id, array_agg(g.role_id) as roles from provisioned_groups p
    join grants g on g.org_id = ${reader.orgId} and g.group_id = p.group_id
    where p.org_id = ${reader.orgId} and p.id = any(${ids}::uuid[]) group by p.id`.execute(reader)
  return new Map(rows.map(({ id, roles }) => [id, roles]))
}
