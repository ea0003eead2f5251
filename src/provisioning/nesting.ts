import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type AccountId, type DirectoryId, isId, type ProvisionedGroupId } from '../database/ids.ts'
import { appendLogs } from '../organization/log.ts'
import type { PushedRows } from '../organization/memberships.ts'
import { lockDirectory } from './directories.ts'
import { followsIn, type HeldGroup, keepFilling, setNested, touchMembers } from './groups.ts'
import { pushMemberships } from './guard.ts'
import { isOf } from './key-sql.ts'

// Groups as members of groups (decision 0028). Of a group in a nest `memberships` has all who are in it by whatever way, and
// `direct_members` those whom the provider named in it; of any other group both would be the same, and `direct_members` is empty.

/** Which of these values are groups of the directory. */
export async function groupsAmong(
  reader: Reader,
  directoryId: DirectoryId,
  values: readonly string[],
): Promise<ProvisionedGroupId[]> {
  const ids = values.filter(isId)
  if (ids.length === 0) return []
  const { rows } = await sql<{ id: ProvisionedGroupId }>`
    select g.id from ${groupsGiven(reader, directoryId, ids)}`.execute(reader)
  return rows.map((row) => row.id)
}

// Each looked up by key: of a list PostgreSQL would without statistics rather read all groups of the organization.
const groupsGiven = (reader: Reader, directoryId: DirectoryId, ids: readonly string[]) => sql`
  unnest(${ids}::uuid[]) as given(id) cross join lateral (
    select id, is_nested from provisioned_groups where org_id = ${reader.orgId} and id = given.id and ${isOf(directoryId)} offset 0) as g`

/**
 * For who is to change what is in a group: if it is in a nest, or `children` are to be in it, changes of nests wait for one another, and
 * all groups that hold it are locked with it, in the order of their ids. Else nothing is locked. Before any of them is locked alone.
 */
export async function lockNest(
  trx: Trx,
  directoryId: DirectoryId,
  { id, children = [] }: { id?: ProvisionedGroupId; children?: readonly string[] },
): Promise<void> {
  const ids = [...(id === undefined ? [] : [id]), ...children].filter(isId)
  if (ids.length === 0) return
  const { rows } = await sql`
    select from ${groupsGiven(trx, directoryId, ids)} where is_nested or ${children.length > 0}::boolean`.execute(trx)
  if (rows.length === 0) return
  await lockDirectory(trx, directoryId)
  await sql`
    select from provisioned_groups
    where org_id = ${trx.orgId} and directory_id = ${directoryId} and id = any(array(${holders(trx, ids)}))
    order by id for update`.execute(trx)
}

/** What of direct members a push changed. */
export interface DirectChange {
  changed: AccountId[]
  said: { toBe: number; notToBe: number }
}

/**
 * Writes what a push says of the members of a group in a nest (`rows` as for `writePushed`): it alone holds them directly, and all that
 * hold it have them, too.
 */
export async function pushDirectMembers(
  trx: Trx,
  directoryId: DirectoryId,
  id: ProvisionedGroupId,
  rows: PushedRows,
): Promise<DirectChange> {
  const written = await sql<{ gone: AccountId[]; come: AccountId[]; said: DirectChange['said'] }>`
    with said as materialized (select account_id, pushed from (${rows}) as said_of),
    gone as (
      delete from direct_members d using said
      where d.org_id = ${trx.orgId} and d.provisioned_group_id = ${id} and d.account_id = said.account_id and not said.pushed
      returning d.account_id
    ),
    come as (
      insert into direct_members (org_id, provisioned_group_id, account_id)
      select ${trx.orgId}::uuid, ${id}::uuid, account_id from said where pushed
      on conflict do nothing returning account_id
    )
    select array(select account_id from gone) as gone, array(select account_id from come) as come,
      json_build_object('toBe', count(*) filter (where pushed), 'notToBe', count(*) filter (where not pushed)) as said
    from said`.execute(trx)
  const [{ gone, come, said }] = written.rows as [{ gone: AccountId[]; come: AccountId[]; said: DirectChange['said'] }]
  const change = { changed: [...gone, ...come], said }
  await logNamed(trx, directoryId, [{ id, come, gone }])
  await flatten(trx, directoryId, [id], sql`select unnest(${change.changed}::uuid[]) as account_id`)
  return change
}

