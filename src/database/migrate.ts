import { Kysely, PostgresDialect, sql } from 'kysely'
import { type Migration as KyselyMigration, Migrator } from 'kysely/migration'
import { Pool } from 'pg'
import { CannotStart } from './cannot-start.ts'
import type { ConnectionOptions } from './connection.ts'
import { sqlState } from './errors.ts'
import * as organization from './migrations/0001-organization.ts'
import * as membershipFunctions from './migrations/0002-membership-functions.ts'
import * as pushesTogether from './migrations/0003-pushes-together.ts'
import * as nothingUnused from './migrations/0005-nothing-unused.ts'
import * as lists from './migrations/0006-lists.ts'
import * as linking from './migrations/0007-linking.ts'
import * as requestLog from './migrations/0008-request-log.ts'
import * as strictDirectories from './migrations/0009-strict-directories.ts'
import * as choices from './migrations/0010-choices.ts'
import * as logSeals from './migrations/0011-log-seals.ts'
import * as softDeletion from './migrations/0012-soft-deletion.ts'
import * as links from './migrations/0013-links.ts'
import * as suggestions from './migrations/0013-suggestions.ts'
import * as thePast from './migrations/0014-the-past.ts'
import * as usersAndPushes from './migrations/0016-users-and-pushes.ts'
import * as keysFirst from './migrations/0017-keys-first.ts'
import * as organizationsAlike from './migrations/0018-organizations-alike.ts'
import * as history from './migrations/0019-history.ts'
import * as keptMembers from './migrations/0019-kept-members.ts'
import * as whatWaits from './migrations/0021-what-waits.ts'
import * as overwritePolicy from './migrations/0023-overwrite-policy.ts'
import * as retries from './migrations/0024-retries.ts'
import * as approvals from './migrations/0025-approvals.ts'
import * as ofWhatThereIs from './migrations/0026-indexes-of-what-there-is.ts'
import * as undo from './migrations/0027-undo.ts'
import * as guard from './migrations/0030-guard.ts'
import * as heldActs from './migrations/0031-held-acts.ts'
import * as directoryLife from './migrations/0033-directory-life.ts'
import * as whoMayBeTheSame from './migrations/0034-who-may-be-the-same.ts'
import * as reconciliations from './migrations/0036-reconciliations.ts'
import * as notifications from './migrations/0037-notifications.ts'
import * as peopleWhoSignIn from './migrations/0039-people-who-sign-in.ts'
import * as signInProviders from './migrations/0040-sign-in-providers.ts'
import * as passkeysAndDevices from './migrations/0041-passkeys-and-devices.ts'
import * as pushOut from './migrations/0042-push.ts'
import * as linksInRuns from './migrations/0046-links-in-runs.ts'
import * as decided from './migrations/0047-decided.ts'
import * as wholeRequests from './migrations/0048-whole-requests.ts'
import * as askedAtOnce from './migrations/0049-guard-asked-at-once.ts'
import * as unitsOfRuns from './migrations/0050-units-of-runs.ts'

interface Migration {
  /** Nodes of the last release cannot work with the database once this has run. */
  breaking: boolean
  up(db: Kysely<unknown>): Promise<void>
}

const migrations: Record<string, Migration> = {
  '0001-organization': organization,
  '0002-membership-functions': membershipFunctions,
  '0003-pushes-together': pushesTogether,
  '0005-nothing-unused': nothingUnused,
  '0006-lists': lists,
  '0007-linking': linking,
  '0008-request-log': requestLog,
  '0009-strict-directories': strictDirectories,
  '0010-choices': choices,
  '0011-log-seals': logSeals,
  '0012-soft-deletion': softDeletion,
  '0013-links': links,
  '0013-suggestions': suggestions,
  '0014-the-past': thePast,
  '0016-users-and-pushes': usersAndPushes,
  '0017-keys-first': keysFirst,
  '0018-organizations-alike': organizationsAlike,
  '0019-history': history,
  '0019-kept-members': keptMembers,
  '0021-what-waits': whatWaits,
  '0023-overwrite-policy': overwritePolicy,
  '0024-retries': retries,
  '0025-approvals': approvals,
  '0026-indexes-of-what-there-is': ofWhatThereIs,
  '0027-undo': undo,
  '0030-guard': guard,
  '0031-held-acts': heldActs,
  '0033-directory-life': directoryLife,
  '0034-who-may-be-the-same': whoMayBeTheSame,
  '0036-reconciliations': reconciliations,
  '0037-notifications': notifications,
  '0039-people-who-sign-in': peopleWhoSignIn,
  '0042-push': pushOut,
  '0046-links-in-runs': linksInRuns,
  '0047-decided': decided,
  '0048-whole-requests': wholeRequests,
  '0049-guard-asked-at-once': askedAtOnce,
  '0050-units-of-runs': unitsOfRuns,
  '0040-sign-in-providers': signInProviders,
  '0041-passkeys-and-devices': passkeysAndDevices,
}

