import { keepPreviousData, queryOptions, useMutation } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { type Answer, answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Review = Row<'listReviews'>
export type Person = Row<'listReviewPeople'>
export type Member = Row<'listReviewMembers'>
export type Effect = Answer<'reviewEffect'>
export type ReviewFilter = NonNullable<operations['reviewFacets']['parameters']['query']>
export type Who = NonNullable<NonNullable<operations['listReviewPeople']['parameters']['query']>['who']>
export type Preset = 'no_member_change' | 'no_access_effect' | 'takes_nothing' | 'all'

type EffectBody = operations['reviewEffect']['requestBody']['content']['application/json']
/** Which groups are meant: never 100,000 ids from a browser. */
export type Selection = EffectBody['selection']
export type Choice = NonNullable<EffectBody['defaultChoice']>
/** A selection, with what is to become of its groups. */
export type Asked = Pick<EffectBody, 'selection' | 'defaultChoice' | 'choices' | 'newNames'>

export const reviews = (directory: string, filter: ReviewFilter, sort?: string): ListOf<Review> => ({
  key: ['reviews', directory, filter, sort ?? null],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/directories/{directory}/reviews', {
        params: { path: { directory }, query: { ...filter, ...(sort ? { sort } : {}), ...part } },
        signal,
      }),
    ) as Promise<{ total: number; items: Review[] }>,
})

export const facets = (directory: string, filter: ReviewFilter) =>
  queryOptions({
    queryKey: ['reviews', directory, 'facets', filter],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/v1/directories/{directory}/reviews/facets', { params: { path: { directory }, query: filter }, signal }),
      ),
  })

/** A computed set of all that need review, with what it would do: «all that are harmless» is never a filter of rows. */
export const presetOf = (directory: string, preset: Preset) =>
  queryOptions({
    queryKey: ['reviews', directory, 'preset', preset],
    queryFn: ({ signal }) =>
      answer(
        api.POST('/api/v1/directories/{directory}/reviews/selections', {
          params: { path: { directory } },
          body: { preset },
          signal,
        }),
      ),
  })

/** What syncing a selection would do, all of it together. Old figures stay until the new ones are there. */
export const effectOf = (directory: string, asked: Asked) =>
  queryOptions({
    queryKey: ['reviews', directory, 'effect', asked],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(
        api.POST('/api/v1/directories/{directory}/reviews/effect', { params: { path: { directory } }, body: asked, signal }),
      ),
  })

/** Whom a selection touches, and how. */
export const peopleOf = (directory: string, asked: Asked, who: Who, search?: string): ListOf<Person> => ({
  key: ['reviews', directory, 'people', asked, who, search ?? ''],
  page: (part, signal) =>
    answer(
      api.POST('/api/v1/directories/{directory}/reviews/effect/people', {
        params: { path: { directory } },
        body: { ...asked, who, ...part, ...(search ? { search } : {}) },
        signal,
      }),
    ) as Promise<{ total: number; items: Person[] }>,
})

export const reviewOf = (directory: string, group: string) =>
  queryOptions({
    queryKey: ['reviews', directory, 'one', group],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/reviews/{group}', { params: { path: { group }, query: { directory } }, signal })),
  })

export const reviewMembers = (directory: string, group: string, change: 'changes' | 'all', search?: string): ListOf<Member> => ({
  key: ['reviews', directory, 'members', group, change, search ?? ''],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/reviews/{group}/members', {
        params: { path: { group }, query: { directory, change, ...part, ...(search ? { search } : {}) } },
        signal,
      }),
    ) as Promise<{ total: number; items: Member[] }>,
})

export const reviewGrants = (directory: string, group: string) =>
  queryOptions({
    queryKey: ['reviews', directory, 'grants', group],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/reviews/{group}/access', { params: { path: { group }, query: { directory } }, signal })),
  })

/** Marks a review as viewed, for the answer as it is now. */
export function useViewed(directory: string) {
  return useMutation({
    mutationFn: ({ group, fingerprint }: { group: string; fingerprint: string | null }) =>
      answer(
        api.PUT('/api/v1/reviews/{group}/viewed', { params: { path: { group }, query: { directory } }, body: { fingerprint } }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['reviews', directory] }),
  })
}
