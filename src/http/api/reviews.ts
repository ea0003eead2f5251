import { type Static, Type } from 'typebox'
import type { Reader } from '../../database/connection.ts'
import { inTransaction, reading } from '../../database/transaction.ts'
import { type Directory, findDirectory } from '../../provisioning/directories.ts'
import { markViewed } from '../../provisioning/groups.ts'
import { chosenWithChoices } from '../../review/chosen.ts'
import { membersCsv, peopleCsv, reviewsCsv } from '../../review/csv.ts'
import { type Choices, memberChanges, reviewedMembers } from '../../review/differences.ts'
import { effectOf } from '../../review/effect.ts'
import { reviewedGrants } from '../../review/grants.ts'
import { listKept } from '../../review/kept.ts'
import { peopleFilters, peopleOf } from '../../review/people.ts'
import { refuseOutsideProducts } from '../../review/products.ts'
import { findReview, listReviews, oneReview, type Review as ReviewOf, reviewFacets } from '../../review/review.ts'
import { presetGroups, presets } from '../../review/selection.ts'
import { reopenReview } from '../../sync/choices.ts'
import { requireRole } from '../auth/roles.ts'
import { largeBodyLimit } from '../content.ts'
import type { ApiPlugin } from './api.ts'
import { csvFormat, ListedOrCsv, listingOrAll, sendCsv } from './csv-answer.ts'
import { Listed, listingOf, pageWith } from './paging.ts'
import {
  askedOf,
  choicesOf,
  Effect,
  Facets,
  Filter,
  filterQuery,
  Grant,
  KeptMember,
  Member,
  Person,
  PresetAnswer,
  Review,
  Selection,
} from './review-shapes.ts'
import { NoContent, Nullable, OneOf } from './shapes.ts'

const tags = ['reviews']
const OfDirectory = Type.Object({ directory: Type.String({ description: 'Id or name' }) })
export const OfGroup = Type.Object({ group: Type.String({ description: 'Id or name of a pushed group' }) })
export const inDirectory = {
  directory: Type.Optional(Type.String({ description: 'Id or name of the directory, where several push a group of that name' })),
}
const who = { who: Type.Optional(OneOf(peopleFilters, 'all if not said')) }
const reads = requireRole('auditor')
// A reviewer's own products are asked for where the group is known.
const decides = requireRole('reviewer')

