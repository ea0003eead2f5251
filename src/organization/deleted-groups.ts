import { type RawBuilder, sql } from 'kysely'
import type { Reader, Trx } from '../database/connection.ts'
import { type DirectoryId, type GroupId, isId } from '../database/ids.ts'
import { found, type Listed, type Listing, list } from './listing.ts'
import { nameKey } from './name-key.ts'
import { Refusal } from './refusal.ts'

/** For how many days a deleted group can be restored. */
export const restorableDays = 30

/** Of a row of groups: it was deleted, and can be restored. */
export const isRestorable = sql<boolean>`deleted_at > now() - make_interval(days => ${sql.lit(restorableDays)})`

/** A group that was deleted, as it was, and can be restored. */
export interface DeletedGroup {
  id: GroupId
  name: string
  description: string | null
  /** How many were in it, and how many roles it had. */
  memberCount: number
  grantCount: number
  deletedAt: Date
  deletedBy: string
  restorableUntil: Date
  /** The directory that has pushed its name since, and is offered it. */
  pushedBy: { id: DirectoryId; name: string } | null
}

// Who was in a group is in the entry of its deletion, and nowhere else (decision 0036). One that was restored, and deleted again by an undo, is
// as it was deleted first.
const deletion = (reader: Reader): RawBuilder<unknown> => sql`(
  select actor, removed from log_entries
  where org_id = ${reader.orgId} and subject = g.id and action = 'group.deleted' and not facts ? 'again' order by id desc limit 1
)`

const columns = sql`
  g.id, g.name, g.description, coalesce(cardinality(l.removed), 0) as "memberCount",
  (select count(*)::integer from grants r where r.org_id = g.org_id and r.group_id = g.id) as "grantCount",
  g.deleted_at as "deletedAt", l.actor as "deletedBy", g.deleted_at + make_interval(days => ${sql.lit(restorableDays)}) as "restorableUntil",
  case when d.id is not null then json_build_object('id', d.id, 'name', d.name) end as "pushedBy"`

const deletedGroups = (reader: Reader): RawBuilder<unknown> => sql`
  groups g
  cross join lateral ${deletion(reader)} l
  left join provisioned_groups p on p.org_id = g.org_id and p.group_id = g.id
  left join directories d on d.org_id = p.org_id and d.id = p.directory_id
  where g.org_id = ${reader.orgId} and ${isRestorable}`

/** Lists what was deleted and can be restored, searched in name and description. Sorted by -deletedAt, name or members. */
export const listDeletedGroups = (reader: Reader, listing: Listing): Promise<Listed<DeletedGroup>> =>
  list(reader, listing, {
    columns,
    from: sql`${deletedGroups(reader)} and ${found(listing, 'g.name_key', 'lower(g.description)')}`,
    sorts: { name: 'g.name_key', deletedAt: 'g.deleted_at', members: '"memberCount"' },
    usual: '-deletedAt',
    last: 'g.id',
  })

/** Finds a deleted group by its id, or the last one that was deleted of a name. @throws Refusal `not_found`, also where its time is over */
export async function findDeletedGroup(reader: Reader, idOrName: string): Promise<DeletedGroup> {
  const id = isId(idOrName) ? idOrName : null
  const { rows } = await sql<DeletedGroup>`
    select ${columns} from ${deletedGroups(reader)} and (g.id = ${id}::uuid or g.name_key = ${nameKey(idOrName)})
    order by g.id = ${id}::uuid desc nulls last, g.deleted_at desc, g.id desc limit 1`.execute(reader)
  if (rows[0] !== undefined) return rows[0]
  throw new Refusal(
    'not_found',
    `There is no such deleted group. What is deleted can be restored for ${restorableDays} days: list the deleted groups.`,
  )
}

/** Who was in a deleted group, as rows of account_id. */
export const membersAtDeletion = (reader: Reader, id: GroupId): RawBuilder<unknown> => sql`
  select unnest(l.removed) as account_id from groups g cross join lateral ${deletion(reader)} l
  where g.org_id = ${reader.orgId} and g.id = ${id}`

/** The deleted groups that can be restored no more, the oldest first. */
export async function expiredGroups(reader: Reader, limit: number): Promise<GroupId[]> {
  const { rows } = await sql<{ id: GroupId }>`
    select id from groups where org_id = ${reader.orgId} and deleted_at is not null and not ${isRestorable}
    order by deleted_at limit ${limit}`.execute(reader)
  return rows.map(({ id }) => id)
}

/** Locks deleted groups: no push is offered them from now on. @returns those of them that are deleted still */
export async function lockDeletedGroups(trx: Trx, ids: readonly GroupId[]): Promise<GroupId[]> {
  const { rows } = await sql<{ id: GroupId }>`
    select id from groups where org_id = ${trx.orgId} and id = any(${ids}::uuid[]) and deleted_at is not null
    order by id for update`.execute(trx)
  return rows.map(({ id }) => id)
}
