import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'

// The log is sealed in blocks (docs/reference-log.md, «Seals»): each names its entries by their hashes and the block before it by that
// one's hash. What an entry's and a block's bytes are is said here, once, in SQL.

/** RFC 8785 of an entry `l` as it is stored: all its values are texts, lists of texts or null, so that a line is the same however it is written. */
export const entryLine = sql<string>`concat(
  '{"action":', to_json(l.action), ',"actor":', to_json(l.actor), ',"added":', coalesce(to_json(l.added)::text, 'null'),
  ',"at":"', to_char(l.at at time zone 'UTC', ${sql.lit('YYYY-MM-DD"T"HH24:MI:SS.US"Z"')}), '","directoryId":', coalesce(to_json(l.directory_id)::text, 'null'),
  ',"facts":', to_json(l.facts::text), ',"id":"', l.id, '","pushedAdded":', coalesce(to_json(l.pushed_added)::text, 'null'),
  ',"pushedRemoved":', coalesce(to_json(l.pushed_removed)::text, 'null'), ',"removed":', coalesce(to_json(l.removed)::text, 'null'),
  ',"requestId":', coalesce(to_json(l.request_id)::text, 'null'), ',"runId":', coalesce(to_json(l.run_id)::text, 'null'),
  ',"subject":', coalesce(to_json(l.subject)::text, 'null'), ',"xid":"', l.xid, '"}')`

const entryHash = sql<Buffer>`sha256(convert_to(${entryLine}, 'UTF8'))`

/** RFC 8785 of a block `s`, without its entries' hashes. */
export const sealLine = sql<string>`concat(
  '{"count":', s.count, ',"first":"', s.first, '","last":"', s.last, '","number":', s.number, ',"organization":', to_json(s.org_id),
  ',"previous":"', encode(s.previous_hash, 'hex'), '","sealedAt":"',
  to_char(s.sealed_at at time zone 'UTC', ${sql.lit('YYYY-MM-DD"T"HH24:MI:SS.US"Z"')}), '"}')`

const sealHash = sql<Buffer>`sha256(convert_to(${sealLine}, 'UTF8') || s.entry_hashes)`

// A block is what an export and a check hold in memory at once.
const blockEntries = 10_000
const blockBytes = 4_000_000

/**
 * Seals one block more of the organization's log: what follows the last one, up to an id behind which no entry is to come.
 * @returns how many entries it has; 0 where nothing is left
 */
export async function sealNext(trx: Trx, settledId: string): Promise<number> {
  // The statement after it sees what whoever held the lock has sealed. Read in the order of the index: else all that waits would be sorted
  // for each block (1 M entries: 40 s).
  await sql`
    select pg_advisory_xact_lock(hashtextextended(${`seals ${trx.orgId}`}, 0)), set_config('enable_bitmapscan', 'off', true)`.execute(
    trx,
  )
  const size = (column: string) => sql`coalesce(pg_column_size(${sql.ref(column)}), 0)`
  const { rows } = await sql<{ count: number }>`
    with before as materialized (
      select number, last, total, hash from log_seals where org_id = ${trx.orgId} order by number desc limit 1
    ),
    waiting as materialized (
      select id, ${size('facts')} + ${size('added')} + ${size('removed')} + ${size('pushed_added')} + ${size('pushed_removed')} as bytes
      from log_entries
      where org_id = ${trx.orgId} and id > coalesce((select last from before), 0) and id <= ${settledId}::bigint
      order by id limit ${sql.lit(blockEntries)}
    ),
    chosen as materialized (
      select min(id) as first, max(id) as last
      from (select id, sum(bytes) over (order by id) - bytes as bytes_before from waiting) as summed
      where bytes_before < ${sql.lit(blockBytes)}
    ),
    hashed as materialized (
      select l.id, ${entryHash} as hash from log_entries l
      where l.org_id = ${trx.orgId} and l.id >= (select first from chosen) and l.id <= (select last from chosen)
    ),
    s as materialized (
      select ${trx.orgId}::uuid as org_id, coalesce((select number from before), 0) + 1 as number, min(id) as first, max(id) as last,
        count(*)::integer as count, coalesce((select total from before), 0) + count(*) as total, coalesce((select hash from before), decode(repeat('00', 32), 'hex')) as previous_hash,
        string_agg(hash, ''::bytea order by id) as entry_hashes, clock_timestamp() as sealed_at
      from hashed having count(*) > 0
    )
    insert into log_seals (org_id, number, first, last, count, total, previous_hash, hash, entry_hashes, sealed_at)
    select org_id, number, first, last, count, total, previous_hash, ${sealHash}, entry_hashes, sealed_at from s
    returning count`.execute(trx)
  return rows[0]?.count ?? 0
}

