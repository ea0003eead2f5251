import { queryOptions } from '@tanstack/react-query'
import { answer, api } from './api.ts'

/** The organization with its settings: whose runs need a second person. */
export const organization = () =>
  queryOptions({ queryKey: ['organization'], queryFn: ({ signal }) => answer(api.GET('/api/v1/organization', { signal })) })
