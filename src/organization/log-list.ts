import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { type AccountId, type DirectoryId, isId } from '../database/ids.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { nameKey } from './name-key.ts'
import { Refusal } from './refusal.ts'

/** Which entries are asked for: all that is given must hold. */
export interface LogQuery {
  actor?: string | undefined
  /** `group.renamed`, or all of a kind: `group`. */
  action?: string | undefined
  /** An id, or the name of a group, person, pushed group or user, directory or token. */
  subject?: string | undefined
  directory?: DirectoryId | undefined
  run?: string | undefined
  request?: string | undefined
  since?: string | undefined
  until?: string | undefined
  sort?: 'id' | '-id' | undefined
  /** Those behind this entry, in the order that is asked for. */
  after?: string | undefined
  limit: number
}

/** Members of an entry: how many, and the names of the first. */
export interface NamedMembers {
  count: number
  names: string[]
}

/** An entry as people read it: members and others by name. */
export interface ListedEntry {
  id: string
  at: Date
  actor: string
  action: string
  subject: { id: string; name: string | null } | null
  directory: { id: string; name: string } | null
  requestId: string | null
  runId: string | null
  facts: Record<string, unknown>
  /** Of a grant. */
  role: { site: string; product: string; role: string } | null
  members: { added: NamedMembers; removed: NamedMembers; pushedAdded: NamedMembers; pushedRemoved: NamedMembers }
  /** The block that it is sealed in; null where it is not sealed yet. */
  block: number | null
}

const namedAtMost = 10

