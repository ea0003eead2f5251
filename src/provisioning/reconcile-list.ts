import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId, ProvisionedGroupId, ReconciliationId } from '../database/ids.ts'
import type { GroupState } from '../database/tables.ts'
import { found, type Listed, type Listing, list } from '../organization/listing.ts'
import { Refusal } from '../organization/refusal.ts'

/** What comparing a provider's own list with what it pushed has found; members are of the groups that are on both sides. */
export interface Findings {
  id: ReconciliationId
  comparedAt: Date
  startedBy: string
  listed: { groups: number; memberships: number }
  pushed: { groups: number; memberships: number }
  /** In the list, and not here. */
  missing: { groups: number; members: number }
  /** Here, and not in the list. */
  extra: { groups: number; members: number }
  /** Groups on both sides whose members differ. */
  differing: number
  /** People in the list whom the provider has not pushed. */
  unknownPeople: number
  isEqual: boolean
}

/** How far a list is that is being taken in or compared. */
export interface ListUnderWay {
  id: ReconciliationId
  state: 'receiving' | 'comparing'
  startedBy: string
  startedAt: Date
  parts: number
  groups: number
  comparedGroups: number
}

/** What the last list that was compared came to. */
export async function findingsOf(reader: Reader, directoryId: DirectoryId): Promise<Findings | undefined> {
  const { rows } = await sql<Omit<Findings, 'listed' | 'pushed' | 'missing' | 'extra'> & Record<string, number>>`
    select l.id, l.compared_at as "comparedAt", l.created_by as "startedBy", n.*, (
        select count(distinct user_key)::int from reconciliation_differences
        where org_id = ${reader.orgId} and reconciliation_id = l.id and is_unknown
      ) as "unknownPeople"
    from (
      select id, compared_at, created_by from reconciliations
      where org_id = ${reader.orgId} and directory_id = ${directoryId} and state = 'compared' order by compared_at desc limit 1
    ) l
    cross join lateral (
      select count(*) filter (where is_listed)::int as "listedGroups", coalesce(sum(listed_count), 0)::int as "listedMembers",
        count(provisioned_group_id)::int as "pushedGroups", coalesce(sum(pushed_count), 0)::int as "pushedMembers",
        count(*) filter (where provisioned_group_id is null)::int as "missingGroups",
        coalesce(sum(missing_count) filter (where provisioned_group_id is not null), 0)::int as "missingMembers",
        count(*) filter (where not is_listed)::int as "extraGroups", coalesce(sum(extra_count), 0)::int as "extraMembers",
        count(*) filter (where is_listed and provisioned_group_id is not null and missing_count + extra_count > 0)::int as differing
      from reconciliation_groups where org_id = ${reader.orgId} and reconciliation_id = l.id offset 0
    ) n`.execute(reader)
  const [row] = rows
  if (row === undefined) return undefined
  const {
    listedGroups,
    listedMembers,
    pushedGroups,
    pushedMembers,
    missingGroups,
    missingMembers,
    extraGroups,
    extraMembers,
    ...rest
  } = row as typeof row & Record<string, number>
  const missing = { groups: missingGroups ?? 0, members: missingMembers ?? 0 }
  const extra = { groups: extraGroups ?? 0, members: extraMembers ?? 0 }
  return {
    ...rest,
    listed: { groups: listedGroups ?? 0, memberships: listedMembers ?? 0 },
    pushed: { groups: pushedGroups ?? 0, memberships: pushedMembers ?? 0 },
    missing,
    extra,
    isEqual: missing.groups + missing.members + extra.groups + extra.members === 0,
  } as Findings
}

/** The list that is being taken in or compared, if there is one. */
export async function listUnderWay(reader: Reader, directoryId: DirectoryId): Promise<ListUnderWay | null> {
  const { rows } = await sql<ListUnderWay>`
    select id, state, created_by as "startedBy", created_at as "startedAt", cardinality(parts) as parts,
      (select count(*)::int from reconciliation_groups where org_id = r.org_id and reconciliation_id = r.id) as groups,
      compared_place as "comparedGroups"
    from reconciliations r
    where org_id = ${reader.orgId} and directory_id = ${directoryId} and state in ('receiving', 'comparing')
    order by created_at desc limit 1`.execute(reader)
  return rows[0] ?? null
}

