import { sql } from 'kysely'
import type { Db, Trx } from '../database/connection.ts'
import { type DirectoryId, isId, newId, type OrgId, type ProvisionedGroupId, type ReconciliationId } from '../database/ids.ts'
import type { Jobs } from '../database/jobs.ts'
import type { ReconciliationState } from '../database/tables.ts'
import { inTransaction, planForSets } from '../database/transaction.ts'
import { appendLog } from '../organization/log.ts'
import { Refusal } from '../organization/refusal.ts'
import { endFilling } from './groups.ts'
import type { ListedPart } from './reconcile-file.ts'
import { findingsOf } from './reconcile-list.ts'

// The only writer of the provider's own list, as it comes in parts and is compared with what it pushed (docs/decisions/0049).

/** What is said of a list at its end, so that one that was cut concludes nothing. */
export interface ListEnd {
  /** How many parts it had. */
  parts: number
  groups?: number | undefined
  memberships?: number | undefined
}

/** Begins a list of a directory; one whose parts were still coming is given up. */
export async function beginList(trx: Trx, directoryId: DirectoryId): Promise<ReconciliationId> {
  const id = newId<ReconciliationId>()
  await sql`
    with given_up as (
      update reconciliations set state = 'superseded'
      where org_id = ${trx.orgId} and directory_id = ${directoryId} and state in ('receiving', 'comparing')
    )
    insert into reconciliations (org_id, id, directory_id, state, created_by)
    values (${trx.orgId}, ${id}, ${directoryId}, 'receiving', ${trx.scope.actor})`.execute(trx)
  return id
}

/**
 * Takes in a part. The same part again changes nothing; a group may be in several.
 * @throws Refusal `not_found`, `list_not_receiving`
 */
