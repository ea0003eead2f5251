import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { later, type Moment } from './moment.ts'

// Which entries of the log are about whom (docs/decisions/0038). The only writer of log_people.

const readAtOnce = 20_000

/**
 * Reads on in the log, some entries at once, and notes whom they are about. Up to an id that was the highest, once every transaction of
 * that time has ended: none of them can write a lower one any more.
 * @returns whether there is more that can be read now
 */
export async function noteLogPeople(trx: Trx): Promise<boolean> {
  const org = trx.orgId
  const { rows } = await sql<{ isNew: boolean; isEnded: boolean; upTo: string | null }>`
    with place as (
      select done, awaited, pg_snapshot_xmin(pg_current_snapshot()) > awaited_xid as "isEnded" from log_people_read
      where org_id = ${org} for update
    )
    select coalesce((select max(id) from log_entries where org_id = ${org}) > place.awaited, false) as "isNew", place."isEnded",
      (select max(id)::text from (
        select id from log_entries where org_id = ${org} and id > place.done and id <= place.awaited order by id limit ${readAtOnce}
      ) next) as "upTo"
    from place`.execute(trx)
  const [place] = rows
  if (place?.upTo) {
    if (place.isEnded) await readUpTo(trx, place.upTo)
    return place.isEnded
  }
  // Nothing waits: what is the highest id now comes next.
  if (place === undefined || place.isNew)
    await sql`
      insert into log_people_read (org_id, awaited, awaited_xid)
      select ${org}::uuid, max(id), pg_current_xact_id() from log_entries where org_id = ${org} having max(id) is not null
      on conflict (org_id) do update set awaited = excluded.awaited, awaited_xid = excluded.awaited_xid`.execute(trx)
  return false
}

async function readUpTo(trx: Trx, id: string): Promise<void> {
  await sql`
    with place as (update log_people_read r set done = ${id}::bigint from log_people_read b where r.org_id = ${trx.orgId} and b.org_id = ${trx.orgId} returning b.done)
    insert into log_people (org_id, account_id, last, entries)
    select ${trx.orgId}::uuid, account_id, max(l.id), array_agg(l.id order by l.id)
    from place cross join lateral (
      select * from log_entries where org_id = ${trx.orgId} and id > place.done and id <= ${id}::bigint offset 0
    ) l
    cross join lateral (select distinct unnest(${peopleOf}) as account_id) c
    where account_id is not null
    group by account_id`.execute(trx)
}

/** Whom an entry `l` of the log is about, as an array. */
const peopleOf = sql`(l.added || l.removed || l.pushed_added || l.pushed_removed || (l.facts ->> 'accountId')::uuid
  || (l.facts -> 'before' ->> 'accountId')::uuid || (l.facts -> 'after' ->> 'accountId')::uuid
  || case when l.action like 'account.%' then l.subject end)`

/**
 * The entries of the log that are about a person, as a query of rows `l`, those later than a moment alone: such as are noted, and those
 * among the last few minutes' that are not yet.
 */
export const entriesOfPerson = (reader: Reader, accountId: RawBuilder<unknown>, moment?: Moment): RawBuilder<unknown> => {
  const isLater = moment ? later(moment) : sql`true`
  return sql`
    select l.* from (
      select unnest(entries) as id from log_people
      where org_id = ${reader.orgId} and account_id = ${accountId} and last > ${moment?.floor ?? 0}::bigint
    ) noted
    cross join lateral (select * from log_entries l where l.org_id = ${reader.orgId} and l.id = noted.id and ${isLater} offset 0) l
    union all
    select l.* from log_entries l
    where l.org_id = ${reader.orgId} and l.id > coalesce((select done from log_people_read where org_id = ${reader.orgId}), 0) and ${isLater}
      and ${accountId} = any(${peopleOf})`
}
