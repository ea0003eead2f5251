import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId, type ProvisionedGroupId, type RoleId } from '../database/ids.ts'
import type { GroupReason, GroupState } from '../database/tables.ts'
import type { Listed, Listing } from '../organization/listing.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { syncOf } from './differences.ts'
import type { AccessFigures } from './effect.ts'
import { type Facets, facetsOf } from './facets.ts'
import {
  isViewed,
  matchers,
  needsEffects,
  needsRoles,
  type Reviewed,
  type ReviewFilter,
  reviewedStates,
  warningsOfReview,
} from './filter.ts'
import { type RoleNames, roleNames, roleOf, rolesByGroup } from './grants.ts'
import { type ReviewEffect, type ReviewHeading, reviewEffects, reviewHeadings } from './summaries.ts'
import type { Warning } from './warnings.ts'

/** A group's review: what would change if it were synced, alone. `group.id` is the provisioned group's, also its SCIM id. */
export interface Review {
  group: { id: ProvisionedGroupId; name: string }
  /** The group whose members they would become; null where the pushed one is a group of its own. */
  existing: { id: GroupId; name: string; description: string | null; memberCount: number; managedBy: string | null } | null
  state: GroupState
  reasons: GroupReason[]
  filling: boolean
  pushedAt: Date
  members: { added: number; removed: number; unchanged: number }
  access: AccessFigures
  productAccess: (RoleNames & { isDefault: boolean })[]
  warnings: Warning[]
  fingerprint: string
  viewed: boolean
  can: { sync: true } | { sync: false; why: string }
}

const sorts = ['lost', 'removed', 'added', 'gained', 'name', 'pushedAt'] as const
type Sort = (typeof sorts)[number]

/** What is listed of a directory's reviews: filtered, sorted, a page. Sorted by `-lost,-removed,name` if nothing is said.
 * @throws Refusal `invalid_value` for another sort */
export async function listReviews(
  reader: Reader,
  directoryId: DirectoryId,
  filter: ReviewFilter,
  listing: Listing,
): Promise<Listed<Review>> {
  const { offset = 0, limit, sort } = listing
  const order = orderOf(sort)
  const sortsByEffect = order.some(({ by }) => by === 'lost' || by === 'gained')
  const matching = await matchingReviews(reader, directoryId, filter, sortsByEffect)
  const sorted = matching.sort(compareBy(order))
  const paged = sorted.slice(offset, limit ? offset + limit : undefined)
  return { total: sorted.length, items: await withDetails(reader, paged) }
}

/** Finds a pushed group by its id or its name, of whatever state; with a directory, that directory's alone.
 * @throws Refusal `not_found`, the same for a foreign one; `invalid_value` where more than one directory pushes the name */
export async function findReview(reader: Reader, idOrName: string, directory?: DirectoryId): Promise<ProvisionedGroupId> {
  const { rows } = await sql<{ id: ProvisionedGroupId; isCalled: boolean }>`
    select id, id::text = ${idOrName.toLowerCase()} as "isCalled" from provisioned_groups
    where org_id = ${reader.orgId} and (id = ${isId(idOrName) ? idOrName : null}::uuid or name_key = ${nameKey(idOrName)})
      and (${directory ?? null}::uuid is null or directory_id = ${directory ?? null})
    order by 2 desc limit 2`.execute(reader)
  const [first, second] = rows
  if (first === undefined) throw noSuchReview()
  if (second && !first.isCalled)
    throw new Refusal(
      'invalid_value',
      'More than one directory pushes a group of that name. Name the directory, or ask by its id.',
    )
  return first.id
}

const noSuchReview = () => new Refusal('not_found', 'There is no such review. List them to see their names.')

/** One group's review. @throws Refusal `not_found` */
export async function oneReview(reader: Reader, id: ProvisionedGroupId): Promise<Review> {
  const [heading] = await reviewHeadings(reader, { ids: [id] })
  if (heading === undefined) throw noSuchReview()
  const [review] = await withDetails(reader, [{ heading }])
  if (review === undefined) throw new Error('A heading has a review.')
  return review
}

/** Facets of a directory's reviews, each with counts that respect the rest of the filter. */
export async function reviewFacets(reader: Reader, directoryId: DirectoryId, filter: ReviewFilter): Promise<Facets> {
  const headings = await reviewHeadings(reader, { directoryId, states: reviewedStates })
  const ids = headings.map(({ id }) => id)
  const effects = await effectsById(reader, ids)
  const roles = await rolesByGroup(reader, ids)
  return facetsOf(
    headings.map((heading) => reviewed(heading, effects, roles)),
    filter,
    await roleNames(reader),
  )
}

