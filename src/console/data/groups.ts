import { queryOptions, useMutation } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { type Answer, answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Group = Row<'listGroups'>
export type GroupMember = Row<'listGroupMembers'>
export type GroupChange = operations['updateGroup']['requestBody']['content']['application/json']
type Query = NonNullable<operations['listGroups']['parameters']['query']>
export type GroupFilter = Pick<Query, 'search' | 'sort' | 'managedBy' | 'protected' | 'defaultAccess'>

export const groups = (query: GroupFilter): ListOf<Group> => ({
  key: ['groups', 'list', query],
  page: (part, signal) =>
    answer(api.GET('/api/v1/groups', { params: { query: { ...query, ...part } }, signal })) as Promise<Answer<'listGroups'>>,
})

export const groupOf = (group: string) =>
  queryOptions({
    queryKey: ['groups', group],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/groups/{group}', { params: { path: { group } }, signal })),
  })

export const groupMembers = (group: string, query: { search?: string; sort?: string }): ListOf<GroupMember> => ({
  key: ['groups', group, 'members', query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/groups/{group}/members', { params: { path: { group }, query: { ...query, ...part } }, signal }),
    ) as Promise<Answer<'listGroupMembers'>>,
})

export function useCreateGroup() {
  return useMutation({
    mutationFn: (body: { name: string; description?: string }) => answer(api.POST('/api/v1/groups', { body })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['groups'] }),
  })
}

export function useChangeGroup(group: string) {
  return useMutation({
    mutationFn: (body: GroupChange) => answer(api.PATCH('/api/v1/groups/{group}', { params: { path: { group } }, body })),
    onSuccess: () => cache.invalidateQueries(),
  })
}

/** Adds and removes members of a group that nobody else manages. */
export function useChangeMembers(group: string) {
  return useMutation({
    mutationFn: (body: { add?: string[]; remove?: string[] }) =>
      answer(api.PATCH('/api/v1/groups/{group}/members', { params: { path: { group } }, body })),
    onSuccess: () => cache.invalidateQueries(),
  })
}
