import { sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { endOfPage, holdFollower, moveFollower } from '../organization/followers.ts'
import { stillWaits } from '../organization/held-sql.ts'
import type { NoticeData, NoticeKind } from './kinds.ts'
import { addNotices, type NewNotice } from './notices.ts'
import { follower } from './webhooks.ts'

const entriesAtOnce = 5_000
const subjectsNamed = 20

/**
 * Reads on in the log, up to where it is final, and puts down what of it is to be told; each entry once, as its place moves on in the same
 * transaction. Many of a kind, of one directory, are one notice.
 * @returns whether there is more
 */
export async function tellOfLog(trx: Trx, final: string): Promise<boolean> {
  const position = await holdFollower(trx, follower)
  if (position === undefined || BigInt(position) >= BigInt(final)) return false
  const end = await endOfPage(trx, position, final, entriesAtOnce)
  await addNotices(trx, together(await toldOf(trx, position, end)))
  await moveFollower(trx, follower, end)
  return end !== final
}

interface Entry {
  id: string
  at: Date
  kind: NoticeKind
  directory: NoticeData['directory']
  subject: string
  name: string | null
  run: string | null
  result: NoticeData['result'] | null
}

async function toldOf(reader: Reader, after: string, upTo: string): Promise<Entry[]> {
  const { rows } = await sql<Entry>`
    select l.id::text, l.at, l.kind, l.subject, coalesce(l.facts ->> 'name', p.name, g.name) as name, l.run_id as run,
      case when d.id is not null then jsonb_build_object('id', d.id, 'name', d.name) end as directory,
      case when r.id is not null then jsonb_build_object('synced', r.synced_count, 'skipped', r.skipped_count, 'failed', r.failed_count) end as result
    from (
      select e.*, case
        when action in ('group.state_changed', 'group.provisioned') and facts -> 'before' ->> 'state' is distinct from facts -> 'after' ->> 'state'
          then case facts -> 'after' ->> 'state' when 'needs_review' then 'review.created' when 'blocked' then 'group.blocked' end
        when action like 'members.%' and facts ? 'held' then 'group.held'
        when action = 'removal.held' then 'removal.held'
        when action = 'run.finished' then 'run.finished'
        when action = 'run.approval_asked' then 'run.approval_requested'
        when action = 'directory.reconciled' then case when facts ->> 'isEqual' = 'true' then 'directory.complete' else 'directory.differs' end
        end as kind
      from log_entries e where org_id = ${reader.orgId} and id > ${after}::bigint and id <= ${upTo}::bigint order by id offset 0
    ) l
    left join lateral (select id, name from directories where org_id = ${reader.orgId} and id = l.directory_id offset 0) d on true
    left join lateral (select name from provisioned_groups where org_id = ${reader.orgId} and id = l.subject offset 0) p on true
    left join lateral (select name from groups where org_id = ${reader.orgId} and id = l.subject offset 0) g on true
    left join lateral (
      select id, synced_count, skipped_count, failed_count from runs where org_id = ${reader.orgId} and id = l.run_id and l.kind = 'run.finished' offset 0
    ) r on true
    where l.kind is not null order by l.id`.execute(reader)
  return rows
}

function together(entries: readonly Entry[]): NewNotice[] {
  const byWhat = Map.groupBy(
    entries,
    ({ kind, directory, run }) => `${kind} ${directory?.id} ${kind.startsWith('run.') ? run : ''}`,
  )
  return [...byWhat.values()].map((alike) => {
    const [first] = alike as [Entry]
    const subjects = new Map(alike.map(({ subject, name }) => [subject, { id: subject, name }]))
    return {
      key: `log:${first.id}:${first.kind}`,
      kind: first.kind,
      at: (alike.at(-1) as Entry).at,
      data: {
        directory: first.directory,
        count: subjects.size,
        subjects: [...subjects.values()].slice(0, subjectsNamed),
        ...(first.run !== null && first.kind.startsWith('run.') ? { run: first.run } : {}),
        ...(first.result ? { result: first.result } : {}),
      },
    }
  })
}

/** Puts down what no entry of the log says, but the time: what waits for a day, and each further one; who was not heard of; which tokens expire. */
export async function tellOfTime(trx: Trx): Promise<void> {
  const { rows } = await sql<NewNotice>`
    with waiting as (
      select p.directory_id, p.id, p.name, min(m.held_at) as since
      from provisioned_groups p
      cross join lateral (
        select held_at from memberships
        where org_id = ${trx.orgId} and group_id = p.group_id and pushed <> effective and waiting = 'held' offset 0
      ) m
      where p.org_id = ${trx.orgId} and p.state = 'held' group by p.directory_id, p.id, p.name
      union all
      select directory_id, coalesce(account_id, group_id), name, since from held_acts h
      where org_id = ${trx.orgId} and not is_rejected and ${stillWaits(trx)}
    ),
    waiting_for_days as (
      select directory_id, count(*)::int as n, min(since) as since,
        to_jsonb((array_agg(jsonb_build_object('id', id, 'name', name) order by since))[:${sql.lit(subjectsNamed)}]) as subjects,
        max(floor(extract(epoch from now() - since) / 86400))::int as days
      from waiting where since < now() - interval '1 day' group by directory_id
    ),
    silent as (
      select d.id, w.silent_hours, max(t.last_used_at) as last
      from directories d join directory_tokens t on t.org_id = d.org_id and t.directory_id = d.id
      cross join (select distinct silent_hours from webhooks where org_id = ${trx.orgId} and is_enabled) w
      where d.org_id = ${trx.orgId} and d.disconnected_at is null
      group by d.id, w.silent_hours
      having max(t.last_used_at) < now() - make_interval(hours => w.silent_hours)
    ),
    expiring as (
      select t.id, t.directory_id, t.expires_at, t.name, s.days
      from (
        select id, null::uuid as directory_id, expires_at, name from api_tokens where org_id = ${trx.orgId} and revoked_at is null
        union all
        select id, directory_id, expires_at, 'ends in ' || hint from directory_tokens where org_id = ${trx.orgId} and revoked_at is null
      ) t
      cross join lateral (
        select min(days) as days from unnest(array[1, 7, 30]) days where t.expires_at <= now() + make_interval(days => days)
      ) s
      where t.expires_at > now() and s.days is not null
    ),
    found as (
      select 'waiting:' || directory_id || ':' || to_char(since, 'YYYYMMDD') || ':' || days as key, 'removal.waiting' as kind, directory_id,
        jsonb_build_object('count', n, 'at', since, 'subjects', subjects) as data
      from waiting_for_days
      union all
      select 'silent:' || id || ':' || silent_hours || ':' || extract(epoch from last)::bigint, 'directory.silent', id,
        jsonb_build_object('count', 1, 'at', last, 'hours', silent_hours, 'subjects', '[]'::jsonb)
      from silent
      union all
      select 'token:' || id || ':' || days, 'token.expiring', directory_id,
        jsonb_build_object('count', 1, 'at', expires_at, 'subjects', jsonb_build_array(jsonb_build_object('id', id, 'name', name)))
      from expiring
    )
    select f.key, f.kind, now() as at, f.data || jsonb_build_object('directory',
      case when d.id is null then null else jsonb_build_object('id', d.id, 'name', d.name) end) as data
    from found f left join directories d on d.org_id = ${trx.orgId} and d.id = f.directory_id
    where not exists (select from notices where org_id = ${trx.orgId} and key = f.key)`.execute(trx)
  await addNotices(trx, rows)
}