export async function addPart(trx: Trx, directoryId: DirectoryId, id: string, number: number, part: ListedPart): Promise<void> {
  await lockReceiving(trx, directoryId, id)
  await planForSets(trx)
  const of = sql`org_id = ${trx.orgId} and reconciliation_id = ${id}`
  const { groups, people, members } = part
  await sql`
    insert into reconciliation_groups (org_id, reconciliation_id, place, name, name_key, is_listed)
    select ${trx.orgId}::uuid, ${id}::uuid, last.place + row_number() over (order by g.n), g.name, g.key, true
    from unnest(${groups.names}::text[], ${groups.keys}::text[]) with ordinality g(name, key, n)
    cross join (select coalesce(max(place), 0) as place from reconciliation_groups where ${of}) last
    where not exists (select from reconciliation_groups where ${of} and name_key = g.key)`.execute(trx)
  await sql`
    with listed_groups as materialized (
      select g.n, r.place from unnest(${groups.keys}::text[]) with ordinality g(key, n)
      cross join lateral (select place from reconciliation_groups where ${of} and name_key = g.key offset 0) r
    ),
    people as materialized (
      select u.n, u.key, u.name, coalesce(by_name.account_id, by_email.account_id) as account_id
      from unnest(${people.names}::text[], ${people.keys}::text[]) with ordinality u(name, key, n)
      left join lateral (
        select account_id from provisioned_users
        where org_id = ${trx.orgId} and directory_id = ${directoryId} and user_name_key = u.key offset 0
      ) by_name on true
      left join lateral (
        select min(account_id::text)::uuid as account_id from provisioned_users
        where org_id = ${trx.orgId} and directory_id = ${directoryId} and email_key = u.key having count(*) = 1 offset 0
      ) by_email on true
    ),
    listed as materialized (
      select g.place, p.key, p.name, p.account_id
      from unnest(${members.group}::int[], ${members.person}::int[]) m(g, p)
      join listed_groups g on g.n = m.g join people p on p.n = m.p
    ),
    known as (
      insert into reconciliation_members (org_id, reconciliation_id, place, account_id)
      select distinct ${trx.orgId}::uuid, ${id}::uuid, place, account_id from listed where account_id is not null
      on conflict do nothing returning place
    ),
    unknown as (
      insert into reconciliation_differences (org_id, reconciliation_id, place, user_key, user_name, is_missing, is_unknown)
      select distinct on (place, key) ${trx.orgId}::uuid, ${id}::uuid, place, key, name, true, true from listed where account_id is null
      on conflict do nothing returning place
    ),
    counted as (
      select place, count(*) as n from (select place from known union all select place from unknown) each group by place
    )
    update reconciliation_groups r set listed_count = listed_count + counted.n
    from counted where ${of} and r.place = counted.place`.execute(trx)
  await sql`
    update reconciliations set parts = array_append(array_remove(parts, ${number}::integer), ${number}::integer)
    where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
}

/**
 * The list is whole: it is compared in the background.
 * @throws Refusal `not_found`, `list_not_receiving`; `list_incomplete` where it is not what is said of it
 */
export async function compareList(
  trx: Trx,
  jobs: Pick<Jobs, 'send'>,
  directoryId: DirectoryId,
  id: string,
  end: ListEnd,
): Promise<void> {
  const { parts } = await lockReceiving(trx, directoryId, id)
  await planForSets(trx)
  const of = sql`org_id = ${trx.orgId} and reconciliation_id = ${id}`
  const { rows } = await sql<{ groups: number; memberships: number }>`
    select count(*)::int as groups, coalesce(sum(listed_count), 0)::int as memberships from reconciliation_groups where ${of}`.execute(
    trx,
  )
  const [have] = rows as [(typeof rows)[number]]
  refuseWhatIsCut({ parts: parts.length, ...have }, end)
  await sql`
    update reconciliation_groups r set provisioned_group_id = p.id, pushed_count = p.pushed_count
    from (
      select p.id, p.name_key, g.member_count - g.remove_count + g.add_count as pushed_count
      from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
      where p.org_id = ${trx.orgId} and p.directory_id = ${directoryId}
    ) p
    where ${of} and r.name_key = p.name_key`.execute(trx)
  await sql`
    insert into reconciliation_groups (org_id, reconciliation_id, place, name, name_key, is_listed, provisioned_group_id, pushed_count)
    select ${trx.orgId}::uuid, ${id}::uuid, ${have.groups} + row_number() over (order by p.name_key), p.name, p.name_key, false, p.id,
      g.member_count - g.remove_count + g.add_count
    from provisioned_groups p join groups g on g.org_id = p.org_id and g.id = p.group_id
    where p.org_id = ${trx.orgId} and p.directory_id = ${directoryId}
      and not exists (select from reconciliation_groups where ${of} and name_key = p.name_key)`.execute(trx)
  await sql`
    update reconciliations set state = 'comparing', listed_count = ${have.memberships} where org_id = ${trx.orgId} and id = ${id}`.execute(
    trx,
  )
  await jobs.send(trx, 'compare-list', { orgId: trx.orgId, reconciliationId: id as ReconciliationId, actor: trx.scope.actor })
}

function refuseWhatIsCut(have: ListEnd, said: ListEnd): void {
  const wrong = (['parts', 'groups', 'memberships'] as const).filter(
    (what) => said[what] !== undefined && said[what] !== have[what],
  )
  if (wrong.length === 0 && (have.groups ?? 0) > 0) return
  const counts = wrong.map((what) => `${have[what]} of ${said[what]} ${what}`).join(', ')
  throw new Refusal(
    'list_incomplete',
    `Nothing was concluded: ${counts === '' ? 'the list names no group' : `the list is not whole, there are ${counts}`}. Send what is missing, or begin anew.`,
    { have: { ...have }, said: { ...said } },
  )
}

/**
 * Compares a list with what its directory pushed, some groups a transaction: what was done stays done, and who is at it next goes on.
 * @throws where `signal` is aborted: the job is to be tried again
 */
export async function runComparison(
  db: Db,
  { orgId, reconciliationId, actor }: { orgId: OrgId; reconciliationId: ReconciliationId; actor: string },
  signal: AbortSignal,
): Promise<void> {
  while (await inTransaction(db, { orgId, actor }, (trx) => compareSome(trx, reconciliationId))) signal.throwIfAborted()
}

/** Sends the jobs of lists that are not compared to the end: theirs may have been lost. */
export async function resendComparisons(trx: Trx, jobs: Pick<Jobs, 'send'>): Promise<void> {
  const { rows } = await sql<{ reconciliationId: ReconciliationId; actor: string }>`
    select id as "reconciliationId", created_by as actor from reconciliations
    where org_id = ${trx.orgId} and state = 'comparing'`.execute(trx)
  await Promise.all(rows.map((row) => jobs.send(trx, 'compare-list', { orgId: trx.orgId, ...row })))
}

// As many as are compared in a second or two: a push of a group that is compared waits for that.
const membersAtOnce = 100_000

async function compareSome(trx: Trx, id: ReconciliationId): Promise<boolean> {
  const { rows } = await sql<{ directoryId: DirectoryId; done: number; upTo: number | null }>`
    with at as (
      select directory_id, compared_place from reconciliations
      where org_id = ${trx.orgId} and id = ${id} and state = 'comparing' for update
    )
    select at.directory_id as "directoryId", at.compared_place as done, (
      select max(place) from (
        select place, sum(listed_count + pushed_count) over (order by place) - listed_count - pushed_count as before
        from (
          select place, listed_count, pushed_count from reconciliation_groups
          where org_id = ${trx.orgId} and reconciliation_id = ${id} and place > at.compared_place order by place limit 10000
        ) next
      ) summed where before < ${membersAtOnce}
    ) as "upTo" from at`.execute(trx)
  const [at] = rows
  if (at === undefined) return false
  if (at.upTo === null) {
    await conclude(trx, at.directoryId, id)
    return false
  }
  await planForSets(trx)
  await compareGroups(trx, at.directoryId, id, at.done, at.upTo)
  await sql`update reconciliations set compared_place = ${at.upTo} where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
  return true
}

