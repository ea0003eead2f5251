import { DatabaseError } from 'pg'

/** The SQLSTATE of an error that PostgreSQL sent (Appendix A of its manual), else undefined: `EPIPE` is five capitals too. */
export function sqlState(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown }
  // The job queue has a driver of its own, whose class is another one.
  if (!(error instanceof DatabaseError) && typeof severity !== 'string') return undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/**
 * Whether an error says that the database cannot be reached or used just now, whatever was asked of it: the connection is lost or
 * refused, none was free in time, the server stops or has no room (SQLSTATE classes 08 and 53, 57P).
 */
export function isAway(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return /^(08|53|57P)/.test(state)
  if (!(error instanceof Error)) return false
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  // A host of several addresses fails as an AggregateError, without a system call's name.
  if (typeof code === 'string' && systemErrors.has(code))
    return error instanceof AggregateError || (typeof syscall === 'string' && socketCalls.has(syscall))
  return withoutCode.test(error.message)
}

// ENOENT is the socket that is not there, and of other calls a file: that is nobody's connection.
const systemErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND'])
const socketCalls = new Set(['connect', 'read', 'write', 'getaddrinfo'])
// What pg throws without a code (pg/lib/client.js, pg-pool).
const withoutCode =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool)/