/** A user who has appeared is put into groups in nests that were pushed with them before. */
export async function joinDirectly(
  trx: Trx,
  directoryId: DirectoryId,
  ids: readonly ProvisionedGroupId[],
  accountId: AccountId,
): Promise<void> {
  await lockDirectory(trx, directoryId)
  const joined = await idsOf(
    trx,
    sql`
    insert into direct_members (org_id, provisioned_group_id, account_id)
    select ${trx.orgId}::uuid, unnest(${ids}::uuid[]), ${accountId}::uuid on conflict do nothing
    returning provisioned_group_id as id`,
  )
  await logNamed(
    trx,
    directoryId,
    joined.map((id) => ({ id, come: [accountId] })),
  )
  await flatten(trx, directoryId, ids, sql`select ${accountId}::uuid as account_id`)
}

/** The groups in a nest in which the directory names a person. */
export const namedIn = (trx: Trx, directoryId: DirectoryId, accountId: AccountId): Promise<ProvisionedGroupId[]> =>
  idsOf(
    trx,
    sql`
    select p.id from direct_members d
    join provisioned_groups p on p.org_id = ${trx.orgId} and p.id = d.provisioned_group_id and p.directory_id = ${directoryId}
    where d.org_id = ${trx.orgId} and d.account_id = ${accountId} order by p.id`,
  )

/** A user is deleted: no group of the directory names them any more. Whom the groups hold is written by who deletes. */
export async function forgetDirectMember(trx: Trx, directoryId: DirectoryId, accountId: AccountId): Promise<void> {
  const left = await idsOf(
    trx,
    sql`
    delete from direct_members d using provisioned_groups p
    where d.org_id = ${trx.orgId} and d.account_id = ${accountId}
      and p.org_id = d.org_id and p.id = d.provisioned_group_id and p.directory_id = ${directoryId}
    returning p.id`,
  )
  await logNamed(
    trx,
    directoryId,
    left.map((id) => ({ id, gone: [accountId] })),
  )
}

/** The log names whom the provider named in groups in a nest: who is in them by other ways says nothing of it. */
async function logNamed(
  trx: Trx,
  directoryId: DirectoryId,
  named: readonly { id: ProvisionedGroupId; come?: AccountId[]; gone?: AccountId[] }[],
): Promise<void> {
  const entries = named
    .filter(({ come = [], gone = [] }) => come.length + gone.length > 0)
    .map(({ id, come = [], gone = [] }) => ({
      action: 'members.named' as const,
      subject: id,
      directoryId,
      pushedAdded: come,
      pushedRemoved: gone,
    }))
  await appendLogs(trx, entries)
}

/**
 * Puts groups into groups, and takes others out: whom these hold comes and goes with them, in all that hold the parents as well.
 * @param removed `rest`: all that are not added
 * @returns whether anything changed
 */
export async function changeNesting(
  trx: Trx,
  directoryId: DirectoryId,
  parents: readonly ProvisionedGroupId[],
  { added, removed }: { added: readonly ProvisionedGroupId[]; removed: readonly string[] | 'rest' },
): Promise<boolean> {
  await lockDirectory(trx, directoryId)
  const isGone =
    removed === 'rest' ? sql`child_id <> all(${added}::uuid[])` : sql`child_id = any(${removed.filter(isId)}::uuid[])`
  const { rows } = await sql<Edge & { isNew: boolean }>`
    with gone as (
      delete from nested_groups
      where org_id = ${trx.orgId} and parent_id = any(${parents}::uuid[]) and ${isGone} and child_id <> all(${added}::uuid[])
      returning parent_id, child_id
    ),
    come as (
      insert into nested_groups (org_id, parent_id, child_id)
      select ${trx.orgId}::uuid, parent_id, child_id
      from unnest(${parents}::uuid[]) as parent_id cross join unnest(${added}::uuid[]) as child_id
      on conflict do nothing returning parent_id, child_id
    )
    select parent_id as "parentId", child_id as "childId", false as "isNew" from gone
    union all select parent_id, child_id, true from come`.execute(trx)
  if (rows.length === 0) return false
  const children = rows.map((row) => row.childId)
  await enter(trx, directoryId, [...parents, ...children])
  await flatten(trx, directoryId, parents, heldBy(trx, children))
  await leave(trx, directoryId, [...parents, ...children])
  await logNesting(trx, directoryId, rows)
  return true
}

