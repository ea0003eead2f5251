import { Client, type Pool, type PoolClient } from 'pg'

/** Whom an answer is for: an HTTP response, which is closed before its end where the client goes away. */
export interface Asker {
  readonly destroyed: boolean
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

/** Where queries run, and what keeps further ones from it. */
export interface On {
  pool: Pool
  client: PoolClient
  end: () => void
}

/** Whoever asked has gone away: nobody reads the answer. */
export class AskerGone extends Error {
  constructor() {
    super('The client went away before it was answered.')
    this.name = 'AskerGone'
  }
}

/**
 * Runs queries on a connection for somebody. If that one goes away the running query is cancelled, and `end` keeps others from being sent
 * (rule 24).
 * @throws AskerGone
 */
export async function whileAsked<T>({ pool, client, end }: On, asker: Asker | undefined, work: () => Promise<T>): Promise<T> {
  if (asker === undefined) return work()
  if (asker.destroyed) throw new AskerGone()
  let cancelled: Promise<void> | undefined
  const cancel = () => {
    end()
    cancelled = cancelQueryOf(client, pool)
  }
  asker.once('close', cancel)
  try {
    return await work()
  } catch (error) {
    throw cancelled ? new AskerGone() : error
  } finally {
    asker.off('close', cancel)
    // PostgreSQL ignores a cancel between two commands. One that is still under way would hit the next who is given the connection.
    await cancelled
  }
}

// On a connection of its own: those of the pool may all be busy, with what is to be cancelled.
async function cancelQueryOf(client: PoolClient, pool: Pool): Promise<void> {
  const { processID } = client as unknown as { processID: number }
  const other = new Client(pool.options)
  other.on('error', () => {})
  try {
    await other.connect()
    await other.query('select pg_cancel_backend($1)', [processID])
  } catch {
    // The query ends by its own time limit then.
  } finally {
    await other.end().catch(() => {})
  }
}
