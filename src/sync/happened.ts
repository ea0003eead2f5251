import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { RunId } from '../database/ids.ts'
import type { Sql } from '../review/differences.ts'

/**
 * What a run did to access, from its own log entries, as SQL: `run_effects` (account_id, role_id, lost, gained), net over the whole run, and
 * `run_effects_by_group` (group_id, lost, gained).
 *
 * Before is what is in force at the run's end without the run's changes: less what it added, with what it removed. So pushes and admins who
 * act while it runs are on both sides and are not counted as the run's. What one group took and another gave is neither lost nor gained,
 * in whatever order they were done; an access that two groups took together is one loss of the run, and each of the two groups' had part in it.
 * Counts by group are of that kind, and not «alone at that moment», which would depend on the order and on which worker was faster.
 */
export const runEffects = (reader: Reader, runId: RunId): Sql => {
  const org = reader.orgId
  // Looked up by key, row by row (offset 0), and met in windows and hashes (to be run by inHashes): how many rows a log entry's arrays hold is
  // not known to the planner, and it would join them one by one.
  return sql`
  switched_off as materialized (
    select subject as account_id from log_entries where org_id = ${org} and run_id = ${runId} and action = 'account.switched_off'
  ),
  changed as materialized (
    select l.subject as group_id, c.account_id, c.added, c.account_id in (select account_id from switched_off) as is_off
    from log_entries l
    cross join lateral (select unnest(l.added) as account_id, true as added union all select unnest(l.removed), false) c
    cross join lateral (
      select from accounts where org_id = ${org} and id = c.account_id and (active or c.account_id in (select account_id from switched_off)) offset 0
    ) a
    where l.org_id = ${org} and l.run_id = ${runId}
    union all
    -- who was switched off stays in groups, and has nothing through them
    select m.group_id, s.account_id, false, true
    from switched_off s
    cross join lateral (select group_id from memberships where org_id = ${org} and account_id = s.account_id and effective offset 0) m
  ),
  moved as materialized (
    select c.group_id, c.account_id, g.role_id, c.added, c.is_off
    from changed c
    cross join lateral (select role_id from grants where org_id = ${org} and group_id = c.group_id offset 0) g
  ),
  holding as materialized (
    select p.account_id, m.group_id
    from (select distinct account_id from moved) p
    cross join lateral (select group_id from memberships where org_id = ${org} and account_id = p.account_id and effective offset 0) m
  ),
  group_grants as materialized (
    select o.group_id, g.role_id
    from (select distinct group_id from holding) o
    cross join lateral (select role_id from grants where org_id = ${org} and group_id = o.group_id offset 0) g
  ),
  standing as materialized (
    select account_id, role_id, group_id, bool_or(gives) as gives, bool_or(added) as added, bool_or(taken) as taken
    from (
      select account_id, role_id, group_id, false as gives, added, not added as taken from moved
      union all
      select h.account_id, h.role_id, h.group_id, not t.is_off, false, false
      from (select h.account_id, h.group_id, g.role_id from group_grants g join holding h on h.group_id = g.group_id offset 0) h
      join (select distinct account_id, role_id, is_off from moved) t on t.account_id = h.account_id and t.role_id = h.role_id
    ) s group by account_id, role_id, group_id
  ),
  judged as materialized (
    select account_id, role_id, group_id, added, taken, bool_or(gives and not added or taken) over pair as had, bool_or(gives) over pair as has
    from standing window pair as (partition by account_id, role_id)
  ),
  run_effects as materialized (
    select distinct account_id, role_id, had as lost, has as gained from judged where had <> has
  ),
  run_effects_by_group as materialized (
    select group_id, count(*) filter (where had and taken)::integer as lost, count(*) filter (where has and added)::integer as gained
    from judged where had <> has group by group_id
  )`
}