interface Edge {
  parentId: ProvisionedGroupId
  childId: ProvisionedGroupId
}

async function logNesting(trx: Trx, directoryId: DirectoryId, edges: readonly (Edge & { isNew: boolean })[]): Promise<void> {
  const childrenOf = (of: typeof edges, isNew: boolean) => of.filter((edge) => edge.isNew === isNew).map((edge) => edge.childId)
  await appendLogs(
    trx,
    [...Map.groupBy(edges, (edge) => edge.parentId)].map(([subject, of]) => ({
      action: 'group.nesting_changed' as const,
      subject,
      directoryId,
      facts: { added: childrenOf(of, true), removed: childrenOf(of, false) },
    })),
  )
}

/** A group is about to go: out of all that hold it, with whom only it brought in. */
export async function leaveNest(trx: Trx, { id, directoryId, isNested }: HeldGroup): Promise<void> {
  if (!isNested) return
  await lockDirectory(trx, directoryId)
  const concerned = heldBy(trx, [id])
  const above = (await idsOf(trx, holders(trx, [id]))).filter((other) => other !== id)
  // Kept until it is known whom it held.
  const held = await sql<{ account_id: AccountId }>`${concerned}`.execute(trx)
  const { rows: edges } = await sql<Edge>`
    delete from nested_groups where org_id = ${trx.orgId} and (parent_id = ${id} or child_id = ${id})
    returning parent_id as "parentId", child_id as "childId"`.execute(trx)
  if (above.length > 0)
    await flatten(trx, directoryId, above, sql`select unnest(${held.rows.map((row) => row.account_id)}::uuid[]) as account_id`)
  const parents = edges.filter((edge) => edge.childId === id).map((edge) => edge.parentId)
  await touchMembers(trx, parents)
  await leave(trx, directoryId, [...parents, ...edges.map((edge) => edge.childId)])
  await forgetNamed(trx, directoryId, [id])
  await logNesting(
    trx,
    directoryId,
    edges.map((edge) => ({ ...edge, isNew: false })),
  )
}

/** All groups of a directory go, these now: who is in them does not change any more. */
export async function leaveAllNests(trx: Trx, directoryId: DirectoryId, ids: readonly ProvisionedGroupId[]): Promise<void> {
  const { rows: edges } = await sql<Edge>`
    delete from nested_groups where org_id = ${trx.orgId} and (parent_id = any(${ids}::uuid[]) or child_id = any(${ids}::uuid[]))
    returning parent_id as "parentId", child_id as "childId"`.execute(trx)
  await forgetNamed(trx, directoryId, ids)
  await logNesting(
    trx,
    directoryId,
    edges.map((edge) => ({ ...edge, isNew: false })),
  )
}

// A group comes into a nest: all it has are its direct members.
async function enter(trx: Trx, directoryId: DirectoryId, ids: readonly ProvisionedGroupId[]): Promise<void> {
  const { rows } = await sql<{ id: ProvisionedGroupId; come: AccountId[] }>`
    with come as (
      insert into direct_members (org_id, provisioned_group_id, account_id)
      select p.org_id, p.id, m.account_id
      from provisioned_groups p join memberships m on m.org_id = p.org_id and m.group_id = p.group_id and m.pushed
      where p.org_id = ${trx.orgId} and p.id = any(${ids}::uuid[]) and not p.is_nested
      returning provisioned_group_id as id, account_id
    )
    select id, array_agg(account_id) as come from come group by id order by id`.execute(trx)
  await logNamed(trx, directoryId, rows)
  await setNested(trx, ids, true)
}