async function compareGroups(
  trx: Trx,
  directoryId: DirectoryId,
  id: ReconciliationId,
  done: number,
  upTo: number,
): Promise<void> {
  const here = sql`org_id = ${trx.orgId} and reconciliation_id = ${id} and place > ${done} and place <= ${upTo}`
  // Those that may be filling are held: what is said to be complete must still be so.
  await sql`
    select id from provisioned_groups
    where org_id = ${trx.orgId} and state <> 'synced'
      and id = any(array(select provisioned_group_id from reconciliation_groups where ${here} and is_listed and provisioned_group_id is not null))
    order by id for no key update`.execute(trx)
  const { rows } = await sql<{ id: ProvisionedGroupId }>`
    with chunk as materialized (
      select r.place, r.is_listed, p.id, p.group_id, p.state
      from (select place, is_listed, provisioned_group_id from reconciliation_groups where ${here} offset 0) r
      left join lateral (
        select id, group_id, state from provisioned_groups where org_id = ${trx.orgId} and id = r.provisioned_group_id offset 0
      ) p on true
    ),
    listed as (
      delete from reconciliation_members where ${here} returning place, account_id
    ),
    pushed as materialized (
      select c.place, m.account_id from chunk c
      cross join lateral (
        select account_id from memberships where org_id = ${trx.orgId} and group_id = c.group_id and pushed offset 0
      ) m
      where c.is_listed
    ),
    differing as materialized (
      select place, account_id, bool_or(is_listed) as is_missing
      from (
        select place, account_id, true as is_listed from listed
        union all select place, account_id, false from pushed
      ) each
      group by place, account_id having count(*) = 1
    ),
    named as (
      insert into reconciliation_differences (org_id, reconciliation_id, place, user_key, user_name, is_missing)
      select ${trx.orgId}::uuid, ${id}::uuid, d.place, u.user_name_key, u.user_name, d.is_missing
      from differing d join chunk c on c.place = d.place and c.id is not null
      cross join lateral (
        select user_name_key, user_name from provisioned_users
        where org_id = ${trx.orgId} and directory_id = ${directoryId} and account_id = d.account_id offset 0
      ) u
      on conflict do nothing
      returning place, is_missing
    ),
    counted as (
      select place, count(*) filter (where is_missing) as missing, count(*) filter (where not is_missing) as extra
      from (
        select place, is_missing from named
        union all select place, is_missing from reconciliation_differences where ${here} and is_unknown
      ) each group by place
    ),
    pushed_counts as (select place, count(*) as n from pushed group by place),
    written as (
      update reconciliation_groups r set missing_count = coalesce(n.missing, 0), extra_count = coalesce(n.extra, 0),
        provisioned_group_id = c.id, pushed_count = case when c.is_listed then coalesce(s.n, 0) else r.pushed_count end
      from chunk c left join counted n on n.place = c.place left join pushed_counts s on s.place = c.place
      where r.org_id = ${trx.orgId} and r.reconciliation_id = ${id} and r.place = c.place
      returning c.id, c.state, c.is_listed, r.missing_count + r.extra_count as differences
    )
    select id from written where id is not null and is_listed and differences = 0 and state <> 'synced'`.execute(trx)
  await endFilling(
    trx,
    rows.map((row) => row.id),
  )
}

