import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotStart } from '../database/cannot-start.ts'
import { type AuditKey, newAuditKey, readAuditKey } from '../organization/audit-key.ts'
import type { ServerConfig } from './config.ts'

/**
 * What heads of the log are signed with: the key that the environment gives; else one beside the embedded database, made at the first start.
 * With a database of the operator's and no key given there is none: whoever can write the database could not be kept from its key.
 * @throws CannotStart
 */
export function findAuditKey({ auditKey, database }: ServerConfig, say: (line: string) => void): AuditKey | undefined {
  if (auditKey !== undefined) return readAuditKey(auditKey)
  if ('url' in database) {
    say('Heads of the log are not signed: MUSTER_AUDIT_KEY_FILE names no key.')
    return undefined
  }
  const path = join(database.folder, 'audit-key.pem')
  try {
    return readAuditKey(textOrNew(path, newAuditKey))
  } catch (error) {
    throw new CannotStart(
      `The key of the log, ${path}, cannot be used (${(error as Error).message}): put it back from a backup; without it earlier heads are checked with the key they have.`,
    )
  }
}

/** What a file holds that nobody else may read; one that is not there is made. */
export function textOrNew(path: string, made: () => string): string {
  try {
    // One of two that start at the same moment makes it.
    writeFileSync(path, made(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(path, 'utf8')
}
