import { useEffect, useSyncExternalStore } from 'react'
import { cache, pastedToken } from './api.ts'

interface Event {
  type: string
  directory: string | null
  subject: string | null
  run: string | null
}

interface Live {
  /** The stream was lost: pages ask every 5 s meanwhile. */
  isPaused: boolean
  /** Pushed groups that changed since a list was opened, by directory: shown as a number, for rows never move by themselves. */
  changed: ReadonlyMap<string, ReadonlySet<string>>
}

let live: Live = { isPaused: false, changed: new Map() }
const listeners = new Set<() => void>()
const set = (change: Partial<Live>) => {
  live = { ...live, ...change }
  for (const listener of listeners) listener()
}
const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useLive = (): Live => useSyncExternalStore(subscribe, () => live)

/** The list of this directory is shown anew. */
export function forgetChanged(directory: string): void {
  if (!live.changed.has(directory)) return
  const changed = new Map(live.changed)
  changed.delete(directory)
  set({ changed })
}

const pollEveryMs = 5_000
const togetherWithinMs = 300
// What a review list would show otherwise.
const ofReviews = /^(group|members|grant|user|account|suggestion|removal)\./

/** Follows what happens for as long as the shell stands: counts and runs are asked for again, lists only say that they are old. */
export function useFollowing(): void {
  useEffect(() => {
    let heard: Event[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const take = () => {
      timer = undefined
      const events = heard
      heard = []
      // Our own runs tell of themselves on their page.
      const ofLists = events.filter(
        ({ type, run, directory, subject }) => ofReviews.test(type) && run === null && directory && subject,
      )
      if (ofLists.length > 0) {
        const changed = new Map(live.changed)
        for (const { directory, subject } of ofLists)
          changed.set(directory ?? '', new Set([...(changed.get(directory ?? '') ?? []), subject ?? '']))
        set({ changed })
      }
      askAgain(events.some(({ run }) => run !== null))
    }
    const poll = setInterval(() => {
      if (live.isPaused || pastedToken.get() !== null) askAgain(true)
    }, pollEveryMs)
    // A pasted token cannot go with an event stream: the platform sends cookies only.
    if (pastedToken.get() !== null) return () => clearInterval(poll)
    const source = new EventSource('/api/v1/events')
    source.onmessage = ({ data }) => {
      heard.push(JSON.parse(data) as Event)
      timer ??= setTimeout(take, togetherWithinMs)
    }
    source.addEventListener('missed', () => void cache.invalidateQueries())
    source.onopen = () => set({ isPaused: false })
    source.onerror = () => set({ isPaused: true })
    return () => {
      clearInterval(poll)
      clearTimeout(timer)
      source.close()
    }
  }, [])
}

function askAgain(andRuns: boolean): void {
  void cache.invalidateQueries({ queryKey: ['directory'] })
  if (andRuns) void cache.invalidateQueries({ queryKey: ['runs'] })
}
