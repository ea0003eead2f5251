import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { Refusal } from './refusal.ts'

/**
 * A moment of the past, as a cut through the log: what is later is undone to see what was so then.
 *
 * A time cuts by `at`, which is when an entry's transaction began: entries of one transaction are earlier or later together, and count as
 * done when it began. An entry cuts by its id, and its own transaction as a whole is not later: «right after that».
 * On one subject the order of ids is the order in which things were done, as who changes it holds its lock. So what was so at a moment is
 * what the first later entry, by id, says was so before it; and what is so now, where there is none.
 */
export interface Moment {
  /** RFC 3339, in microseconds. */
  at: string
  /** The id of the entry right after which it is, and its transaction; null where the moment is a time. */
  entry: string | null
  xid: string | null
  /** No later entry has this id, or a lower one. */
  floor: string
}

/**
 * Reads a moment: a time of RFC 3339, a day (its beginning in UTC), or the id of a log entry.
 * @throws Refusal `invalid_value` for anything else, for a time to come, and for one before the organization began; `not_found` for an unknown entry
 */
export async function momentOf(reader: Reader, asked: string): Promise<Moment> {
  return /^\d{1,18}$/.test(asked) ? rightAfter(reader, asked) : atTime(reader, asked)
}

/** A condition on rows `l` of log_entries: done after that moment. */
export const later = ({ at, entry, xid, floor }: Moment): RawBuilder<boolean> =>
  entry === null
    ? sql`(l.id > ${floor}::bigint and l.at > ${at}::timestamptz)`
    : sql`(l.id > ${entry}::bigint and l.xid <> ${xid}::xid8)`

async function rightAfter(reader: Reader, id: string): Promise<Moment> {
  const { rows } = await sql<Moment>`
    select ${utc(sql`at`)} as at, id::text as entry, xid::text, id::text as floor from log_entries
    where org_id = ${reader.orgId} and id = ${id}::bigint`.execute(reader)
  if (rows[0] === undefined)
    throw new Refusal('not_found', 'The log has no such entry. A history shows the ids of its entries.', { entry: id })
  return rows[0]
}

async function atTime(reader: Reader, text: string): Promise<Moment> {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text.toUpperCase()
  if (!isTime(time))
    throw new Refusal(
      'invalid_value',
      `"${text}" is no moment. Write it as 2026-11-24T09:12:00Z, or give the id of a log entry.`,
      { at: text },
    )
  const { rows } = await sql<{ at: string; began: string; isEarly: boolean; isToCome: boolean; floor: string }>`
    select ${utc(sql`${time}::timestamptz`)} as at, ${utc(sql`created_at`)} as began, ${time}::timestamptz < created_at as "isEarly",
      ${time}::timestamptz > clock_timestamp() as "isToCome", (${floorOf(reader, sql`${time}::timestamptz`)})::text as floor
    from organizations where id = ${reader.orgId}`.execute(reader)
  const [{ at, began, isEarly, isToCome, floor }] = rows as [(typeof rows)[number]]
  if (isEarly)
    throw new Refusal('invalid_value', `The organization began at ${began}. Ask for a moment since then.`, { at, began })
  if (isToCome) throw new Refusal('invalid_value', `${at} has not come yet. Ask for a moment of the past.`, { at })
  return { at, entry: null, xid: null, floor }
}

/**
 * An id that no entry after `time` has: of an entry an hour before, found by halving, as ids rise with time but for transactions that
 * overlap. None lasts an hour (rule 24), so whatever began after `time` has a higher id. No index by time is needed, which every push
 * would have to write.
 */
const floorOf = (reader: Reader, time: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  with recursive halved(low, high) as (
    select 0::bigint, coalesce((select max(id) from log_entries where org_id = ${reader.orgId}), 0)
    union all
    select case when probe.is_early then probe.id else low end, case when probe.is_early then greatest(high, probe.id) else middle - 1 end
    from (select low, high, (low + high + 1) / 2 as middle from halved where low < high) as half
    cross join lateral (
      select id, at < ${time} - interval '1 hour' as is_early from log_entries
      where org_id = ${reader.orgId} and id >= middle order by id limit 1
    ) as probe
  )
  select max(low) from halved`

const utc = (time: RawBuilder<unknown>) => sql`to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const rfc3339 = /^([1-9]\d{3}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/
function isTime(text: string): boolean {
  const day = rfc3339.exec(text)?.[1]
  // A day that no month has is read as one of the next month.
  return day !== undefined && !Number.isNaN(Date.parse(text)) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}