/** The headings of what matches a filter, with effects where the filter or the caller asks for them. */
export async function matchingReviews(
  reader: Reader,
  directoryId: DirectoryId,
  filter: ReviewFilter,
  withEffects: boolean,
): Promise<{ heading: ReviewHeading; effect?: ReviewEffect }[]> {
  const { state = 'needs_review' } = filter
  const headings = await reviewHeadings(reader, { directoryId, states: state === 'all' ? reviewedStates : [state] })
  const ids = headings.map(({ id }) => id)
  // Headings are cheap: what groups do is computed for all only where the question needs it.
  const effects = withEffects || needsEffects(filter) ? await effectsById(reader, ids) : undefined
  const roles = needsRoles(filter) ? await rolesByGroup(reader, ids) : new Map<ProvisionedGroupId, RoleId[]>()
  const asked = [...matchers(filter, needsRoles(filter) ? await roleNames(reader) : new Map()).values()]
  return headings.flatMap((heading) => {
    const candidate = reviewed(heading, effects, roles)
    if (!asked.every((matches) => matches(candidate))) return []
    return effects ? [{ heading, effect: candidate.effect }] : [{ heading }]
  })
}

async function effectsById(reader: Reader, ids: readonly ProvisionedGroupId[]): Promise<Map<ProvisionedGroupId, ReviewEffect>> {
  return new Map((await reviewEffects(reader, syncOf(reader, ids))).map((effect) => [effect.id, effect]))
}

const noEffect: Omit<ReviewEffect, 'id'> = {
  lost: 0,
  gained: 0,
  peopleLosing: 0,
  peopleGaining: 0,
  leftWithNone: 0,
  lastAdmin: 0,
  seatsExceeded: 0,
  unknownMembers: 0,
  lookAlikes: 0,
  inactive: 0,
  lostRoles: [],
  fingerprint: '',
}

function reviewed(
  heading: ReviewHeading,
  effects: Map<ProvisionedGroupId, ReviewEffect> | undefined,
  roles: Map<ProvisionedGroupId, RoleId[]>,
): Reviewed {
  return { heading, effect: effects?.get(heading.id) ?? { id: heading.id, ...noEffect }, roles: roles.get(heading.id) ?? [] }
}

type Order = { by: Sort; descending: boolean }[]

function orderOf(sort = '-lost,-removed,name'): Order {
  return sort.split(',').map((asked) => {
    const by = sorts.find((known) => known === asked.replace(/^-/, ''))
    if (by === undefined)
      throw new Refusal('invalid_value', `Reviews are sorted by ${sorts.join(', ')}, each with a minus in front for downwards.`, {
        sort,
      })
    return { by, descending: asked.startsWith('-') }
  })
}

type Candidate = { heading: ReviewHeading; effect?: ReviewEffect }

const sortedBy: Record<Sort, (candidate: Candidate) => number | string> = {
  lost: ({ effect }) => effect?.lost ?? 0,
  gained: ({ effect }) => effect?.gained ?? 0,
  added: ({ heading }) => heading.added,
  removed: ({ heading }) => heading.removed,
  name: ({ heading }) => heading.nameKey,
  pushedAt: ({ heading }) => heading.pushedAt.getTime(),
}

// The name and then the id last, so that pages do not overlap.
function compareBy(order: Order): (a: Candidate, b: Candidate) => number {
  return (a, b) => {
    for (const { by, descending } of order) {
      const [x, y] = [sortedBy[by](a), sortedBy[by](b)]
      if (x !== y) return x < y === descending ? 1 : -1
    }
    const [x, y] = [a.heading.nameKey + a.heading.id, b.heading.nameKey + b.heading.id]
    return x < y ? -1 : 1
  }
}

/** Makes reviews of headings: effects that are not there yet, and what is shown beside, each in one statement for all. */
async function withDetails(reader: Reader, candidates: Candidate[]): Promise<Review[]> {
  const ids = candidates.map(({ heading }) => heading.id)
  const effects = candidates.every(({ effect }) => effect) ? undefined : await effectsById(reader, ids)
  const details = await detailsById(reader, ids)
  return candidates.flatMap(({ heading, effect }) => {
    const complete = effect ? { heading, effect, roles: [] } : reviewed(heading, effects, new Map())
    const detail = details.get(heading.id)
    return detail ? [reviewOf(complete, detail)] : []
  })
}

interface Detail {
  existing: Review['existing']
  grants: Review['productAccess']
  /** The pushed group that has the group of that name, where it is another one: of another directory, or of this one under another name. */
  elsewhere: { name: string; directory: string; isOfThisDirectory: boolean; isSynced: boolean } | null
  isObserved: boolean
}

