import { infiniteQueryOptions, useMutation } from '@tanstack/react-query'
import { type Answer, answer, api, type Row } from './api.ts'

export type Entry = Row<'listAudit'>
export interface AuditFilter {
  actor?: string
  action?: string
  since?: string
  until?: string
}

const limit = 50

/** The log, the newest entry first. */
export const audit = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/api/v1/audit', {
          params: { query: { ...filter, sort: '-id' as const, limit, ...(pageParam ? { after: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  })

/** Computes the seals of the whole log anew, blocks at a time, and stops at the first fault. */
export function useVerify(onProgress: (entries: number) => void) {
  return useMutation({
    mutationFn: async () => {
      let entries = 0
      let blocks = 0
      for (let after: number | undefined; ; ) {
        const part: Answer<'verifyAudit'> = await answer(
          api.GET('/api/v1/audit/verification', { params: { query: after === undefined ? {} : { after } } }),
        )
        entries += part.entries
        blocks += part.blocks
        onProgress(entries)
        if (part.fault || part.next === null) return { entries, blocks, unsealed: part.unsealed, fault: part.fault }
        after = part.next
      }
    },
  })
}
