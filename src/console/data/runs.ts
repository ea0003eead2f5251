import { queryOptions, useMutation } from '@tanstack/react-query'
import { type Answer, answer, api, cache, type Row } from './api.ts'
import type { ListOf } from './list.ts'
import type { Asked, Effect } from './reviews.ts'

export type Run = Answer<'showRun'>
export type RunGroup = Row<'listRunGroups'>
export type Result = NonNullable<RunGroup['result']> | 'waiting'

/** Whether nothing more will become of it. */
export const isOver = (run: Run): boolean => !['queued', 'running', 'awaiting_approval'].includes(run.state)

/** The newest runs. */
export const runs = (query: { state?: Run['state']; sort?: string; search?: string }): ListOf<Run> => ({
  key: ['runs', 'list', query],
  page: (part, signal) => answer(api.GET('/api/v1/runs', { params: { query: { ...query, ...part } }, signal })),
})

/** A run, asked again each second for as long as it is at work. */
export const runOf = (run: string) =>
  queryOptions({
    queryKey: ['runs', run],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/runs/{run}', { params: { path: { run } }, signal })),
    refetchInterval: ({ state: { data } }) => (data && isOver(data) ? false : 1_000),
  })

export const runGroups = (run: string, query: { result?: Result; search?: string; sort?: string }): ListOf<RunGroup> => ({
  key: ['runs', run, 'groups', query],
  page: (part, signal) =>
    answer(api.GET('/api/v1/runs/{run}/groups', { params: { path: { run }, query: { ...query, ...part } }, signal })) as Promise<{
      total: number
      items: RunGroup[]
    }>,
})

/** What a run is asked for with: a selection, and the answer that was looked at. */
export interface NewRun extends Asked {
  fingerprint: string
  note?: string
  acceptIncomplete?: boolean
  acceptEmpty?: boolean
  effect?: Pick<Effect, 'groups' | 'members' | 'access'>
  reviewed?: {
    group: string
    fingerprint: string
    name?: string
    members?: { added: number; removed: number }
    access?: { lost: number; gained: number }
  }[]
}

/** Asks for a run. Sent again after a lost answer it is the same run: one key an asking. */
export function useStartRun(directory: string) {
  return useMutation({
    mutationFn: ({ key, ...body }: NewRun & { key: string }) =>
      answer(
        api.POST('/api/v1/directories/{directory}/runs', {
          params: { path: { directory }, header: { 'idempotency-key': key } },
          body,
        }),
      ) as Promise<Run>,
    onSuccess: changed,
  })
}

/** After a run, everything may be other. */
export const changed = () => cache.invalidateQueries()

/** Runs at work: the top bar shows the newest. */
export const runsAtWork = () =>
  queryOptions({
    queryKey: ['runs', 'at work'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/runs', { params: { query: { state: 'running', limit: 5 } }, signal })),
    refetchInterval: ({ state: { data } }) => (data && data.total > 0 ? 1_000 : 15_000),
  })

/** Runs that wait for a second person. */
export const runsToApprove = () =>
  queryOptions({
    queryKey: ['runs', 'to approve'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/runs', { params: { query: { state: 'awaiting_approval', limit: 100 } }, signal })),
  })

const path = (run: string) => ({ params: { path: { run } } })

/** What undoing a run would come to; groups that were changed since are left out, unless they are asked for. */
export const undoOf = (run: string, evenIfChanged: boolean) =>
  queryOptions({
    queryKey: ['runs', run, 'undo', evenIfChanged],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/runs/{run}/undo', { params: { path: { run }, query: { evenIfChanged } }, signal })),
    staleTime: 0,
  })

export const useUndo = (run: string) =>
  useMutation({
    mutationFn: ({ key, ...body }: { key: string; fingerprint: string; evenIfChanged: boolean; note?: string }) =>
      answer(
        api.POST('/api/v1/runs/{run}/undo', { params: { path: { run }, header: { 'idempotency-key': key } }, body }),
      ) as Promise<Run>,
    onSuccess: changed,
  })

/** What syncing the groups that a run skipped or failed at would do now. */
export const retryOf = (run: string) =>
  queryOptions({
    queryKey: ['runs', run, 'retry'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/runs/{run}/retry', { ...path(run), signal })),
    staleTime: 0,
  })

export const useRetry = (run: string) =>
  useMutation({
    mutationFn: ({ key, ...body }: { key: string; fingerprint: string; acceptEmpty?: boolean }) =>
      answer(
        api.POST('/api/v1/runs/{run}/retry', { params: { path: { run }, header: { 'idempotency-key': key } }, body }),
      ) as Promise<Run>,
    onSuccess: changed,
  })

/** Stop, approve, reject, withdraw: what is said of a run that is not over. */
export const useSay = (run: string) =>
  useMutation({
    mutationFn: ({ what, comment }: { what: 'stop' | 'approve' | 'reject' | 'withdraw'; comment?: string }): Promise<Run> => {
      const body = comment ? { comment } : {}
      if (what === 'stop') return answer(api.POST('/api/v1/runs/{run}/stop', path(run)))
      if (what === 'approve') return answer(api.POST('/api/v1/runs/{run}/approve', { ...path(run), body }))
      if (what === 'withdraw') return answer(api.POST('/api/v1/runs/{run}/withdraw', { ...path(run), body }))
      return answer(api.POST('/api/v1/runs/{run}/reject', { ...path(run), body: { comment: comment ?? '' } }))
    },
    onSuccess: changed,
  })

/** The last ten. */
export const lastRuns = () =>
  queryOptions({
    queryKey: ['runs', 'last'],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/runs', { params: { query: { limit: 10 } }, signal })),
  })
