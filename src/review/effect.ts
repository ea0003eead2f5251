import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { ProvisionedGroupId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import { usualGuard } from '../provisioning/guard-limits.ts'
import { togetherEffects } from './access-effects.ts'
import { type Choices, type Proposed, type Sql, syncOf } from './differences.ts'
import { type Expectation, expectedTogether } from './expected-in-run.ts'
import { selectionFingerprint } from './fingerprint.ts'
import { roleOf } from './grants.ts'
import { aloneByGroup } from './summaries.ts'
import { consequences, together, type WarningCode, warningCodes } from './warnings.ts'

export interface AccessFigures {
  /** Accesses (account, site, product, role) that vanish, that appear: net, each once. */
  lost: number
  gained: number
  peopleLosing: number
  peopleGaining: number
  /** People who lose something and have no access at all after. */
  leftWithNone: number
}

/** A cell of the matrix: what happens to a role on the products of a site. */
interface MatrixCell {
  site: string
  role: string
  lost: number
  gained: number
  peopleLosing: number
}

/**
 * `groups`: how many of the selection take part; `people`: whom it concerns, where it concerns people; `of`: the roles that lose their last
 * holder, the products with too few seats.
 */
interface EffectWarning {
  code: WarningCode
  groups: number
  people?: number
  /** guard_passed: the directory's percentage, where it is not the usual one. */
  percent?: number
  of?: { site: string; product: string; role?: string }[]
}

/** What syncing a selection at once would do. */
export interface Effect {
  groups: number
  members: { added: number; removed: number }
  access: AccessFigures & { jointLosses: number }
  matrix: MatrixCell[]
  warnings: EffectWarning[]
  /** Accesses that go together and by no group alone, and the groups that take them. */
  jointLosses: { accesses: number; groups: ProvisionedGroupId[] }
  fingerprint: string
}

type EffectRow = AccessFigures & {
  groups: number
  added: number
  removed: number
  matrix: MatrixCell[]
  warnings: {
    code: WarningCode
    groups: number
    people: number | null
    percent: number | null
    of: NonNullable<EffectWarning['of']> | null
  }[]
  jointLosses: number
  jointGroups: ProvisionedGroupId[]
  fingerprint: string
}

/** The combined effect of a sync of these groups, each as chosen. */
export function effectOf(reader: Reader, ids: readonly ProvisionedGroupId[], choices?: Choices): Promise<Effect> {
  return effectOfProposed(reader, syncOf(reader, ids, choices))
}

/** The same, with what each group's turn in a run comes to, all of them pending: of one reading. */
export async function effectInRun(
  reader: Reader,
  ids: readonly ProvisionedGroupId[],
  choices?: Choices,
): Promise<{ effect: Effect; expectations: Map<ProvisionedGroupId, Expectation> }> {
  const { expected, ...row } = await effectRow<{ expected: [ProvisionedGroupId, string, string[]][] }>(
    reader,
    syncOf(reader, ids, choices),
    {
      expressions: sql`${expectedTogether},`,
      column: sql`, (select coalesce(json_agg(json_build_array(id, digest, lost)), '[]') from expected) as expected`,
    },
  )
  return { effect: effectFrom(row), expectations: new Map(expected.map(([id, digest, lost]) => [id, { digest, lost }])) }
}

/** The combined effect of what is proposed, in one statement: not the sum of what its groups do alone. */
export async function effectOfProposed(reader: Reader, proposed: Proposed): Promise<Effect> {
  return effectFrom(await effectRow(reader, proposed, { expressions: sql``, column: sql`` }))
}

async function effectRow<More>(
  reader: Reader,
  proposed: Proposed,
  also: { expressions: Sql; column: Sql },
): Promise<EffectRow & More> {
  const org = reader.orgId
  const rows = await inHashes(
    reader,
    sql<EffectRow & More>`
    with ${aloneByGroup(reader, proposed)},
    ${togetherEffects},
    ${consequences(reader, together)},
    taking as materialized (
      select id, account_id, role_id, givers > 1 as joint from weighed where not gives and lost
    ),
    leaving as (
      -- in a window, as the effects are: a join of two expressions could loop
      select id, account_id, bool_or(id is null) over (partition by account_id) as is_left
      from (select id, account_id from taking union all select null, account_id from together_left) met
    ),
    ${also.expressions}
    by_role as (
      select role_id, count(*) filter (where not gained) as lost, count(*) filter (where gained) as gained,
        string_agg(account_id::text, ',') filter (where not gained) as losing
      from together group by role_id
    ),
    matrix as (
      -- A role's name is one name on all products and sites, however it is written there.
      select s.name as site, min(min(r.name)) over (partition by r.name_key) as role, sum(e.lost) as lost, sum(e.gained) as gained,
        (select count(distinct account_id) from unnest(string_to_array(string_agg(e.losing, ','), ',')) account_id) as people_losing
      from by_role e
      ${roleOf(reader, sql`e.role_id`)}
      group by s.name, r.name_key
    ),
    warned as (
      select 'last_admin' as code, count(distinct t.id) as groups, count(distinct t.account_id) as people, null::integer as percent, (
        select json_agg(json_build_object('site', s.name, 'product', p.name, 'role', r.name) order by s.name_key, p.name_key, r.name_key)
        from together_last_admin l
        ${roleOf(reader, sql`l.role_id`)}) as of
        from taking t where t.role_id in (select role_id from together_last_admin)
      union all select 'left_with_nothing', count(distinct id), count(distinct account_id), null, null from leaving where is_left
      union all select 'seats_exceeded', count(distinct id), count(distinct account_id), null, (
        select json_agg(json_build_object('site', s.name, 'product', p.name) order by s.name_key, p.name_key)
        from together_seats x
        cross join lateral (select * from products where org_id = ${org} and id = x.product_id offset 0) p
        cross join lateral (select * from sites where org_id = ${org} and id = p.site_id offset 0) s)
        from weighed
        where gives and gained and role_id in (select l.role_id from together_limited l join together_seats x on x.product_id = l.product_id)
      union all select 'inactive', count(distinct id), count(distinct account_id), null, null from differing where gives and not active
      union all select 'guard_passed', count(*) filter (where passes_guard), null,
        nullif(max(guard_percent), ${usualGuard.guardMembersPercent}), null from by_group
      union all select 'empty', count(*) filter (where is_empty), null, null, null from by_group
      union all select 'unknown_members', count(*) filter (where unknown_members > 0), null, null, null from by_group
      union all select 'look_alike', count(*) filter (where look_alikes > 0), null, null, null from by_group
      union all select 'filling', count(*) filter (where is_filling), null, null, null from by_group
    )
    select
      (select count(*) from selected)::integer as groups,
      (select coalesce(sum(added), 0) from by_group)::integer as added,
      (select coalesce(sum(removed), 0) from by_group)::integer as removed,
      count(*) filter (where not gained)::integer as lost,
      count(*) filter (where gained)::integer as gained,
      (count(distinct account_id) filter (where not gained))::integer as "peopleLosing",
      (count(distinct account_id) filter (where gained))::integer as "peopleGaining",
      (select count(*) from together_left)::integer as "leftWithNone",
      count(*) filter (where joint)::integer as "jointLosses",
      (select coalesce(array_agg(distinct id), '{}') from taking where joint) as "jointGroups",
      (select coalesce(json_agg(json_build_object('site', site, 'role', role, 'lost', lost, 'gained', gained, 'peopleLosing', people_losing)
        order by site, role), '[]') from matrix) as matrix,
      (select coalesce(json_agg(json_build_object('code', code, 'groups', groups, 'people', people, 'percent', percent, 'of', of)), '[]') from warned where groups > 0) as warnings,
      ${selectionFingerprint} as fingerprint ${also.column}
    from together`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('An aggregate answers one row.')
  return row
}

function effectFrom(row: EffectRow): Effect {
  const { lost, gained, peopleLosing, peopleGaining, leftWithNone, jointLosses } = row
  return {
    groups: row.groups,
    members: { added: row.added, removed: row.removed },
    access: { lost, gained, peopleLosing, peopleGaining, leftWithNone, jointLosses },
    matrix: row.matrix,
    warnings: row.warnings
      .sort((a, b) => warningCodes.indexOf(a.code) - warningCodes.indexOf(b.code))
      .map(({ code, groups, people, percent, of }) => ({
        code,
        groups,
        ...(people === null ? {} : { people }),
        ...(percent === null ? {} : { percent }),
        ...(of === null ? {} : { of }),
      })),
    jointLosses: { accesses: jointLosses, groups: row.jointGroups },
    fingerprint: row.fingerprint,
  }
}

/** What is other in a newer answer: newer less older, figure by figure. */
export interface EffectDelta {
  groups: number
  members: { added: number; removed: number }
  access: AccessFigures & { jointLosses: number }
}

export function effectDelta(before: EffectDelta, after: EffectDelta): EffectDelta {
  const { groups, members, access } = after
  return {
    groups: groups - before.groups,
    members: { added: members.added - before.members.added, removed: members.removed - before.members.removed },
    access: {
      lost: access.lost - before.access.lost,
      gained: access.gained - before.access.gained,
      peopleLosing: access.peopleLosing - before.access.peopleLosing,
      peopleGaining: access.peopleGaining - before.access.peopleGaining,
      leftWithNone: access.leftWithNone - before.access.leftWithNone,
      jointLosses: access.jointLosses - before.access.jointLosses,
    },
  }
}