export const groupFindings = ['missing', 'extra', 'differing', 'equal'] as const

/** A group as the comparison found it. */
export interface ComparedGroup {
  name: string
  finding: (typeof groupFindings)[number]
  /** The pushed group; null where it is missing here. */
  id: ProvisionedGroupId | null
  state: GroupState | null
  listedMembers: number
  pushedMembers: number
  missing: number
  extra: number
}

/** Groups of the last comparison: all that are not equal unless one finding is asked for. @throws Refusal `not_found` where nothing was compared */
export async function listComparedGroups(
  reader: Reader,
  directoryId: DirectoryId,
  listing: Listing,
  finding?: ComparedGroup['finding'],
): Promise<Listed<ComparedGroup>> {
  const id = await comparedId(reader, directoryId)
  return list(reader, listing, {
    columns: sql`r.name, r.finding, r.provisioned_group_id as id, p.state, r.listed_count as "listedMembers", r.pushed_count as "pushedMembers",
      r.missing_count as missing, r.extra_count as extra`,
    from: sql`
      (select *, ${findingSql} as finding from reconciliation_groups where org_id = ${reader.orgId} and reconciliation_id = ${id}) r
      left join lateral (
        select state from provisioned_groups where org_id = ${reader.orgId} and id = r.provisioned_group_id offset 0
      ) p on true
      where ${finding === undefined ? sql`r.finding <> 'equal'` : sql`r.finding = ${finding}`} and ${found(listing, 'r.name_key')}`,
    sorts: { name: 'r.name_key', missing: 'r.missing_count', extra: 'r.extra_count', finding: 'r.finding' },
    usual: 'name',
    last: 'r.place',
  })
}

const findingSql = sql`case when provisioned_group_id is null then 'missing' when not is_listed then 'extra'
  when missing_count + extra_count > 0 then 'differing' else 'equal' end`

/** A member who is on one side only, of a group that is on both. */
export interface ComparedMember {
  group: string
  userName: string
  finding: 'missing' | 'extra'
  /** Whether the provider has pushed this person at all. */
  isKnown: boolean
}

/** Members who are on one side only. @throws Refusal `not_found` where nothing was compared */
export async function listComparedMembers(
  reader: Reader,
  directoryId: DirectoryId,
  listing: Listing,
  { group, finding }: { group?: string | undefined; finding?: 'missing' | 'extra' | undefined },
): Promise<Listed<ComparedMember>> {
  const id = await comparedId(reader, directoryId)
  return list(reader, listing, {
    columns: sql`g.name as "group", d.user_name as "userName", case when d.is_missing then 'missing' else 'extra' end as finding,
      not d.is_unknown as "isKnown"`,
    from: sql`
      (
        select place, name, name_key from reconciliation_groups
        where org_id = ${reader.orgId} and reconciliation_id = ${id} and is_listed and provisioned_group_id is not null
          and ${group === undefined ? sql`missing_count + extra_count > 0` : sql`name_key = ${group}`}
      ) g
      cross join lateral (
        select * from reconciliation_differences where org_id = ${reader.orgId} and reconciliation_id = ${id} and place = g.place offset 0
      ) d
      where ${finding === undefined ? sql`true` : sql`d.is_missing = ${finding === 'missing'}`} and ${found(listing, 'd.user_key', 'g.name_key')}`,
    sorts: { group: 'g.name_key', userName: 'd.user_key', finding: 'd.is_missing' },
    usual: 'group',
    last: 'g.place, d.user_key',
  })
}

async function comparedId(reader: Reader, directoryId: DirectoryId): Promise<ReconciliationId> {
  const { rows } = await sql<{ id: ReconciliationId }>`
    select id from reconciliations
    where org_id = ${reader.orgId} and directory_id = ${directoryId} and state = 'compared' order by compared_at desc limit 1`.execute(
    reader,
  )
  if (rows[0] === undefined)
    throw new Refusal(
      'not_found',
      'No list of this provider was compared yet. Compare one: muster reconcile DIRECTORY --file groups.csv',
    )
  return rows[0].id
}
