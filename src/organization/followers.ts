import { type RawBuilder, sql } from 'kysely'
import type { Db, Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, newId, type OrgId, type RunId } from '../database/ids.ts'
import { lookingUp } from '../database/transaction.ts'

// The only writer of how far followers that are kept have read. Who follows the log reads it in the order of its ids, as far as no entry can come to have a lower one (docs/decisions/0048).

/** An entry of the log, thin: what was done to which, not what became other. */
export interface LogEvent {
  /** The entry's, a number as text: they rise. */
  id: string
  /** The entry's action: `group.state_changed`. */
  type: string
  at: Date
  directory: DirectoryId | null
  subject: string | null
  run: RunId | null
  request: string | null
}

/** How far the log of every organization is final. */
export interface FinalIds {
  /** Looks once. @returns whether there is something that is not final yet: look again soon */
  look(): Promise<boolean>
  /** No entry is to come that has this id or a lower one; undefined: not known yet. */
  readonly upTo: string | undefined
  /** How many looks there were, and the number of the one that `upTo` is as of. */
  readonly looks: number
  readonly asOf: number
}

/**
 * Follows how far the log is final. Ids are taken in another order than transactions commit; but whoever takes one has a transaction id
 * before (migration 0011). So what was taken before a snapshot was is final once no transaction that the snapshot could see is left.
 * A look is one read of a sequence.
 */
export function finalIds(db: Db): FinalIds {
  let taken: bigint | undefined
  let awaited: { id: bigint; before: bigint; look: number } | undefined
  let upTo: bigint | undefined
  let looks = 0
  let asOf = 0
  return {
    get upTo() {
      return upTo?.toString()
    },
    get looks() {
      return looks
    },
    get asOf() {
      return asOf
    },
    async look() {
      const now = await whereItIs(db)
      // The snapshot of this look is later than what was taken at the one before.
      if (awaited === undefined && taken !== undefined && taken !== upTo) awaited = { id: taken, before: now.newest, look: looks }
      if (awaited !== undefined && now.oldest >= awaited.before) {
        upTo = awaited.id
        asOf = awaited.look
        awaited = undefined
      }
      taken = now.taken
      looks++
      if (taken === upTo) asOf = looks
      return taken !== upTo
    },
  }
}

async function whereItIs(db: Db): Promise<{ taken: bigint; oldest: bigint; newest: bigint }> {
  const { rows } = await lookingUp(db, nobody(), (reader) =>
    sql<{ taken: string; oldest: string; newest: string }>`
      select (case when is_called then last_value else 0 end)::text as taken, pg_snapshot_xmin(pg_current_snapshot())::text as oldest,
        pg_snapshot_xmax(pg_current_snapshot())::text as newest
      from log_entry_ids`.execute(reader),
  )
  const [{ taken, oldest, newest }] = rows as [(typeof rows)[number]]
  return { taken: BigInt(taken), oldest: BigInt(oldest), newest: BigInt(newest) }
}

// What is asked is of no organization.
const nobody = () => ({ orgId: newId<OrgId>(), actor: 'system' })

/** Entries behind `after` up to `upTo`, the oldest first. */
export async function eventsBetween(reader: Reader, after: string, upTo: string, limit: number): Promise<LogEvent[]> {
  const { rows } = await sql<LogEvent>`select ${eventColumns} from (${entriesBetween(reader, after, upTo, limit)}) l`.execute(
    reader,
  )
  return rows
}

/** Whether more than so many entries lie between. */
export async function areMoreThan(reader: Reader, count: number, after: string, upTo: string): Promise<boolean> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from (${entriesBetween(reader, after, upTo, count + 1)}) l`.execute(reader)
  return (rows[0]?.n ?? 0) > count
}

const eventColumns = sql`l.id::text, l.action as type, l.at, l.directory_id as directory, l.subject, l.run_id as run, l.request_id as request`

const entriesBetween = (reader: Reader, after: string, upTo: string, limit: number): RawBuilder<unknown> => sql`
  select * from log_entries where org_id = ${reader.orgId} and id > ${after}::bigint and id <= ${upTo}::bigint order by id limit ${limit}`

/** Has a follower read from now on, unless it does already. */
export async function beginFollowing(trx: Trx, name: string): Promise<void> {
  await sql`
    insert into log_followers (org_id, name, position)
    select ${trx.orgId}::uuid, ${name}, case when is_called then last_value else 0 end from log_entry_ids
    on conflict do nothing`.execute(trx)
}

/**
 * Up to which entry a follower has read, held until the transaction ends: what it makes of the entries is in the transaction that moves
 * it on, so that it makes it once. Undefined where it does not follow, or another is at it.
 */
export async function holdFollower(trx: Trx, name: string): Promise<string | undefined> {
  const { rows } = await sql<{ position: string }>`
    select position::text from log_followers where org_id = ${trx.orgId} and name = ${name} for update skip locked`.execute(trx)
  return rows[0]?.position
}

/** A follower has read up to there. */
export async function moveFollower(trx: Trx, name: string, position: string): Promise<void> {
  await sql`
    update log_followers set position = ${position}::bigint where org_id = ${trx.orgId} and name = ${name}`.execute(trx)
}

/** The id up to which at most so many entries lie behind `after`. */
export async function endOfPage(reader: Reader, after: string, upTo: string, limit: number): Promise<string> {
  const { rows } = await sql<{ end: string | null; n: number }>`
    select max(id)::text as end, count(*)::int as n from (${entriesBetween(reader, after, upTo, limit)}) l`.execute(reader)
  return rows[0]?.n === limit ? (rows[0]?.end ?? upTo) : upTo
}