// What the one before found is forgotten now, not before: it was so until there is something newer.
async function conclude(trx: Trx, directoryId: DirectoryId, id: ReconciliationId): Promise<void> {
  await sql`
    update reconciliations set state = case when id = ${id} then 'compared' else 'superseded' end,
      compared_at = case when id = ${id} then now() else compared_at end
    where org_id = ${trx.orgId} and directory_id = ${directoryId} and (id = ${id} or state = 'compared')`.execute(trx)
  const { rows } = await sql<{ name: string }>`
    select name from directories where org_id = ${trx.orgId} and id = ${directoryId}`.execute(trx)
  const found = await findingsOf(trx, directoryId)
  await appendLog(trx, {
    action: 'directory.reconciled',
    subject: directoryId,
    directoryId,
    facts: {
      name: rows[0]?.name,
      ...(found ? { listed: found.listed, missing: found.missing, extra: found.extra, isEqual: found.isEqual } : {}),
    },
  })
}

const forgottenAtOnce = 50_000

/** Forgets lists that newer ones superseded, and those whose parts have not come for a day: some rows at once. @returns whether there are more */
export async function forgetLists(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ id: ReconciliationId }>`
    select id from reconciliations
    where org_id = ${trx.orgId} and (state = 'superseded' or state = 'receiving' and created_at < now() - interval '1 day')
    order by id limit 1 for update skip locked`.execute(trx)
  const id = rows[0]?.id
  if (id === undefined) return false
  const some = (table: string) => sql`
    ctid = any(array(select ctid from ${sql.table(table)} where org_id = ${trx.orgId} and reconciliation_id = ${id} limit ${forgottenAtOnce}))`
  const gone = [
    await sql`delete from reconciliation_members where org_id = ${trx.orgId} and ${some('reconciliation_members')}`.execute(trx),
    await sql`delete from reconciliation_differences where org_id = ${trx.orgId} and ${some('reconciliation_differences')}`.execute(
      trx,
    ),
    await sql`delete from reconciliation_groups where org_id = ${trx.orgId} and ${some('reconciliation_groups')}`.execute(trx),
  ]
  if (gone.every(({ numAffectedRows }) => numAffectedRows === 0n))
    await sql`delete from reconciliations where org_id = ${trx.orgId} and id = ${id}`.execute(trx)
  return true
}

async function lockReceiving(trx: Trx, directoryId: DirectoryId, id: string): Promise<{ parts: number[] }> {
  const { rows } = isId(id)
    ? await sql<{ state: ReconciliationState; parts: number[] }>`
        select state, parts from reconciliations
        where org_id = ${trx.orgId} and directory_id = ${directoryId} and id = ${id} for update`.execute(trx)
    : { rows: [] }
  const [row] = rows
  if (row === undefined) throw new Refusal('not_found', 'There is no such list of this directory. Begin one.')
  if (row.state !== 'receiving')
    throw new Refusal('list_not_receiving', 'This list takes no more parts: it was ended, or another was begun. Begin anew.', {
      state: row.state,
    })
  return { parts: row.parts }
}
