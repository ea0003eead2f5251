import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Db, Scope } from '../database/connection.ts'
import type { DirectoryId } from '../database/ids.ts'
import { inTransaction } from '../database/transaction.ts'
import { noteError } from '../provisioning/directories.ts'

// Wrong tokens, probing for what is not there and haste are no errors of a directory.
const unnoted = new Set([401, 404, 429])

/**
 * Keeps why a directory's last failed request failed, off the request's path: one write under way a directory,
 * and of what fails meanwhile only the last.
 */
export function lastErrors(db: Db, log: FastifyBaseLogger): (request: FastifyRequest, status: number, body: unknown) => void {
  const waiting = new Map<DirectoryId, { scope: Scope; detail: string } | undefined>()

  async function write(directory: DirectoryId, scope: Scope, detail: string): Promise<void> {
    await inTransaction(db, scope, (trx) => noteError(trx, directory, detail)).catch((error) =>
      log.warn({ err: error }, 'a last error was not written'),
    )
    const next = waiting.get(directory)
    waiting.set(directory, undefined)
    if (next) return write(directory, next.scope, next.detail)
    waiting.delete(directory)
  }

  return (request, status, body) => {
    if (unnoted.has(status) || !request.directory) return
    const { id } = request.directory
    const detail = `${request.method} ${request.url.split('?', 1)[0]}: ${status} ${detailOf(body)}`.trim()
    if (waiting.has(id)) waiting.set(id, { scope: request.scope, detail })
    else {
      waiting.set(id, undefined)
      void write(id, request.scope, detail)
    }
  }
}

function detailOf(body: unknown): string {
  if (typeof body !== 'string') return ''
  try {
    return String((JSON.parse(body) as { detail?: unknown } | null)?.detail ?? '')
  } catch {
    return ''
  }
}
