import { Client } from 'pg'
import { CannotStart } from './cannot-start.ts'
import { type ConnectionOptions, connect, type Db } from './connection.ts'
import { type Embedded, type EmbeddedOptions, ownEmbedded, visitEmbedded } from './embedded.ts'

/** Where the data is: a PostgreSQL of the operator's, or a data folder with a PostgreSQL of our own. */
export type DatabasePlace = { url: string } | { folder: string; settings?: Record<string, string> }

/** An open database: the pool, and what else needs connections of its own (migrations, jobs). */
export interface OpenDatabase {
  readonly db: Db
  readonly connection: ConnectionOptions
  /** In words, without a password. */
  readonly where: string
  /** What an operator should know, a plain line each. */
  readonly warnings: string[]
  readonly embedded: Embedded | undefined
  /** Closes the pool and stops an embedded server. */
  close(): Promise<void>
}

export interface OpenOptions {
  onEvent?: (line: string) => void
  /** A command beside the running server: a data folder in use is visited, not refused. */
  asVisitor?: boolean
  maxConnections?: number
}

/** Opens the database. From here on nothing knows which of the two places it is.
 * @throws CannotStart */
export async function openDatabase(place: DatabasePlace, options: OpenOptions = {}): Promise<OpenDatabase> {
  const { onEvent = () => {}, maxConnections = 10 } = options
  const embedded = 'folder' in place ? await openFolder({ ...place, onEvent }, options.asVisitor ?? false) : undefined
  const connection: ConnectionOptions = embedded ? embedded.connection : { connectionString: 'url' in place ? place.url : '' }
  try {
    const warnings = await examine(connection)
    // The server's restart is told by whoever notices it in its work.
    const db = connect({ ...connection, maxConnections, onIdleError: () => {} })
    return {
      db,
      connection,
      warnings,
      embedded,
      where: 'folder' in place ? `embedded PostgreSQL in ${place.folder}` : placeOf(place.url),
      close: async () => {
        await db.close()
        await embedded?.stop()
      },
    }
  } catch (error) {
    await embedded?.stop()
    throw error
  }
}

const openFolder = (options: EmbeddedOptions, asVisitor: boolean) => (asVisitor ? visitEmbedded(options) : ownEmbedded(options))

async function examine(connection: ConnectionOptions): Promise<string[]> {
  const client = clientFor(connection)
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ version: number; shown: string; role: string; bypasses: boolean }>(
      `select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
              rolname as role, rolsuper or rolbypassrls as bypasses
       from pg_roles where rolname = current_user`,
    )
    const [found] = rows
    if (!found) throw new Error('PostgreSQL does not know its own current_user.')
    if (found.version < 160_000) {
      throw new CannotStart(
        `The database is PostgreSQL ${found.shown}; Muster needs 16 or later: upgrade it, or unset DATABASE_URL to use the built-in one.`,
      )
    }
    if (!found.bypasses) return []
    return [
      `The database role ${found.role} bypasses row-level security, so that one of two walls between organizations is missing: use a role without SUPERUSER and BYPASSRLS that owns the database.`,
    ]
  } catch (error) {
    throw error instanceof CannotStart ? error : cannotConnect(error as NodeJS.ErrnoException, connection)
  } finally {
    await client.end().catch(() => {})
  }
}

function clientFor({ maxConnections: _, onIdleError: __, ...where }: ConnectionOptions): Client {
  try {
    return new Client({ ...where, application_name: 'muster looks', connectionTimeoutMillis: 5_000 })
  } catch (error) {
    throw new CannotStart(
      `DATABASE_URL cannot be read (${(error as Error).message}): it is postgres://USER:PASSWORD@HOST:5432/DATABASE.`,
    )
  }
}

function cannotConnect(error: NodeJS.ErrnoException, { connectionString }: ConnectionOptions): Error {
  const place = connectionString === undefined ? 'the embedded PostgreSQL' : placeOf(connectionString)
  const { code = '', message } = error
  const why = reasons.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1]
  return new CannotStart(`Cannot connect to ${place}: ${why ?? `${message || code}. Check DATABASE_URL.`}`, { cause: error })
}

const reasons: [RegExp, string][] = [
  [/^28P01|must be a string|no password supplied/, 'the user name or the password is wrong. Correct DATABASE_URL.'],
  [/^28000/, 'the server lets this user not in from here. Look at its pg_hba.conf, or correct DATABASE_URL.'],
  [/^3D000/, 'there is no database of that name. Make it with createdb, or correct DATABASE_URL.'],
  [/^ECONNREFUSED|^ENOENT/, 'nothing listens there. Start PostgreSQL, or correct DATABASE_URL.'],
  [/^ENOTFOUND|^EAI_AGAIN/, 'the host name is not known. Correct DATABASE_URL.'],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)|timeout/,
    'it does not answer within 5 s. Look at the network and the firewall, or correct DATABASE_URL.',
  ],
  [/^53300/, 'it has no connection left. Raise its max_connections.'],
  [/^57P03/, 'it is starting up or shutting down. Try again in a moment.'],
  [/does not support SSL/, 'it does not speak TLS. Take sslmode out of DATABASE_URL if the network is your own.'],
]

function placeOf(url: string): string {
  const { user, host, port, database } = new Client({ connectionString: url })
  return `PostgreSQL at ${host}:${port}, database ${database}, user ${user}`
}
