import { join } from 'node:path'
import { CannotStart } from '../database/cannot-start.ts'
import { newSecretKey, readSecretKeys, type SecretKeys } from '../database/secrets.ts'
import { textOrNew } from './audit-key.ts'
import type { ServerConfig } from './config.ts'

/**
 * What secrets at rest are sealed with (rule 27): the keys that the environment gives; else one beside the embedded database, made at the
 * first start. With a database of the operator's there must be one: a key in the database would keep nothing from who reads the database.
 * @throws CannotStart
 */
export function findSecretKeys({ secret, database }: Pick<ServerConfig, 'secret' | 'database'>): SecretKeys {
  if (secret !== undefined) return readSecretKeys(secret)
  if ('url' in database)
    throw new CannotStart(
      'There is no key for secrets at rest: openssl rand -hex 32 > secret-key makes one; name it by MUSTER_SECRET_FILE, the same on every node.',
    )
  const path = join(database.folder, 'secret-key')
  try {
    return readSecretKeys(textOrNew(path, newSecretKey))
  } catch (error) {
    throw new CannotStart(
      `The key of secrets at rest, ${path}, cannot be used (${(error as Error).message}): put it back from a backup; without it those secrets are entered anew.`,
    )
  }
}
