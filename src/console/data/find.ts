import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Row } from './api.ts'

const few = 6

/** The first groups and people of a name: for going there. */
export const found = (search: string) =>
  queryOptions({
    queryKey: ['found', search],
    enabled: search.trim() !== '',
    queryFn: async ({ signal }): Promise<{ groups: Row<'listGroups'>[]; people: Row<'listPeople'>[] }> => {
      const query = { search, limit: few }
      const [groups, people] = await Promise.all([
        answer(api.GET('/api/v1/groups', { params: { query }, signal })),
        answer(api.GET('/api/v1/people', { params: { query }, signal })),
      ])
      const rows = <Of>(listed: string | { items: Of[] }) => (typeof listed === 'string' ? [] : listed.items)
      return { groups: rows(groups), people: rows(people) }
    },
  })
