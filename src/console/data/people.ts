import { queryOptions } from '@tanstack/react-query'
import { type Answer, answer, api, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Account = Row<'listPeople'>
export type AccountAccess = Row<'listPersonAccess'>
export type AccountGroup = Row<'listPersonGroups'>

export const people = (query: { search?: string; sort?: string; active?: boolean; directory?: string }): ListOf<Account> => ({
  key: ['people', 'list', query],
  page: (part, signal) =>
    answer(api.GET('/api/v1/people', { params: { query: { ...query, ...part } }, signal })) as Promise<Answer<'listPeople'>>,
})

export const personOf = (person: string) =>
  queryOptions({
    queryKey: ['people', person],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/people/{person}', { params: { path: { person } }, signal })),
  })

/** What somebody may do, and through which groups; at a moment of the past where one is given. */
export const personAccess = (person: string, query: { search?: string; at?: string }): ListOf<AccountAccess> => ({
  key: ['people', person, 'access', query],
  page: (part, signal) =>
    answer(api.GET('/api/v1/people/{person}/access', { params: { path: { person }, query: { ...query, ...part } }, signal })),
})

export const personGroups = (person: string, query: { search?: string; sort?: string }): ListOf<AccountGroup> => ({
  key: ['people', person, 'groups', query],
  page: (part, signal) =>
    answer(api.GET('/api/v1/people/{person}/groups', { params: { path: { person }, query: { ...query, ...part } }, signal })),
})

/** Why somebody has an access, or the first link that is missing. */
export const whyOf = (person: string, access: { site: string; product: string; role: string }) =>
  queryOptions({
    queryKey: ['people', person, 'why', access],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/people/{person}/access/why', { params: { path: { person }, query: access }, signal })),
  })
