import type { Trx } from '../database/connection.ts'
import { openDatabase } from '../database/open.ts'
import type { SecretKeys } from '../database/secrets.ts'
import { inTransaction } from '../database/transaction.ts'
import { resealWebhooks } from '../notify/webhooks.ts'
import { resealProviders } from '../organization/sign-in-providers.ts'
import { resealPushSources } from '../push/stored/sources.ts'
import { resealPushTargets } from '../push/stored/targets.ts'
import type { ServerConfig } from './config.ts'
import { findSecretKeys } from './secret-key.ts'
import { organizations } from './workers.ts'

/** Whoever keeps secrets at rest seals its own anew, those of an organization. */
const kept: ((trx: Trx, keys: SecretKeys) => Promise<number>)[] = [
  resealProviders,
  resealWebhooks,
  resealPushSources,
  resealPushTargets,
]

/** Seals every secret at rest under the newest key, beside the running server or without one. @returns how many @throws CannotStart */
export async function rotateSecrets(config: Pick<ServerConfig, 'database' | 'secret'>): Promise<number> {
  const keys = findSecretKeys(config)
  const database = await openDatabase(config.database, { asVisitor: true, maxConnections: 1 })
  try {
    let sealed = 0
    for (const scope of await organizations(database.db))
      for (const reseal of kept) sealed += await inTransaction(database.db, scope, (trx) => reseal(trx, keys))
    return sealed
  } finally {
    await database.close()
  }
}
