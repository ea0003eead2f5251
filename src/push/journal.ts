/**
 * What was about to be done, written before it is (rule 15): an attempt that ended in between is gone on with, and what it made is
 * known to be its own.
 */
export interface Journal {
  /** What earlier attempts at the same plan were about to do. */
  readonly intended: ReadonlySet<string>
  intend(step: string): void | Promise<void>
  /** `why` undefined: it was confirmed. */
  outcome(step: string, why?: string): void | Promise<void>
}

/** A journal that nobody reads: for a push that is planned and sent in one. */
export const noJournal = (): Journal => ({ intended: new Set(), intend: () => {}, outcome: () => {} })
