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
  giving as materialized (
    select t.account_id, t.role_id, count(m.group_id) as now, count(m.group_id) filter (where c.added is not true) as without_run,
      t.taken
    from (select account_id, role_id, count(*) filter (where not added) as taken from moved group by account_id, role_id) t
    left join (memberships m join grants g on g.org_id = ${org} and g.group_id = m.group_id)
      on m.org_id = ${org} and m.account_id = t.account_id and m.effective and g.role_id = t.role_id
    left join changed c on c.group_id = m.group_id and c.account_id = m.account_id and c.added
    group by t.account_id, t.role_id, t.taken
  ),
  run_effects as materialized (
    select account_id, role_id, now = 0 as lost, now > 0 as gained from giving where (without_run + taken > 0) <> (now > 0)
  ),
  run_effects_by_group as materialized (
    select group_id, count(*) filter (where lost and not added)::integer as lost, count(*) filter (where gained and added)::integer as gained
    from moved join run_effects using (account_id, role_id) group by group_id
  )`
}