/** Entries of the log, the newest first unless asked for otherwise. They are not counted: there may be millions. */
export async function listLog(reader: Reader, query: LogQuery): Promise<{ items: ListedEntry[]; next: string | null }> {
  const { limit, sort = '-id' } = query
  const { rows } = await sql<ListedEntry>`
    with page as materialized (
      select l.* from log_entries l where l.org_id = ${reader.orgId} ${conditions(reader, query)}
      order by l.id ${sql.raw(sort === 'id' ? 'asc' : 'desc')} limit ${limit + 1}
    )
    select ${columns(reader)} from page l order by l.id ${sql.raw(sort === 'id' ? 'asc' : 'desc')}`.execute(reader)
  const items = rows.slice(0, limit)
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

/** One entry. @throws Refusal `not_found` */
export async function findEntry(reader: Reader, id: string): Promise<ListedEntry> {
  const { rows } = await sql<ListedEntry>`
    select ${columns(reader)} from log_entries l where l.org_id = ${reader.orgId} and l.id = ${numberOf(id)}::bigint`.execute(
    reader,
  )
  if (rows[0] === undefined) throw noSuchEntry()
  return rows[0]
}

const noSuchEntry = () => new Refusal('not_found', 'There is no such entry of the log. List it to see the ids.')
const numberOf = (id: string): string => (/^\d{1,18}$/.test(id) ? id : '0')

export const memberChanges = ['added', 'removed', 'pushedAdded', 'pushedRemoved'] as const

/** A member of an entry. */
export interface EntryMember {
  id: AccountId
  userName: string
  displayName: string | null
  change: (typeof memberChanges)[number]
}

/** All members that an entry names, by user name; searched in it and in the display name. @throws Refusal `not_found`, `invalid_value` */
export async function listEntryMembers(reader: Reader, id: string, listing: Listing): Promise<Listed<EntryMember>> {
  await findEntry(reader, id)
  const of = (column: string, change: EntryMember['change']) =>
    sql`select unnest(${sql.ref(column)}) as id, ${sql.lit(change)} as change from entry`
  return list(reader, listing, {
    columns: sql`a.id, a.user_name as "userName", a.display_name as "displayName", m.change`,
    from: sql`(
      with entry as (select * from log_entries where org_id = ${reader.orgId} and id = ${numberOf(id)}::bigint)
      ${of('added', 'added')} union all ${of('removed', 'removed')}
      union all ${of('pushed_added', 'pushedAdded')} union all ${of('pushed_removed', 'pushedRemoved')}
    ) m join accounts a on a.org_id = ${reader.orgId} and a.id = m.id
    where ${found(listing, 'a.user_name_key', 'lower(a.display_name)')}`,
    sorts: { name: 'a.user_name_key', displayName: 'lower(a.display_name)', change: 'm.change' },
    usual: 'name',
    last: 'a.id, m.change',
  })
}

function columns(reader: Reader): RawBuilder<unknown> {
  const org = reader.orgId
  const named = (column: string) => sql`json_build_object(
    'count', coalesce(cardinality(${sql.ref(column)}), 0),
    'names', coalesce((
      select json_agg(a.user_name order by a.user_name) from unnest((${sql.ref(column)})[1:${sql.lit(namedAtMost)}]) as m(id)
      join accounts a on a.org_id = ${org} and a.id = m.id), '[]'))`
  // As the entry has it, which is its name then; else what has the id now.
  const subjectName = sql`coalesce(l.facts ->> 'name', l.facts ->> 'userName',
    l.facts #>> '{after,name}', l.facts #>> '{before,name}', l.facts #>> '{after,userName}', l.facts #>> '{before,userName}',
    (select name from groups where org_id = ${org} and id = l.subject),
    (select name from provisioned_groups where org_id = ${org} and id = l.subject),
    (select user_name from accounts where org_id = ${org} and id = l.subject),
    (select user_name from provisioned_users where org_id = ${org} and id = l.subject),
    (select name from directories where org_id = ${org} and id = l.subject))`
  return sql`
    l.id::text as id, l.at, l.actor, l.action, l.request_id as "requestId", l.run_id as "runId", l.facts,
    case when l.subject is not null then json_build_object('id', l.subject, 'name', ${subjectName}) end as subject,
    (select json_build_object('id', d.id, 'name', d.name) from directories d where d.org_id = ${org} and d.id = l.directory_id) as directory,
    (select json_build_object('site', s.name, 'product', p.name, 'role', r.name) from product_roles r
      join products p on p.org_id = r.org_id and p.id = r.product_id join sites s on s.org_id = p.org_id and s.id = p.site_id
      where r.org_id = ${org} and r.id = (l.facts ->> 'roleId')::uuid) as role,
    json_build_object('added', ${named('l.added')}, 'removed', ${named('l.removed')},
      'pushedAdded', ${named('l.pushed_added')}, 'pushedRemoved', ${named('l.pushed_removed')}) as members,
    (select s.number::float8 from log_seals s where s.org_id = ${org} and s.last >= l.id order by s.last limit 1) as block`
}

function conditions(reader: Reader, query: LogQuery): RawBuilder<unknown> {
  const { actor, action, subject, directory, run, request, since, until, after, sort = '-id' } = query
  const all = [
    actor === undefined ? undefined : sql`l.actor = ${actor}`,
    action === undefined
      ? undefined
      : action.includes('.')
        ? sql`l.action = ${action}`
        : sql`starts_with(l.action, ${`${action}.`})`,
    subject === undefined ? undefined : sql`l.subject = any(array(${subjectsNamed(reader, subject)}))`,
    directory === undefined ? undefined : sql`l.directory_id = ${directory}`,
    run === undefined ? undefined : sql`l.run_id = ${isId(run) ? run : null}::uuid`,
    request === undefined ? undefined : sql`l.request_id = ${request}`,
    since === undefined ? undefined : sql`l.at >= ${since}::timestamptz and l.id > ${sealedBefore(reader, since)}`,
    until === undefined ? undefined : sql`l.at < ${until}::timestamptz`,
    after === undefined ? undefined : sql`l.id ${sql.raw(sort === 'id' ? '>' : '<')} ${numberOf(after)}::bigint`,
  ]
  return sql.join(
    all.filter((condition) => condition !== undefined).map((condition) => sql`and ${condition}`),
    sql` `,
  )
}

// The seals are the log's index by time: an entry is sealed after it began. So what was sealed before a moment is no entry of after it.
const sealedBefore = (reader: Reader, moment: string) => sql`coalesce((
  select last from log_seals where org_id = ${reader.orgId} and sealed_at < ${moment}::timestamptz order by sealed_at desc, last desc limit 1), 0)`

// Who or what has a name now, and the id itself: what is gone is found by its id.
function subjectsNamed(reader: Reader, named: string): RawBuilder<unknown> {
  const [org, key] = [reader.orgId, nameKey(named)]
  return sql`
    select ${isId(named) ? named : null}::uuid
    union all select id from groups where org_id = ${org} and name_key = ${key}
    union all select id from provisioned_groups where org_id = ${org} and name_key = ${key}
    union all select id from accounts where org_id = ${org} and (user_name_key = ${key} or email_key = ${key})
    union all select id from provisioned_users where org_id = ${org} and user_name_key = ${key}
    union all select id from directories where org_id = ${org} and name_key = ${key}
    union all select id from api_tokens where org_id = ${org} and lower(name) = lower(${named})`
}