/** How far an organization's log is sealed: what a head says, and so everything before it. */
export interface Head {
  organization: string
  /** Of the last block, and its hash in hex; 0 and noughts where nothing is sealed. */
  number: number
  hash: string
  /** How many entries are sealed in all, and the id of the last of them. */
  entries: number
  last: string
  /** When the last block was sealed; null where there is none. */
  sealedAt: string | null
}

/** The head of the organization's log. */
export async function headOf(reader: Reader): Promise<Head> {
  const { rows } = await sql<Omit<Head, 'organization'>>`
    select s.number::float8 as number, encode(s.hash, 'hex') as hash, s.last::text as last, s.total::float8 as entries,
      to_char(s.sealed_at at time zone 'UTC', ${sql.lit('YYYY-MM-DD"T"HH24:MI:SS.US"Z"')}) as "sealedAt"
    from log_seals s where s.org_id = ${reader.orgId} order by s.number desc limit 1`.execute(reader)
  const none = { number: 0, hash: '0'.repeat(64), entries: 0, last: '0', sealedAt: null }
  return { organization: reader.orgId, ...(rows[0] ?? none) }
}

/** How many entries are not sealed yet. */
export async function countUnsealed(reader: Reader): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from log_entries
    where org_id = ${reader.orgId} and id > coalesce((select max(last) from log_seals where org_id = ${reader.orgId}), 0)`.execute(
    reader,
  )
  return rows[0]?.count ?? 0
}

/** A block as an export has it: its entries, a line each, then itself as one. */
export interface ExportedBlock {
  number: number
  lines: string
}

/** The block after that of a number; undefined where it is the last. */
export async function exportNext(reader: Reader, after: number): Promise<ExportedBlock | undefined> {
  const { rows } = await sql<ExportedBlock>`
    select s.number::float8 as number, concat(${entriesOf(reader, sql`string_agg(${entryLine} || E'\n', '' order by l.id)`)},
      '{"seal":', ${sealLine}, ',"hash":"', encode(s.hash, 'hex'), '","entries":"', translate(encode(s.entry_hashes, 'base64'), E'\n', ''), E'"}\n') as lines
    from log_seals s where s.org_id = ${reader.orgId} and s.number = ${after + 1}`.execute(reader)
  return rows[0]
}

// Of all entries of a block `s`: those that are there now after the block before it, up to its last.
const entriesOf = (reader: Reader, of: RawBuilder<unknown>) => sql`(
  select ${of} from log_entries l
  where l.org_id = ${reader.orgId} and l.id <= s.last
    and l.id > coalesce((select last from log_seals b where b.org_id = ${reader.orgId} and b.number = s.number - 1), 0))`

/** What was found of a block. */
export interface CheckedBlock {
  number: number
  count: number
  hash: string
  previous: string
  /** Whether its hash is that of what it says, and whether its entries have the hashes that it says. */
  isWhole: boolean
  hasItsEntries: boolean
}

/** Computes a block anew from what is stored; undefined where there is none of that number. */
export async function checkBlock(reader: Reader, number: number): Promise<CheckedBlock | undefined> {
  const { rows } = await sql<CheckedBlock>`
    select s.number::float8 as number, s.count, encode(s.hash, 'hex') as hash, encode(s.previous_hash, 'hex') as previous,
      ${sealHash} = s.hash as "isWhole",
      coalesce(${entriesOf(reader, sql`string_agg(${entryHash}, ''::bytea order by l.id)`)}, ''::bytea) = s.entry_hashes as "hasItsEntries"
    from log_seals s where s.org_id = ${reader.orgId} and s.number = ${number}`.execute(reader)
  return rows[0]
}

/** The first place of a block, from 1, whose entry is not the sealed one, and the id of the entry that stands there; null where none does. */
export async function firstWrongEntry(reader: Reader, number: number): Promise<{ place: number; id: string | null } | undefined> {
  const { rows } = await sql<{ place: number; id: string | null }>`
    select place::integer, found.id::text
    from log_seals s
    cross join lateral ${entriesOf(reader, sql`array_agg(l.id order by l.id) as ids, array_agg(${entryHash} order by l.id) as hashes`)} as all_found
    cross join lateral rows from (unnest(all_found.ids), unnest(all_found.hashes)) with ordinality as found(id, hash, place)
    where s.org_id = ${reader.orgId} and s.number = ${number}
      and found.hash is distinct from nullif(substr(s.entry_hashes, (place::integer - 1) * 32 + 1, 32), ''::bytea)
    order by place limit 1`.execute(reader)
  if (rows[0] !== undefined) return rows[0]
  const { rows: short } = await sql<{ place: number; id: string | null }>`
    select ${entriesOf(reader, sql`count(*)::integer + 1`)} as place, null as id
    from log_seals s where s.org_id = ${reader.orgId} and s.number = ${number}`.execute(reader)
  return short[0]
}
