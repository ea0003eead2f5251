import type { SyncChoice } from '../../src/database/tables.ts'
import type { Answer, Client } from '../support/clients.ts'
import { expect } from '../support/world.ts'

/** What is chosen, beside which groups are meant. */
export interface Choices {
  kind?: 'drop_kept'
  people?: readonly string[]
  defaultChoice?: SyncChoice
  choices?: Readonly<Record<string, SyncChoice>>
  newNames?: Readonly<Record<string, string>>
  links?: Readonly<Record<string, string>>
}

export interface SyncOptions extends Choices {
  acceptIncomplete?: boolean
  acceptEmpty?: boolean
  dryRun?: boolean
  fingerprint?: string
  reviewed?: unknown[]
  effect?: unknown
  note?: string
}

/** Groups by name, or all that need review. */
export type Meant = string[] | 'all'

export const selectionOf = (meant: Meant) => (meant === 'all' ? { mode: 'filter', filter: {} } : { mode: 'ids', ids: meant })

/** What an admin does to sync: looks at the effect, then starts a run with its fingerprint. */
export function syncing(api: Client, directory: string) {
  const effectOf = async (meant: Meant, choices: Choices = {}) => {
    const { status, body } = await api('POST', `/directories/${directory}/reviews/effect`, {
      selection: selectionOf(meant),
      ...choices,
    })
    expect(status, JSON.stringify(body)).toBe(200)
    return body
  }
  const asks = async (meant: Meant, options: SyncOptions = {}): Promise<Answer> => {
    const { kind, people, defaultChoice, choices, newNames, links } = options
    const chosen = { kind, people, defaultChoice, choices, newNames, links } as Choices
    const fingerprint = options.fingerprint ?? (await effectOf(meant, chosen)).fingerprint
    return api('POST', `/directories/${directory}/runs`, { selection: selectionOf(meant), ...options, fingerprint })
  }
  const ended = async (id: string) => {
    await expect
      .poll(async () => (await api('GET', `/runs/${id}`)).body.finishedAt, { timeout: 20_000, interval: 20 })
      .not.toBeNull()
    return (await api('GET', `/runs/${id}`)).body
  }
  return {
    effectOf,
    asks,
    ended,
    /** Syncs and waits for the run's end. */
    syncs: async (meant: Meant, options: SyncOptions = {}) => {
      const { status, body } = await asks(meant, options)
      expect(status, JSON.stringify(body)).toBe(202)
      return ended(body.id)
    },
    /** What became of each group: `NAME: result` or `NAME: result, why`, sorted. */
    resultsOf: async (id: string): Promise<string[]> => {
      const { body } = await api('GET', `/runs/${id}/groups?limit=0`)
      return body.items
        .map(({ group, result, reason }: { group: { name: string }; result: string; reason: string | null }) =>
          [`${group.name}: ${result}`, reason].filter(Boolean).join(', '),
        )
        .sort()
    },
  }
}