async function detailsById(reader: Reader, ids: readonly ProvisionedGroupId[]): Promise<Map<ProvisionedGroupId, Detail>> {
  const org = reader.orgId
  const { rows } = await sql<Detail & { id: ProvisionedGroupId }>`
    select p.id,
      case when o.effective then json_build_object('id', o.id, 'name', o.name, 'description', o.description, 'memberCount', o.member_count, 'managedBy', manager.name) end as existing,
      (select coalesce(json_agg(json_build_object('site', s.name, 'product', p.name, 'role', r.name, 'isDefault', g.is_default) order by s.name, p.name, r.name), '[]')
        from (select role_id, is_default from grants where org_id = ${org} and group_id = o.id offset 0) g
        ${roleOf(reader, sql`g.role_id`)}) as grants,
      (select json_build_object('name', q.name, 'directory', d.name, 'isOfThisDirectory', d.id = p.directory_id, 'isSynced', x.managed_by is not null)
        from (select id, managed_by from groups where org_id = ${org} and name_key = p.name_key and effective and id <> p.group_id offset 0) x
        cross join lateral (select name, directory_id from provisioned_groups where org_id = ${org} and group_id = x.id offset 0) q
        cross join lateral (select id, name from directories where org_id = ${org} and id = q.directory_id offset 0) d) as elsewhere,
      (select observing from directories where org_id = ${org} and id = p.directory_id) as "isObserved"
    from unnest(${ids}::uuid[]) as given(id)
    cross join lateral (select * from provisioned_groups where org_id = ${org} and id = given.id offset 0) p
    cross join lateral (select * from groups where org_id = ${org} and id = p.group_id offset 0) o
    left join lateral (select name from directories where org_id = ${org} and id = o.managed_by offset 0) manager on true`.execute(
    reader,
  )
  return new Map(rows.map(({ id, ...detail }) => [id, detail]))
}

function reviewOf(complete: Reviewed, detail: Detail): Review {
  const { heading, effect } = complete
  const { lost, gained, peopleLosing, peopleGaining, leftWithNone, fingerprint } = effect
  const { added, removed, unchanged } = heading
  const why = whyNotSync(heading, detail)
  return {
    group: { id: heading.id, name: heading.name },
    existing: detail.existing,
    state: heading.state,
    reasons: heading.reasons,
    filling: heading.isFilling,
    pushedAt: heading.pushedAt,
    members: { added, removed, unchanged },
    access: { lost, gained, peopleLosing, peopleGaining, leftWithNone },
    productAccess: detail.grants,
    warnings: warningsOfReview(complete),
    fingerprint,
    viewed: isViewed(complete),
    can: why === undefined ? { sync: true } : { sync: false, why },
  }
}

/** Why a group may not be synced as it is, and what to do about it; every reason that holds. */
function whyNotSync({ state, reasons, isFilling, isEmpty }: ReviewHeading, detail: Detail): string | undefined {
  if (state === 'blocked') return reasons.map((reason) => whyBlocked(reason, detail)).join(' ')
  if (state === 'held') return 'It is synced, and something waits. Allow or reject that: muster reviews held.'
  if (state !== 'needs_review') return `The group is ${state.replaceAll('_', ' ')}. Only a group that needs review can be synced.`
  if (detail.isObserved) return 'Its directory observes: nothing it pushes becomes effective. Go live first.'
  if (isFilling) return 'Still filling: members were written within the quiet time. Wait, or accept it as incomplete.'
  if (isEmpty) return 'The provider has nobody in this group. Accept it as empty, or push its members.'
  return undefined
}

function whyBlocked(reason: GroupReason, { grants, elsewhere }: Detail): string {
  switch (reason) {
    case 'default_access_group': {
      const products = [
        ...new Set(grants.filter(({ isDefault }) => isDefault).map(({ site, product }) => `${site} · ${product}`)),
      ].join(', ')
      return `Default access group of ${products || 'a product'}. Make another group default, then this one becomes reviewable.`
    }
    case 'managed_elsewhere':
      if (elsewhere === null) return 'Another pushed group has the group of this name. Delete or rename that one.'
      if (elsewhere.isOfThisDirectory)
        return `The group of this name is still that of "${elsewhere.name}", which the same directory pushes. Free the name "${elsewhere.name}", or rename one of the two.`
      if (elsewhere.isSynced) return `Managed by ${elsewhere.directory}. Release it there.`
      return `Pushed by ${elsewhere.directory} first. Delete or rename it there.`
    case 'protected':
      return 'Protected. Lift the protection first.'
    case 'deleted_before':
      return 'A group of this name was deleted. Restore it, or delete it for good.'
    case 'name_taken':
      return 'The name is taken. Rename the pushed group or the existing one.'
    case 'linked':
      return 'It is linked to a group of another name. Unlink it to have it meet the group of its own name.'
    case 'guard_passed':
      return 'More was taken of it within an hour than the guard lets go.'
    case 'last_admin':
      return 'Nobody else would hold an administrative role.'
    default:
      return reason satisfies never
  }
}
