import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type DirectoryId, isId, type TokenId } from '../database/ids.ts'
import { nameKey } from '../organization/name-key.ts'
import { Refusal } from '../organization/refusal.ts'
import { type Deed, type LoggedRequest, outcomeOf, type RequestStep, stepsOf } from './request-steps.ts'
import { type RequestLine, subjectOf } from './requests.ts'

/** A request of a directory as the request log shows it. */
export interface ListedRequest
  extends Pick<RequestLine, 'id' | 'method' | 'path' | 'status' | 'durationMs' | 'times' | 'userAgent' | 'asked'> {
  at: Date
  token: { id: TokenId; hint: string } | null
  /** The pushed group or user in its path, or that it made; its name is null where it is gone. */
  resource: { kind: 'group' | 'user'; id: string; name: string | null } | null
  /** What it did, or why not. */
  outcome: string
}

export const statusClasses = ['2xx', '3xx', '4xx', '5xx', 'failed'] as const

/** Which requests are asked for: the newest first, `limit` of them. */
export interface RequestQuery {
  /** Id or name of a group, as the directory pushes it or the organization has it. */
  group?: string | undefined
  /** Id, user name, e-mail or external id of a person. */
  person?: string | undefined
  status?: (typeof statusClasses)[number] | undefined
  method?: string | undefined
  /** Part of the path, of what was asked, of the error or of the client's name. */
  search?: string | undefined
  since?: string | undefined
  until?: string | undefined
  /** Those before this one: the last of the page before. */
  before?: string | undefined
  limit: number
}

/**
 * Lists a directory's requests. Never counted: there may be millions.
 * @returns `next` is to be given as `before`, and null where there are no more
 */
export async function listRequests(
  reader: Reader,
  directory: DirectoryId,
  query: RequestQuery,
): Promise<{ items: ListedRequest[]; next: string | null }> {
  const { group, person } = query
  const named = [
    ...(group === undefined ? [] : [subjectsOfGroup(reader, group)]),
    ...(person === undefined ? [] : [subjectsOfPerson(reader, person)]),
  ]
  const rows = await rowsOf(reader, directory, conditions(reader, directory, query), { named, limit: query.limit + 1 })
  const page = rows.slice(0, query.limit)
  return {
    items: (await told(reader, page)).map(({ steps: _, ...item }) => item),
    next: rows.length > page.length ? (page.at(-1)?.id ?? null) : null,
  }
}

/** One request with its five steps. @throws Refusal `not_found` */
export async function findRequest(
  reader: Reader,
  directory: DirectoryId,
  id: string,
): Promise<ListedRequest & { steps: RequestStep[] }> {
  const [found] = isId(id)
    ? await told(reader, await rowsOf(reader, directory, sql`and ${isRequest(id)}`, { named: [], limit: 1 }))
    : []
  if (found === undefined)
    throw new Refusal('not_found', 'There is no such request in the log of this directory. It keeps them for 30 days.')
  return found
}

/** Why a directory's last failed request failed. Wrong tokens, what is not there and haste are no errors of a directory. */
export async function lastErrorOf(reader: Reader, directory: DirectoryId): Promise<{ detail: string; at: Date } | null> {
  const { rows } = await sql<{ at: Date; detail: string }>`
    select at, concat_ws(' ', method, path) || ': ' || concat_ws(' ', status, error) as detail from scim_requests
    where org_id = ${reader.orgId} and directory_id = ${directory} and status >= 400 and status not in (401, 404, 429)
    order by at desc, id desc limit 1`.execute(reader)
  return rows[0] ?? null
}

interface Row extends Omit<ListedRequest, 'outcome' | 'resource' | 'token'> {
  foundCount: number | null
  error: string | null
  tokenId: TokenId
  hint: string | null
  isRevoked: boolean
}

