import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../database/connection.ts'
import type { ProvisionedGroupId, RunId } from '../database/ids.ts'
import { inHashes } from '../database/in-hashes.ts'
import { type Choices, differs, givenChoices, isChosen, linkedDifferences, type Sql } from './differences.ts'

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

/** The groups that count as synced, each as chosen: these, or the ones of a run that wait, of which some may be linked to other groups first. */
type Pending = { ids: readonly ProvisionedGroupId[]; choices?: Choices | undefined } | { run: RunId; links: boolean }

/**
 * For each group the accesses that its removals touch and that nobody gives any more, with what is chosen as the truth of the groups
 * pending (these included) and `effective` of all others. With all groups of the run that are not done it does not change while the run
 * goes on, since a group that is done has effective = pushed: it can be computed in each group's own transaction, under lock, and
 * compared with what was foreseen when the run was asked for. With only the groups that the transaction syncs it is what is gone at its
 * commit. A group that is no more is not in the answer.
 */
export async function expectedInRun(
  reader: Reader,
  {
    groupIds,
    pending,
    choices,
  }: { groupIds: readonly ProvisionedGroupId[]; pending: readonly ProvisionedGroupId[]; choices?: Choices | undefined },
): Promise<Map<ProvisionedGroupId, Expectation>> {
  const found = await inHashes(reader, turns(reader, groupIds, { ids: pending, choices }))
  return new Map(found.map(({ id, digest, lost }) => [id, { digest, lost }]))
}

/** The same of one group in its turn, with the groups of the run that wait pending; undefined where it is no more. */
export async function expectedInTurn(
  reader: Reader,
  { id, run }: { id: ProvisionedGroupId; run: { id: RunId; links: boolean } },
): Promise<Turn | undefined> {
  const { rows } = await turns(reader, [id], { run: run.id, links: run.links }).execute(reader)
  return rows[0]
}

// Reads the differences of these groups and the memberships of who is removed, by index only.
function turns(
  reader: Reader,
  groupIds: readonly ProvisionedGroupId[],
  pending: Pending,
): RawBuilder<Turn & { id: ProvisionedGroupId }> {
  const org = reader.orgId
  const links = 'run' in pending ? pending.links : [...(pending.choices ?? [])].some(([, { linkTo }]) => linkTo !== undefined)
  return sql`
    with ${chosenGroups(reader, pending)},${links ? sql` linked as materialized (${linkedOf(reader, pending)}),` : sql``}
    asked as materialized (
      select p.id, coalesce(c.link_to, p.group_id) as group_id, case when c.link_to is not null then p.group_id end as link_from, p.name, p.state,
        c.choice, c.people
      from unnest(${groupIds}::uuid[]) as given(id)
      cross join lateral (select id, group_id, name, state from provisioned_groups where org_id = ${org} and id = given.id offset 0) p
      left join lateral (${choiceOf(reader, pending, sql`p.id`)}) c on true
    ),
    differing as materialized (
      select s.id, s.group_id, m.account_id, m.pushed
      from asked s
      cross join lateral (
        select account_id, pushed, waiting from memberships m where org_id = ${org} and group_id = s.group_id and ${differs} offset 0
      ) m
      where s.link_from is null and ${isChosen}
      ${links ? sql`union all ${linkedDifferences(reader, sql`asked`)}` : sql``}
      union all
      select s.id, null, m.account_id, true
      from asked s
      cross join lateral (select account_id from memberships where org_id = ${org} and group_id = s.group_id and pushed offset 0) m
      where s.choice = 'rename_existing'
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
      cross join lateral (select from accounts where org_id = ${org} and id = d.account_id and active offset 0) a
      cross join lateral (select role_id from grants where org_id = ${org} and group_id = d.group_id offset 0) g
      cross join lateral (
        select bool_or(${isAtTheEnd(reader, pending, links)}) as at_the_end, bool_or(m.effective and m.group_id <> d.group_id) as at_once
        from ${links ? withLinked(reader) : sql`memberships m where m.org_id = ${org} and m.account_id = d.account_id`}
          and exists (select from grants x where x.org_id = ${org} and x.group_id = m.group_id and x.role_id = g.role_id offset 0)
      ) kept
      where not d.pushed
    ),
    lost as (
      select id, ${accesses()} filter (where not at_the_end) as at_the_end, ${accesses()} filter (where not at_once) as at_once
      from taken group by id
    )
    select s.id, coalesce(l.at_the_end, '{}') as lost, coalesce(l.at_once, '{}') as "lostAtOnce",
      ${turnDigest(sql`c.added`, sql`c.removed`)} as digest
    from asked s left join changes c on c.id = s.id left join lost l on l.id = s.id`
}

const turnDigest = (added: Sql, removed: Sql): Sql => sql`
  encode(sha256(convert_to(concat_ws('|', 'muster.run.group.1', s.id, s.group_id, s.state, to_json(s.name),
    encode(coalesce(${added}, sha256('')), 'hex'), encode(coalesce(${removed}, sha256('')), 'hex')), 'UTF8')), 'hex')`