// A group that neither holds one nor is held by one has its direct members only.
async function leave(trx: Trx, directoryId: DirectoryId, ids: readonly ProvisionedGroupId[]): Promise<void> {
  const alone = await idsOf(
    trx,
    sql`
    select given.id from unnest(${ids}::uuid[]) as given(id)
    where not exists (select from nested_groups n where n.org_id = ${trx.orgId} and n.parent_id = given.id)
      and not exists (select from nested_groups n where n.org_id = ${trx.orgId} and n.child_id = given.id)`,
  )
  if (alone.length === 0) return
  await forgetNamed(trx, directoryId, alone)
  await setNested(trx, alone, false)
}

async function forgetNamed(trx: Trx, directoryId: DirectoryId, ids: readonly ProvisionedGroupId[]): Promise<void> {
  const { rows } = await sql<{ id: ProvisionedGroupId; gone: AccountId[] }>`
    with gone as (
      delete from direct_members where org_id = ${trx.orgId} and provisioned_group_id = any(${ids}::uuid[])
      returning provisioned_group_id as id, account_id
    )
    select id, array_agg(account_id) as gone from gone group by id order by id`.execute(trx)
  await logNamed(trx, directoryId, rows)
}

/**
 * Writes of some accounts (rows of account_id) whether these groups, and all that hold them, have them. Each group is looked through
 * once, so that a circle ends.
 */
async function flatten(
  trx: Trx,
  directoryId: DirectoryId,
  ids: readonly ProvisionedGroupId[],
  accounts: RawBuilder<unknown>,
): Promise<void> {
  const groups = await idsOf(trx, holders(trx, ids))
  const rows = sql`
    with recursive concerned as materialized (${accounts}),
    looked_through(holder, id) as (
      select holder, holder from unnest(${groups}::uuid[]) as holder
      union
      select l.holder, n.child_id from looked_through l join nested_groups n on n.org_id = ${trx.orgId} and n.parent_id = l.id
    ),
    found as (
      select holder, account_id, false as is_in from unnest(${groups}::uuid[]) as holder cross join concerned
      union all
      select l.holder, c.account_id, true
      from looked_through l cross join concerned c
      join direct_members d on d.org_id = ${trx.orgId} and d.provisioned_group_id = l.id and d.account_id = c.account_id
    )
    select p.group_id, found.account_id, bool_or(is_in) as pushed, ${followsIn('p.state')} as follow
    from found join provisioned_groups p on p.org_id = ${trx.orgId} and p.id = found.holder
    group by p.group_id, p.state, found.account_id`
  const written = await pushMemberships(trx, directoryId, rows, { pushedTo: ids })
  const above = groups.filter((id) => !ids.includes(id))
  if (above.length > 0 && written.pushedAdded + written.pushedRemoved > 0) await keepFilling(trx, above)
}

// These groups and all that hold them, by however many between.
const holders = (trx: Trx, ids: readonly string[]) => sql`
  with recursive holder(id) as (
    select unnest(${ids}::uuid[])
    union
    select n.parent_id from holder h join nested_groups n on n.org_id = ${trx.orgId} and n.child_id = h.id
  )
  select id from holder`

// Whom these groups hold, directly or through others.
const heldBy = (trx: Trx, ids: readonly ProvisionedGroupId[]) => sql`
  with recursive held(id) as (
    select unnest(${ids}::uuid[])
    union
    select n.child_id from held h join nested_groups n on n.org_id = ${trx.orgId} and n.parent_id = h.id
  )
  select distinct d.account_id
  from held h join direct_members d on d.org_id = ${trx.orgId} and d.provisioned_group_id = h.id`

async function idsOf(trx: Trx, query: RawBuilder<unknown>): Promise<ProvisionedGroupId[]> {
  const { rows } = await sql<{ id: ProvisionedGroupId }>`${query}`.execute(trx)
  return rows.map((row) => row.id)
}
