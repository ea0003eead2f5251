import { sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { ProvisionedGroupId, RunId } from '../database/ids.ts'
import { differs, type Sql } from './differences.ts'

/**
 * What syncing one group in its turn of a run comes to.
 * `digest`: its state, name, pairing, and who is added and removed: SHA-256 in hex.
 * `lost`: what is gone once the whole run is done and this group's removals have part in: `account:role`, sorted.
 */
export interface Expectation {
  digest: string
  lost: string[]
}

/** `lostAtOnce`: what is gone when this group is synced and all others are as they are in force: `account:role`, sorted. */
export interface Turn extends Expectation {
  lostAtOnce: string[]
}

/** The groups that count as synced: by id, or the ones of a run that wait. */
type Pending = readonly ProvisionedGroupId[] | { run: RunId }

/**
 * For each group the accesses that its removals touch and that nobody gives any more, with `pushed` as the truth of the groups
 * pending (these included) and `effective` of all others. With all groups of the run that are not done it does not change while the run
 * goes on, since a group that is done has effective = pushed: it can be computed in each group's own transaction, under lock, and
 * compared with what was foreseen when the run was asked for. With only the groups that the transaction syncs it is what is gone at its
 * commit. A group that is no more is not in the answer.
 */
export async function expectedInRun(
  reader: Reader,
  of: { groupIds: readonly ProvisionedGroupId[]; pending: readonly ProvisionedGroupId[] },
): Promise<Map<ProvisionedGroupId, Expectation>> {
  return new Map((await turns(reader, of)).map(({ id, digest, lost }) => [id, { digest, lost }]))
}

/** The same of one group in its turn, with the groups of the run that wait pending; undefined where it is no more. */
export async function expectedInTurn(
  reader: Reader,
  { id, runId }: { id: ProvisionedGroupId; runId: RunId },
): Promise<Turn | undefined> {
  const [turn] = await turns(reader, { groupIds: [id], pending: { run: runId } })
  return turn
}

// Reads the differences of these groups and the memberships of who is removed, by index only.
async function turns(
  reader: Reader,
  { groupIds, pending }: { groupIds: readonly ProvisionedGroupId[]; pending: Pending },
): Promise<(Turn & { id: ProvisionedGroupId })[]> {
  const org = reader.orgId
  const { rows } = await sql<Turn & { id: ProvisionedGroupId }>`
    with asked as materialized (
      select p.id, p.group_id, p.name, p.state from provisioned_groups p
      where p.org_id = ${org} and p.id = any(${groupIds}::uuid[])
    ),
    ${pendingGroups(reader, pending)},
    differing as materialized (
      select s.id, m.group_id, m.account_id, m.pushed
      from asked s join memberships m on m.org_id = ${org} and m.group_id = s.group_id and ${differs}
    ),
    changes as (
      select id,
        sha256(coalesce(string_agg(uuid_send(account_id), '' order by account_id) filter (where pushed), '')) as added,
        sha256(coalesce(string_agg(uuid_send(account_id), '' order by account_id) filter (where not pushed), '')) as removed
      from differing group by id
    ),
    taken as (
      select d.id, d.account_id, g.role_id, kept.*
      from differing d
      join accounts a on a.org_id = ${org} and a.id = d.account_id and a.active
      join grants g on g.org_id = ${org} and g.group_id = d.group_id
      cross join lateral (
        select bool_or(case when m.pushed = m.effective then true when ${isPending(reader, pending)} then m.pushed else m.effective end) as at_the_end,
          bool_or(m.effective and m.group_id <> d.group_id) as at_once
        from memberships m
        where m.org_id = ${org} and m.account_id = d.account_id
          and exists (select from grants x where x.org_id = ${org} and x.group_id = m.group_id and x.role_id = g.role_id offset 0)
      ) kept
      where not d.pushed
    ),
    lost as (
      select id, ${accesses} filter (where not at_the_end) as at_the_end, ${accesses} filter (where not at_once) as at_once
      from taken group by id
    )
    select s.id, coalesce(l.at_the_end, '{}') as lost, coalesce(l.at_once, '{}') as "lostAtOnce",
      encode(sha256(convert_to(concat_ws('|', 'muster.run.group.1', s.id, s.group_id, s.state, to_json(s.name),
        encode(coalesce(c.added, sha256('')), 'hex'), encode(coalesce(c.removed, sha256('')), 'hex')), 'UTF8')), 'hex') as digest
    from asked s left join changes c on c.id = s.id left join lost l on l.id = s.id`.execute(reader)
  return rows
}

const accesses: Sql = sql`array_agg(account_id || ':' || role_id order by account_id, role_id)`

function pendingGroups(reader: Reader, pending: Pending): Sql {
  // A run's own list is looked up group by group instead: thousands of ids need not be sent for each of thousands of groups.
  if ('run' in pending) return sql`pending as (select)`
  return sql`
    pending as materialized (
      select p.group_id from provisioned_groups p where p.org_id = ${reader.orgId} and p.id = any(${pending}::uuid[])
    )`
}

function isPending(reader: Reader, pending: Pending): Sql {
  if (!('run' in pending)) return sql`m.group_id in (select group_id from pending)`
  // Look-ups by whole keys, one in the other: joined, all groups of a run that was just written could be read for each.
  return sql`(
    select coalesce((
      select x.result is null from run_groups x
      where x.org_id = ${reader.orgId} and x.run_id = ${pending.run} and x.provisioned_group_id = p.id
    ), false)
    from provisioned_groups p where p.org_id = ${reader.orgId} and p.group_id = m.group_id)`
}