// The newest first; of whom or what is named, those of the minutes in which there are such lines, minute by minute, until there are enough.
async function rowsOf(
  reader: Reader,
  directory: DirectoryId,
  which: RawBuilder<unknown>,
  { named, limit }: { named: readonly RawBuilder<unknown>[]; limit: number },
): Promise<Row[]> {
  const [first] = named
  const about = named.map((subjects) => sql`and subjects && array(${subjects})`)
  const lines = sql`
    select * from scim_requests
    where org_id = ${reader.orgId} and directory_id = ${directory} ${sql.join(about, sql` `)}`
  const from =
    first === undefined
      ? sql`(${lines}) as r`
      : sql`(
          select distinct minute from scim_request_subjects
          where org_id = ${reader.orgId} and directory_id = ${directory} and subject = any(array(${first}))
        ) as of_them
        cross join lateral (${lines} and at >= minute and at < minute + interval '1 minute' offset 0) as r`
  const order = first === undefined ? sql`r.at desc, r.id desc` : sql`minute desc, r.at desc, r.id desc`
  const { rows } = await sql<Row>`
    select r.id, r.at, r.method, r.path, r.status, r.duration_ms as "durationMs", r.times, r.user_agent as "userAgent", r.asked,
      r.found_count as "foundCount", r.error, r.token_id as "tokenId", t.hint,
      coalesce(t.revoked_at < t.expires_at, false) as "isRevoked"
    from ${from} left join directory_tokens t on t.org_id = r.org_id and t.id = r.token_id
    where true ${which}
    order by ${order} limit ${limit}`.execute(reader)
  return rows
}

const statuses: Record<(typeof statusClasses)[number], RawBuilder<unknown>> = {
  '2xx': sql`r.status between 200 and 299`,
  '3xx': sql`r.status between 300 and 399`,
  '4xx': sql`r.status between 400 and 499`,
  '5xx': sql`r.status >= 500`,
  failed: sql`r.status >= 400`,
}

// An id, a UUIDv7, says when about the request came, by its node's clock. That is within an hour of the database's.
function isRequest(id: string): RawBuilder<unknown> {
  const came = sql`to_timestamp(${Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) / 1_000})`
  return sql`(r.id = ${id}::uuid and r.at between ${came} - interval '1 hour' and ${came} + interval '1 hour')`
}

function conditions(reader: Reader, directory: DirectoryId, query: RequestQuery): RawBuilder<unknown> {
  const { status, method, search, since, until, before } = query
  const all = [
    status === undefined ? undefined : statuses[status],
    method === undefined ? undefined : sql`r.method = ${method}`,
    search === undefined
      ? undefined
      : sql`strpos(lower(concat_ws(' ', r.path, r.asked, r.error, r.user_agent)), ${search.toLowerCase()}) > 0`,
    since === undefined ? undefined : sql`r.at >= ${since}::timestamptz`,
    until === undefined ? undefined : sql`r.at < ${until}::timestamptz`,
    before === undefined
      ? undefined
      : sql`(r.at, r.id) < (
          select r.at, r.id from scim_requests r where r.org_id = ${reader.orgId} and r.directory_id = ${directory} and ${isRequest(before)})`,
  ]
  return sql.join(
    all.filter((condition) => condition !== undefined).map((condition) => sql`and ${condition}`),
    sql` `,
  )
}

// What any directory pushes as the group, and every group of the organization that it was paired with; and the name by itself, for what
// was refused.
function subjectsOfGroup(reader: Reader, named: string): RawBuilder<unknown> {
  const [id, key] = [isId(named) ? named : null, nameKey(named)]
  return sql`
    with pushed as (
      select p.id, p.group_id, p.name_key from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
      where p.org_id = ${reader.orgId} and (p.id = ${id}::uuid or g.id = ${id}::uuid or p.name_key = ${key} or g.name_key = ${key})
    )
    select ${subjectOf(named)}::uuid as subject
    union select unnest(array[id, group_id, ${hashed('name_key')}]) from pushed
    union select unnest(array[facts -> 'before' ->> 'groupId', facts -> 'after' ->> 'groupId'])::uuid from log_entries
      where org_id = ${reader.orgId} and subject in (select id from pushed union select ${id}::uuid)
        and action in ('group.provisioned', 'group.state_changed', 'group.provision_deleted')`
}

// The account and what directories push as it, by all its names.
function subjectsOfPerson(reader: Reader, named: string): RawBuilder<unknown> {
  const [id, key] = [isId(named) ? named : null, nameKey(named)]
  return sql`
    with people as (
      select id from accounts where org_id = ${reader.orgId} and (id = ${id}::uuid or user_name_key = ${key} or email_key = ${key})
      union
      select account_id from provisioned_users
      where org_id = ${reader.orgId} and (id = ${id}::uuid or user_name_key = ${key} or email_key = ${key} or external_id = ${named})
    )
    select ${subjectOf(named)}::uuid as subject
    union select unnest(array[a.id, ${hashed('a.user_name_key')}, ${hashed('a.email_key')}])
      from people join accounts a on a.org_id = ${reader.orgId} and a.id = people.id
    union select unnest(array[u.id, ${hashed('u.user_name_key')}, ${hashed('u.email_key')}])
      from people join provisioned_users u on u.org_id = ${reader.orgId} and u.account_id = people.id`
}