/**
 * The same of all selected groups, each pending with all the others, as `expected` (id, digest, lost): from what their combined effect is
 * computed from (`selected`, `parts`, and `taking`, what goes and by which group), so that both are of one reading.
 */
export const expectedTogether: Sql = sql`
  expected as (
    select s.id, coalesce(l.accesses, '{}') as lost, ${turnDigest(sql`added.digest`, sql`removed.digest`)} as digest
    from selected s
    left join (select id, digest from parts where part = 'added') added on added.id = s.id
    left join (select id, digest from parts where part = 'removed') removed on removed.id = s.id
    left join (select id, ${accesses()} as accesses from taking group by id) l on l.id = s.id
  )`

function accesses(): Sql {
  return sql`array_agg(account_id || ':' || role_id order by account_id, role_id)`
}

const isAtTheEnd = (reader: Reader, pending: Pending, links: boolean): Sql => {
  const usual = sql`case when m.pushed = m.effective then true when ${becomesPushed(reader, pending)} then m.pushed else m.effective end`
  return links ? sql`case when m.linked is not null then m.linked else ${usual} end` : usual
}

/** The memberships of account `d`, those of a group that somebody is linked to with what the link makes of them (`linked`). */
const withLinked = (reader: Reader): Sql => sql`(
  select group_id, account_id, pushed, effective, waiting, null::boolean as linked from memberships
  where org_id = ${reader.orgId} and account_id = d.account_id and group_id not in (select group_id from linked)
  union all
  select l.group_id, d.account_id, null, coalesce(t.effective, false), null,
    coalesce(f.pushed, false) or l.choice = 'merge' and coalesce(t.effective, false)
  from linked l
  left join lateral (
    select pushed from memberships where org_id = ${reader.orgId} and group_id = l.link_from and account_id = d.account_id offset 0
  ) f on true
  left join lateral (
    select effective from memberships where org_id = ${reader.orgId} and group_id = l.group_id and account_id = d.account_id offset 0
  ) t on true
) m where true`

/** The groups pending that are linked to others first: from which group (`link_from`) to which (`group_id`). */
function linkedOf(reader: Reader, pending: Pending): Sql {
  const org = reader.orgId
  const given =
    'run' in pending
      ? sql`(
      select unit_id as id, choice, link_to from run_groups x
      where x.org_id = ${org} and x.run_id = ${pending.run} and x.link_to is not null and coalesce(x.result, '') = ''
    ) as given`
      : givenChoices(pending.ids, pending.choices)
  return sql`
    select p.group_id as link_from, given.link_to as group_id, given.choice from ${given}
    cross join lateral (select group_id from provisioned_groups where org_id = ${org} and id = given.id offset 0) p
    where given.link_to is not null`
}

function chosenGroups(reader: Reader, pending: Pending): Sql {
  // A run's own list is looked up group by group instead: thousands of ids need not be sent for each of thousands of groups.
  if ('run' in pending) return sql`chosen as (select)`
  return sql`
    chosen as materialized (
      select given.id, p.group_id, given.choice, given.link_to, given.people
      from ${givenChoices(pending.ids, pending.choices)}
      cross join lateral (select group_id from provisioned_groups where org_id = ${reader.orgId} and id = given.id offset 0) p
    )`
}

/** What is chosen for a pushed group, where it is pending: a row (choice, link_to, people), or none. */
function choiceOf(reader: Reader, pending: Pending, id: Sql): Sql {
  if (!('run' in pending)) return sql`select choice, link_to, people from chosen where chosen.id = ${id}`
  return sql`
    select x.choice, x.link_to, x.people from run_groups x
    where x.org_id = ${reader.orgId} and x.run_id = ${pending.run} and x.unit_id = ${id} and coalesce(x.result, '') = '' offset 0`
}

/** Whether a difference `m` of whatever group becomes what is pushed, because its group is pending. */
function becomesPushed(reader: Reader, pending: Pending): Sql {
  const org = reader.orgId
  if (!('run' in pending)) {
    // Looked up in hashes, a choice each: as rows they would be gone through for every membership.
    const ofChoice = (choice: string) =>
      sql`m.group_id in (select group_id from chosen where choice = ${sql.lit(choice)} and link_to is null)`
    return sql`(${ofChoice('overwrite')} or m.pushed and ${ofChoice('merge')} or m.waiting = 'kept' and (
      m.group_id in (select group_id from chosen where choice = 'drop_kept' and people is null)
      or (m.group_id, m.account_id) in (select group_id, unnest(people) from chosen where choice = 'drop_kept')))`
  }
  // Look-ups by whole keys, one in the other: joined, all groups of a run that was just written could be read for each.
  return sql`coalesce((
    select (select s.link_to is null and ${isChosen} from (${choiceOf(reader, pending, sql`p.id`)}) s)
    from provisioned_groups p where p.org_id = ${org} and p.group_id = m.group_id), false)`
}
