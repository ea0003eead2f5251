import { hash } from 'node:crypto'
import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import { type AccountId, type DirectoryId, isId, type TokenId } from '../database/ids.ts'
import { nameKey } from '../organization/name-key.ts'

/** One request of a directory, for the request log. */
export interface RequestLine {
  id: string
  directoryId: DirectoryId
  tokenId: TokenId
  /** When it came, in milliseconds since 1970, by its node's clock: lines of a node are in their order, however late they are written. */
  cameAt: number
  method: string
  /** Without its query. */
  path: string
  status: number
  durationMs: number
  /** So many requests in a row that were refused alike before they were read. */
  times: number
  userAgent: string | null
  /** What it asks for, in words; null where that could not be read, or where the path says it all. */
  asked: string | null
  /** How many resources a list or a search found. */
  foundCount: number | null
  /** Why it failed, as it was answered. */
  error: string | null
  /** What it is found by, beside what the log's entries of it are about: `subjectOf` ids and names. */
  subjects: readonly string[]
  /** Whether it may have changed more people than the subjects name: then these are looked up in the log. */
  isSweeping: boolean
}

/** An id as it is; a name as the hash of its key, so that no name is kept where none is needed. */
export const subjectOf = (name: string): string =>
  isId(name) ? name.toLowerCase() : hash('sha256', nameKey(name), 'hex').slice(0, 32)

/** Writes lines of the request log with one statement. Their texts hold no control characters. */
export async function insertRequests(trx: Trx, lines: readonly RequestLine[]): Promise<void> {
  const sweeping = lines.filter((line) => line.isSweeping).map((line) => line.id)
  const changed = sweeping.length === 0 ? undefined : await peopleChangedBy(trx, sweeping)
  const values = (name: 'id' | 'directoryId' | 'tokenId' | 'cameAt' | 'status' | 'durationMs' | 'times' | 'foundCount') =>
    arrayOf(lines.map((line) => line[name] ?? 'null'))
  const texts = (name: 'method' | 'path' | 'userAgent' | 'asked' | 'error') =>
    sql`string_to_array(${lines.map((line) => line[name] ?? '').join(separator)}, ${separator}, '')`
  const subjects = lines.map((line) => arrayOf([...new Set([...line.subjects, ...(changed?.get(line.id) ?? [])])]))
  await sql`
    insert into scim_requests (org_id, directory_id, at, id, token_id, method, path, status, duration_ms, times, user_agent, asked,
      found_count, error, subjects)
    select ${trx.orgId}::uuid, directory_id, to_timestamp(came_at / 1000), id, token_id, method, path, status, duration_ms, times,
      user_agent, asked, found_count, error, subjects::uuid[]
    from unnest(${values('directoryId')}::uuid[], ${values('id')}::uuid[], ${values('tokenId')}::uuid[], ${values('cameAt')}::float8[],
      ${texts('method')}, ${texts('path')}, ${values('status')}::smallint[], ${values('durationMs')}::integer[],
      ${values('times')}::integer[], ${texts('userAgent')}, ${texts('asked')}, ${values('foundCount')}::integer[], ${texts('error')},
      string_to_array(${subjects.join(separator)}, ${separator})
    ) as line(directory_id, id, token_id, came_at, method, path, status, duration_ms, times, user_agent, asked, found_count, error, subjects)`.execute(
    trx,
  )
}

// Arrays as PostgreSQL reads them, without quotes. Made here: with pg's own way a line cost this process half as much again.
const arrayOf = (values: readonly (string | number)[]): string => `{${values.join(',')}}`
const separator = '\u001f'

async function peopleChangedBy(trx: Trx, requestIds: readonly string[]): Promise<Map<string, AccountId[]>> {
  const { rows } = await sql<{ id: string; people: AccountId[] }>`
    select e.request_id as id, array_agg(distinct person) as people
    from unnest(${requestIds}::text[]) as given(request_id)
    join log_entries e on e.org_id = ${trx.orgId} and e.request_id = given.request_id
    cross join lateral unnest(e.added || e.removed || e.pushed_added || e.pushed_removed || (e.facts ->> 'accountId')::uuid) as person
    where person is not null
    group by e.request_id`.execute(trx)
  return new Map(rows.map(({ id, people }) => [id, people]))
}

const forgottenAtOnce = 5_000

/** Forgets lines that are older than 30 days, some at once. @returns whether there may be more */
export async function forgetRequests(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`
    with old as materialized (
      select r.directory_id, r.at, r.id from directories d
      cross join lateral (
        select directory_id, at, id from scim_requests
        where org_id = d.org_id and directory_id = d.id and at < now() - interval '30 days'
        order by at limit ${forgottenAtOnce}
      ) as r
      where d.org_id = ${trx.orgId}
    ),
    forgotten as (
      delete from scim_requests r using old
      where r.org_id = ${trx.orgId} and r.directory_id = old.directory_id and r.at = old.at and r.id = old.id
      returning r.id
    )
    select count(*)::integer as count from forgotten`.execute(trx)
  return (rows[0]?.count ?? 0) >= forgottenAtOnce
}