// `subjectOf` a column that holds name keys.
const hashed = (column: string) => sql.raw(`encode(substr(sha256(convert_to(${column}, 'UTF8')), 1, 16), 'hex')::uuid`)

async function told(reader: Reader, rows: readonly Row[]): Promise<(ListedRequest & { steps: RequestStep[] })[]> {
  const deeds = await deedsOf(reader, rows)
  const names = await namesOf(reader, rows)
  return rows.map(({ tokenId, hint, isRevoked, foundCount, error, ...row }) => {
    const done = deeds.get(row.id) ?? []
    const resource = resourceIn(row.path, names, done) ?? madeBy(done)
    const token = hint === null ? null : { hint, end: isRevoked ? ('revoked' as const) : ('expired' as const) }
    const request: LoggedRequest = { ...row, foundCount, error, resource, token }
    const steps = stepsOf(request, done)
    return { ...row, token: hint === null ? null : { id: tokenId, hint }, resource, outcome: outcomeOf(request, steps), steps }
  })
}

interface LoggedDeed extends Deed {
  requestId: string
  subject: string | null
}

/** So many names of members are told of an entry. */
const fewNames = 5

async function deedsOf(reader: Reader, rows: readonly Row[]): Promise<Map<string, LoggedDeed[]>> {
  // An entry of both truths tells of what is in force; one of the pushed truth alone, of that.
  const names = (members: string, pushed: string) => sql`coalesce((
    select array_agg(a.user_name order by a.user_name)
    from unnest((case when e.added is null and e.removed is null then ${sql.ref(pushed)} else ${sql.ref(members)} end)[1:${sql.lit(fewNames)}]) as m(id)
    join accounts a on a.org_id = e.org_id and a.id = m.id), '{}')`
  const count = (column: string) => sql`coalesce(cardinality(${sql.ref(column)}), 0)`
  const { rows: entries } = await sql<LoggedDeed>`
    select e.request_id as "requestId", e.subject, e.action, e.facts #- '{before,attributes}' #- '{after,attributes}' as facts,
      ${count('e.added')} as added, ${count('e.removed')} as removed,
      ${count('e.pushed_added')} as "pushedAdded", ${count('e.pushed_removed')} as "pushedRemoved",
      ${names('e.added', 'e.pushed_added')} as "addedNames", ${names('e.removed', 'e.pushed_removed')} as "removedNames"
    from log_entries e
    where e.org_id = ${reader.orgId} and e.request_id = any(${rows.map((row) => row.id)}::text[])
    order by e.id`.execute(reader)
  return Map.groupBy(entries, (entry) => entry.requestId)
}

const inPath = /\/(Group|User)s\/([0-9a-f-]{36})$/i

async function namesOf(reader: Reader, rows: readonly Row[]): Promise<Map<string, string>> {
  const ids = rows.map(({ path }) => inPath.exec(path)?.[2] ?? '').filter(isId)
  const { rows: named } = await sql<{ id: string; name: string }>`
    select id, name from provisioned_groups where org_id = ${reader.orgId} and id = any(${ids}::uuid[])
    union all
    select id, user_name from provisioned_users where org_id = ${reader.orgId} and id = any(${ids}::uuid[])`.execute(reader)
  return new Map(named.map(({ id, name }) => [id, name]))
}

function resourceIn(path: string, names: ReadonlyMap<string, string>, deeds: readonly LoggedDeed[]): ListedRequest['resource'] {
  const [, kind, id] = inPath.exec(path) ?? []
  if (kind === undefined || id === undefined || !isId(id)) return null
  const gone = deeds.find(({ action }) => action === 'group.provision_deleted' || action === 'user.deleted')?.facts
  const name = names.get(id.toLowerCase()) ?? gone?.name ?? gone?.userName
  return { kind: kind.toLowerCase() === 'group' ? 'group' : 'user', id, name: typeof name === 'string' ? name : null }
}

function madeBy(deeds: readonly LoggedDeed[]): ListedRequest['resource'] {
  const made = deeds.find(({ action }) => action === 'group.provisioned' || action === 'user.provisioned')
  if (made === undefined || made.subject === null) return null
  const isGroup = made.action === 'group.provisioned'
  return { kind: isGroup ? 'group' : 'user', id: made.subject, name: String(isGroup ? made.facts.name : made.facts.userName) }
}