/** Reviews: what would change if pushed groups were synced, one by one and together. All of it reads, but the mark «viewed». */
export const reviewsApi: ApiPlugin = async (app, { db }) => {
  app.get(
    '/directories/:directory/reviews',
    {
      schema: {
        operationId: 'listReviews',
        tags,
        summary: 'The reviews of a directory, each group by itself',
        params: OfDirectory,
        description:
          'Sorted by lost, removed, added, gained, name, pushedAt, each with a minus for downwards; `-lost,-removed,name` if not said.',
        querystring: pageWith({ ...filterQuery, ...csvFormat }),
        response: { 200: ListedOrCsv(Review) },
      },
    },
    async ({ scope, params, query }, reply) => {
      const { format, offset: _, limit: __, sort: ___, ...filter } = query
      const listed = await reading(db, scope, async (reader) =>
        listReviews(reader, (await findDirectory(reader, params.directory)).id, filter, listingOrAll(query)),
      )
      return format === 'csv'
        ? sendCsv(reply, 'reviews', reviewsCsv(listed.items))
        : { total: listed.total, items: listed.items.map(shown) }
    },
  )

  app.get(
    '/directories/:directory/reviews/facets',
    {
      schema: {
        operationId: 'reviewFacets',
        tags,
        summary: 'How many reviews each choice of a filter would leave',
        params: OfDirectory,
        querystring: Filter,
        response: { 200: Facets },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => reviewFacets(reader, (await findDirectory(reader, params.directory)).id, query)),
  )

  app.post(
    '/directories/:directory/reviews/effect',
    {
      bodyLimit: largeBodyLimit,
      preHandler: reads,
      schema: {
        operationId: 'reviewEffect',
        tags,
        summary: 'What syncing a selection would do, all of it together',
        params: OfDirectory,
        body: Type.Object({ selection: Selection, ...choicesOf }, { additionalProperties: false }),
        response: { 200: Effect },
      },
    },
    async ({ scope, params, body }) =>
      reading(db, scope, async (reader) => {
        const directory = await findDirectory(reader, params.directory)
        return effectOfChosen(reader, directory, await chosenWithChoices(reader, directory.id, askedOf(body)))
      }),
  )

  app.post(
    '/directories/:directory/reviews/effect/people',
    {
      bodyLimit: largeBodyLimit,
      preHandler: reads,
      schema: {
        operationId: 'reviewEffectPeople',
        tags,
        summary: 'Whom syncing a selection would touch, and how',
        params: OfDirectory,
        description: 'Sorted by lost, gained, kept or name; `-lost` if not said.',
        body: Type.Object(
          { selection: Selection, ...choicesOf, ...who, ...pageWith(csvFormat).properties },
          { additionalProperties: false },
        ),
        response: { 200: ListedOrCsv(Person) },
      },
    },
    async ({ scope, params, body }, reply) => {
      const listed = await reading(db, scope, async (reader) => {
        const directory = await findDirectory(reader, params.directory)
        const { ids, choices } = await chosenWithChoices(reader, directory.id, askedOf(body))
        return peopleOf(reader, ids, body.who ?? 'all', listingOrAll(body), choices)
      })
      return body.format === 'csv' ? sendCsv(reply, 'people', peopleCsv(listed.items)) : listed
    },
  )

  app.post(
    '/directories/:directory/reviews/selections',
    {
      preHandler: reads,
      schema: {
        operationId: 'reviewSelection',
        tags,
        summary: 'A computed set of reviews: without member change, without effect on access, taking nothing, all',
        params: OfDirectory,
        body: Type.Object({ preset: OneOf(presets), filter: Type.Optional(Filter) }, { additionalProperties: false }),
        response: { 200: PresetAnswer },
      },
    },
    async ({ scope, params, body: { preset, filter = {} } }) =>
      reading(db, scope, async (reader) => {
        const directory = await findDirectory(reader, params.directory)
        const { dropped, ...set } = await presetGroups(reader, directory.id, preset, filter)
        const selection: Static<typeof Selection> = preset === 'all' ? { mode: 'filter', filter } : { mode: 'ids', ids: set.ids }
        return { preset, selection, groups: set.ids.length, dropped, effect: await effectOfChosen(reader, directory, set) }
      }),
  )

  app.get(
    '/reviews/:group',
    {
      schema: {
        operationId: 'showReview',
        tags,
        summary: "One group's review",
        params: OfGroup,
        querystring: Type.Object(inDirectory, { additionalProperties: false }),
        response: { 200: Review },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => shown(await oneReview(reader, await named(reader, params, query)))),
  )

  app.get(
    '/reviews/:group/members',
    {
      schema: {
        operationId: 'listReviewMembers',
        tags,
        summary: 'Who would be added to a group, removed from it, who stays',
        params: OfGroup,
        description: 'Sorted by change or userName.',
        querystring: pageWith({
          ...inDirectory,
          change: Type.Optional(OneOf(memberChanges, 'changes (added and removed) if not said')),
          ...csvFormat,
        }),
        response: { 200: ListedOrCsv(Member) },
      },
    },
    async ({ scope, params, query }, reply) => {
      const listed = await reading(db, scope, async (reader) =>
        reviewedMembers(reader, await named(reader, params, query), query.change ?? 'changes', listingOrAll(query)),
      )
      return query.format === 'csv' ? sendCsv(reply, 'members', membersCsv(listed.items)) : listed
    },
  )

  app.get(
    '/reviews/:group/people',
    {
      schema: {
        operationId: 'listReviewPeople',
        tags,
        summary: 'What each person would lose, gain and keep, and through which groups',
        params: OfGroup,
        description: 'Sorted by lost, gained, kept or name; `-lost` if not said.',
        querystring: pageWith({ ...inDirectory, ...who, ...csvFormat }),
        response: { 200: ListedOrCsv(Person) },
      },
    },
    async ({ scope, params, query }, reply) => {
      const listed = await reading(db, scope, async (reader) =>
        peopleOf(reader, [await named(reader, params, query)], query.who ?? 'all', listingOrAll(query)),
      )
      return query.format === 'csv' ? sendCsv(reply, 'people', peopleCsv(listed.items)) : listed
    },
  )

  app.get(
    '/reviews/:group/access',
    {
      schema: {
        operationId: 'listReviewAccess',
        tags,
        summary: 'What the review does to each grant of the group',
        params: OfGroup,
        querystring: Type.Object(inDirectory, { additionalProperties: false }),
        response: { 200: Listed(Grant) },
      },
    },
    async ({ scope, params, query }) =>
      reading(db, scope, async (reader) => {
        const items = await reviewedGrants(reader, await named(reader, params, query))
        return { total: items.length, items }
      }),
  )

  app.get(
    '/directories/:directory/kept',
    {
      schema: {
        operationId: 'listKept',
        tags,
        summary: 'Members whom a merge kept, though the provider does not have them',
        description: 'Sorted by group, userName or since. They go by a run of kind drop_kept.',
        params: OfDirectory,
        querystring: pageWith({ group: Type.Optional(Type.String({ description: 'Id or name of a pushed group' })) }),
        response: { 200: Listed(KeptMember) },
      },
    },
    async ({ scope, params, query: { group, ...query } }) =>
      reading(db, scope, async (reader) => {
        const { id: directoryId } = await findDirectory(reader, params.directory)
        const of = group === undefined ? {} : { group: await findReview(reader, group, directoryId) }
        return listKept(reader, { directoryId, ...of }, listingOf(query))
      }),
  )

  app.post(
    '/reviews/:group/reopen',
    {
      preHandler: decides,
      schema: {
        operationId: 'reopenReview',
        tags,
        summary: 'Review a group again that was ignored: it is judged as if it were pushed now',
        params: OfGroup,
        querystring: Type.Object(inDirectory, { additionalProperties: false }),
        response: { 200: Review },
      },
    },
    async ({ scope, token, params, query }) =>
      inTransaction(db, scope, async (trx) => {
        const id = await named(trx, params, query)
        await refuseOutsideProducts(trx, token, [{ id }])
        await reopenReview(trx, id)
        return shown(await oneReview(trx, id))
      }),
  )

  app.put(
    '/reviews/:group/viewed',
    {
      preHandler: decides,
      schema: {
        operationId: 'markReviewViewed',
        tags,
        summary: 'Mark a review as viewed, for this fingerprint only; null takes the mark away',
        params: OfGroup,
        querystring: Type.Object(inDirectory, { additionalProperties: false }),
        body: Type.Object({ fingerprint: Nullable(Type.String({ pattern: '^[0-9a-f]{64}$' })) }, { additionalProperties: false }),
        response: { 204: NoContent },
      },
    },
    async ({ scope, token, params, query, body }, reply) => {
      await inTransaction(db, scope, async (trx) => {
        const id = await named(trx, params, query)
        await refuseOutsideProducts(trx, token, [{ id }])
        await markViewed(trx, id, body.fingerprint)
      })
      return reply.code(204).send()
    },
  )
}

/** The pushed group that a path names. @throws Refusal `not_found`, `invalid_value` where several directories push it */
export async function named(reader: Reader, { group }: { group: string }, { directory }: { directory?: string }) {
  return findReview(reader, group, directory === undefined ? undefined : (await findDirectory(reader, directory)).id)
}

async function effectOfChosen(
  reader: Reader,
  directory: Directory,
  { ids, blocked, choices }: { ids: Parameters<typeof effectOf>[1]; blocked: number; choices?: Choices },
) {
  const { groups, ...effect } = await effectOf(reader, ids, choices)
  return { directory: directory.name, groups, blocked, ...effect }
}

/** What may be done to it, as groups and people say it. */
export const shown = ({ can, ...review }: ReviewOf) =>
  can.sync
    ? { ...review, can: ['sync' as const], cannot: [] }
    : { ...review, can: [], cannot: [{ what: 'sync' as const, why: can.why }] }
