import { hash } from 'node:crypto'
import { sql } from 'kysely'
import type { Trx } from '../database/connection.ts'
import { type DirectoryId, isId, type TokenId } from '../database/ids.ts'
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
  /** What it is found by, of what it names: `subjectOf` ids and names. */
  subjects: readonly string[]
  /** Whether it may have changed something: by that it is found, too, and it is looked up in the log. */
  mayHaveChanged: boolean
}

/** An id as it is; a name as the hash of its key, so that no name is kept where none is needed. */
export const subjectOf = (name: string): string =>
  isId(name) ? name.toLowerCase() : hash('sha256', nameKey(name), 'hex').slice(0, 32)

/** Writes lines of the request log, and whom or what they are found by. Their texts hold no control characters. */
export async function insertRequests(trx: Trx, lines: readonly RequestLine[]): Promise<void> {
  const changed = await changedBy(
    trx,
    lines.filter((line) => line.mayHaveChanged).map((line) => line.id),
  )
  const values = (name: 'id' | 'directoryId' | 'tokenId' | 'cameAt' | 'status' | 'durationMs' | 'times' | 'foundCount') =>
    arrayOf(lines.map((line) => line[name] ?? 'null'))
  const texts = (name: 'method' | 'path' | 'userAgent' | 'asked' | 'error') =>
    sql`string_to_array(${lines.map((line) => line[name] ?? '').join(separator)}, ${separator}, '')`
  const subjects = lines.map((line) => arrayOf([...new Set([...line.subjects, ...(changed.get(line.id) ?? [])])]))
  await sql`
    with line as (
      select ${trx.orgId}::uuid as org_id, directory_id, to_timestamp(came_at / 1000) as at, id, token_id, method, path, status, duration_ms, times,
        user_agent, asked, found_count, error, subjects::uuid[]
    from unnest(${values('directoryId')}::uuid[], ${values('id')}::uuid[], ${values('tokenId')}::uuid[], ${values('cameAt')}::float8[],
      ${texts('method')}, ${texts('path')}, ${values('status')}::smallint[], ${values('durationMs')}::integer[],
      ${values('times')}::integer[], ${texts('userAgent')}, ${texts('asked')}, ${values('foundCount')}::integer[], ${texts('error')},
      string_to_array(${subjects.join(separator)}, ${separator})
    ) as given(directory_id, id, token_id, came_at, method, path, status, duration_ms, times, user_agent, asked, found_count, error, subjects)
    ),
    stored as (
      insert into scim_requests (org_id, directory_id, at, id, token_id, method, path, status, duration_ms, times, user_agent, asked,
        found_count, error, subjects)
      select * from line
    )
    insert into scim_request_subjects (org_id, directory_id, subject, minute)
    select distinct org_id, directory_id, subject, date_trunc('minute', at, 'UTC') as minute from line cross join unnest(subjects) as subject
    -- in one order: batches of several nodes must not wait for each other
    order by 1, 2, 3, 4
    on conflict do nothing`.execute(trx)
}

// Arrays as PostgreSQL reads them, without quotes. Made here: with pg's own way a line cost this process half as much again.
const arrayOf = (values: readonly (string | number)[]): string => `{${values.join(',')}}`
const separator = '\u001f'

async function changedBy(trx: Trx, requestIds: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ id: string; subjects: string[] }>`
    select e.request_id as id, array_agg(one) as subjects
    from unnest(${requestIds}::text[]) as given(request_id)
    -- a look-up each: as a join it read the whole log of the organization for a batch
    cross join lateral (select * from log_entries where org_id = ${trx.orgId} and request_id = given.request_id offset 0) as e
    cross join lateral unnest(
      array[e.subject, (e.facts ->> 'accountId')::uuid] || e.added || e.removed || e.pushed_added || e.pushed_removed) as one
    where one is not null
    group by e.request_id`.execute(trx)
  return new Map(rows.map(({ id, subjects }) => [id, subjects]))
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
      returning r.directory_id, r.at, r.subjects
    ),
    lost as (
      delete from scim_request_subjects s using forgotten f cross join unnest(f.subjects) as one(subject)
      where s.org_id = ${trx.orgId} and s.directory_id = f.directory_id and s.subject = one.subject
        and s.minute = date_trunc('minute', f.at, 'UTC')
    )
    select count(*)::integer as count from forgotten`.execute(trx)
  return (rows[0]?.count ?? 0) >= forgottenAtOnce
}
