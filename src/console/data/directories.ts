import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Row } from './api.ts'

export type Directory = Row<'listDirectories'>

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
