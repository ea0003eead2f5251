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
  // Grouped and windowed, not joined: how many rows a log entry's arrays hold is not known to the planner, and it would join them one by one.
  return sql`
  changed as materialized (
    select l.subject as group_id, a.id as account_id, c.added
    from log_entries l
    cross join lateral (select unnest(l.added) as account_id, true as added union all select unnest(l.removed), false) c
    join accounts a on a.org_id = ${org} and a.id = c.account_id and a.active
    where l.org_id = ${org} and l.run_id = ${runId}
  ),
  moved as materialized (
    select c.group_id, c.account_id, g.role_id, c.added from changed c join grants g on g.org_id = ${org} and g.group_id = c.group_id
  ),
  standing as materialized (
    select account_id, role_id, group_id, bool_or(gives) as gives, bool_or(added) as added, bool_or(taken) as taken
    from (
      select account_id, role_id, group_id, false as gives, added, not added as taken from moved
      union all
      select p.account_id, p.role_id, m.group_id, true, false, false
      from (select distinct account_id, role_id from moved) p
      -- offset 0 keeps it a look-up: it costs what the run changed, not what the organization has
      cross join lateral (
        select group_id from memberships where org_id = ${org} and account_id = p.account_id and effective offset 0
      ) m
      join grants g on g.org_id = ${org} and g.group_id = m.group_id and g.role_id = p.role_id
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
