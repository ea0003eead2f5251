import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import { Pool, type PoolClient } from 'pg'
import type { AccountId, OrgId } from './ids.ts'
import type { Recipient } from './recipient.ts'
import type { Tables } from './tables.ts'

/** The database as the server holds it. Everything that reads or writes goes through `transaction.ts`. */
export interface Db {
  readonly pool: Pool
  close(): Promise<void>
}

/** Who acts, for whom: what every row written and every log entry carries. */
export interface Scope {
  orgId: OrgId
  /** `person:USER_NAME`, `token:NAME`, `directory:NAME`, `system`: what the log says who did it. */
  actor: string
  /** Who stands behind it: the person who is signed in, or whose token it is. */
  accountId?: AccountId | null
  requestId?: string | null
  /** Who waits for the answer: what `reading` reads for somebody is cancelled when that one goes away. */
  recipient?: Recipient
}

/** What only reads takes a Reader: queries of one organization, in a transaction that may be read-only. */
export interface Reader extends Kysely<Tables> {
  readonly scope: Scope
  readonly orgId: OrgId
}

declare const writes: unique symbol
/** What writes takes a Trx, as its first argument: a Reader whose transaction may write. */
export interface Trx extends Reader {
  readonly [writes]: true
}

export interface ConnectionOptions {
  connectionString?: string
  host?: string
  port?: number
  ssl?: false
  user?: string
  database?: string
  maxConnections?: number
  onIdleError?: (error: Error) => void
}

// Rule 24: a statement 30 s, a lock 5 s, a place in the pool 5 s, idle in a transaction 15 s.
const limits = '-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=15s'
// Statements are planned once a connection (planned for each call's own values a push of one member took 1.5 ms, so 0.4) and look up by
// index: the planner, which cannot know how little a push touches, would rather read all groups for one of them. What works over sets
// undoes that for its transaction (transaction.ts). No JIT: compiling takes longer than the query.
const byIndex =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off'

/** Opens a pool. Queries are sent without waiting for one another's answers (pipelined). */
export function connect(options: ConnectionOptions): Db {
  const { maxConnections = 10, onIdleError = () => {}, ...where } = options
  const pool = new Pool({
    ...where,
    max: maxConnections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    options: `${limits} ${byIndex}`,
    application_name: 'muster',
    pipeline: true,
  })
  // Without a listener on each, an idle client's error (the server restarts) ends the process.
  pool.on('error', onIdleError)
  pool.on('connect', (client) => client.on('error', onIdleError))
  return { pool, close: () => pool.end() }
}

/**
 * Queries over one client of the pool, whose transaction the caller begins and ends. After `end` every further query is
 * refused: one that was not awaited would run outside of the transaction, or in the client's next one.
 */
export function queriesOn(client: PoolClient, scope: Scope): { queries: Reader; end: () => void } {
  const connection = new ClientConnection(client)
  return { queries: new OrganizationQueries(connection, scope), end: () => connection.end() }
}

/** Has the next statements of `queries` go unnamed: where plans are not forced, each is then planned for the values it is called with. */
export function sendUnnamed(queries: Reader): void {
  ;((queries as OrganizationQueries).sentBy as ClientConnection).isNaming = false
}

/**
 * Queries that only read, each a transaction of its own, sent in one piece: no begin, no commit, one trip.
 * @param where the pool, or one client for several that are short: they are sent down it one behind the other
 */
export function lookUps(where: Pool | PoolClient, scope: Scope): Reader {
  return new OrganizationQueries(new LookUpConnection(where, scope.orgId), scope)
}

class OrganizationQueries extends Kysely<Tables> implements Reader {
  readonly scope: Scope
  readonly sentBy: DatabaseConnection
  constructor(connection: DatabaseConnection, scope: Scope) {
    super({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new ClientDriver(connection),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    })
    this.scope = scope
    this.sentBy = connection
  }
  get orgId(): OrgId {
    return this.scope.orgId
  }
}

class ClientDriver implements Driver {
  readonly #connection: DatabaseConnection
  constructor(connection: DatabaseConnection) {
    this.#connection = connection
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  async beginTransaction(): Promise<void> {
    throw new Error('Transactions are begun by inTransaction, once, at the entrance.')
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

class ClientConnection implements DatabaseConnection {
  readonly #client: PoolClient
  #hasEnded = false
  isNaming = true
  constructor(client: PoolClient) {
    this.#client = client
  }
  end(): void {
    this.#hasEnded = true
  }
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#hasEnded) throw new Error('The transaction is over: a statement of it was not awaited.')
    const values = query.parameters as unknown[]
    const name = values.length > 0 && this.isNaming ? statementName(query.sql) : undefined
    sendInOnePiece(this.#client)
    const result = await this.#client.query(values.length > 0 ? { name, text: query.sql, values } : { text: query.sql })
    return {
      rows: result.rows ?? [],
      ...(result.rowCount !== null && result.command !== 'SELECT' ? { numAffectedRows: BigInt(result.rowCount) } : {}),
    }
  }
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw noStreams()
  }
}

class LookUpConnection implements DatabaseConnection {
  readonly #where: Pool | PoolClient
  readonly #orgId: OrgId
  constructor(where: Pool | PoolClient, orgId: OrgId) {
    this.#where = where
    this.#orgId = orgId
  }
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const text = withinOrganization(sql, parameters.length + 1)
    const { rows } = await this.#where.query({ name: statementName(text), text, values: [...parameters, this.#orgId] })
    return { rows }
  }
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw noStreams()
  }
}

// The query depends on the row that sets the organization, so it is begun after it; it is the inner side of a loop of one turn, so it
// keeps its order. Were it otherwise, row-level security would show it nothing.
const withinOrganization = (text: string, parameter: number): string =>
  `select answer.* from (select set_config('muster.org_id', $${parameter}::uuid::text, true) as org_id offset 0) as scope
  cross join lateral (select asked.* from (${text}) as asked where scope.org_id is not null offset 0) as answer`

// A pipelined client cannot hold a portal open.
const noStreams = (): Error => new Error('Read long results in pages, by key.')

/** Has what is sent to the database in this turn of the event loop leave in one piece: one call of the system, one wake-up of the database. */
export function sendInOnePiece(client: PoolClient): void {
  const { stream } = (client as unknown as { connection: { stream: Writable } }).connection
  if (stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}

const names = new Map<string, string>()

// Named statements are planned once a connection: 1.3 to 1.8 times faster. Texts are few, because ids go in as one array parameter;
// past so many, as with filters of ever new shapes, they go unnamed, so that no client fills a connection's memory.
const namedAtMost = 500

function statementName(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= namedAtMost) return known
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 24)
  names.set(text, name)
  return name
}
