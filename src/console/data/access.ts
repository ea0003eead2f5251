import { queryOptions } from '@tanstack/react-query'
import { type Answer, answer, api, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Role = Row<'listRoles'>
type Grant = Row<'listGrants'>
export type RolePerson = Row<'listRolePeople'>

export const roles = (query: { search?: string; sort?: string; site?: string; product?: string }): ListOf<Role> => ({
  key: ['access', 'roles', query],
  page: (part, signal) => answer(api.GET('/api/v1/roles', { params: { query: { ...query, ...part } }, signal })),
})

export const grants = (query: {
  search?: string
  sort?: string
  site?: string
  product?: string
  role?: string
  group?: string
}): ListOf<Grant> => ({
  key: ['access', 'grants', query],
  page: (part, signal) => answer(api.GET('/api/v1/grants', { params: { query: { ...query, ...part } }, signal })),
})

/** Who has a role, and through which groups. */
export const rolePeople = (role: string, query: { search?: string; at?: string }): ListOf<RolePerson> => ({
  key: ['access', 'role', role, query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/roles/{role}/people', { params: { path: { role }, query: { ...query, ...part } }, signal }),
    ) as Promise<Answer<'listRolePeople'>>,
})

/** One role, by its id. */
export const roleOf = (role: string) =>
  queryOptions({
    queryKey: ['access', 'role', role],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/roles/{role}', { params: { path: { role } }, signal })),
  })