interface Book {
  'migrations.applied': { name: string }
  'migrations.breaking': { name: string }
}

/**
 * Brings the database to the newest migration, alone (nodes that start together wait for one another), in one transaction.
 * @returns the names of the migrations that ran
 * @throws CannotStart where a newer release has migrated it in a way that this one cannot work with
 */
export async function migrate(connection: ConnectionOptions): Promise<string[]> {
  const { maxConnections: _, onIdleError: __, ...where } = connection
  const pool = new Pool({ ...where, max: 1, application_name: 'muster migrates', connectionTimeoutMillis: 5_000 })
  pool.on('error', () => {})
  const db = new Kysely<Book>({ dialect: new PostgresDialect({ pool }) })
  try {
    if (await isNewer(db)) return []
    await makeBook(db)
    const { error, results = [] } = await migratorOf(db).migrateToLatest()
    if (error) throw error
    return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName)
  } catch (error) {
    throw sqlState(error) === '42501' ? mayNotMigrate(error as Error) : error
  } finally {
    await db.destroy()
  }
}

// Kysely takes an advisory lock for the transaction in which it runs the migrations.
const migratorOf = (db: Kysely<Book>) =>
  new Migrator({
    db,
    provider: { getMigrations: async () => Object.fromEntries(Object.entries(migrations).map(recorded)) },
    migrationTableSchema: 'migrations',
    migrationTableName: 'applied',
    migrationLockTableName: 'lock',
  })

function recorded([name, { breaking, up }]: [string, Migration]): [string, KyselyMigration] {
  return [
    name,
    {
      up: async (db: Kysely<Book>) => {
        await up(db as unknown as Kysely<unknown>)
        if (breaking) await db.insertInto('migrations.breaking').values({ name }).execute()
      },
    },
  ]
}

async function makeBook(db: Kysely<Book>): Promise<void> {
  // Two nodes that make the schema at one moment collide (23505 in the catalog) in spite of `if not exists`.
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('muster migrations'))`.execute(trx)
    await sql`create schema if not exists migrations`.execute(trx)
    await sql`create table if not exists migrations.breaking (name text primary key)`.execute(trx)
  })
}

/** Whether a newer release has migrated the database, without breaking this one. */
async function isNewer(db: Kysely<Book>): Promise<boolean> {
  const { rows } = await sql<{ exists: boolean }>`select to_regclass('migrations.applied') is not null as exists`.execute(db)
  if (!rows[0]?.exists) return false
  const known = Object.keys(migrations)
  const newer = await db
    .selectFrom('migrations.applied')
    .leftJoin('migrations.breaking', 'migrations.breaking.name', 'migrations.applied.name')
    .select(['migrations.applied.name', 'migrations.breaking.name as breaking'])
    .where(sql<boolean>`migrations.applied.name <> all(${known}::text[])`)
    .orderBy('migrations.applied.name')
    .execute()
  const breaking = newer.find((migration) => migration.breaking !== null)
  if (breaking) {
    throw new CannotStart(
      `The database has been migrated by a newer Muster (${breaking.name}), and this one knows migrations up to ${known.at(-1)}: start the newer Muster.`,
    )
  }
  return newer.length > 0
}

const mayNotMigrate = (error: Error) =>
  new CannotStart(
    `The database's role may not make tables there (${error.message}): make it the owner (alter database … owner to …), or run muster migrate with a role that is.`,
  )
