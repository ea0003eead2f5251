import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { DirectoryId, ProvisionedGroupId } from '../database/ids.ts'
import { type MatchCounts, matchCounts } from '../provisioning/matching-report.ts'
import { type AccessFigures, type Effect, effectOf } from './effect.ts'

/** What a directory that observes comes to, over all that it has pushed. */
export interface Observed {
  /** `new`: their names are free, and going live brings them into force; conflicting and blocked ones are as they are after it. */
  groups: {
    pushed: number
    new: number
    conflicting: number
    blocked: number
    ignored: number
    unknownMembers: number
    members: number
  }
  people: MatchCounts
  /** What going live itself does to access: people switched off and on. */
  access: AccessFigures
  /** What it would do to access if every conflicting group were then overwritten. */
  conflicts: Effect['access']
  /** SHA-256 in hex of what going live does to whose access. What is new and takes nothing from anybody may go on arriving. */
  fingerprint: string
}

/** The report over a whole directory: before it goes live, nothing of it is effective. */
export async function observedOf(reader: Reader, directoryId: DirectoryId): Promise<Observed> {
  const people = await matchCounts(reader, directoryId)
  const { rows } = await sql<Pick<Observed, 'groups'> & { conflicting: ProvisionedGroupId[] }>`
    select json_build_object('pushed', count(*), 'new', count(*) filter (where p.state = 'ready'),
        'conflicting', count(*) filter (where p.state = 'needs_review'), 'blocked', count(*) filter (where p.state = 'blocked'),
        'ignored', count(*) filter (where p.state = 'ignored'), 'members', coalesce(sum(o.add_count) filter (where p.state = 'ready'), 0),
        'unknownMembers', coalesce(sum((select count(*) from unknown_members x where x.org_id = ${reader.orgId} and x.provisioned_group_id = p.id)), 0)
      ) as groups,
      coalesce(array_agg(p.id order by p.id) filter (where p.state = 'needs_review'), '{}') as conflicting
    from provisioned_groups p
    cross join lateral (select add_count from groups where org_id = ${reader.orgId} and id = p.group_id offset 0) o
    where p.org_id = ${reader.orgId} and p.directory_id = ${directoryId}`.execute(reader)
  const { groups, conflicting } = rows[0] as (typeof rows)[number]
  return {
    groups,
    people,
    ...(await switchedAccess(reader, directoryId)),
    conflicts: (await effectOf(reader, conflicting)).access,
  }
}

/** What going live comes to, as a run has it. Conflicting groups are not in it: they are reviewed after. */
export async function goLiveEffect(reader: Reader, directoryId: DirectoryId): Promise<Effect> {
  const { access, fingerprint } = await switchedAccess(reader, directoryId)
  const { rows } = await sql<{ groups: number; added: number }>`
    select count(*)::integer as groups, coalesce(sum(o.add_count), 0)::integer as added from provisioned_groups p
    cross join lateral (select add_count from groups where org_id = ${reader.orgId} and id = p.group_id offset 0) o
    where p.org_id = ${reader.orgId} and p.directory_id = ${directoryId} and p.state = 'ready'`.execute(reader)
  const { groups, added } = rows[0] as (typeof rows)[number]
  return {
    groups,
    members: { added, removed: 0 },
    access: { ...access, jointLosses: 0 },
    matrix: [],
    warnings: [],
    jointLosses: { accesses: 0, groups: [] },
    fingerprint,
  }
}

/** What going live does to access, and the fingerprint of it. */
async function switchedAccess(reader: Reader, directoryId: DirectoryId): Promise<{ access: AccessFigures; fingerprint: string }> {
  const { rows } = await sql<AccessFigures & { fingerprint: string }>`
    with switched as materialized (
      select a.id, u.active from provisioned_users u
      cross join lateral (select * from accounts where org_id = ${reader.orgId} and id = u.account_id offset 0) a
      where u.org_id = ${reader.orgId} and u.directory_id = ${directoryId} and u.state = 'ready'
        and a.observed_by is null and a.owned_by is null and not a.is_protected and u.active <> a.active
    ),
    accesses as materialized (
      select distinct s.id, s.active, g.role_id from switched s
      cross join lateral (select group_id from memberships where org_id = ${reader.orgId} and account_id = s.id and effective offset 0) m
      cross join lateral (select role_id from grants where org_id = ${reader.orgId} and group_id = m.group_id offset 0) g
    )
    select (count(*) filter (where not active))::integer as lost, (count(*) filter (where active))::integer as gained,
      (count(distinct id) filter (where not active))::integer as "peopleLosing",
      (count(distinct id) filter (where active))::integer as "peopleGaining",
      (count(distinct id) filter (where not active))::integer as "leftWithNone",
      encode(sha256(convert_to(concat_ws('|', 'muster.go_live.1', ${directoryId}::text,
        (select string_agg(id || case when active then '+' else '-' end, ',' order by id) from switched),
        (select string_agg(id || ':' || role_id, ',' order by id, role_id) from accesses)), 'UTF8')), 'hex') as fingerprint
    from accesses`.execute(reader)
  const { fingerprint, ...access } = rows[0] as (typeof rows)[number]
  return { access, fingerprint }
}
