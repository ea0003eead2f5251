import { queryOptions, useMutation } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { answer, api, cache, type Row } from './api.ts'

export type Admin = Row<'listAdmins'>
export type Role = Admin['role']
type Invitation = NonNullable<operations['inviteAdmin']['requestBody']>['content']['application/json']

/** Who signs in to the console, and may do what. */
export const admins = () =>
  queryOptions({
    queryKey: ['admins'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/admins', { params: { query: { limit: 0 } }, signal })),
  })

const askAgain = () => cache.invalidateQueries({ queryKey: ['admins'] })

export const useInvite = () =>
  useMutation({
    mutationFn: (body: Invitation) => answer(api.POST('/api/v1/admins', { body })),
    onSuccess: askAgain,
  })

/** Another link that signs somebody in once. */
export const useLink = () =>
  useMutation({
    mutationFn: (person: string) => answer(api.POST('/api/v1/admins/{person}/link', { params: { path: { person } } })),
  })

export const useChangeAdmin = () =>
  useMutation({
    mutationFn: ({ person, ...body }: { person: string; role: Role; products?: string[] }) =>
      answer(api.PATCH('/api/v1/admins/{person}', { params: { path: { person } }, body })),
    onSuccess: askAgain,
  })

export const useRemoveAdmin = () =>
  useMutation({
    mutationFn: (person: string) => answer(api.DELETE('/api/v1/admins/{person}', { params: { path: { person } } })),
    onSuccess: askAgain,
  })
