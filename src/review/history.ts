import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { AccountId, DirectoryId, GroupId, RunId } from '../database/ids.ts'
import { entriesOfPerson } from '../organization/log-people.ts'
import { inWords, inWordsOfPerson, type ToldOfPerson } from './log-words.ts'

type Sql = RawBuilder<unknown>

/** Something that was done, in plain words, and by whom. */
export interface Happening {
  /** The log entry: `--at` it is right after it. */
  id: string
  /** RFC 3339, in microseconds. */
  at: string
  actor: string
  action: string
  text: string
  directory: string | null
  requestId: string | null
  run: { id: RunId; note: string | null } | null
}

export interface HistoryPage {
  /** Those before this entry. */
  before?: string | undefined
  limit: number
}

export interface History {
  items: Happening[]
  /** `before` of the next page; null where there is no more. */
  next: string | null
}

/** What was done to a group, and to what is pushed as it, the newest first. Of a deleted group too. */
export const historyOfGroup = (reader: Reader, groupId: GroupId, page: HistoryPage): Promise<History> =>
  history(
    reader,
    page,
    bySubject(
      reader,
      page,
      sql`
    select ${groupId}::uuid as id
    union all select id from provisioned_groups where org_id = ${reader.orgId} and group_id = ${groupId}`,
    ),
  )

/** What was done to a person: account, memberships, what directories pushed of them; the newest first. */
export const historyOfPerson = (reader: Reader, accountId: AccountId, page: HistoryPage): Promise<History> =>
  history(
    reader,
    page,
    sql`select * from (${entriesOfPerson(reader, sql`${accountId}::uuid`)}) l where ${isBefore(page)}`,
    accountId,
  )

/**
 * What was done to a directory, and by what it pushes to groups and people; the newest first. Who came into which group and went is in the
 * histories of these: there may be thousands a second.
 */
export const historyOfDirectory = (reader: Reader, directoryId: DirectoryId, page: HistoryPage): Promise<History> =>
  history(
    reader,
    page,
    sql`
    select * from log_entries l
    where l.org_id = ${reader.orgId} and l.directory_id = ${directoryId} and l.action not like 'members.%' and ${isBefore(page)}`,
  )

// Each subject's newest are looked up by index, whatever the others have.
const bySubject = (reader: Reader, page: HistoryPage, subjects: Sql): Sql => sql`
  select l.* from (${subjects}) s cross join lateral (
    select * from log_entries l where l.org_id = ${reader.orgId} and l.subject = s.id and ${isBefore(page)} order by l.id desc limit ${page.limit + 1}
  ) l`

const isBefore = ({ before }: HistoryPage): Sql => (before === undefined ? sql`true` : sql`l.id < ${before}::bigint`)

type Row = Omit<Happening, 'text'> & ToldOfPerson

async function history(reader: Reader, { limit }: HistoryPage, entries: Sql, person?: AccountId): Promise<History> {
  const { rows } = await sql<Row>`
    with page as materialized (select * from (${entries}) l order by l.id desc limit ${limit + 1})
    select ${columns(reader, person ?? null)} from page l order by l.id desc`.execute(reader)
  const items = rows.slice(0, limit).map((row) => {
    const { id, at, actor, action, directory, requestId, run } = row
    return { id, at, actor, action, text: person === undefined ? inWords(row) : inWordsOfPerson(row), directory, requestId, run }
  })
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

const namedAtMost = 10

function columns(reader: Reader, person: AccountId | null): Sql {
  const org = reader.orgId
  const named = (ids: Sql) => sql`(
    select json_build_object('count', count(*), 'names', coalesce(json_agg(name order by nth) filter (where nth <= ${sql.lit(namedAtMost)}), '[]'))
    from (
      select nth, case when nth <= ${sql.lit(namedAtMost)} then (select user_name from accounts a where a.org_id = ${org} and a.id = m.id) end as name
      from unnest(${ids}) with ordinality m(id, nth)
    ) named)`
  const alone = (pushed: string, effective: string) => sql`array(
    select unnest(${sql.ref(pushed)}) except select unnest(${sql.ref(effective)}))`
  const isIn = (column: string) => sql`coalesce(${person}::uuid = any(${sql.ref(column)}), false)`
  // As the entry has it, which is its name then; else as it is called now.
  const subject = sql`coalesce(l.facts ->> 'name', l.facts #>> '{after,name}', l.facts #>> '{before,name}', l.facts ->> 'userName',
    (select name from groups where org_id = ${org} and id = l.subject),
    (select name from provisioned_groups where org_id = ${org} and id = l.subject),
    (select name from directories where org_id = ${org} and id = l.subject))`
  return sql`
    l.id::text as id, to_char(l.at at time zone 'UTC', ${sql.lit('YYYY-MM-DD"T"HH24:MI:SS.US"Z"')}) as at, l.actor, l.action, l.facts,
    l.request_id as "requestId", ${subject} as subject,
    (select name from directories d where d.org_id = ${org} and d.id = l.directory_id) as directory,
    (select json_build_object('id', r.id, 'note', r.note) from runs r where r.org_id = ${org} and r.id = l.run_id) as run,
    (select json_build_object('site', s.name, 'product', p.name, 'role', r.name) from product_roles r
      join products p on p.org_id = r.org_id and p.id = r.product_id join sites s on s.org_id = p.org_id and s.id = p.site_id
      where r.org_id = ${org} and r.id = (l.facts ->> 'roleId')::uuid) as role,
    ${named(sql`l.added`)} as added, ${named(sql`l.removed`)} as removed,
    ${named(alone('l.pushed_added', 'l.added'))} as "pushedAlone", ${named(alone('l.pushed_removed', 'l.removed'))} as "endedAlone",
    ${isIn('l.added')} as "isAdded", ${isIn('l.removed')} as "isRemoved", ${isIn('l.pushed_added')} as "isPushed", ${isIn('l.pushed_removed')} as "isEnded"`
}
