import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { differing, type Sql } from './differences.ts'

/**
 * The net effect on access of `selected`, as SQL that works on sets and reads differences only:
 * `touched`: what each differing membership of an active person gives or takes, grant by grant;
 * `weighed`: the same, each with its access's givers now (effective memberships with that grant) and with what all selected groups
 * together do to it (`lost`, `gained`). After is before, less what is taken, plus what is given: givers that do not differ are read once;
 * `effects`: each (account, role) touched, once;
 * `alone`: what each group by itself does. A removal loses alone where its own was the only giver, an addition gains where there was none.
 * A group that is only pushed has no effective membership, so that it gives nothing before.
 * Rows meet in windows, not in joins of expressions: of those the planner knows no sizes, and would loop over 20,000 times 20,000.
 */
export const accessEffects = (reader: Reader): Sql => sql`
  ${differing(reader)},
  touched as materialized (
    -- Group by group, through the grants' key (offset 0), not member by member, nor by reading all grants there are.
    select d.id, d.group_id, d.account_id, g.role_id, d.pushed
    from (select id, group_id, array_agg(account_id) as accounts, array_agg(pushed) as truths from differing where active group by id, group_id) c
    cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = c.group_id offset 0) g
    cross join lateral (select c.id, c.group_id, account_id, pushed from unnest(c.accounts, c.truths) each(account_id, pushed)) d
  ),
  giving as (
    -- Account by account, through its index (offset 0): a join could choose to read all memberships there are.
    select t.account_id, g.role_id
    from (select account_id, array_agg(distinct role_id) as roles from touched group by account_id) t
    cross join lateral (
      select group_id from memberships where org_id = ${reader.orgId} and account_id = t.account_id and effective offset 0
    ) m
    join grants g on g.org_id = ${reader.orgId} and g.group_id = m.group_id and g.role_id = any(t.roles)
  ),
  weighed as materialized (
    select id, group_id, account_id, role_id, pushed, position, givers, given, taken,
      givers > 0 and givers - taken + given = 0 as lost, givers = 0 and given > 0 as gained
    from (
      select *, row_number() over (partition by account_id, role_id order by id nulls last) as position,
        count(*) filter (where id is null) over access as givers,
        count(*) filter (where pushed) over access as given,
        count(*) filter (where not pushed) over access as taken
      from (
        select id, group_id, account_id, role_id, pushed from touched
        union all
        select null, null, account_id, role_id, null from giving
      ) met
      window access as (partition by account_id, role_id)
    ) counted
    where id is not null
  ),
  effects as (
    select account_id, role_id, givers, given, taken, lost, gained from weighed where position = 1
  ),
  alone as materialized (
    select id, group_id, account_id, role_id, pushed as gained from weighed where givers = case when pushed then 0 else 1 end
  )`

/** The effect of all selected groups at once, in the form of `alone`: one unit without an id. Joint: lost together, by no group alone. */
export const togetherEffects: Sql = sql`
  together as materialized (
    select null::uuid as id, null::uuid as group_id, account_id, role_id, gained, lost and givers > 1 as joint
    from effects where lost or gained
  )`

/** A membership's truth after one group alone, that of row `u`, was synced. */
export const afterAlone: Sql = sql`(case when m.group_id = u.group_id then m.pushed else m.effective end)`

/** A membership's truth after all selected groups were synced. */
export const afterTogether: Sql = sql`(case when m.group_id in (select group_id from selected) then m.pushed else m.effective end)`
