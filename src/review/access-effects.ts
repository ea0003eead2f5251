import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import { differing, type Proposed, type Sql } from './differences.ts'
import { allAtOnce } from './warnings.ts'

/**
 * The net effect on access of what is proposed, as SQL that works on sets and reads differences only:
 * `touched`: what each differing membership of an active person gives or takes, grant by grant;
 * `weighed`: the same, each with its access's givers now (effective memberships with that grant) and with what all selected groups
 * together do to it (`lost`, `gained`). After is before, less what is taken, plus what is given: givers that do not differ are read once;
 * `effects`: each (account, role) touched, once;
 * `alone`: what each group by itself does. A removal loses alone where its own was the only giver, an addition gains where there was none.
 * A group that is only pushed has no effective membership, so that it gives nothing before.
 */
export const accessEffects = (reader: Reader, proposed: Proposed): Sql => sql`
  ${differing(reader, proposed)},
  touched as materialized (
    -- Group by group, not member by member.
    select d.id, d.group_id, d.account_id, g.role_id, d.gives
    from (select id, group_id, array_agg(account_id) as accounts, array_agg(gives) as truths from differing where active group by id, group_id) c
    cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = c.group_id offset 0) g
    cross join lateral (select c.id, c.group_id, account_id, gives from unnest(c.accounts, c.truths) each(account_id, gives)) d
  ),
  holding as materialized (
    select t.account_id, m.group_id
    from (select distinct account_id from touched) t
    cross join lateral (
      select group_id from memberships where org_id = ${reader.orgId} and account_id = t.account_id and effective offset 0
    ) m
  ),
  group_grants as materialized (
    -- A group, not a membership.
    select o.group_id, g.role_id
    from (select distinct group_id from holding) o
    cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = o.group_id offset 0) g
  ),
  giving as (
    -- First what everybody has, and then, not before (offset 0), which of it is in question.
    select h.account_id, h.role_id
    from (select h.account_id, g.role_id from group_grants g join holding h on h.group_id = g.group_id offset 0) h
    join (select distinct account_id, role_id from touched) t on t.account_id = h.account_id and t.role_id = h.role_id
  ),
  weighed as materialized (
    select id, group_id, account_id, role_id, gives, position, givers, given, taken,
      givers > 0 and givers - taken + given = 0 as lost, givers = 0 and given > 0 as gained
    from (
      select *, row_number() over (partition by account_id, role_id order by id nulls last) as position,
        count(*) filter (where id is null) over access as givers,
        count(*) filter (where gives) over access as given,
        count(*) filter (where not gives) over access as taken
      from (
        select id, group_id, account_id, role_id, gives from touched
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
    select id, account_id, role_id, gives as gained from weighed where givers = case when gives then 0 else 1 end
  )`

/** The effect of all selected groups at once, in the form of `alone`, as one unit. Joint: lost together, by no group alone. */
export const togetherEffects: Sql = sql`
  together as materialized (
    select ${allAtOnce}::uuid as id, account_id, role_id, gained, lost and givers > 1 as joint
    from effects where lost or gained
  )`
