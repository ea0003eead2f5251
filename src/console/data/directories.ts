import { queryOptions, useMutation } from '@tanstack/react-query'
import type { operations } from '../../client/api-types.ts'
import { type Answer, answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'

export type Directory = Row<'listDirectories'>
export type DirectoryDetail = Answer<'showDirectory'>
export type ProvisionedGroup = Row<'listProvisionedGroups'>
export type ProvisionedUser = Row<'listProvisionedUsers'>
export type DirectoryToken = Row<'listDirectoryTokens'>
export type Settings = operations['updateDirectory']['requestBody']['content']['application/json']
export type NewDirectory = operations['createDirectory']['requestBody']['content']['application/json']

export const directories = () =>
  queryOptions({
    queryKey: ['directories'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/directories', { params: { query: { limit: 0 } }, signal })),
  })

/** A directory with its counts. */
export const directoryOf = (directory: string) =>
  queryOptions({
    queryKey: ['directory', directory],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/directories/{directory}', { params: { path: { directory } }, signal })),
  })

export const provisionedGroups = (
  directory: string,
  query: { state?: ProvisionedGroup['state']; search?: string; sort?: string },
): ListOf<ProvisionedGroup> => ({
  key: ['directory', directory, 'groups', query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/directories/{directory}/provisioned-groups', {
        params: { path: { directory }, query: { ...query, ...part } },
        signal,
      }),
    ),
})

export const provisionedUsers = (
  directory: string,
  query: { state?: ProvisionedUser['state']; search?: string; sort?: string },
): ListOf<ProvisionedUser> => ({
  key: ['directory', directory, 'users', query],
  page: (part, signal) =>
    answer(
      api.GET('/api/v1/directories/{directory}/provisioned-users', {
        params: { path: { directory }, query: { ...query, ...part } },
        signal,
      }),
    ),
})

export const directoryTokens = (directory: string) =>
  queryOptions({
    queryKey: ['directory', directory, 'tokens'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/directories/{directory}/tokens', { params: { path: { directory } }, signal })),
  })

const askAgain = (directory: string) => () =>
  Promise.all([
    cache.invalidateQueries({ queryKey: ['directories'] }),
    cache.invalidateQueries({ queryKey: ['directory', directory] }),
  ])

/** Makes a directory; its token is in the answer, and nowhere else ever again. */
export function useCreateDirectory() {
  return useMutation({
    mutationFn: (body: NewDirectory) => answer(api.POST('/api/v1/directories', { body })),
    onSuccess: ({ name }) => askAgain(name)(),
  })
}

export function useChangeDirectory(directory: string) {
  return useMutation({
    mutationFn: (body: Settings) =>
      answer(api.PATCH('/api/v1/directories/{directory}', { params: { path: { directory } }, body })),
    onSuccess: askAgain(directory),
  })
}

/** Makes a second token, shown once: the first goes on until it is revoked. */
export function useNewToken(directory: string) {
  return useMutation({
    mutationFn: (body: { expiresInDays?: number }) =>
      answer(api.POST('/api/v1/directories/{directory}/tokens', { params: { path: { directory } }, body })),
    onSuccess: askAgain(directory),
  })
}

export function useRevokeToken(directory: string) {
  return useMutation({
    mutationFn: (token: string) =>
      answer(api.DELETE('/api/v1/directories/{directory}/tokens/{token}', { params: { path: { directory, token } } })),
    onSuccess: askAgain(directory),
  })
}

/** What disconnecting would come to. */
export const disconnectionOf = (directory: string) =>
  queryOptions({
    queryKey: ['directory', directory, 'disconnection'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/directories/{directory}/disconnection', { params: { path: { directory } }, signal })),
  })

export function useDisconnect(directory: string) {
  return useMutation({
    mutationFn: (fingerprint: string) =>
      answer(api.POST('/api/v1/directories/{directory}/disconnect', { params: { path: { directory } }, body: { fingerprint } })),
    onSuccess: () => cache.invalidateQueries(),
  })
}
