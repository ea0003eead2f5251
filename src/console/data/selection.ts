import { useSyncExternalStore } from 'react'
import type { Asked, Choice, ReviewFilter, Selection } from './reviews.ts'

/** What is ticked in a review list, and what was chosen. It outlives the page: a look at one group loses no tick. */
export interface Picked {
  mode: 'ids' | 'filter'
  /** Mode ids: who is ticked. */
  ids: ReadonlySet<string>
  /** Mode filter: all that match it, but these. */
  filter: ReviewFilter
  except: ReadonlySet<string>
  /** The quick set that was pressed, until a tick makes it another. */
  preset: string | undefined
  choice: Choice
  choices: Readonly<Record<string, Choice>>
}

const nothing: Picked = {
  mode: 'ids',
  ids: new Set(),
  filter: {},
  except: new Set(),
  preset: undefined,
  choice: 'overwrite',
  choices: {},
}

const picks = new Map<string, Picked>()
const listeners = new Set<() => void>()

export const pickedIn = (directory: string): Picked => picks.get(directory) ?? nothing

function pick(directory: string, change: Partial<Picked>): void {
  picks.set(directory, { ...pickedIn(directory), ...change })
  for (const listener of listeners) listener()
}

export const usePicked = (directory: string): Picked =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => pickedIn(directory),
  )

export const isPicked = ({ mode, ids, except }: Picked, id: string): boolean => (mode === 'ids' ? ids.has(id) : !except.has(id))

/** Ticks or unticks groups, whichever way the selection is kept. */
export function tick(directory: string, ids: readonly string[], isTicked: boolean): void {
  const now = pickedIn(directory)
  const part = now.mode === 'ids' ? 'ids' : 'except'
  const set = new Set(now[part])
  for (const id of ids) isTicked === (part === 'ids') ? set.add(id) : set.delete(id)
  pick(directory, { [part]: set, preset: undefined })
}

export const pickAll = (directory: string, filter: ReviewFilter, preset?: string): void =>
  pick(directory, { mode: 'filter', filter, except: new Set(), ids: new Set(), preset })

export const pickIds = (directory: string, ids: readonly string[], preset?: string): void =>
  pick(directory, { mode: 'ids', ids: new Set(ids), except: new Set(), preset })

export const pickNothing = (directory: string): void => pickIds(directory, [])

/** What becomes of all that is ticked. */
export const chooseForAll = (directory: string, choice: Choice): void => pick(directory, { choice, choices: {} })

export const chooseFor = (directory: string, id: string, choice: Choice): void =>
  pick(directory, { choices: { ...pickedIn(directory).choices, [id]: choice } })

export const choiceOf = ({ choice, choices }: Picked, id: string): Choice => choices[id] ?? choice

/** Nothing where nothing is ticked. */
export function askedOf({ mode, ids, filter, except, choice, choices }: Picked): Asked | undefined {
  if (mode === 'ids' && ids.size === 0) return undefined
  const selection: Selection =
    mode === 'ids' ? { mode, ids: [...ids] } : { mode, filter, ...(except.size > 0 ? { except: [...except] } : {}) }
  const told = Object.entries(choices).filter(([id]) => mode === 'filter' || ids.has(id))
  return { selection, defaultChoice: choice, ...(told.length > 0 ? { choices: Object.fromEntries(told) } : {}) }
}
