import { Client, type Pool, type PoolClient } from 'pg'

/** Whom an answer is for: an HTTP response, which is closed before its end where the client goes away. */
export interface Recipient {
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

/** The recipient has gone away: nobody reads the answer. */
export class RecipientGone extends Error {
  constructor() {
    super('The client went away before it was answered.')
    this.name = 'RecipientGone'
  }
}

/**
 * Runs queries on a connection for somebody. If that one goes away the running query is cancelled, and `end` keeps others from being sent
 * (rule 24).
 * @throws RecipientGone
 */
export async function whileAwaited<T>(
  { pool, client, end }: On,
  recipient: Recipient | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (recipient === undefined) return work()
  if (recipient.destroyed) throw new RecipientGone()
  let cancelled: Promise<void> | undefined
  const cancel = () => {
    end()
    cancelled = cancelQueryOf(client, pool)
  }
  recipient.once('close', cancel)
  try {
    return await work()
  } catch (error) {
    throw cancelled ? new RecipientGone() : error
  } finally {
    recipient.off('close', cancel)
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
